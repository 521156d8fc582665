/*
 * owned: what is ours alone in the file system: a directory, a lock file in
 * it, files that somebody holds or nobody does.
 *
 * A directory that nobody but its owner (and root) can write to keeps what is
 * in it from being swapped; it is opened once and used by its descriptor.
 * flock(2) has no timeout, and a signal is not a module's to use: it is tried
 * again and again, with rests that grow from 1 to 63 ms, or a thousand that
 * wait would leave no time to who has it.  Whoever dies lets go of it.
 * Every descriptor is close-on-exec and the caller's; -1 with errno.
 */
#ifndef BASE_OWNED_H
#define BASE_OWNED_H

#include <stdint.h>
#include <sys/stat.h>

enum owned_by { OWNED_ANY, OWNED_OURS, OWNED_OURS_OR_ROOTS };

/*
 * Opens a directory.  Where made is not NULL it is made when it is missing, in
 * one that is there, and *made says so; its mode is 0700 then.
 * ENOTDIR: it is something else, a link too.  EPERM: its owner is another than
 * may be, or group or others may write there.
 */
int owned_dir(const char *path, enum owned_by, int *made);
/* One below it. */
int owned_sub(int dirfd, const char *name);
/* A regular file in it, for reading; ENODEV: it is something else. */
int owned_file(int dirfd, const char *name);
/* Whether nobody holds that file's lock; 0 when there is none. */
int owned_idle(int dirfd, const char *name);

/* Locks fd for this process alone.  ETIMEDOUT when the deadline passed
 * (base/deadline.h). */
int owned_hold(int fd, int64_t deadline);
/*
 * The same with a file for nothing else, made 0600 when it is missing: its
 * descriptor, which the caller closes to unlock.  EPERM: something else lies
 * there, or it is another's; ELOOP a link.  A file that is removed meanwhile
 * locks nobody out: then it is the new one.  now: what fstat(2) says since it
 * is locked.
 */
int owned_lock(int dirfd, const char *name, int64_t deadline, struct stat *now);

#endif
