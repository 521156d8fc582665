/*
 * bytes: what C has no word for.
 *
 * Words in memory are little-endian, as the core stream has them and as every
 * machine known here writes its own (core/arch.c); they may be misaligned.
 */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <endian.h>
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define NELEM(a) (sizeof(a) / sizeof((a)[0]))

/* How a function ends that fails: return fails(EINVAL). */
static inline int
fails(int err)
{
	errno = err;
	return -1;
}

static inline uint32_t
get32(const void *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return le32toh(v);
}

static inline uint64_t
get64(const void *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return le64toh(v);
}

static inline void
put32(void *p, uint32_t v)
{
	v = htole32(v);
	memcpy(p, &v, sizeof(v));
}

/* FNV-1a, 64 bits (RFC 9923): the first h is FNV1A. */
#define FNV1A UINT64_C(0xcbf29ce484222325)

static inline uint64_t
fnv1a(uint64_t h, const void *p, size_t n)
{
	const unsigned char *s = p;

	while (n-- > 0)
		h = (h ^ *s++) * UINT64_C(0x100000001b3);
	return h;
}

#endif
