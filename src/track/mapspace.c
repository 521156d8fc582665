#include "track/mapspace.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/bytes.h"

enum { FIRST_BUCKETS = 256, FIRST_MAPS = 8 };

int
mapfiles_init(struct mapfiles *t)
{
	memset(t, 0, sizeof(*t));
	t->bucket = calloc(FIRST_BUCKETS, sizeof(struct mapfile *));
	if (t->bucket == NULL)
		return -1;
	t->nbuckets = FIRST_BUCKETS;
	return 0;
}

void
mapfiles_free(struct mapfiles *t)
{
	free(t->bucket);
	memset(t, 0, sizeof(*t));
}

static uint64_t
hash(const struct map *m)
{
	uint64_t h = fnv1a(FNV1A, m->name, strlen(m->name));

	return fnv1a(h, &m->ino, sizeof(m->ino));
}

static int
is_it(const struct mapfile *f, const struct map *m)
{
	return f->ino == m->ino && f->dev == m->dev && f->idlen == m->idlen &&
	    memcmp(f->id, m->id, m->idlen) == 0 &&
	    strcmp(f->name, m->name) == 0;
}

static void
like(const struct mapfile *f, struct map *m)
{
	m->name = f->name;
	m->dev = f->dev;
	m->ino = f->ino;
	m->idlen = f->idlen;
	memcpy(m->id, f->id, sizeof(m->id));
}

static size_t
weight(const struct mapfile *f)
{
	return sizeof(*f) + strlen(f->name) + 1;
}

/* Without memory the chains just get longer. */
static void
grow(struct mapfiles *t)
{
	size_t i, n = t->nbuckets * 2;
	struct mapfile **b = calloc(n, sizeof(*b)), *f;
	struct map m;
	uint64_t h;

	if (b == NULL)
		return;
	for (i = 0; i < t->nbuckets; i++)
		while ((f = t->bucket[i]) != NULL) {
			t->bucket[i] = f->next;
			like(f, &m);
			h = hash(&m) % n;
			f->next = b[h];
			b[h] = f;
		}
	free(t->bucket);
	t->bucket = b;
	t->nbuckets = n;
}

static struct mapfile *
file_get(struct mapfiles *t, const struct map *m)
{
	struct mapfile *f, **b = &t->bucket[hash(m) % t->nbuckets];

	for (f = *b; f != NULL; f = f->next)
		if (is_it(f, m)) {
			f->refs++;
			return f;
		}
	f = calloc(1, sizeof(*f));
	if (f == NULL)
		return NULL;
	f->name = strdup(m->name);
	if (f->name == NULL) {
		free(f);
		return NULL;
	}
	f->dev = m->dev;
	f->ino = m->ino;
	f->idlen = m->idlen;
	memcpy(f->id, m->id, sizeof(f->id));
	f->refs = 1;
	f->next = *b;
	*b = f;
	t->bytes += weight(f);
	if (++t->n > t->nbuckets)
		grow(t);
	return f;
}

void
mapfile_ref(struct mapfile *f)
{
	f->refs++;
}

void
mapfile_unref(struct mapfiles *t, struct mapfile *f)
{
	struct mapfile **p;
	struct map m;

	if (f == NULL || --f->refs > 0)
		return;
	if (t->drop != NULL)
		t->drop(t->ctx, f);
	like(f, &m);
	p = &t->bucket[hash(&m) % t->nbuckets];
	while (*p != f)
		p = &(*p)->next;
	*p = f->next;
	t->n--;
	t->bytes -= weight(f);
	free((char *)f->name);
	free(f);
}

struct mapspace *
mapspace_new(struct mapfiles *t)
{
	struct mapspace *s = calloc(1, sizeof(*s));

	if (s != NULL) {
		s->refs = 1;
		t->bytes += sizeof(*s);
	}
	return s;
}

void
mapspace_unref(struct mapfiles *t, struct mapspace *s)
{
	size_t i;

	if (s == NULL || --s->refs > 0)
		return;
	for (i = 0; i < s->n; i++)
		mapfile_unref(t, s->m[i].file);
	t->bytes -= sizeof(*s) + s->cap * sizeof(*s->m);
	free(s->m);
	free(s);
}

static int
reserve(struct mapfiles *t, struct mapspace *s, size_t n)
{
	size_t cap = s->cap ? s->cap : FIRST_MAPS;
	void *p;

	if (n <= s->cap)
		return 0;
	while (cap < n)
		cap *= 2;
	p = reallocarray(s->m, cap, sizeof(*s->m));
	if (p == NULL)
		return -1;
	t->bytes += (cap - s->cap) * sizeof(*s->m);
	s->m = p;
	s->cap = cap;
	return 0;
}

static int
unshare(struct mapfiles *t, struct mapspace **sp)
{
	struct mapspace *s = *sp, *copy;
	size_t i;

	if (s->refs == 1)
		return 0;
	copy = mapspace_new(t);
	if (copy == NULL || reserve(t, copy, s->n + 1) == -1) {
		mapspace_unref(t, copy);
		return -1;
	}
	copy->incomplete = s->incomplete;
	copy->n = s->n;
	copy->names = s->names;
	if (s->n > 0)
		memcpy(copy->m, s->m, s->n * sizeof(*s->m));
	for (i = 0; i < copy->n; i++)
		copy->m[i].file->refs++;
	s->refs--;
	*sp = copy;
	return 0;
}

/* Opens a gap at i in which n mappings have room, for what was in [i, j). */
static void
move_tail(struct mapspace *s, size_t i, size_t j, size_t n)
{
	memmove(s->m + i + n, s->m + j, (s->n - j) * sizeof(*s->m));
	s->n = s->n - j + i + n;
}

struct mapfile *
mapspace_put(struct mapfiles *t, struct mapspace **sp, const struct map *m)
{
	struct mapped piece[3], left, right;
	struct mapfile *f;
	struct mapspace *s;
	size_t i, j, k, n = 0;

	if (unshare(t, sp) == -1)
		return NULL;
	s = *sp;
	i = j = ARRAY_ABOVE(s->m, s->n, end, m->start);
	while (j < s->n && s->m[j].start < m->end)
		j++;
	/* two may take the place of one that is split, and one comes in */
	if ((s->n >= MAPSPACE_MAX && j - i < 2) ||
	    s->names + strlen(m->name) > MAPSPACE_NAMES) {
		s->incomplete = 1;
		errno = ENOSPC;
		return NULL;
	}
	if (reserve(t, s, s->n + 2) == -1 || (f = file_get(t, m)) == NULL)
		return NULL;
	if (i < j && s->m[i].start < m->start) {
		left = s->m[i];
		left.end = m->start;
		left.file->refs++;
		piece[n++] = left;
	}
	piece[n].start = m->start;
	piece[n].end = m->end;
	piece[n].off = m->off;
	piece[n].prot = m->prot;
	piece[n++].file = f;
	if (i < j && s->m[j - 1].end > m->end) {
		right = s->m[j - 1];
		right.off += m->end - right.start;
		right.start = m->end;
		right.file->refs++;
		piece[n++] = right;
	}
	for (k = 0; k < n; k++)
		s->names += strlen(piece[k].file->name);
	for (k = i; k < j; k++) {
		s->names -= strlen(s->m[k].file->name);
		mapfile_unref(t, s->m[k].file);
	}
	move_tail(s, i, j, n);
	memcpy(s->m + i, piece, n * sizeof(*piece));
	return f;
}

void
mapspace_get(const struct mapspace *s, size_t i, struct map *m)
{
	memset(m, 0, sizeof(*m));
	m->start = s->m[i].start;
	m->end = s->m[i].end;
	m->off = s->m[i].off;
	m->prot = s->m[i].prot;
	m->module = -1;
	like(s->m[i].file, m);
}
