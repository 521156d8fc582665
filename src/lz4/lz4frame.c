/* Frames of LZ4, and the checksum that they have. */
#include <string.h>

#include "base/bytes.h"
#include "lz4/lz4.h"

/* --- XXH32, with the seed 0 ----------------------------------------------- */

#define P1 2654435761U
#define P2 2246822519U
#define P3 3266489917U
#define P4 668265263U
#define P5 374761393U

enum { STRIPE = 16 };

static uint32_t
rotl(uint32_t v, int n)
{
	return v << n | v >> (32 - n);
}

void
xxh32_start(struct xxh32 *x)
{
	memset(x, 0, sizeof(*x));
	x->v[0] = P1 + P2;
	x->v[1] = P2;
	x->v[3] = 0U - P1;
}

static void
stripe(uint32_t v[4], const unsigned char *p)
{
	int i;

	for (i = 0; i < 4; i++)
		v[i] = rotl(v[i] + get32(p + i * 4) * P2, 13) * P1;
}

void
xxh32_add(struct xxh32 *x, const void *data, size_t len)
{
	const unsigned char *p = data;
	size_t had = x->n % STRIPE, part;

	x->n += (uint32_t)len;
	if (had > 0) {
		part = STRIPE - had < len ? STRIPE - had : len;
		memcpy(x->rest + had, p, part);
		p += part;
		len -= part;
		if (had + part < STRIPE)
			return;
		stripe(x->v, x->rest);
		x->large = 1;
	}
	for (; len >= STRIPE; p += STRIPE, len -= STRIPE) {
		stripe(x->v, p);
		x->large = 1;
	}
	memcpy(x->rest, p, len);
}

uint32_t
xxh32_end(const struct xxh32 *x)
{
	const unsigned char *p = x->rest, *end = p + x->n % STRIPE;
	uint32_t h = P5;

	if (x->large)
		h = rotl(x->v[0], 1) + rotl(x->v[1], 7) + rotl(x->v[2], 12) +
		    rotl(x->v[3], 18);
	h += x->n;
	for (; end - p >= 4; p += 4)
		h = rotl(h + get32(p) * P3, 17) * P4;
	for (; p < end; p++)
		h = rotl(h + *p * P5, 11) * P1;
	h = (h ^ h >> 15) * P2;
	h = (h ^ h >> 13) * P3;
	return h ^ h >> 16;
}

/* --- frames --------------------------------------------------------------- */

#define MAGIC 0x184d2204U
#define STORED 0x80000000U /* the block is as it was */

enum {
	FLAGS = 0x6c, /* version 1, independent, content size and checksum */
	BLOCKS = 0x60 /* of 1 MiB */
};

void
lz4_frame_head(unsigned char out[LZ4_FRAME_HEAD], uint64_t size)
{
	struct xxh32 x;

	put32(out, MAGIC);
	out[4] = FLAGS;
	out[5] = BLOCKS;
	put32(out + 6, (uint32_t)size);
	put32(out + 10, (uint32_t)(size >> 32));
	xxh32_start(&x);
	xxh32_add(&x, out + 4, 10);
	out[14] = (unsigned char)(xxh32_end(&x) >> 8);
}

size_t
lz4_frame_block(const void *p, size_t len, unsigned char out[LZ4_FRAME_BLOCK])
{
	size_t n = lz4_pack(p, len, out + 4, len);

	put32(out, n > 0 ? (uint32_t)n : (uint32_t)len | STORED);
	if (n == 0)
		memcpy(out + 4, p, n = len);
	return n + 4;
}

void
lz4_frame_tail(unsigned char out[LZ4_FRAME_TAIL], uint32_t xxh32)
{
	put32(out, 0);
	put32(out + 4, xxh32);
}
