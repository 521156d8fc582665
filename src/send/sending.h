/* sending: receivers and outcomes, one sending; the contract is in coresend.h.
 */
#ifndef SEND_SENDING_H
#define SEND_SENDING_H

#include "core/coreextent.h"
#include "send/coresend.h"

struct sending {
	const struct send_cfg *c;
	struct send_result *r;
	struct coreout out;
	struct core_head head;
	struct core_extent extent; /* size 0: not known */
	int head_err;		   /* how reading the head ended */
	struct crash_id id;
	const char *trouble; /* why the core is incomplete, or NULL */
	char *block;	     /* STREAM_BLOCK bytes */
	size_t next;	     /* place to try next */
	unsigned retries;    /* of the last place, after it broke */
	int whole;	     /* what it has is of no use */
	uint64_t spent;	     /* bytes of data it was sent before */
	int is_file;	     /* and the core begins at start in it */
	uint64_t start;
	int copied; /* the process's memory is ours */
	int gone;   /* what was sent cannot be sent again */
	int connfd; /* to the last one */
	char to[TCP_TEXT_MAX];
};

/* Connects to the next receiver, for out.outfd and infd, or again to the last
 * one, if the connection broke and it keeps parts; -1: there is none any more,
 * both are -1. */
int sending_next(struct sending *);
/* After the last receiver failed: notes its reason. */
void sending_failed(struct sending *, const char *why);
void sending_hang_up(struct sending *);
/* END was sent: has the receiver all of it?  -1: out.why. */
int sending_confirm(struct sending *, uint64_t size);
/* The stream is needed no more: the process may go. */
void sending_release(struct sending *);
/* Nor is the process: whoever waits for us may go on. */
void sending_let_go(struct sending *);
/* The outcome, and what there is to tell of the core. */
void sending_done(
    struct sending *, enum send_outcome, uint64_t size, const char *state);

/* --- the two ways (sendmemory.c, sendstream.c) -----------------------------
 */

/* By the process's memory.  0, or -1 when the stream must do, which has not
 * been touched then. */
int sending_memory(struct sending *);
void sending_stream(struct sending *);

#endif
