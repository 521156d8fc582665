/* A received core, packed; the contract is in store/corestore.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "lz4/lz4.h"
#include "store/corestore.h"

struct packing {
	const struct store_part *from;
	struct store_part *to;
	struct xxh32 sum;
	unsigned char plain[LZ4_BLOCK], block[LZ4_FRAME_BLOCK];
};

/* Gives up with EFBIG when that would be more than there was. */
static int
put(struct packing *k, const void *p, size_t len)
{
	if (k->to->data + len > k->from->data) {
		errno = EFBIG;
		return -1;
	}
	return store_write(k->to, p, len, k->to->data);
}

static int
pack(struct packing *k, uint64_t size)
{
	uint64_t at;
	size_t n;
	ssize_t r;

	lz4_frame_head(k->block, size);
	xxh32_start(&k->sum);
	if (put(k, k->block, LZ4_FRAME_HEAD) == -1)
		return -1;
	for (at = 0; at < size; at += n) {
		n = size - at < LZ4_BLOCK ? (size_t)(size - at) : LZ4_BLOCK;
		r = io_pread_full(k->from->fd, k->plain, n, at);
		if (r == -1)
			return -1;
		/* a hole at its end is not in the file yet */
		memset(k->plain + r, 0, n - (size_t)r);
		xxh32_add(&k->sum, k->plain, n);
		if (put(k, k->block, lz4_frame_block(k->plain, n, k->block)) ==
		    -1)
			return -1;
	}
	lz4_frame_tail(k->block, xxh32_end(&k->sum));
	return put(k, k->block, LZ4_FRAME_TAIL);
}

int
store_pack(struct store_part *p, uint64_t size, const struct buf *info)
{
	struct packing *k;
	struct store_part q;
	int r;

	if (*p->suffix != '\0' || (k = malloc(sizeof(*k))) == NULL)
		return -1;
	k->from = p;
	k->to = &q;
	r = store_begin(p->store, p->host, p->stem, STORE_PACKED, &q);
	if (r == 0)
		r = pack(k, size);
	if (r == 0)
		r = store_seal(&q, q.data, info);
	free(k);
	if (r == -1) {
		store_drop(&q);
		return -1;
	}
	store_drop(p);
	*p = q;
	return 0;
}
