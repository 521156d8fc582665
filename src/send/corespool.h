/*
 * corespool: cores that wait for a receiver, each a whole stream in a file.
 *
 * A file is written without a name (O_TMPFILE) and gets one when it is whole
 * and on disk, so whoever is killed leaves nothing behind.  Its name is
 * TIME.PID.N.core: when it crashed, in seconds since the epoch, and a number
 * against collisions.  Who sends one holds its flock(2).  The directory must
 * belong to us or to root and be writable by its owner only.
 */
#ifndef SEND_CORESPOOL_H
#define SEND_CORESPOOL_H

#include <stddef.h>
#include <stdint.h>

#include "crash/crashid.h"

enum { CORESPOOL_NAME_MAX = 64 };

struct corespool_entry {
	uint64_t time, pid, n;
	char name[CORESPOOL_NAME_MAX];
};

/*
 * The directory's descriptor; makes it, 0700, when it is missing and make is
 * set.  -1 EPERM when it is writable by others or another's.
 */
int corespool_open(const char *dir, int make);
/* Bytes on disk of all that lies in it, the damaged too.  -1. */
int corespool_used(int dirfd, uint64_t *bytes);
/* A file without a name, for writing; -1 (EOPNOTSUPP: not on this file
 * system). */
int corespool_new(int dirfd);
/*
 * All of that, making the directory: its descriptor, a new file in *fd, and in
 * *room what is left of max bytes.
 */
int corespool_begin(const char *dir, uint64_t max, int *fd, uint64_t *room);
/*
 * Gives fd a name, when with it not more than max bytes lie there; else EFBIG.
 * All is on disk then.  Others that do the same are waited for, 5 s at most.
 */
int corespool_publish(int dirfd, int fd, uint64_t max, const struct crash_id *,
    char name[CORESPOOL_NAME_MAX]);
/* What waits, the oldest first; malloc'd. */
int corespool_list(int dirfd, struct corespool_entry **, size_t *n);
/*
 * Opens one for reading, flocked.  -1 EWOULDBLOCK: somebody has it, ENOENT:
 * it has gone, ENODEV: it is no regular file.
 */
int corespool_take(int dirfd, const char *name);
int corespool_remove(int dirfd, const char *name);
/* Out of the way, as NAME.damaged. */
int corespool_damaged(int dirfd, const char *name);

#endif
