#include "unwind/symbols.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "elf/debuglink.h"
#include "elf/elfsym.h"
#include "elf/perfmap.h"
#include "elf/symcache.h"

struct asked {
	uint64_t addr; /* to look up: already less 1 for a return address */
	struct module *mod; /* NULL: code in no file */
};

struct symbols {
	struct target *t;
	struct asked *a;
	struct elfsym_query *q; /* beside a, once sorted */
	size_t n;
	const char *note;
};

struct symbols *
symbols_new(struct target *t)
{
	struct symbols *s = calloc(1, sizeof(*s));

	if (s != NULL)
		s->t = t;
	return s;
}

void
symbols_free(struct symbols *s)
{
	size_t i;

	if (s == NULL)
		return;
	for (i = 0; s->q != NULL && i < s->n; i++)
		free(s->q[i].name);
	free(s->q);
	free(s->a);
	free(s);
}

int
symbols_add(struct symbols *s, uint64_t addr, int exact)
{
	uint64_t at = exact ? addr : addr - 1;
	struct module *m = target_module(s->t, at);

	if (m == NULL && (s->t->jitfd == -1 || target_code(s->t, at) == NULL))
		return 0;
	if (ARRAY_ROOM(s->a, s->n) == -1)
		return -1;
	s->a[s->n].addr = at;
	s->a[s->n++].mod = m;
	return 0;
}

/* The debug files that were found for it, checked when they are needed. */
static void
resolve_debug(
    struct symbols *s, struct module *m, struct elfsym_query *q, size_t n)
{
	unsigned char id[ELFSYM_ID_MAX];
	struct moddebug *d;
	unsigned i;
	int len;

	for (i = 0; i < m->ndebugs && elfsym_wanting(q, n); i++) {
		d = &m->debug[i];
		len = elfsym_buildid(d->fd, id);
		if (len > 0 && m->idlen > 0 &&
		    ((size_t)len != m->idlen ||
			memcmp(id, m->id, m->idlen) != 0)) {
			s->note = "a separate debug file has another build-id";
			continue;
		}
		if (d->unchecked && debuglink_check(d->fd, d->crc) != 1) {
			s->note = "a separate debug file has another checksum";
			continue;
		}
		d->unchecked = 0;
		elfsym_resolve(d->fd, q, n);
	}
}

static void
resolve(struct symbols *s, struct module *m, struct elfsym_query *q, size_t n)
{
	const char *note = NULL;

	if (m->kept != NULL)
		elfsym_kept_resolve(m->kept, m->id, m->idlen, q, n, &note);
	else
		elfsym_resolve_all(
		    module_file(s->t, m), m->id, m->idlen, q, n, &note);
	resolve_debug(s, m, q, n);
	if (note != NULL)
		s->note = note;
}

/* Only what is not remembered is read out of the file. */
static void
resolve_rest(
    struct symbols *s, struct module *m, struct elfsym_query *q, size_t n)
{
	struct elfsym_query *rest = calloc(n, sizeof(*rest));
	size_t i, k = 0, *of = calloc(n, sizeof(*of));

	for (i = 0; rest != NULL && of != NULL && i < n; i++)
		if (!symcache_get(m->syms, m->symkey, &q[i])) {
			of[k] = i;
			rest[k++].vaddr = q[i].vaddr;
		}
	if (k > 0)
		resolve(s, m, rest, k);
	for (i = 0; i < k; i++) {
		q[of[i]] = rest[i];
		symcache_put(m->syms, m->symkey, &rest[i]);
	}
	free(of);
	free(rest);
}

/* Modules do not overlap, so sorting by address sorts by module too. */
static void
resolve_module(struct symbols *s, struct module *m, size_t from, size_t to)
{
	if (m->syms != NULL)
		resolve_rest(s, m, s->q + from, to - from);
	else
		resolve(s, m, s->q + from, to - from);
}

static uint64_t
bias(const struct module *m)
{
	return m != NULL ? m->bias : 0;
}

int
symbols_run(struct symbols *s)
{
	size_t i, from, unique = 0;

	if (s->n == 0)
		return 0;
	ARRAY_SORT(s->a, s->n, addr);
	for (i = 0; i < s->n; i++)
		if (unique == 0 || s->a[i].addr != s->a[unique - 1].addr)
			s->a[unique++] = s->a[i];
	s->n = unique;
	s->q = calloc(s->n, sizeof(*s->q));
	if (s->q == NULL)
		return -1;
	for (i = 0; i < s->n; i++)
		s->q[i].vaddr = s->a[i].addr - bias(s->a[i].mod);
	for (from = 0; from < s->n; from = i) {
		for (i = from; i < s->n && s->a[i].mod == s->a[from].mod; i++)
			;
		if (s->a[from].mod == NULL)
			perfmap_resolve(s->t->jitfd, s->q + from, i - from);
		else if (s->a[from].mod->headers == MODULE_YES)
			resolve_module(s, s->a[from].mod, from, i);
	}
	return 0;
}

void
symbols_get(struct symbols *s, uint64_t addr, int exact, struct symbol *out)
{
	uint64_t at = exact ? addr : addr - 1;
	size_t i;
	const struct elfsym_query *q;

	memset(out, 0, sizeof(*out));
	out->mod = target_module(s->t, at);
	out->vaddr = addr - bias(out->mod);
	if (s->q == NULL)
		return;
	i = ARRAY_ABOVE(s->a, s->n, addr, at);
	if (i == 0 || s->a[i - 1].addr != at)
		return;
	q = &s->q[i - 1];
	out->name = q->name;
	out->off = out->vaddr - q->start;
}

void
symbols_frame(
    struct symbols *s, uint64_t addr, unsigned flags, struct symbol *out)
{
	symbols_get(s, addr, flags & FRAME_EXACT, out);
	if (!(flags & FRAME_SIGNAL) || out->name != NULL || out->mod == NULL)
		return;
	out->name = "__restore_rt"; /* glibc's and musl's, a local symbol */
	out->off = 0;
}

const char *
symbols_note(const struct symbols *s)
{
	return s->note;
}
