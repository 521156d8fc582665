/* The part of coreout that leaves out what a receiver has already. */
#include <stdio.h>
#include <string.h>

#include "send/coreout_impl.h"
#include "stream/crc32c.h"

static int
mismatch(struct coreout *o)
{
	o->mismatch = 1;
	snprintf(o->why, sizeof(o->why), "%s",
	    "what it has of this core is not what there is");
	return -1;
}

/* All before the joint is summed up: is it the same at both ends? */
static int
join(struct coreout *o)
{
	if (stream_sum_end(&o->sum, o->has.off) != o->has.crc)
		return mismatch(o);
	o->sum.next = o->joint = o->has.off;
	o->sum.crc = o->has.crc;
	o->has.off = 0;
	return 0;
}

/* That frame is at the receiver. */
static int
pass(struct coreout *o, const struct stream_frame *f)
{
	if (stream_sum_data(&o->sum, f) == -1) {
		o->refused = -1;
		snprintf(o->why, sizeof(o->why), "its parts overlap");
		return -1;
	}
	o->skipped += f->len;
	return 1;
}

int
coreout_skip(struct coreout *o, struct stream_frame *f, const void **payload)
{
	struct stream_frame before = *f;

	/* what is written to a file as well cannot be left out here */
	if (o->keep.fd != -1)
		return mismatch(o);
	coreout_beat(o, o->cfg->idle_ms);
	if (f->off >= o->has.off)
		return join(o);
	if (f->len <= o->has.off - f->off)
		return pass(o, f);
	before.len = (uint32_t)(o->has.off - f->off);
	before.crc = crc32c(0, *payload, before.len);
	if (pass(o, &before) == -1)
		return -1;
	*payload = (const char *)*payload + before.len;
	f->off += before.len;
	f->len -= before.len;
	f->crc = crc32c(0, *payload, f->len);
	return join(o);
}

int
coreout_skipped(struct coreout *o, uint64_t size)
{
	return o->has.off > size ? mismatch(o) : join(o);
}
