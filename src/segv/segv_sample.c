/*
 * The target of a signal: the tracked mappings, the copied pages, and what
 * the event itself tells of memory.
 */
#include <stdlib.h>

#include "segv/segv_resolve.h"

enum { MAPS_ADDED = 2 };

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
