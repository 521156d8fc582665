#include "report/signature.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

/*
 * A record is three pieces, each NUL-free apart from its end: comparing them
 * piece by piece as NUL-terminated strings equals comparing the bytes.
 */
struct record {
	const char *module;
	size_t modulelen;
	const unsigned char *id; /* in the module's place when not NULL */
	size_t idlen;
	const char *function; /* NULL: offset stands there */
	char offset[24];
};

static void
record_make(struct record *r, const struct signature_frame *f)
{
	static const char deleted[] = " (deleted)";
	const size_t tail = sizeof(deleted) - 1;
	const char *slash;

	memset(r, 0, sizeof(*r));
	r->module = f->module == NULL ? "?" : f->module;
	slash = strrchr(r->module, '/');
	if (slash != NULL)
		r->module = slash + 1;
	r->modulelen = strlen(r->module);
	if (r->modulelen > tail &&
	    strcmp(r->module + r->modulelen - tail, deleted) == 0)
		r->modulelen -= tail;
	if (f->function != NULL) {
		r->function = f->function;
		return;
	}
	if (f->idlen > 0) {
		r->id = f->id;
		r->idlen = f->idlen;
	} else if (f->module == NULL) {
		return;
	}
	snprintf(r->offset, sizeof(r->offset), "+%" PRIx64, f->off);
}

/* Byte i of what stands before the first NUL; 0 at its end. */
static unsigned char
record_head(const struct record *r, size_t i)
{
	static const char hex[] = "0123456789abcdef";

	if (r->id == NULL)
		return i < r->modulelen ? (unsigned char)r->module[i] : 0;
	if (i / 2 >= r->idlen)
		return 0;
	return (
	    unsigned char)hex[i % 2 ? r->id[i / 2] & 15 : r->id[i / 2] >> 4];
}

static const char *
record_tail(const struct record *r)
{
	return r->function != NULL ? r->function : r->offset;
}

static int
record_cmp(const struct record *a, const struct record *b)
{
	unsigned char x, y;
	size_t i = 0;

	do {
		x = record_head(a, i);
		y = record_head(b, i++);
	} while (x == y && x != 0);
	if (x != y)
		return x < y ? -1 : 1;
	return strcmp(record_tail(a), record_tail(b));
}

static int
record_order(const void *a, const void *b)
{
	return record_cmp(a, b);
}

static uint64_t
fnv_str(uint64_t h, const char *s)
{
	return fnv1a(h, s, strlen(s) + 1);
}

static uint64_t
fnv_record(uint64_t h, const struct record *r)
{
	unsigned char c;
	size_t i = 0;

	do {
		c = record_head(r, i++);
		h = fnv1a(h, &c, 1);
	} while (c != 0);
	return fnv_str(h, record_tail(r));
}

/* The first distinct ones, at most room; how often, where that is asked. */
static size_t
records(const struct signature_frame *f, size_t n, struct record *distinct,
    size_t room, unsigned *times)
{
	struct record r;
	size_t i, j, count = 0;

	for (i = 0; i < n; i++) {
		record_make(&r, &f[i]);
		for (j = 0; j < count; j++)
			if (record_cmp(&distinct[j], &r) == 0)
				break;
		if (j == count) {
			if (count == room)
				break;
			distinct[count++] = r;
		}
		if (times != NULL)
			times[j]++;
	}
	return count;
}

/* Of a recursion those that repeat, in an order of their own.  Apart, for only
 * then its stack is needed. */
static __attribute__((noinline)) size_t
records_repeated(const struct signature_frame *f, size_t n,
    struct record chosen[SIGNATURE_CHOSEN])
{
	struct record distinct[SIGNATURE_LIMIT];
	unsigned times[SIGNATURE_LIMIT] = {0};
	size_t i, count, kept = 0;

	count = records(f, n, distinct, SIGNATURE_LIMIT, times);
	for (i = 0; i < count; i++)
		if (times[i] > 1)
			distinct[kept++] = distinct[i];
	if (kept > 0)
		count = kept;
	qsort(distinct, count, sizeof(*distinct), record_order);
	if (count > SIGNATURE_CHOSEN)
		count = SIGNATURE_CHOSEN;
	memcpy(chosen, distinct, count * sizeof(*chosen));
	return count;
}

void
signature_make(int signo, const struct signature_frame *f, size_t n,
    int recursion, char out[17])
{
	struct record distinct[SIGNATURE_CHOSEN];
	size_t i, count;
	uint64_t h = FNV1A;
	char number[16];

	if (n > SIGNATURE_LIMIT)
		n = SIGNATURE_LIMIT;
	count = recursion ? records_repeated(f, n, distinct)
			  : records(f, n, distinct, SIGNATURE_CHOSEN, NULL);
	snprintf(number, sizeof(number), "%d", signo);
	h = fnv_str(h, number);
	for (i = 0; i < count; i++)
		h = fnv_record(h, &distinct[i]);
	snprintf(out, 17, "%016" PRIx64, h);
}
