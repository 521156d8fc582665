/*
 * fanout: one stream to several pipes, each reader at its own pace.
 *
 * Every byte of the input goes to every output that stays.  What the input's
 * pipe holds is handed to the outputs' pipes by tee(2): pages change hands,
 * nothing is copied.  What some could take and others not yet is kept in a ring
 * for the others; when that is full the slowest rules, until it has taken
 * nothing for so long that it counts as stalled and is let go.  An input that
 * is no pipe goes through the ring.
 *
 * Nothing is read while no output is open, nor ahead of the fastest.  The input
 * is never closed.  Never blocks but in fanout_step(); SIGPIPE must be ignored.
 */
#ifndef BASE_FANOUT_H
#define BASE_FANOUT_H

#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>

enum { FANOUT_BLOCK = 1 << 20 }; /* passed at a time, and the size of pipes */

enum fanout_end {
	FANOUT_OPEN,
	FANOUT_WHOLE,	/* it was given all there was */
	FANOUT_CLOSED,	/* nobody reads there any more */
	FANOUT_STALLED, /* it took nothing for too long */
	FANOUT_BROKEN	/* err says why */
};

struct fanout_out {
	enum fanout_end end;
	int err;
	uint64_t at; /* how much of the input it was given */
	/* private */
	int fd;	      /* -1 when it has ended */
	int full;     /* it was, when last tried */
	int queued;   /* bytes in the pipe then */
	int64_t late; /* by when that must have changed */
};

struct fanout {
	struct fanout_out *out;
	unsigned n;
	uint64_t head; /* how much of the input has been passed on */
	int eof;       /* it has ended, by err if that is not 0 */
	int err;
	/* private */
	int in, piped, nullfd;
	int64_t stall_ms;
	struct pollfd *pfd; /* the input, then the outputs */
	char *ring;	    /* bytes from the slowest output's place to head */
	size_t size;
	uint64_t base; /* the byte that is, or would be, ring[0] */
};

/*
 * n outputs, none open yet; a ring of size bytes (at least FANOUT_BLOCK),
 * whose pages are used as needed.  -1 with errno.  fanout_free() in any case:
 * it closes what is open, but for the input.
 */
int
fanout_init(struct fanout *, int in, unsigned n, size_t size, int64_t stall_ms);
void fanout_free(struct fanout *);
/* Output i is the writing end fd of a pipe, which is taken over.  -1 with
 * errno, fd then being the caller's. */
int fanout_add(struct fanout *, unsigned i, int fd);
/* Lets go of output i, if it is open. */
void fanout_drop(struct fanout *, unsigned i, enum fanout_end);
/*
 * Sleeps until something can be passed on, and does it; until the deadline, or
 * a signal that is not in mask.  1 when bytes were taken, else 0.
 */
int fanout_step(struct fanout *, int64_t deadline, const sigset_t *mask);

#endif
