/*
 * unit_lz4: blocks there and back, cut, flipped and forged; frames.
 *
 * unit_lz4 frame <FILE	a frame of it to stdout, for lz4(1) to read
 * unit_lz4 speed <FILE	MB/s of packing and unpacking, and what is left
 */
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/io.h"
#include "check.h"
#include "lz4/lz4.h"

static unsigned char raw[LZ4_BLOCK], packed[LZ4_FRAME_BLOCK], back[LZ4_BLOCK];

/* Bytes of that many kinds, in runs of about that length. */
static void
fill(size_t len, unsigned kinds, unsigned run)
{
	unsigned char c = 0;
	size_t i;

	for (i = 0; i < len; i++) {
		if (random() % run == 0)
			c = (unsigned char)(random() % kinds);
		raw[i] = c;
	}
}

static void
there_and_back(size_t len, size_t room)
{
	unsigned char *p = malloc(room + 1), *q = malloc(len + 1);
	size_t n;

	MUST(p != NULL && q != NULL);
	n = lz4_pack(raw, len, p, room);
	CHECK(n <= room);
	if (n > 0) {
		/* exactly as much room as it needs, and one byte less */
		CHECK(lz4_unpack(p, n, q, len) == (ssize_t)len);
		CHECK(memcmp(raw, q, len) == 0);
		if (len > 0)
			FAILS(lz4_unpack(p, n, q, len - 1), EBADMSG);
	}
	free(p);
	free(q);
}

static void
test_sizes(void)
{
	static const unsigned kinds[] = {1, 2, 16, 256}, runs[] = {1, 7, 1000};
	size_t len, i, j;

	for (i = 0; i < 4; i++)
		for (j = 0; j < 3; j++) {
			fill(70000, kinds[i], runs[j]);
			for (len = 0; len < 300; len++)
				there_and_back(len, len + 16);
			for (len = 65000; len < 70000; len += 499)
				there_and_back(len, len + len / 255 + 16);
			for (len = 0; len < 300; len += 7)
				there_and_back(300, len);
		}
	memset(raw, 0, sizeof(raw));
	CHECK(lz4_pack(raw, sizeof(raw), packed, sizeof(packed)) < 4200);
	fill(sizeof(raw), 256, 1);
	CHECK(lz4_pack(raw, sizeof(raw), packed, sizeof(raw)) == 0);
	there_and_back(sizeof(raw), sizeof(raw) + sizeof(raw) / 255 + 16);
}

/* The bytes of a block's description; of what is none. */
static void
test_forged(void)
{
	static const struct {
		const char *bytes;
		size_t len, room;
		const char *is; /* NULL: none */
	} blocks[] = {{"\0", 1, 0, ""},
	    {"\x30"
	     "abc",
		4, 3, "abc"},
	    {"\x30"
	     "abc",
		4, 2, NULL},
	    {"\x30"
	     "ab",
		3, 3, NULL},
	    {"\x11"
	     "a\1\0\x10"
	     "b",
		6, 7, "aaaaaab"},
	    {"\x11"
	     "a\1\0\x10"
	     "b",
		6, 6, NULL},
	    {"\x20"
	     "ab\2\0\0",
		6, 64, "ababab"},
	    {"\x10"
	     "a\0\0\0",
		5, 64, NULL}, /* no distance */
	    {"\x10"
	     "a\2\0\0",
		5, 64, NULL}, /* before the beginning */
	    {"\0\1\0\0", 4, 64, NULL},
	    {"\x10"
	     "a\1",
		3, 64, NULL}, /* half a distance */
	    {"\x10"
	     "a\1\0",
		4, 64, NULL}, /* ends with a match */
	    {"\x1f"
	     "a\1\0",
		4, 64, NULL}, /* and no length */
	    {"\xf0\xff\xff", 3, 64, NULL}, {"", 0, 64, NULL}};
	ssize_t want;
	size_t i;

	for (i = 0; i < sizeof(blocks) / sizeof(*blocks); i++) {
		want =
		    blocks[i].is == NULL ? -1 : (ssize_t)strlen(blocks[i].is);
		CHECK(lz4_unpack(blocks[i].bytes, blocks[i].len, back,
			  blocks[i].room) == want);
		CHECK(
		    want <= 0 || memcmp(back, blocks[i].is, (size_t)want) == 0);
	}
}

/* Every cut and many flips: never beyond the buffers (the sanitizers see). */
static void
test_damage(void)
{
	unsigned char *p, *q = malloc(4096);
	size_t n, i;

	fill(4096, 16, 5);
	n = lz4_pack(raw, 4096, packed, sizeof(packed));
	CHECK(n > 0 && q != NULL);
	for (i = 0; i < n; i++) {
		p = malloc(i + 1);
		MUST(p != NULL);
		memcpy(p, packed, i);
		CHECK(lz4_unpack(p, i, q, 4096) < 4096);
		free(p);
	}
	p = malloc(n);
	MUST(p != NULL);
	for (i = 0; i < n * 8; i++) {
		memcpy(p, packed, n);
		p[i / 8] ^= (unsigned char)(1 << i % 8);
		CHECK(lz4_unpack(p, n, q, 4096) <= 4096);
	}
	free(p);
	free(q);
}

static void
test_xxh32(void)
{
	static const struct {
		const char *text;
		uint32_t is;
	} sums[] = {{"", 0x02cc5d05}, {"a", 0x550d7456}, {"abc", 0x32d153ff},
	    {"Nobody inspects the spammish repetition", 0xe2293b2f}};
	struct xxh32 x;
	size_t i, j, len;

	for (i = 0; i < 4; i++) {
		len = strlen(sums[i].text);
		for (j = 0; j <= len; j++) {
			xxh32_start(&x);
			xxh32_add(&x, sums[i].text, j);
			xxh32_add(&x, sums[i].text + j, len - j);
			CHECK(xxh32_end(&x) == sums[i].is);
		}
	}
}

static int
frame(void)
{
	unsigned char head[LZ4_FRAME_HEAD], tail[LZ4_FRAME_TAIL];
	struct buf all = {0};
	struct xxh32 x;
	size_t at, n;
	ssize_t r;

	while ((r = io_read_full(STDIN_FILENO, raw, sizeof(raw))) > 0)
		MUST(buf_append(&all, raw, (size_t)r) == 0);
	lz4_frame_head(head, all.len);
	MUST(io_write_full(STDOUT_FILENO, head, sizeof(head)) == 0);
	xxh32_start(&x);
	for (at = 0; at < all.len; at += n) {
		n = all.len - at < LZ4_BLOCK ? all.len - at : LZ4_BLOCK;
		xxh32_add(&x, all.p + at, n);
		MUST(io_write_full(STDOUT_FILENO, packed,
			 lz4_frame_block(all.p + at, n, packed)) == 0);
	}
	lz4_frame_tail(tail, xxh32_end(&x));
	MUST(io_write_full(STDOUT_FILENO, tail, sizeof(tail)) == 0);
	buf_free(&all);
	return 0;
}

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int
speed(void)
{
	double in = 0, pack = 0, unpack = 0, out = 0, at;
	ssize_t n;
	size_t size;

	while ((n = io_read_full(STDIN_FILENO, raw, sizeof(raw))) > 0) {
		at = now();
		size = lz4_pack(raw, (size_t)n, packed, sizeof(packed));
		pack += now() - at;
		at = now();
		MUST(size == 0 ||
		    lz4_unpack(packed, size, back, sizeof(back)) == n);
		unpack += now() - at;
		in += (double)n;
		out += (double)(size > 0 ? size : (size_t)n);
	}
	printf("pack %.0f MB/s, unpack %.0f MB/s, %.1f %%\n", in / pack / 1e6,
	    in / unpack / 1e6, 100 * out / in);
	return 0;
}

int
main(int argc, char *argv[])
{
	if (argc > 1 && strcmp(argv[1], "frame") == 0)
		return frame();
	if (argc > 1)
		return speed();
	srandom(4711);
	test_xxh32();
	test_sizes();
	test_forged();
	test_damage();
	return check_report();
}
