/*
 * corefiles: where the files of a core's modules are looked for.  Private to
 * target/.
 *
 * The names are the core's and hostile, the directories the user's.
 */
#ifndef TARGET_COREFILES_H
#define TARGET_COREFILES_H

#include <sys/types.h>

#include "target/target_core.h"

struct corefiles {
	const struct core_paths *where;
	uid_t owner; /* of the core */
};

/*
 * The file of that name: below the other machine's root where there is one,
 * else here.  Run by root this program may read any; it reads but those that
 * everybody may, or that belong to the core's owner.  -1 with errno.
 */
int corefiles_open(const struct corefiles *, const char *path);
/* Opens the file of each module, the one that is proven the same before one
 * that may be.  -1 when it is the program's, which the user named. */
int corefiles_open_all(const struct corefiles *, struct target *);

#endif
