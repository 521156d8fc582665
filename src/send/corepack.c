#include "send/corepack.h"

#include "base/deadline.h"

enum {
	LATELY = 16, /* blocks */
	TRY = 64     /* blocks without, then one with */
};

void
corepack_again(struct corepack *k)
{
	k->offered = k->takes = 0;
	k->on = k->when == COREPACK_YES;
	k->used = 0;
	k->plain = k->packed = k->ns = 0;
	k->blocks = TRY;
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

/* Is a MiB sooner there when it is packed? */
static int
is_worth_it(const struct corepack *k)
{
	double send, pack, left;

	if (k->sent == 0 || k->tried == 0)
		return 0;
	send = (double)k->send_ns / (double)k->sent;
	pack = (double)k->pack_ns / (double)k->tried;
	left = (double)k->left / (double)k->tried;
	return pack + left * send < send;
}

void
corepack_sent(struct corepack *k, uint64_t bytes, uint64_t ns)
{
	add(&k->sent, bytes);
	add(&k->send_ns, ns);
	k->blocks++;
	if (k->plain > 0) {
		add(&k->tried, k->plain);
		add(&k->pack_ns, k->ns);
		add(&k->left, k->packed);
		k->blocks = 0;
	}
	k->used = 0;
	k->plain = k->packed = k->ns = 0;
	if (k->when == COREPACK_AUTO)
		k->on = k->blocks >= TRY || is_worth_it(k);
}
