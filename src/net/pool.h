/*
 * pool: the children of an accept loop, and the signals that concern it.
 *
 * For a server that forks per connection: how many children live, whose they
 * are, and a sleep that a connection, a child's end and SIGTERM or SIGINT
 * each end, with no race between them.  One pool per process.
 */
#ifndef NET_POOL_H
#define NET_POOL_H

#include <signal.h>
#include <stdint.h>
#include <sys/types.h>

struct pool_child {
	pid_t pid;
	uint64_t kin;
};

struct pool {
	struct pool_child *child;
	unsigned n, max;
	sigset_t unblocked;
	/* Told of children that a signal ended; NULL after pool_init(). */
	void (*killed)(pid_t, int sig);
};

/*
 * Room for max children; from here on SIGTERM, SIGINT and SIGCHLD come only
 * in pool_sleep(), and children are born with them blocked.  -1 ENOMEM.
 */
int pool_init(struct pool *, unsigned max);
/* How many stop signals there were. */
int pool_stopping(void);
/* Takes note of a child; there must be room (n < max). */
void pool_add(struct pool *, pid_t, uint64_t kin);
/* How many children of that kin live. */
unsigned pool_count(const struct pool *, uint64_t kin);
/* Forgets those that have ended. */
void pool_reap(struct pool *);
/*
 * Sleeps until fd (-1: none) is readable, then 1; or 0 after a signal or when
 * ms (-1: any number) have passed.
 */
int pool_sleep(const struct pool *, int fd, int ms);
/*
 * Waits for all children.  0, or -1 when the deadline passed or another stop
 * signal came first.
 */
int pool_finish(struct pool *, int64_t deadline);

#endif
