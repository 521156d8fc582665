/*
 * waiting: connections that were accepted and are not served yet.
 *
 * A queue for an accept loop whose children are bounded: first come first
 * served among those that may be served, each until its deadline.  Owns the
 * descriptors in it.
 */
#ifndef NET_WAITING_H
#define NET_WAITING_H

#include <stdint.h>

struct waiting_conn {
	int fd;
	uint64_t kin;
	int64_t until;
	int refused; /* told to go; only closed after a while */
};

struct waiting {
	struct waiting_conn *conn;
	unsigned n, max;
};

/* Room for max; -1 ENOMEM. */
int waiting_init(struct waiting *, unsigned max);
/* There must be room (n < max). */
void waiting_add(struct waiting *, int fd, uint64_t kin, int64_t until);
/* How many there are of that kin. */
unsigned waiting_count(const struct waiting *, uint64_t kin);
/* Closes and forgets number i; those behind it move up. */
void waiting_remove(struct waiting *, unsigned i);
/*
 * Refuses number i, which has been told why: the connection stays a moment
 * longer, so that no reset overtakes that.
 */
void waiting_refuse(struct waiting *, unsigned i);
/* Milliseconds until the next deadline, -1 for none. */
int waiting_left(const struct waiting *);
/* Closes all, as a forked child must. */
void waiting_close(struct waiting *);

#endif
