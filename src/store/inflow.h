/*
 * inflow: what comes in on one descriptor, buffered, against the clock.
 *
 * For whoever parses a stream that has a hostile sender.  Memory is bounded by
 * INFLOW_SIZE.  Two deadlines: one for the whole, and one for quiet, which is
 * put off by inflow_renew() and, once that was called, by every INFLOW_STEP
 * bytes: so a sender that only dribbles is quiet.  -1 and NULL with errno.
 */
#ifndef STORE_INFLOW_H
#define STORE_INFLOW_H

#include <stddef.h>
#include <stdint.h>

#include "stream/corestream.h"

enum {
	INFLOW_NEED_MAX = STREAM_BLOCK + 2 * STREAM_FRAME,
	INFLOW_SIZE = STREAM_BLOCK + (64 << 10),
	INFLOW_STEP = 4096
};

struct inflow {
	int fd, sock;
	unsigned char *buf;
	size_t at, len; /* not yet taken: [buf + at, buf + at + len) */
	int64_t idlems, idle, life;
	uint64_t come, renewed; /* bytes until now, and at the last renewal */
	int steady, ended;
};

/* fd stays the caller's.  Times in ms, < 0: for ever.  -1 ENOMEM. */
int inflow_open(struct inflow *, int fd, int64_t idlems, int64_t lifems);
void inflow_close(struct inflow *);
/*
 * Waits until n bytes are there, at most INFLOW_NEED_MAX, and returns them;
 * they stay until inflow_take().  NULL: ENODATA at the end of the stream,
 * ETIMEDOUT, or of read(2); what has come is there nevertheless.
 */
const unsigned char *inflow_need(struct inflow *, size_t n);
/* The bytes at hand. */
const unsigned char *inflow_bytes(const struct inflow *);
void inflow_take(struct inflow *, size_t n);
void inflow_renew(struct inflow *);
/* Reads and drops until the end, for ms and max bytes at most. */
void inflow_drain(struct inflow *, int64_t ms, uint64_t max);

#endif
