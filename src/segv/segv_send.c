/* What goes with an event, and its way to the process that names. */
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "segv/segv_watch.h"

static struct timespec
wall_time(const struct segv_watch *w, uint64_t ktime)
{
	struct timespec t = {
	    .tv_sec = w->wall.tv_sec + (time_t)(ktime / 1000000000),
	    .tv_nsec = w->wall.tv_nsec + (long)(ktime % 1000000000)};

	for (; t.tv_nsec < 0; t.tv_sec--)
		t.tv_nsec += 1000000000;
	for (; t.tv_nsec >= 1000000000; t.tv_sec++)
		t.tv_nsec -= 1000000000;
	return t;
}

/* The files of its code: those that were not to be had when they were mapped
 * are looked for once more, for as long as this event is sent. */
static int
send_files(struct segv_watch *w, struct maptrack_view *v)
{
	struct modfile *f, *held;
	const struct map *m;
	size_t i;
	int r = 0;

	for (i = 0; i < v->n && r == 0; i++) {
		m = &v->maps[i];
		f = v->files[i];
		held = NULL;
		if (!(m->prot & MAP_X) || *m->name != '/')
			continue;
		if (f == NULL || f->fd == -1)
			f = held =
			    modcache_get(w->cache, m, v->roots, v->nroots);
		if (f != NULL)
			r = segv_wire_file(&w->wire, f, m);
		v->files[i] = f;
		if (held != NULL)
			w->held[w->nheld++ % HELD_MAX] = held;
		if (w->nheld == HELD_MAX)
			break;
	}
	return r;
}

/* What only this process may look at: the name of the cgroup, the command
 * line. */
static int
add_extra(struct segv_watch *w, const struct segv_event *ev,
    struct wire_event *e, struct buf *extra)
{
	struct buf cmd = {0};
	const char *cg = NULL;
	int r = 0;

	if (ev->have & SEGV_HAVE_CGROUP && w->cgroups != NULL)
		cg = cgroups_path(w->cgroups, ev->cgroup);
	if (cg != NULL) {
		e->cgrouplen = (uint32_t)strlen(cg) + 1;
		r = buf_append(extra, cg, e->cgrouplen);
	}
	if (r == 0 && w->o->cmdline &&
	    segv_cmdline(ev, &cmd, &e->cmdcut) == 0 && cmd.len > 0) {
		e->cmdlen = (uint32_t)cmd.len;
		r = buf_append(extra, cmd.p, cmd.len);
	}
	buf_free(&cmd);
	return r;
}

int
segv_watch_tell(struct segv_watch *w, const struct segv_event *ev)
{
	struct maptrack_view v = {0};
	struct wire_event e;
	struct buf extra = {0};
	int r;

	memset(&e, 0, sizeof(e));
	if (maptrack_at(w->maps, ev->pid, ev->time, &v) == -1) {
		if (errno == ENOMEM)
			return -1;
		w->unmapped++;
	}
	e.when = wall_time(w, ev->time);
	r = add_extra(w, ev, &e, &extra);
	if (r == 0)
		r = send_files(w, &v);
	if (r == 0)
		r = segv_wire_event(&w->wire, ev, &v, &e, extra.p);
	if (r == 0)
		w->sent++;
	while (w->nheld > 0)
		modfile_release(w->cache, w->held[--w->nheld]);
	buf_free(&extra);
	return r;
}
