#include "target/target_sample.h"

#include <elf.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/bytes.h"
#include "base/io.h"
#include "elf/ehframe.h"

/* Mappings made from program headers, which are hostile. */
enum { MADE_MAX = 65536 };

struct sample_source {
	struct modcache *cache;
	const struct sample *s;
	struct modfile **held; /* beside t->mods */
};

static const struct elfsym_load *
load_at(const struct modfile *f, uint64_t vaddr)
{
	const struct elfsym_load *l = f->head.loads;
	size_t i;

	for (i = 0; i < f->head.nloads; i++, l++)
		if (vaddr >= l->vaddr - l->vaddr % TARGET_PAGE &&
		    vaddr < l->vaddr + l->memsz)
			return l;
	return NULL;
}

/* What no process could have changed is what the file has. */
static ssize_t
read_file(struct target *t, uint64_t addr, void *p, size_t len)
{
	struct sample_source *src = t->src;
	const struct map *m = target_map(t, addr);
	const struct elfsym_load *l = NULL;
	const struct module *mod;
	struct blocks_file file;

	if (m != NULL && m->module >= 0 && !(m->prot & MAP_W)) {
		mod = &t->mods[m->module];
		if (mod->fd != -1 && mod->headers == MODULE_YES)
			l = load_at(src->held[m->module], addr - mod->bias);
	}
	if (l == NULL || (l->flags & PF_W))
		return fails(EFAULT);
	if (len > m->end - addr)
		len = m->end - addr;
	file = (struct blocks_file){mod->fd, src->held[m->module]->serial};
	return blocks_read(modcache_blocks(src->cache), file, p, len,
	    m->off + (addr - m->start));
}

static ssize_t
sample_read(struct target *t, uint64_t addr, void *p, size_t len)
{
	const struct sample *s = ((struct sample_source *)t->src)->s;
	size_t i = ARRAY_ABOVE(s->pages, s->npages, addr, addr), at, n;

	if (i == 0 || addr - s->pages[i - 1].addr >= TARGET_PAGE)
		return read_file(t, addr, p, len);
	at = addr - s->pages[i - 1].addr;
	n = len < TARGET_PAGE - at ? len : TARGET_PAGE - at;
	memcpy(p, s->pages[i - 1].p + at, n);
	return (ssize_t)n;
}

/* A search table made from .eh_frame serves the next process as well. */
static void
give_table(struct modcache *c, struct modfile *f, struct module *m)
{
	struct ehtable *t = m->own;

	m->own = NULL;
	if (f->own != NULL && f->own->e == t->e) { /* it was lent */
		free(t);
		return;
	}
	t->segbase -= m->bias;
	if (!modfile_keep_table(c, f, t))
		ehtable_free(t);
}

static void
borrow_table(const struct modfile *f, struct module *m)
{
	m->own = malloc(sizeof(*m->own));
	if (m->own == NULL)
		return;
	*m->own = *f->own;
	m->own->segbase += m->bias;
	m->ehstate = MODULE_YES;
}

static void
sample_close(struct target *t)
{
	struct sample_source *src = t->src;
	size_t i;

	for (i = 0; i < t->nmods; i++) {
		if (t->mods[i].own != NULL)
			give_table(src->cache, src->held[i], &t->mods[i]);
		t->mods[i].fd = -1; /* the cache's */
		src->held[i]->used--;
		modfile_release(src->cache, src->held[i]);
	}
	t->jitfd = -1; /* another's */
	free(src->held);
	free(src);
	t->src = NULL;
}

/* The bias of a mapping, from the segment that it is of. */
static int
find_bias(const struct modfile *f, const struct map *m, uint64_t *bias)
{
	const struct elfsym_load *l = f->head.loads;
	uint64_t first;
	size_t i;

	for (i = 0; i < f->head.nloads; i++, l++) {
		first = l->off - l->off % TARGET_PAGE;
		if ((l->flags & PF_X) && m->off >= first &&
		    m->off - first < l->off - first + l->filesz) {
			*bias = m->start - m->off + l->off - l->vaddr;
			return 0;
		}
	}
	return -1;
}

static void
fill_module(struct target *t, struct module *mod, struct modfile *f,
    const struct map *m)
{
	const struct module *before = t->nmods > 0 ? mod - 1 : NULL;
	struct sample_source *src = t->src;

	mod->path = m->name;
	module_set_name(mod);
	mod->fd = f->fd;
	mod->fdwhy = f->fd == -1 ? f->why : NULL;
	mod->start = m->start;
	mod->end = m->end;
	mod->headers = MODULE_NO;
	mod->bias = m->start - m->off; /* addresses are offsets, then */
	mod->isexec = src->s->exe != NULL && strcmp(src->s->exe, m->name) == 0;
	mod->idlen = m->idlen;
	memcpy(mod->id, m->id, m->idlen);
	if (f->fd == -1 || f->head.nloads == 0 ||
	    find_bias(f, m, &mod->bias) == -1)
		return;
	mod->headers = MODULE_YES;
	mod->idlen = f->idlen;
	memcpy(mod->id, f->id, f->idlen);
	mod->entry = f->head.entry != 0 ? mod->bias + f->head.entry : 0;
	mod->syms = modcache_symbols(src->cache);
	mod->symkey = f->serial;
	if (f->head.ehframehdr != 0)
		mod->ehhdr = mod->bias + f->head.ehframehdr;
	if (f->own != NULL)
		borrow_table(f, mod);
	/* as far as it does not run into another: then it is forged */
	if (f->lowest + mod->bias < mod->start &&
	    (before == NULL || before->end <= f->lowest + mod->bias))
		mod->start = f->lowest + mod->bias;
	if (f->highest + mod->bias > mod->end)
		mod->end = f->highest + mod->bias;
}

/* One more executable mapping of a file: of the last module, or another. */
static int
add_map(struct target *t, struct map *m, struct modfile *f)
{
	struct sample_source *src = t->src;
	struct module *mod = &t->mods[t->nmods];
	struct module *last = t->nmods > 0 ? mod - 1 : NULL;
	uint64_t bias;

	if (last != NULL && src->held[t->nmods - 1] == f &&
	    last->headers == MODULE_YES && m->start < last->end &&
	    find_bias(f, m, &bias) == 0 && bias == last->bias) {
		m->module = (int)(t->nmods - 1);
		return 0; /* not held once more */
	}
	if (last != NULL && last->end > m->start)
		last->end = m->start;
	fill_module(t, mod, f, m);
	src->held[t->nmods] = f;
	f->used++;
	m->module = (int)t->nmods++;
	return 1;
}

static int
find_modules(struct target *t)
{
	struct sample_source *src = t->src;
	const struct sample *s = src->s;
	struct modfile *f;
	struct map *m;
	size_t i;

	for (i = 0; i < t->nmaps; i++) {
		m = &t->maps[i];
		m->module = -1;
		if (!(m->prot & MAP_X))
			continue;
		f = s->files != NULL ? s->files[i] : NULL;
		if (f != NULL && f->fd != -1)
			modfile_ref(f);
		else
			f = modcache_get(src->cache, m, s->roots, s->nroots);
		if (f == NULL && errno == ENOENT)
			continue;
		if (f == NULL)
			return -1;
		if (!add_map(t, m, f))
			modfile_release(src->cache, f);
	}
	return 0;
}

/* Mappings of a module that are no code, where they were given. */
static void
claim_maps(struct target *t)
{
	const struct module *mod;
	struct map *m;
	size_t i;

	for (i = 0; i < t->nmaps; i++) {
		m = &t->maps[i];
		mod = m->module == -1 && *m->name != '\0'
		    ? target_module(t, m->start)
		    : NULL;
		if (mod != NULL && strcmp(mod->path, m->name) == 0)
			m->module = (int)(mod - t->mods);
	}
}

struct made {
	struct map *m;
	size_t n;
};

static int
make_map(
    struct made *made, const struct map *like, uint64_t start, uint64_t end)
{
	struct map *m;

	if (ARRAY_ROOM(made->m, made->n) == -1)
		return -1;
	m = &made->m[made->n++];
	*m = *like;
	m->start = start;
	m->end = end;
	m->off += start - like->start;
	return 0;
}

/* Where nothing is known to lie, a segment of a module lies. */
static int
make_segment(struct target *t, struct made *made, const struct map *seg)
{
	struct map *m = maps_above(t->maps, t->nmaps, seg->start);
	uint64_t at = seg->start;

	for (; at < seg->end && m != NULL && m < t->maps + t->nmaps &&
	     m->start < seg->end;
	     m++) {
		if (m->start > at && make_map(made, seg, at, m->start) == -1)
			return -1;
		at = m->end;
	}
	return at < seg->end ? make_map(made, seg, at, seg->end) : 0;
}

static int
make_segments(struct target *t, size_t i, struct made *made)
{
	struct sample_source *src = t->src;
	const struct module *mod = &t->mods[i];
	const struct elfsym_head *h = &src->held[i]->head;
	const struct elfsym_load *l;
	struct map seg;
	size_t k;

	for (k = 0; k < h->nloads && made->n < MADE_MAX; k++) {
		l = &h->loads[k];
		memset(&seg, 0, sizeof(seg));
		seg.start = mod->bias + l->vaddr - l->vaddr % TARGET_PAGE;
		seg.end = mod->bias + l->vaddr + l->memsz + TARGET_PAGE - 1;
		seg.end -= seg.end % TARGET_PAGE;
		seg.off = l->off - l->off % TARGET_PAGE;
		if (seg.start < mod->start || seg.end > mod->end ||
		    seg.end <= seg.start)
			continue;
		seg.prot = (l->flags & PF_R ? MAP_R : 0) |
		    (l->flags & PF_W ? MAP_W : 0) |
		    (l->flags & PF_X ? MAP_X : 0);
		seg.name = mod->path;
		seg.dev = src->held[i]->dev;
		seg.ino = src->held[i]->ino;
		seg.module = (int)i;
		if (make_segment(t, made, &seg) == -1)
			return -1;
	}
	return 0;
}

/* The mappings of modules that were not given. */
static int
complete_maps(struct target *t)
{
	struct made made = {0};
	struct map *m;
	size_t i, n = 0;
	void *p;

	for (i = 0; i < t->nmods; i++)
		if (t->mods[i].headers == MODULE_YES &&
		    make_segments(t, i, &made) == -1)
			goto fail;
	if (made.n == 0)
		return 0;
	p = reallocarray(t->maps, t->nmaps + made.n, sizeof(*t->maps));
	if (p == NULL)
		goto fail;
	t->maps = p;
	memcpy(t->maps + t->nmaps, made.m, made.n * sizeof(*made.m));
	t->nmaps += made.n;
	free(made.m);
	ARRAY_SORT(t->maps, t->nmaps, start);
	for (i = 0; i < t->nmaps; i++) { /* segments may share a page */
		m = &t->maps[i];
		if (n > 0 && m->start < t->maps[n - 1].end) {
			m->off += t->maps[n - 1].end - m->start;
			m->start = t->maps[n - 1].end;
		}
		if (m->start < m->end)
			t->maps[n++] = *m;
	}
	t->nmaps = n;
	return 0;
fail:
	free(made.m);
	return -1;
}

int
target_sample_open(struct modcache *c, const struct sample *s, struct target *t)
{
	struct sample_source *src = calloc(1, sizeof(*src));

	if (src == NULL)
		return -1;
	src->cache = c;
	src->s = s;
	t->src = src;
	t->read = sample_read;
	t->close = sample_close;
	t->machine = s->machine;
	t->arch = arch_find(s->machine);
	t->elfclass = ELFCLASS64;
	t->maps = calloc(s->nmaps + 1, sizeof(*t->maps));
	t->mods = calloc(s->nmaps + 1, sizeof(*t->mods));
	src->held = calloc(s->nmaps + 1, sizeof(struct modfile *));
	t->threads = calloc(1, sizeof(*t->threads));
	if (t->maps == NULL || t->mods == NULL || src->held == NULL ||
	    t->threads == NULL)
		return -1;
	t->nthreads = 1;
	t->threads[0].tid = t->threads[0].nstid = s->tid;
	t->threads[0].regs = *s->regs;
	if (s->nmaps > 0)
		memcpy(t->maps, s->maps, s->nmaps * sizeof(*t->maps));
	t->nmaps = s->nmaps;
	t->maps_why = s->doubt;
	if (s->jitfd != NULL)
		t->jitfd = *s->jitfd;
	if (find_modules(t) == -1)
		return -1;
	claim_maps(t);
	if (complete_maps(t) == -1)
		return -1;
	target_drop_cache(t);
	return 0;
}

static const struct frame *
guessed(const struct trace *tr)
{
	size_t i;

	for (i = 0; i < tr->n; i++)
		if (tr->f[i].flags & (FRAME_FP | FRAME_CALL))
			return &tr->f[i];
	return NULL;
}

/* Why the code of the last frame has no file, or NULL. */
static const char *
no_file(struct target *t, const struct trace *tr)
{
	const struct module *m = target_module(t, tr->f[tr->n - 1].pc);

	return m != NULL && m->fd == -1 ? m->fdwhy : NULL;
}

void
sample_judge(struct target *t, struct sample_verdict *v)
{
	const struct sample *s = ((struct sample_source *)t->src)->s;
	const struct trace *tr = &t->threads[0].trace;
	const struct frame *f = guessed(tr);
	const char *why;
	int of_stack = tr->unreadable && tr->missing >= s->stack_lo;

	v->why[0] = '\0';
	v->quality = f != NULL || s->doubt != NULL || tr->n == 0
	    ? SAMPLE_DOUBTFUL
	    : tr->stop[0] != '\0' ? SAMPLE_TRUNCATED
				  : SAMPLE_RELIABLE;
	if (tr->n == 0)
		snprintf(v->why, sizeof(v->why), "no frames");
	else if (f != NULL)
		snprintf(v->why, sizeof(v->why),
		    "no unwind data: from frame %" PRIu64 " on by %s", f->n,
		    f->flags & FRAME_FP ? "frame pointers" : "its call");
	else if (s->doubt != NULL)
		snprintf(v->why, sizeof(v->why), "%s", s->doubt);
	else if (of_stack && tr->missing >= s->stack_hi && !s->stack_whole)
		snprintf(v->why, sizeof(v->why),
		    "the stack goes on above the %" PRIu64
		    " KiB that were copied",
		    (s->stack_hi - s->stack_lo) / 1024);
	else if (of_stack && tr->missing < s->stack_hi)
		snprintf(v->why, sizeof(v->why),
		    "page 0x%" PRIx64 " of the stack was not resident",
		    tr->missing - tr->missing % TARGET_PAGE);
	else if (tr->stop[0] != '\0' && (why = no_file(t, tr)) != NULL)
		snprintf(v->why, sizeof(v->why),
		    "no unwind data for pc 0x%" PRIx64 ": %s",
		    tr->f[tr->n - 1].pc, why);
	else
		snprintf(v->why, sizeof(v->why), "%s", tr->stop);
}
