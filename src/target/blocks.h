/*
 * blocks: pieces of files that were read before.
 *
 * Who looks at one process after another reads the same unwind data for each:
 * some eight blocks a stack.  Key is a file's serial number
 * (target/modcache.h) and the place; a block takes out what was in its place:
 * bounded, to a mebibyte.
 */
#ifndef TARGET_BLOCKS_H
#define TARGET_BLOCKS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { BLOCK_SIZE = 1024, BLOCKS_N = 1024 };

struct blocks;

/* An open file. */
struct blocks_file {
	int fd;
	uint64_t serial; /* never that of another */
};

/* NULL ENOMEM. */
struct blocks *blocks_new(void);
void blocks_free(struct blocks *);
/* pread(2) of the whole: a block at a multiple of its size is kept; what is
 * larger, smaller or elsewhere goes by. */
ssize_t
blocks_read(struct blocks *, struct blocks_file, void *, size_t, uint64_t off);

#endif
