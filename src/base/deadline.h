/*
 * deadline: points on CLOCK_MONOTONIC, in milliseconds.
 */
#ifndef BASE_DEADLINE_H
#define BASE_DEADLINE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* The point ms from now; INT64_MAX for ms < 0 (never). */
int64_t deadline_in(int64_t ms);
/* Milliseconds left, for poll(2): 0 when passed, -1 for never. */
int deadline_left(int64_t deadline);
/*
 * Waits until fd has one of events.  The revents (> 0), 0 with ETIMEDOUT once
 * the deadline has passed, -1 on error.  Retries EINTR.
 */
int deadline_poll(int fd, short events, int64_t deadline);

/*
 * As read(2), when there is something, or the end: -1 with ETIMEDOUT once the
 * deadline has passed.  What is there already takes one call.
 */
ssize_t deadline_read(int fd, void *, size_t, int64_t deadline);

/* CLOCK_MONOTONIC in nanoseconds, to measure with. */
uint64_t deadline_ns(void);

#endif
