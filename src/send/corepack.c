#include "send/corepack.h"

#include "base/deadline.h"

enum {
	LATELY = 16, /* blocks */
	/* blocks one way, then one the other: twice as many while it is not
	   the better, up to */
	TRY = 64,
	TRY_MAX = 1024
};

void
corepack_again(struct corepack *k)
{
	k->offered = k->takes = 0;
	k->on = k->when == COREPACK_YES;
	k->used = 0;
	k->plain = k->packed = k->ns = 0;
	k->best = 0;
	k->blocks = k->try = TRY;
}

void
corepack_frame(struct corepack *k, struct stream_frame *f, const void **payload)
{
	struct stream_frame g = *f;
	uint64_t since;
	size_t n;

	if (!k->takes || !k->on || k->room == NULL)
		return;
	since = deadline_ns();
	n = stream_frame_pack(
		&g, *payload, k->room + k->used, STREAM_BLOCK - k->used) == 0
	    ? g.len
	    : 0;
	k->ns += deadline_ns() - since;
	k->plain += f->len;
	k->packed += n > 0 ? n : f->len;
	if (n == 0)
		return;
	*payload = k->room + k->used;
	k->used += n;
	*f = g;
}

static void
add(uint64_t *sum, uint64_t now)
{
	*sum = *sum - *sum / LATELY + now;
}

/* Is a MiB sooner there when it is packed, by a tenth or more? */
static int
is_worth_it(const struct corepack_way *plain, const struct corepack_way *packed)
{
	if (plain->bytes == 0 || packed->bytes == 0)
		return 0;
	return (double)packed->ns / (double)packed->bytes <
	    0.9 * (double)plain->ns / (double)plain->bytes;
}

void
corepack_sent(struct corepack *k, uint64_t bytes, uint64_t ns)
{
	int packed = k->plain > 0, best;
	struct corepack_way *w = &k->ways[packed];

	add(&w->bytes, bytes - k->packed + k->plain);
	add(&w->ns, ns + k->ns);
	k->used = 0;
	k->plain = k->packed = k->ns = 0;
	if (k->when != COREPACK_AUTO)
		return;
	best = is_worth_it(&k->ways[0], &k->ways[1]);
	if (best != k->best) {
		k->blocks = 0;
		k->try = TRY;
	} else if (packed == best) {
		k->blocks++;
	} else {
		k->blocks = 0;
		if (k->try < TRY_MAX)
			k->try *= 2;
	}
	k->best = best;
	k->on = k->blocks >= k->try ? !best : best;
}
