/*
 * lz4: blocks and frames of LZ4, written; blocks read.
 *
 * Sources: "LZ4 Block Format Description" and "LZ4 Frame Format Description"
 * (lz4_Block_format.md, lz4_Frame_format.md of the lz4 project), "xxHash fast
 * digest algorithm" (xxhash_spec.md).  What is packed may be anything; what is
 * unpacked is hostile: no byte outside the two buffers is read or written.
 * No memory is allocated, nothing is kept between calls.
 */
#ifndef LZ4_LZ4_H
#define LZ4_LZ4_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum {
	LZ4_BLOCK = 1 << 20, /* the most that a block is made of */
	LZ4_FRAME_HEAD = 15,
	LZ4_FRAME_TAIL = 8,
	/* the most a block of a frame takes: it is stored if it gets larger */
	LZ4_FRAME_BLOCK = LZ4_BLOCK + 4
};

/* Packs len bytes, at most LZ4_BLOCK: the size of the block, 0 when it does
 * not fit into room. */
size_t lz4_pack(const void *, size_t len, void *to, size_t room);
/* The bytes that a block of len bytes is made of: how many, -1 EBADMSG when it
 * is no block or one of more than room. */
ssize_t lz4_unpack(const void *, size_t len, void *to, size_t room);

struct xxh32 {
	uint32_t v[4], n; /* n: bytes until now, modulo 2^32 */
	int large;	  /* they were 16 or more */
	unsigned char rest[16];
};

void xxh32_start(struct xxh32 *);
void xxh32_add(struct xxh32 *, const void *, size_t);
uint32_t xxh32_end(const struct xxh32 *);

/* The head of a frame of independent blocks of LZ4_BLOCK whose contents have
 * that size, and a checksum at their end. */
void lz4_frame_head(unsigned char out[LZ4_FRAME_HEAD], uint64_t size);
/* A block of it, of at most LZ4_BLOCK bytes: its size. */
size_t
lz4_frame_block(const void *, size_t len, unsigned char out[LZ4_FRAME_BLOCK]);
void lz4_frame_tail(unsigned char out[LZ4_FRAME_TAIL], uint32_t xxh32);

#endif
