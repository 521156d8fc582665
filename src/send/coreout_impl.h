/* coreout_impl: what the parts of coreout tell each other; private to them. */
#ifndef SEND_COREOUT_IMPL_H
#define SEND_COREOUT_IMPL_H

#include "send/coreout.h"

/* --- the joint (corejoint.c), which is to be told of when it is reached -----
 */

/* Of a frame, DATA, before the joint.  1: it is not sent; 0: the joint is
 * reached, and it is sent as it is now; -1 as coreout_flush(). */
int coreout_skip(struct coreout *, struct stream_frame *, const void **payload);
/* No more frames come: the joint is reached by a hole in a core of that size.
 * -1. */
int coreout_skipped(struct coreout *, uint64_t size);

/* --- the receiver's side (corehear.c) --------------------------------------
 */

/* Something got on; the next may take so long. */
void coreout_beat(struct coreout *, int64_t allow_ms);
/*
 * Takes what there is of its answer: 1 when that is a line, or all it can
 * hold; 0 when more may come, -1 when nothing will (errno 0 for its end).
 */
int coreout_hear(struct coreout *);
/* Until it has said what it can, or has had the time to. */
int coreout_await_words(struct coreout *);
/* Why it is lost, in why; all of them -1.  judge_early: what it has said before
 * its turn; ended: errno, or 0; shut: the same while writing. */
int coreout_lost(struct coreout *, const char *reason);
int coreout_judge_early(struct coreout *);
int coreout_ended(struct coreout *, int err);
int coreout_shut(struct coreout *, int err);
int coreout_slow(struct coreout *, const char *what, int64_t ms);

#endif
