/*
 * unit_blocks: what was read once is not read again, and is what the file had;
 * another file, or another place, is another block.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "target/blocks.h"

enum { FILE_BLOCKS = 3 * BLOCKS_N, TAIL = 100 };

static struct blocks *cache;
static int fd;
static char got[2 * BLOCK_SIZE];

static void
put(size_t block, char c)
{
	char b[BLOCK_SIZE];

	memset(b, c, sizeof(b));
	must(pwrite(fd, b, sizeof(b), (off_t)block * BLOCK_SIZE) == BLOCK_SIZE,
	    "pwrite");
}

/* The first byte of what is read, or '-' when it is not so much. */
static char
read_block(uint64_t serial, size_t block)
{
	struct blocks_file f = {fd, serial};

	memset(got, 0, sizeof(got));
	return blocks_read(cache, f, got, BLOCK_SIZE, block * BLOCK_SIZE) ==
		BLOCK_SIZE
	    ? got[0]
	    : '-';
}

static void
test_kept(void)
{
	put(1, 'a');
	CHECK(read_block(7, 1) == 'a');
	CHECK(got[BLOCK_SIZE - 1] == 'a');
	put(1, 'b');
	CHECK(read_block(7, 1) == 'a');
	/* a file that has changed is another (target/modcache.h) */
	CHECK(read_block(8, 1) == 'b');
	CHECK(read_block(7, 1) == 'a');
}

/* All blocks of a file larger than what is kept. */
static void
test_bound(void)
{
	size_t i;
	int wrong = 0;

	for (i = 0; i < FILE_BLOCKS; i++)
		put(i, (char)('a' + i % 26));
	for (i = 0; i < FILE_BLOCKS; i++)
		wrong += read_block(9, i) != (char)('a' + i % 26);
	for (i = FILE_BLOCKS; i-- > 0;)
		wrong += read_block(9, i) != (char)('a' + i % 26);
	CHECK(wrong == 0);
}

static void
test_edges(void)
{
	struct blocks_file f = {fd, 10}, none = {-1, 11};
	const uint64_t end = (uint64_t)FILE_BLOCKS * BLOCK_SIZE;

	must(pwrite(fd, got, TAIL, (off_t)end) == TAIL, "pwrite");
	CHECK(blocks_read(cache, f, got, BLOCK_SIZE, end) == TAIL);
	CHECK(blocks_read(cache, f, got, BLOCK_SIZE, end) == TAIL);
	CHECK(blocks_read(cache, f, got, BLOCK_SIZE, end + BLOCK_SIZE) == 0);
	/* neither kept nor taken from what is */
	put(0, 'x');
	CHECK(read_block(10, 0) == 'x');
	put(0, 'y');
	CHECK(blocks_read(cache, f, got, 10, 0) == 10 && got[9] == 'y');
	CHECK(blocks_read(cache, f, got, BLOCK_SIZE, 5) == BLOCK_SIZE &&
	    got[0] == 'y');
	CHECK(blocks_read(cache, f, got, 2 * BLOCK_SIZE, 0) == 2 * BLOCK_SIZE &&
	    got[0] == 'y');
	CHECK(read_block(10, 0) == 'x');
	CHECK(blocks_read(cache, none, got, BLOCK_SIZE, 0) == -1);
	CHECK(blocks_read(cache, none, got, BLOCK_SIZE, 0) == -1);
}

int
main(void)
{
	char name[] = "/tmp/unit_blocks.XXXXXX";

	fd = mkstemp(name);
	must(fd != -1 && unlink(name) == 0, "a file");
	cache = blocks_new();
	must(cache != NULL, "memory");
	test_kept();
	test_bound();
	test_edges();
	blocks_free(cache);
	return check_report();
}
