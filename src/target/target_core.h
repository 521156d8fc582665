/*
 * target_core: a core file (or what was kept of a stream) as a target.
 *
 * Memory comes from the core; what it left out of files that were mapped
 * read-only comes from those files, if they are still the same (build-id, or
 * target/modhead.h).  Mappings follow from segments and from NT_FILE or the
 * link map.
 * The core and every file it names are hostile.
 */
#ifndef TARGET_TARGET_CORE_H
#define TARGET_TARGET_CORE_H

#include "core/corehead.h"
#include "target/target.h"

struct opener;

/* Where its files are. */
struct core_paths {
	const char *exe; /* the program's, whatever the core calls it, or NULL
			  */
	int rootfd;	 /* the root of the machine it is of; -1: ours */
	/* further directories, with the files by the last part of their names
	 */
	const char *const *libdirs;
	size_t nlibdirs;
	struct opener *opener; /* opens what the core names; NULL: we do */
};

/*
 * Fills in maps, memory and modules; the head must outlive the target, corefd
 * and the descriptors in the paths stay the caller's.  Opens the files the
 * core names, so some right to read them must be left.  0, or -1 with errno.
 */
int target_core_open(int corefd, const struct core_head *,
    const struct core_paths *, struct target *);

#endif
