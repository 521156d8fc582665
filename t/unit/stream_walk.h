/*
 * stream_walk: a core stream, or the beginning of one, in memory.
 */
#ifndef T_STREAM_WALK_H
#define T_STREAM_WALK_H

#include "stream/corestream.h"

struct walked {
	struct crash_id id;
	struct stream_sum sum;
	struct stream_end end;
	const char *why; /* it is bad */
	ssize_t used;
	struct buf *core; /* filled in, where not NULL */
	int show;
};

/* 1 the whole of a stream that is undamaged, 0 more is needed, -1 bad. */
int stream_walk(const char *p, size_t len, struct walked *w);

#endif
