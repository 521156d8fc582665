/*
 * modopen: finding the file of a mapping whose process may have gone.
 * Private to modcache.c.
 */
#ifndef TARGET_MODOPEN_H
#define TARGET_MODOPEN_H

#include <sys/stat.h>
#include <sys/types.h>

#include "base/io.h"
#include "proc/maps.h"

/* The mount table of our own root directory, read again when it changes. */
struct modopen {
	int mountsfd; /* -1: not open */
	struct buf mounts;
	int rootfd;
};

void modopen_init(struct modopen *);
void modopen_end(struct modopen *);
struct modopened {
	struct stat st;
	const char *why; /* there is none */
};

/*
 * A descriptor for the file that is mapped, checked to be the same (build-id,
 * or device and inode), and its status; -1 and why.  pid[0] is who mapped it.
 */
int modopen_map(struct modopen *, const struct map *, const pid_t *pid,
    size_t npids, struct modopened *);

#endif
