#include "bpf/btf.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/btf.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/bytes.h"
#include "base/io.h"

enum {
	KIND_TYPE_TAG = 18, /* newer than some linux/btf.h */
	KIND_ENUM64 = 19,
	DEPTH_MAX = 32 /* of unnamed members in each other, of typedefs */
};

struct btf {
	unsigned char *p;
	const unsigned char *types, *strings;
	uint32_t typeslen, stringslen;
	uint32_t *at; /* offset in types by id; at[0], void, unused */
	uint32_t n;   /* ids known */
};

/* Of one type: what stands behind its 12 bytes. */
static int
tail(const struct btf_type *t, uint32_t *len)
{
	uint32_t vlen = BTF_INFO_VLEN(t->info);

	switch (BTF_INFO_KIND(t->info)) {
	case BTF_KIND_INT:
	case BTF_KIND_VAR:
	case BTF_KIND_DECL_TAG:
		*len = 4;
		return 0;
	case BTF_KIND_ARRAY:
		*len = sizeof(struct btf_array);
		return 0;
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
	case BTF_KIND_DATASEC:
	case KIND_ENUM64:
		*len = vlen * 12;
		return 0;
	case BTF_KIND_ENUM:
	case BTF_KIND_FUNC_PROTO:
		*len = vlen * 8;
		return 0;
	case BTF_KIND_PTR:
	case BTF_KIND_FWD:
	case BTF_KIND_TYPEDEF:
	case BTF_KIND_VOLATILE:
	case BTF_KIND_CONST:
	case BTF_KIND_RESTRICT:
	case BTF_KIND_FUNC:
	case BTF_KIND_FLOAT:
	case KIND_TYPE_TAG:
		*len = 0;
		return 0;
	}
	return -1;
}

static const struct btf_type *
type_at(const struct btf *b, uint32_t id)
{
	return id == 0 || id >= b->n
	    ? NULL
	    : (const struct btf_type *)(const void *)(b->types + b->at[id]);
}

static const char *
string_at(const struct btf *b, uint32_t off)
{
	return off < b->stringslen ? (const char *)b->strings + off : "";
}

/*
 * Where each type begins.  A kind that is not known has no known length: what
 * comes behind it is not to be had, what came before is.
 */
static int
index_types(struct btf *b)
{
	uint32_t off = 0, len;
	struct btf_type t;

	b->n = 1;
	while (b->typeslen - off >= sizeof(t)) {
		memcpy(&t, b->types + off, sizeof(t));
		if (tail(&t, &len) == -1)
			break;
		if (len > b->typeslen - off - sizeof(t))
			return fails(EBADMSG);
		if (ARRAY_ROOM(b->at, b->n) == -1)
			return -1;
		b->at[b->n++] = off;
		off += (uint32_t)sizeof(t) + len;
	}
	if (b->n > 1)
		return 0;
	return fails(EBADMSG);
}

/* Takes p, of malloc, in any case. */
static struct btf *
take(unsigned char *p, size_t len)
{
	struct btf_head h;
	struct btf *b;

	if ((b = calloc(1, sizeof(*b))) == NULL) {
		free(p);
		return NULL;
	}
	b->p = p;
	errno = EBADMSG;
	if (len < sizeof(h))
		goto bad;
	memcpy(&h, p, sizeof(h));
	if (h.magic != BTF_MAGIC || h.version != BTF_VERSION ||
	    h.hdr_len < sizeof(h) || h.hdr_len > len ||
	    h.type_off > len - h.hdr_len ||
	    h.type_len > len - h.hdr_len - h.type_off ||
	    h.str_off > len - h.hdr_len ||
	    h.str_len > len - h.hdr_len - h.str_off)
		goto bad;
	b->types = p + h.hdr_len + h.type_off;
	b->typeslen = h.type_len;
	b->strings = p + h.hdr_len + h.str_off;
	b->stringslen = h.str_len;
	/* so that every string in it ends, and types can be pointed to */
	if (h.str_len == 0 || b->strings[h.str_len - 1] != '\0' ||
	    (h.hdr_len + h.type_off) % 4 != 0 || index_types(b) == -1)
		goto bad;
	return b;
bad:
	btf_free(b);
	return NULL;
}

struct btf *
btf_parse(const void *src, size_t len)
{
	unsigned char *p;

	if (len > BTF_BYTES_MAX) {
		errno = EFBIG;
		return NULL;
	}
	if ((p = malloc(len + 1)) == NULL)
		return NULL;
	memcpy(p, src, len);
	return take(p, len);
}

struct btf *
btf_open(const char *path)
{
	struct buf b = {0};
	int cut = 0, e;

	/* read(2): the file can be mapped on recent kernels only */
	if (io_slurp(AT_FDCWD, path, BTF_BYTES_MAX, &b, &cut) == -1 || cut) {
		e = cut ? EFBIG : errno;
		buf_free(&b);
		errno = e;
		return NULL;
	}
	if (b.len == 0) {
		buf_free(&b);
		errno = EBADMSG;
		return NULL;
	}
	return take((unsigned char *)b.p, b.len);
}

void
btf_free(struct btf *b)
{
	int e = errno;

	if (b != NULL) {
		free(b->at);
		free(b->p);
		free(b);
	}
	errno = e;
}

static int
is_struct(const struct btf_type *t)
{
	unsigned k = BTF_INFO_KIND(t->info);

	return k == BTF_KIND_STRUCT || k == BTF_KIND_UNION;
}

/* The type behind typedefs and qualifiers, NULL for void or nonsense. */
static const struct btf_type *
plain(const struct btf *b, uint32_t id)
{
	const struct btf_type *t;
	int depth;

	for (depth = 0; depth < DEPTH_MAX; depth++) {
		if ((t = type_at(b, id)) == NULL)
			return NULL;
		switch (BTF_INFO_KIND(t->info)) {
		case BTF_KIND_TYPEDEF:
		case BTF_KIND_VOLATILE:
		case BTF_KIND_CONST:
		case BTF_KIND_RESTRICT:
		case KIND_TYPE_TAG:
			id = t->type;
			break;
		default:
			return t;
		}
	}
	return NULL;
}

static const struct btf_array *
array_of(const struct btf_type *t)
{
	return (const struct btf_array *)(const void *)(t + 1);
}

/* In bytes; 0 for what has none.  A product that overflows is nonsense. */
static uint32_t
size_of(const struct btf *b, const struct btf_type *t, int depth)
{
	const struct btf_array *a;
	uint64_t n;

	if (t == NULL || depth > DEPTH_MAX)
		return 0;
	switch (BTF_INFO_KIND(t->info)) {
	case BTF_KIND_INT:
	case BTF_KIND_ENUM:
	case KIND_ENUM64:
	case BTF_KIND_FLOAT:
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		return t->size;
	case BTF_KIND_PTR:
		return sizeof(void *);
	case BTF_KIND_ARRAY:
		a = array_of(t);
		n = (uint64_t)a->nelems *
		    size_of(b, plain(b, a->type), depth + 1);
		return n > UINT32_MAX ? 0 : (uint32_t)n;
	}
	return 0;
}

static const struct btf_type *
find_struct(const struct btf *b, const char *name)
{
	const struct btf_type *t;
	uint32_t id;

	for (id = 1; id < b->n; id++) {
		t = type_at(b, id);
		if (is_struct(t) &&
		    strcmp(string_at(b, t->name_off), name) == 0)
			return t;
	}
	return NULL;
}

struct wanted {
	const struct btf *b;
	const char *name; /* len bytes */
	size_t len;
	unsigned bits; /* found: of a bitfield, else 0 */
};

/*
 * The member of t called w->name, looked for in unnamed members too; its
 * type, with its offset in bits added to *bit.
 */
static const struct btf_type *
member(struct wanted *w, const struct btf_type *t, uint64_t *bit, int depth)
{
	const struct btf_member *m =
	    (const struct btf_member *)(const void *)(t + 1);
	uint32_t i, off, n = BTF_INFO_VLEN(t->info);
	const struct btf_type *sub, *got;
	const char *s;
	uint64_t at;

	for (i = 0; i < n; i++, m++) {
		off = m->offset;
		w->bits = 0;
		if (BTF_INFO_KFLAG(t->info)) {
			w->bits = BTF_MEMBER_BITFIELD_SIZE(off);
			off = BTF_MEMBER_BIT_OFFSET(off);
		}
		s = string_at(w->b, m->name_off);
		sub = plain(w->b, m->type);
		if (strncmp(s, w->name, w->len) == 0 && s[w->len] == '\0') {
			*bit += off;
			return sub;
		}
		if (*s != '\0' || sub == NULL || !is_struct(sub) ||
		    depth >= DEPTH_MAX)
			continue;
		at = *bit + off;
		got = member(w, sub, &at, depth + 1);
		if (got != NULL) {
			*bit = at;
			return got;
		}
	}
	return NULL;
}

/* "[3]": into the array t; NULL when it is none or the number nonsense. */
static const struct btf_type *
element(const struct btf *b, const struct btf_type *t, const char **path,
    uint64_t *bit)
{
	const struct btf_array *a;
	const struct btf_type *e;
	unsigned long k;
	char *end;

	if (BTF_INFO_KIND(t->info) != BTF_KIND_ARRAY)
		return NULL;
	k = strtoul(*path + 1, &end, 10);
	a = array_of(t);
	if (end == *path + 1 || *end != ']' || k > UINT16_MAX ||
	    (a->nelems > 0 && k >= a->nelems))
		return NULL;
	*path = end + 1;
	e = plain(b, a->type);
	*bit += 8ull * k * size_of(b, e, 0);
	return e;
}

int
btf_field(const struct btf *b, const char *type, const char *path,
    struct btf_field *f)
{
	const struct btf_type *t = find_struct(b, type);
	struct wanted w = {.b = b};
	uint64_t bit = 0;

	while (t != NULL && *path != '\0') {
		if (*path == '[') {
			t = element(b, t, &path, &bit);
			continue;
		}
		if (*path == '.')
			path++;
		w.name = path;
		w.len = strcspn(path, ".[");
		t = is_struct(t) && w.len > 0 ? member(&w, t, &bit, 0) : NULL;
		path += w.len;
	}
	if (t == NULL || bit / 8 > UINT32_MAX)
		return fails(ENOENT);
	f->off = (uint32_t)(bit / 8);
	f->bit = (unsigned)(bit % 8);
	f->bits = w.bits;
	/* what holds the bits, of an old-style bitfield (no kflag) as well */
	f->size = size_of(b, t, 0);
	return 0;
}

long
btf_size(const struct btf *b, const char *type)
{
	const struct btf_type *t = find_struct(b, type);

	if (t == NULL)
		return fails(ENOENT);
	return (long)t->size;
}
