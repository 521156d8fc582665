/*
 * recqueue: records of several perf rings, put in order of time.
 *
 * Each ring is in order by itself; between them only time tells.  Keeps copies
 * of the records (hostile, see track/perfrec.h), at most so many bytes.
 */
#ifndef TRACK_RECQUEUE_H
#define TRACK_RECQUEUE_H

#include "base/io.h"
#include "track/perfrec.h"

struct queued {
	uint64_t time;
	size_t off, len; /* in the bytes */
};

struct recqueue {
	size_t max; /* bytes of records */
	struct queued *q;
	size_t head, n, cap; /* q[head..n) wait */
	int sorted;
	struct buf bytes;
};

void recqueue_init(struct recqueue *, size_t max);
void recqueue_free(struct recqueue *);
/* Copies a record, if it is one of interest.  0; -1 with errno: EBADMSG it is
 * no record, ENOBUFS there is no more room, ENOMEM. */
int recqueue_put(struct recqueue *, const void *, size_t len);
/* Takes the oldest record that is not younger than time: 1, or 0 when there is
 * none.  What it points to is good until the next put. */
int recqueue_take(struct recqueue *, uint64_t time, struct perfrec *);

#endif
