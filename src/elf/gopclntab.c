/*
 * A header says where four tables lie: functions by rising address (address
 * and offset of a record), the records, names, and byte streams that give a
 * value for each stretch of addresses, of which that of the stack pointer is
 * read here.  From Go 1.18 on addresses are offsets from the start of the
 * text, which the header holds; where the dynamic loader fills that in, its
 * relocation tells (gotable.c).
 */
#include "elf/gopclntab.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/io.h"
#include "elf/elfsym.h"

enum {
	GO_PAIRS_MAX =
	    1 << 16,	       /* of one stream; a long function has hundreds */
	GO_FRAME_MAX = 1 << 30 /* a goroutine's stack is no larger */
};

/* Offsets of fields in a function's record. */
static const struct layout {
	uint32_t magic;
	unsigned word;	 /* size of an address or offset in the functions */
	unsigned header; /* bytes of it that are read */
	unsigned name, pcsp;
} layouts[] = {{0xfffffffb, 8, 16, 8, 20}, {0xfffffffa, 8, 64, 8, 20},
    {0xfffffff0, 4, 72, 4, 16}, {0xfffffff1, 4, 72, 4, 16}};

struct gopclntab {
	int fd;
	uint64_t off, len; /* of the table in the file */
	const struct layout *l;
	unsigned quantum; /* of code addresses */
	uint64_t nfunc, text;
	uint64_t funcs, names, streams; /* offsets in the table */
	uint64_t winoff;		/* a piece of it */
	size_t winlen;
	unsigned char win[4096];
};

static int
go_bad(void)
{
	return fails(ENOENT);
}

/* Bytes from offset at, as many as the window holds; 0 outside. */
static size_t
go_peek(struct gopclntab *t, uint64_t at, const unsigned char **p)
{
	ssize_t r;
	size_t n;

	if (at >= t->len)
		return 0;
	if (at < t->winoff || at - t->winoff >= t->winlen) {
		n = t->len - at < sizeof(t->win) ? (size_t)(t->len - at)
						 : sizeof(t->win);
		r = io_pread_full(t->fd, t->win, n, t->off + at);
		t->winoff = at;
		t->winlen = r > 0 ? (size_t)r : 0;
		if (t->winlen == 0)
			return 0;
	}
	*p = t->win + (at - t->winoff);
	return t->winlen - (size_t)(at - t->winoff);
}

static int
go_read(struct gopclntab *t, uint64_t at, void *p, size_t len)
{
	const unsigned char *from;
	size_t done, n;

	if (len > t->len || at > t->len - len)
		return go_bad();
	for (done = 0; done < len; done += n) {
		n = go_peek(t, at + done, &from);
		if (n == 0)
			return go_bad();
		if (n > len - done)
			n = len - done;
		memcpy((char *)p + done, from, n);
	}
	return 0;
}

static int
go_u32(struct gopclntab *t, uint64_t at, uint32_t *v)
{
	return go_read(t, at, v, sizeof(*v));
}

/* A word of the functions' table. */
static int
go_word(struct gopclntab *t, uint64_t at, uint64_t *v)
{
	*v = 0;
	return go_read(t, at, v, t->l->word);
}

static int
go_header(struct gopclntab *t)
{
	unsigned char h[72] = {0};
	uint64_t w[9];
	uint32_t magic;
	size_t i;

	if (go_read(t, 0, h, 8) == -1)
		return -1;
	memcpy(&magic, h, sizeof(magic));
	for (i = 0; i < NELEM(layouts); i++)
		if (layouts[i].magic == magic)
			t->l = &layouts[i];
	if (t->l == NULL || h[4] != 0 || h[5] != 0 || h[7] != 8 ||
	    (h[6] != 1 && h[6] != 2 && h[6] != 4))
		return go_bad();
	t->quantum = h[6];
	if (go_read(t, 0, h, t->l->header) == -1)
		return -1;
	memcpy(w, h, sizeof(w));
	t->nfunc = w[1];
	if (t->l->header == 16) {
		t->funcs = 16;
	} else if (t->l->header == 64) {
		t->names = w[3];
		t->streams = w[6];
		t->funcs = w[7];
	} else {
		if (w[3] != 0)
			t->text = w[3];
		t->names = w[4];
		t->streams = w[7];
		t->funcs = w[8];
	}
	/* pairs of words, and one behind them: the end of the last function */
	if (t->nfunc == 0 || t->funcs >= t->len ||
	    t->nfunc > (t->len - t->funcs) / (2 * t->l->word) ||
	    t->names >= t->len || t->streams >= t->len)
		return go_bad();
	return 0;
}

struct gopclntab *
gopclntab_at(int fd, uint64_t off, uint64_t len, uint64_t text)
{
	struct gopclntab *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return NULL;
	t->fd = fd;
	t->off = off;
	t->len = len;
	t->text = text;
	if (go_header(t) == 0)
		return t;
	free(t);
	errno = ENOENT;
	return NULL;
}

void
gopclntab_free(struct gopclntab *t)
{
	free(t);
}

/* Where function i begins; i == nfunc: where the last ends. */
static int
go_start(struct gopclntab *t, uint64_t i, uint64_t *start)
{
	if (go_word(t, t->funcs + i * 2 * t->l->word, start) == -1)
		return -1;
	if (t->l->word == 4)
		*start += t->text;
	return 0;
}

int
gopclntab_find(struct gopclntab *t, uint64_t vaddr, struct gofunc *f)
{
	uint64_t lo = 0, hi = t->nfunc, mid, v;

	if (t->l->word == 4 && t->text == 0)
		return go_bad();
	while (lo < hi) { /* the first that begins above vaddr */
		mid = lo + (hi - lo) / 2;
		if (go_start(t, mid, &v) == -1)
			return -1;
		if (v <= vaddr)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == 0 || go_start(t, lo - 1, &f->start) == -1 ||
	    go_start(t, lo, &f->end) == -1)
		return go_bad();
	if (vaddr < f->start || vaddr >= f->end ||
	    go_word(t, t->funcs + (2 * lo - 1) * t->l->word, &f->at) == -1)
		return go_bad();
	if (t->l->header > 16)
		f->at += t->funcs;
	return 0;
}

char *
gopclntab_name(struct gopclntab *t, const struct gofunc *f)
{
	static const char more[] = "...";
	const unsigned char *p;
	struct buf b = {0};
	size_t n, len = 0;
	uint32_t at;

	if (go_u32(t, f->at + t->l->name, &at) == -1)
		return NULL;
	do {
		n = go_peek(t, t->names + at + len, &p);
		if (n == 0)
			break;
		len = strnlen((const char *)p, n);
		if (buf_append(&b, p, len) == -1) {
			buf_free(&b);
			return NULL;
		}
		n -= len;
		len = b.len;
	} while (n == 0 && len <= ELFSYM_NAME_MAX);
	if (len > ELFSYM_NAME_MAX)
		memcpy(b.p + ELFSYM_NAME_MAX - 3, more, sizeof(more));
	if (len > 0)
		return b.p;
	buf_free(&b);
	errno = ENOENT;
	return NULL;
}

static int
go_varint(struct gopclntab *t, uint64_t *at, uint64_t *v)
{
	const unsigned char *p;
	unsigned shift = 0;

	*v = 0;
	do {
		if (shift > 28 || go_peek(t, *at, &p) == 0)
			return go_bad();
		*v |= (uint64_t)(*p & 0x7f) << shift;
		shift += 7;
		(*at)++;
	} while (*p & 0x80);
	return 0;
}

/* The stream: how much the value changes (zigzag), over how many quanta of
 * addresses it then holds; it begins with -1 at the function's start. */
int
gopclntab_frame(
    struct gopclntab *t, const struct gofunc *f, uint64_t vaddr, uint64_t *size)
{
	uint64_t at, delta, span, pc = f->start;
	int64_t value = -1;
	uint32_t off;
	int i;

	if (go_u32(t, f->at + t->l->pcsp, &off) == -1 || off == 0)
		return go_bad();
	at = t->streams + off;
	for (i = 0; i < GO_PAIRS_MAX; i++) {
		if (go_varint(t, &at, &delta) == -1 || (delta == 0 && i > 0) ||
		    go_varint(t, &at, &span) == -1)
			return go_bad();
		value += (int64_t)(delta >> 1) ^ -(int64_t)(delta & 1);
		pc += span * t->quantum;
		if (vaddr < pc) {
			if (value < 0 || value > GO_FRAME_MAX)
				return go_bad();
			*size = (uint64_t)value;
			return 0;
		}
	}
	return go_bad();
}
