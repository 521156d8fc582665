/*
 * lock: flock(2) that does not wait for ever.
 *
 * flock(2) has no timeout, and a signal is not a module's to use: it is tried
 * again and again, with rests of 1 to 5 ms.  Whoever dies lets go of it.
 */
#ifndef BASE_LOCK_H
#define BASE_LOCK_H

#include <stdint.h>

/* Locks fd for this process alone.  -1 ETIMEDOUT when the deadline passed
 * (base/deadline.h). */
int lock_wait(int fd, int64_t deadline);
/*
 * The same with a file for nothing else, made 0600 when it is missing: its
 * descriptor, which the caller closes to unlock.  -1 EPERM: something else
 * lies there, or it is another's; ELOOP a link.
 */
int lock_file(int dirfd, const char *name, int64_t deadline);

#endif
