#include "elf/ehframe.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

/* DW_EH_PE_* (LSB Core, DWARF Exception Header Encoding). */
enum {
	PE_OMIT = 0xff,
	PE_FORMAT = 0x0f,
	PE_ULEB = 0x01,
	PE_UDATA2 = 0x02,
	PE_UDATA4 = 0x03,
	PE_UDATA8 = 0x04,
	PE_SDATA2 = 0x0a,
	PE_SDATA4 = 0x0b,
	PE_SDATA8 = 0x0c,
	PE_APPLY = 0x70,
	PE_PCREL = 0x10
};

struct cursor {
	const unsigned char *base, *p, *end;
	uint64_t addr; /* of base in the target */
	int bad;
};

static uint64_t
get(struct cursor *c, size_t n)
{
	uint64_t v = 0;

	if (c->bad || (size_t)(c->end - c->p) < n) {
		c->bad = 1;
		return 0;
	}
	memcpy(&v, c->p, n); /* both first-class machines are little-endian */
	c->p += n;
	return v;
}

static void
skip_leb(struct cursor *c)
{
	while (get(c, 1) & 0x80)
		;
}

/* Size in bytes of a fixed-size encoding; 0 for another. */
static size_t
pe_size(int enc)
{
	switch (enc & PE_FORMAT) {
	case 0: /* absolute pointer */
	case PE_UDATA8:
	case PE_SDATA8:
		return 8;
	case PE_UDATA4:
	case PE_SDATA4:
		return 4;
	case PE_UDATA2:
	case PE_SDATA2:
		return 2;
	default:
		return 0;
	}
}

static uint64_t
get_encoded(struct cursor *c, int enc)
{
	uint64_t at = c->addr + (uint64_t)(c->p - c->base), v;
	size_t n = pe_size(enc);

	if (n == 0) {
		c->bad = 1;
		return 0;
	}
	v = get(c, n);
	if ((enc & PE_FORMAT) == PE_SDATA4)
		v = (uint64_t)(int64_t)(int32_t)v;
	else if ((enc & PE_FORMAT) == PE_SDATA2)
		v = (uint64_t)(int64_t)(int16_t)v;
	if ((enc & PE_APPLY) == PE_PCREL)
		v += at;
	else if ((enc & PE_APPLY) != 0)
		c->bad = 1;
	return v;
}

/* The FDE pointer encoding named by the CIE in [p, end), or -1. */
static int
cie_encoding(const unsigned char *p, const unsigned char *end)
{
	struct cursor c = {.base = p, .p = p, .end = end};
	const char *aug;
	size_t left;
	int enc = 0, version;

	version = (int)get(&c, 1);
	left = c.bad ? 0 : (size_t)(c.end - c.p);
	aug = (const char *)c.p;
	if (memchr(aug, '\0', left) == NULL)
		return -1;
	c.p += strlen(aug) + 1;
	if (*aug != 'z')
		return *aug == '\0' ? 0 : -1;
	skip_leb(&c); /* code alignment */
	skip_leb(&c); /* data alignment */
	if (version == 1)
		get(&c, 1); /* return address register */
	else
		skip_leb(&c);
	skip_leb(&c); /* augmentation length */
	for (aug++; *aug != '\0' && !c.bad; aug++) {
		if (*aug == 'R')
			enc = (int)get(&c, 1);
		else if (*aug == 'P')
			get(&c, pe_size((int)get(&c, 1)));
		else if (*aug == 'L')
			get(&c, 1);
		else if (*aug != 'S' && *aug != 'B')
			break;
	}
	return c.bad ? -1 : enc;
}

static int
by_start(const void *a, const void *b)
{
	const struct ehentry *x = a, *y = b;

	return (x->start > y->start) - (x->start < y->start);
}

static int
add_entry(struct ehtable *t, uint64_t start, uint64_t fde)
{
	int64_t s = (int64_t)(start - t->segbase);
	int64_t f = (int64_t)(fde - t->segbase);

	if (s != (int32_t)s || f != (int32_t)f || t->n >= EHFRAME_MAX)
		return 0;
	if (ARRAY_ROOM(t->e, t->n) == -1)
		return -1;
	t->e[t->n].start = (int32_t)s;
	t->e[t->n++].fde = (int32_t)f;
	return 0;
}

/* One record at c->p; 0 when the section ends here. */
static int
next_record(struct cursor *c, struct ehtable *t)
{
	const unsigned char *record = c->p, *idat, *cie;
	struct cursor body = *c;
	uint64_t len, id, start;
	size_t idsize = 4;
	int enc;

	len = get(&body, 4);
	if (len == 0xffffffff) {
		len = get(&body, 8);
		idsize = 8;
	}
	if (body.bad || len == 0 || len > (size_t)(c->end - body.p))
		return 0;
	body.end = c->p = body.p + len;
	idat = body.p;
	id = get(&body, idsize);
	/* in .eh_frame the id is 0 for a CIE, else the way back to it */
	if (body.bad || id == 0 || id > (size_t)(idat - c->base))
		return 1;
	cie = idat - id;
	/* a CIE is a record too: length, then its id of zeros */
	if ((size_t)(c->end - cie) < 8)
		return 1;
	enc = cie_encoding(cie + 8, c->end);
	if (enc == -1 || enc == PE_OMIT)
		return 1;
	start = get_encoded(&body, enc);
	if (body.bad || start == 0)
		return 1;
	return add_entry(t, start, c->addr + (uint64_t)(record - c->base)) == -1
	    ? -1
	    : 1;
}

struct ehtable *
ehtable_make(const unsigned char *data, size_t len, uint64_t addr)
{
	struct cursor c = {
	    .base = data, .p = data, .end = data + len, .addr = addr};
	struct ehtable *t = calloc(1, sizeof(*t));
	const unsigned char *before;
	int r;

	if (t == NULL)
		return NULL;
	t->segbase = addr;
	do {
		before = c.p;
		r = next_record(&c, t);
	} while (r == 1 && c.p > before);
	if (r == -1 || t->n == 0) {
		if (r != -1)
			errno = ENOENT;
		ehtable_free(t);
		return NULL;
	}
	qsort(t->e, t->n, sizeof(*t->e), by_start);
	return t;
}

void
ehtable_free(struct ehtable *t)
{
	if (t != NULL)
		free(t->e);
	free(t);
}
