/* The part of coreout that cuts: a block of a core becomes frames, without what
 * is zeros in it. */
#include "send/coreout.h"
#include "stream/crc32c.h"

static int
put_run(struct coreout *o, uint64_t off, const char *p, size_t len)
{
	struct stream_frame f = {.type = STREAM_DATA,
	    .len = (uint32_t)len,
	    .off = off,
	    .crc = crc32c(0, p, len)};

	return coreout_frame(o, &f, p);
}

int
coreout_put(struct coreout *o, uint64_t off, const void *data, size_t len)
{
	const char *p = data;
	size_t i = 0, run = 0, step, zeros;
	int r = 0;

	o->rd += len;
	while (i < len && r == 0) {
		step = COREOUT_UNIT - (off + i) % COREOUT_UNIT;
		if (step > len - i)
			step = len - i;
		zeros = step == COREOUT_UNIT
		    ? stream_zeros(p + i, len - i, COREOUT_UNIT)
		    : 0;
		if (zeros > 0 && i > run)
			r = put_run(o, off + run, p + run, i - run);
		i += zeros > 0 ? zeros : step;
		if (zeros > 0)
			run = i;
	}
	if (r == 0 && i > run)
		r = put_run(o, off + run, p + run, i - run);
	atomic_store(&o->cfg->meter->next, off + len);
	return r;
}
