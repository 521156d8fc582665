#include "lz4/lz4.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"

/*
 * A block is sequences: a token (4 bits of literals' length, 4 of match's less
 * MIN_MATCH), each length continued by bytes as long as they are 255, the
 * literals, and two bytes of distance.  The last has literals only, at least
 * LAST of them, and no match begins in the last LIMIT bytes.
 */
enum {
	MIN_MATCH = 4,
	LAST = 5,
	LIMIT = 12,
	DISTANCE = 65535,
	NIBBLE = 15,
	HASH_BITS = 13,
	PATIENCE = 6 /* 2^6 misses, and each step is longer by one */
};

/* --- packing -------------------------------------------------------------- */

struct packing {
	const unsigned char *from, *end; /* end of what a match may cover */
	unsigned char *to, *stop;
	uint32_t seen[1 << HASH_BITS]; /* where four bytes were last */
};

static uint32_t
load32(const unsigned char *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static uint32_t
slot(uint32_t v)
{
	return v * 2654435761U >> (32 - HASH_BITS);
}

static size_t
alike(const unsigned char *a, const unsigned char *b, const unsigned char *end)
{
	const unsigned char *from = a;
	uint64_t x, y;

	for (; end - a >= 8; a += 8, b += 8) {
		memcpy(&x, a, 8);
		memcpy(&y, b, 8);
		if (x != y)
			break;
	}
	while (a < end && *a == *b) {
		a++;
		b++;
	}
	return (size_t)(a - from);
}

static void
put_length(struct packing *k, size_t n)
{
	if (n < NIBBLE)
		return;
	for (n -= NIBBLE; n >= 255; n -= 255)
		*k->to++ = 255;
	*k->to++ = (unsigned char)n;
}

/* n literals, and a match of len bytes that far back, or none: 0, -1 when it
 * does not fit. */
static int
put(struct packing *k, const unsigned char *literals, size_t n, size_t len,
    size_t back)
{
	size_t extra = len == 0 ? 0 : len - MIN_MATCH;

	if ((size_t)(k->stop - k->to) <
	    1 + n / 255 + 1 + n + 2 + extra / 255 + 1)
		return -1;
	*k->to++ = (unsigned char)((n < NIBBLE ? n : NIBBLE) << 4 |
	    (extra < NIBBLE ? extra : NIBBLE));
	put_length(k, n);
	memcpy(k->to, literals, n);
	k->to += n;
	if (len == 0)
		return 0;
	*k->to++ = (unsigned char)back;
	*k->to++ = (unsigned char)(back >> 8);
	put_length(k, extra);
	return 0;
}

/* The next match from p on: where, and in *as what it is like; NULL: none. */
static const unsigned char *
find(struct packing *k, const unsigned char *p, const unsigned char **as)
{
	const unsigned char *limit = k->end + LAST - LIMIT;
	uint32_t misses = 0, v, *s;

	for (; p < limit; p += 1 + (misses++ >> PATIENCE)) {
		v = load32(p);
		s = &k->seen[slot(v)];
		*as = k->from + *s;
		*s = (uint32_t)(p - k->from);
		if (*as < p && p - *as <= DISTANCE && load32(*as) == v)
			return p;
	}
	return NULL;
}

size_t
lz4_pack(const void *from, size_t len, void *to, size_t room)
{
	const unsigned char *p = from, *end = p + len, *done = p, *as;
	struct packing k = {
	    .from = p, .to = to, .stop = (unsigned char *)to + room};
	size_t n;

	k.end = len > LIMIT ? end - LAST : p;
	while (len > LIMIT && (p = find(&k, p, &as)) != NULL) {
		while (p > done && as > k.from && p[-1] == as[-1]) {
			p--;
			as--;
		}
		n = MIN_MATCH + alike(p + MIN_MATCH, as + MIN_MATCH, k.end);
		if (put(&k, done, (size_t)(p - done), n, (size_t)(p - as)) ==
		    -1)
			return 0;
		p += n;
		done = p;
		/* what lies two back is cheap to remember, and often of use */
		k.seen[slot(load32(p - 2))] = (uint32_t)(p - 2 - k.from);
	}
	if (put(&k, done, (size_t)(end - done), 0, 0) == -1)
		return 0;
	return (size_t)(k.to - (unsigned char *)to);
}

/* --- unpacking ------------------------------------------------------------ */

/* A length of which the token says n; -1 when it breaks off. */
static int
get_length(const unsigned char **p, const unsigned char *end, size_t *n)
{
	unsigned char c;

	if (*n < NIBBLE)
		return 0;
	do {
		if (*p == end)
			return -1;
		c = *(*p)++;
		*n += c;
	} while (c == 255);
	return 0;
}

/* A match: what is copied may be what is being written. */
static void
copy(unsigned char *to, size_t back, size_t n)
{
	size_t part;

	for (; n > 0; to += part, n -= part, back += part) {
		part = n < back ? n : back;
		memcpy(to, to - back, part);
	}
}

ssize_t
lz4_unpack(const void *from, size_t len, void *to, size_t room)
{
	const unsigned char *p = from, *end = p + len;
	unsigned char *out = to, *stop = out + room;
	size_t n, back;
	int token;

	while (p < end) {
		token = *p++;
		n = (size_t)token >> 4;
		if (get_length(&p, end, &n) == -1 || n > (size_t)(end - p) ||
		    n > (size_t)(stop - out))
			break;
		memcpy(out, p, n);
		out += n;
		p += n;
		if (p == end)
			return out - (unsigned char *)to;
		if (end - p < 2)
			break;
		back = (size_t)p[0] | (size_t)p[1] << 8;
		p += 2;
		n = (size_t)token & NIBBLE;
		if (back == 0 || back > (size_t)(out - (unsigned char *)to) ||
		    get_length(&p, end, &n) == -1)
			break;
		n += MIN_MATCH;
		if (n > (size_t)(stop - out))
			break;
		copy(out, back, n);
		out += n;
	}
	return fails(EBADMSG);
}
