/*
 * turn: at most so many processes at once; the others wait, in the order in
 * which they came.
 *
 * A file in a directory that is ours alone has a byte for each turn and one for
 * each of two queues, to be locked (fcntl(2), F_OFD_SETLK).  Who is first in a
 * queue looks for a free turn; those behind it sleep until the kernel hands the
 * queue on, to one of them at a time and the first that came (Linux 5.0; to any
 * before).  Whoever dies lets go of both.  While it waits the process has no
 * other use for SIGALRM and ITIMER_REAL.
 */
#ifndef BASE_TURN_H
#define BASE_TURN_H

#include <stdint.h>

enum {
	TURN_WAITS = 3, /* a sensible deadline: as long as the work may take */
	TURN_MIN = 2,
	TURN_MAX = 16
};

/* As many as may use so much memory each: together an eighth of what there is,
 * but TURN_MIN at least. */
unsigned turn_number(uint64_t memory);
/*
 * Waits for one of n turns: a descriptor, which is the turn until all have
 * closed it.  low: for the second queue, to which one of them is never given.
 * -1: ETIMEDOUT when the deadline passed (base/deadline.h), else what is wrong
 * with the file: EPERM when it is not ours.
 */
int
turn_take(int dirfd, const char *name, unsigned n, int low, int64_t deadline);
/* One of turn_number(memory), which is not asked for where the first is free.
 */
int turn_take_for(
    int dirfd, const char *name, uint64_t memory, int low, int64_t deadline);

#endif
