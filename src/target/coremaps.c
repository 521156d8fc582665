#include "target/coremaps.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

/* The files in order, none empty and none over another; malloc'd. */
static struct core_file *
sort_files(const struct coremaps *c, size_t *n)
{
	struct core_file *f = calloc(c->nfiles + 1, sizeof(*f));
	size_t i, k = 0;

	if (f == NULL)
		return NULL;
	if (c->nfiles > 0)
		memcpy(f, c->files, c->nfiles * sizeof(*f));
	ARRAY_SORT(f, c->nfiles, start);
	for (i = 0; i < c->nfiles; i++)
		if (f[i].start < f[i].end &&
		    (k == 0 || f[i].start >= f[k - 1].end))
			f[k++] = f[i];
	*n = k;
	return f;
}

static unsigned
seg_prot(const struct core_seg *s)
{
	return (s->flags & PF_R ? MAP_R : 0) | (s->flags & PF_W ? MAP_W : 0) |
	    (s->flags & PF_X ? MAP_X : 0);
}

/* The piece [start, end) of a segment, of a file, or of both. */
static void
make_map(const struct coremaps *c, struct map *m, const struct core_seg *s,
    const struct core_file *f)
{
	m->module = -1;
	m->name = m->start == c->vdso ? "[vdso]" : "";
	/* what a file backs can be read, and may be code for all we know */
	m->prot = s != NULL ? seg_prot(s) : MAP_R | MAP_X | MAP_GUESS;
	if (f == NULL)
		return;
	m->name = f->name;
	m->off = f->off + (m->start - f->start);
}

/* One range of a file was one mapping: permissions of one piece are those of
 * all. */
static void
share_prot(struct map *m, size_t n)
{
	size_t i, known = n;

	for (i = 0; i < n; i++)
		if (!(m[i].prot & MAP_GUESS))
			known = i;
	for (i = 0; known < n && i < n; i++)
		if (m[i].prot & MAP_GUESS)
			m[i].prot = m[known].prot;
}

static uint64_t
nearer(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/*
 * Goes up through both lists at once; each step ends where one of them begins
 * or ends, so there are at most two for each entry.
 */
static size_t
cut(const struct coremaps *c, const struct core_file *file, size_t nfiles,
    struct map *maps)
{
	size_t i = 0, k = 0, n = 0, first = 0;
	const struct core_seg *s;
	const struct core_file *f;
	uint64_t at = 0, from, to, send = 0;

	while (i < c->nsegs || k < nfiles) {
		s = i < c->nsegs ? &c->segs[i] : NULL;
		f = k < nfiles ? &file[k] : NULL;
		if (s != NULL)
			send = s->vaddr + s->memsz;
		if (s != NULL && (s->memsz == 0 || send <= at)) {
			i++; /* empty, or under the one before: forged */
			continue;
		}
		from = nearer(s != NULL ? s->vaddr : UINT64_MAX,
		    f != NULL ? f->start : UINT64_MAX);
		from = from > at ? from : at;
		to = UINT64_MAX;
		if (s != NULL)
			to = nearer(to, s->vaddr > from ? s->vaddr : send);
		if (f != NULL)
			to = nearer(to, f->start > from ? f->start : f->end);
		maps[n].start = from;
		maps[n].end = to;
		make_map(c, &maps[n++],
		    s != NULL && s->vaddr <= from ? s : NULL,
		    f != NULL && f->start <= from ? f : NULL);
		at = to;
		if (s != NULL && send <= at)
			i++;
		if (f != NULL && f->start > from)
			first = n;
		if (f != NULL && f->end <= at) {
			share_prot(maps + first, n - first);
			first = n;
			k++;
		}
	}
	return n;
}

int
coremaps_make(const struct coremaps *c, struct map **out, size_t *n)
{
	struct core_file *file;
	size_t nfiles = 0;

	*n = 0;
	file = sort_files(c, &nfiles);
	*out = calloc(2 * (c->nsegs + nfiles) + 1, sizeof(**out));
	if (file == NULL || *out == NULL) {
		free(file);
		return -1;
	}
	*n = cut(c, file, nfiles, *out);
	free(file);
	return 0;
}
