/*
 * The target of a signal: the tracked mappings, the copied pages, and what
 * the event itself tells of memory.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "segv/segv_resolve.h"

enum { MAPS_ADDED = 2 };

static const char *
last_component(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

int
segv_is_path(const char *path, const struct segv_vma *vma)
{
	const char *name = last_component(path);
	size_t len = strlen(vma->name);

	if (len == 0 || strncmp(name, vma->name, len) != 0)
		return 0;
	return vma->name_cut || name[len] == '\0' ||
	    strcmp(name + len, " (deleted)") == 0;
}

static void
insert_map(struct segv_sample *m, const struct map *new)
{
	size_t i = m->s.nmaps, k;

	while (i > 0 && m->maps[i - 1].start > new->start)
		i--;
	if ((i > 0 && m->maps[i - 1].end > new->start) ||
	    (i < m->s.nmaps && m->maps[i].start < new->end))
		return;
	for (k = m->s.nmaps++; k > i; k--) {
		m->maps[k] = m->maps[k - 1];
		m->files[k] = m->files[k - 1];
	}
	m->maps[i] = *new;
	m->files[i] = NULL;
}

/* Nothing that was tracked lies there any more: cuts it out. */
static void
cut_out(struct segv_sample *m, uint64_t start, uint64_t end)
{
	struct map rest;
	size_t i, n = 0;

	for (i = 0; i < m->s.nmaps; i++) {
		struct map *at = &m->maps[i];

		if (at->start >= end || at->end <= start) {
			m->maps[n] = *at;
			m->files[n++] = m->files[i];
			continue;
		}
		rest = *at;
		if (at->start < start) {
			at->end = start;
			m->maps[n] = *at;
			m->files[n++] = m->files[i];
		} else if (rest.end > end) {
			rest.off += end - rest.start;
			rest.start = end;
			m->maps[n] = rest;
			m->files[n++] = m->files[i];
		}
	}
	m->s.nmaps = n;
}

/*
 * munmap(2) is not reported, nor is what is mapped without being executable.
 * The signal tells of one place that there is nothing, the kernel of another
 * what there is.
 */
static void
forget_unmapped(struct segv_sample *m, const struct segv_event *ev)
{
	struct map *at;

	if (ev->origin != SEGV_FROM_FAULT || ev->signo != SIGSEGV)
		return;
	if (ev->code == SEGV_MAPERR)
		cut_out(m, ev->addr & ~(uint64_t)(SEGV_PAGE - 1),
		    (ev->addr | (SEGV_PAGE - 1)) + 1);
	else if (ev->have & SEGV_HAVE_VMA) {
		at = maps_find(m->maps, m->s.nmaps, ev->addr);
		if (at != NULL &&
		    (ev->vma.ino == 0 || !(ev->vma.prot & MAP_X) ||
			!segv_is_path(at->name, &ev->vma)))
			cut_out(m, ev->vma.start, ev->vma.end);
	}
}

/*
 * Writable memory is not tracked, but two pieces are known: the stack, from
 * its lowest page that was there, and what lies at the fault address.  Not
 * where that is a file's: its module tells.
 */
static void
insert_known(struct segv_sample *m, const struct segv_event *ev)
{
	struct map stack = {.name = "[stack]", .prot = MAP_R | MAP_W};
	struct map at = {.name = ""};

	if (ev->have & SEGV_HAVE_VMA && ev->vma.ino == 0) {
		at.start = ev->vma.start;
		at.end = ev->vma.end;
		at.prot = ev->vma.prot;
		if (ev->sp >= at.start && ev->sp < at.end)
			at.name = stack.name;
		insert_map(m, &at);
	}
	if (ev->npages > 0) {
		stack.start = ev->page[0].addr;
		stack.end = ev->page[ev->npages - 1].addr + SEGV_PAGE;
		insert_map(m, &stack);
	}
}

struct segv_sample *
segv_sample_new(const struct segv_event *ev, const struct maptrack_view *v)
{
	struct segv_sample *m = calloc(1, sizeof(*m));
	size_t i;

	if (m == NULL)
		return NULL;
	m->maps = calloc(v->n + MAPS_ADDED, sizeof(*m->maps));
	m->files = calloc(v->n + MAPS_ADDED, sizeof(struct modfile *));
	if (m->maps == NULL || m->files == NULL) {
		segv_sample_free(m);
		return NULL;
	}
	for (i = 0; i < v->n; i++) {
		m->maps[i] = v->maps[i];
		m->files[i] = v->files != NULL ? v->files[i] : NULL;
	}
	for (i = 0; i < ev->npages; i++)
		m->page[i] =
		    (struct sample_page){ev->page[i].addr, ev->page[i].p};
	m->s = (struct sample){.pid = ev->pid,
	    .tid = ev->tid,
	    .machine = ev->machine,
	    .regs = &ev->regs,
	    .pages = m->page,
	    .npages = ev->npages,
	    .stack_lo = ev->stack_lo,
	    .stack_hi = ev->stack_hi,
	    .stack_whole = ev->stack_whole,
	    .maps = m->maps,
	    .nmaps = v->n,
	    .files = m->files,
	    .roots = v->roots,
	    .nroots = v->nroots,
	    .jitfd = v->jitfd,
	    .exe = v->exe != NULL && *v->exe != '\0' ? v->exe : NULL,
	    .doubt = v->doubt};
	forget_unmapped(m, ev);
	insert_known(m, ev);
	return m;
}

void
segv_sample_free(struct segv_sample *m)
{
	if (m == NULL)
		return;
	free(m->maps);
	free(m->files);
	free(m);
}
