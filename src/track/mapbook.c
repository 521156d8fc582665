#include "track/mapbook.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_BUCKETS = 1024, CHECKED_AT_ONCE = 64 };

struct mapbook {
	struct mapbook_opts o;
	struct mapfiles files;
	struct mapproc **bucket;
	size_t nbuckets, nprocs, nended;
	struct mapproc *first, *last; /* of those that ended */
	/* the last loss of records, and when all earlier ones were over */
	uint64_t lost_from, lost_to, lost_before;
	uint64_t refused;
};

static void
file_dropped(void *ctx, struct mapfile *f)
{
	struct mapbook *b = ctx;

	if (b->o.unmapped != NULL)
		b->o.unmapped(b->o.ctx, f);
}

struct mapbook *
mapbook_new(const struct mapbook_opts *o)
{
	struct mapbook *b = calloc(1, sizeof(*b));

	if (b == NULL)
		return NULL;
	b->o = *o;
	b->bucket = calloc(FIRST_BUCKETS, sizeof(struct mapproc *));
	b->nbuckets = FIRST_BUCKETS;
	if (b->bucket == NULL || mapfiles_init(&b->files) == -1) {
		free(b->bucket);
		free(b);
		return NULL;
	}
	b->files.drop = file_dropped;
	b->files.ctx = b;
	return b;
}

/* --- entries -------------------------------------------------------------- */

static struct mapproc **
slot(struct mapbook *b, pid_t pid)
{
	return &b->bucket[(uint32_t)pid * UINT32_C(2654435761) % b->nbuckets];
}

/* The youngest entry of that number. */
static struct mapproc *
youngest(struct mapbook *b, pid_t pid)
{
	struct mapproc *p;

	for (p = *slot(b, pid); p != NULL; p = p->next)
		if (p->pid == pid)
			return p;
	return NULL;
}

/* Without memory the chains just get longer. */
static void
grow(struct mapbook *b)
{
	struct mapproc **old = b->bucket, *p, *list, **end;
	size_t i, n = b->nbuckets, more = n * 2;
	struct mapproc **new = calloc(more, sizeof(*new));

	if (new == NULL)
		return;
	b->bucket = new;
	b->nbuckets = more;
	for (i = 0; i < n; i++)
		for (list = old[i]; (p = list) != NULL;) {
			list = p->next;
			/* at the end: younger ones stay first */
			for (end = slot(b, p->pid); *end != NULL;)
				end = &(*end)->next;
			p->next = NULL;
			*end = p;
		}
	free(old);
}

static struct mapproc *
add_proc(struct mapbook *b, pid_t pid, uint64_t since, struct mapspace *space)
{
	struct mapproc **s, *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return NULL;
	if (space != NULL)
		space->refs++;
	else if ((space = mapspace_new(&b->files)) == NULL) {
		free(p);
		return NULL;
	}
	p->pid = pid;
	p->since = since;
	p->space = space;
	b->files.bytes += sizeof(*p);
	if (++b->nprocs > b->nbuckets)
		grow(b);
	s = slot(b, pid);
	p->next = *s;
	*s = p;
	return p;
}

static void
unqueue(struct mapbook *b, struct mapproc *p)
{
	*(p->prev != NULL ? &p->prev->later : &b->first) = p->later;
	*(p->later != NULL ? &p->later->prev : &b->last) = p->prev;
	p->prev = p->later = NULL;
	b->nended--;
}

static void
queue(struct mapbook *b, struct mapproc *p, uint64_t now)
{
	p->queued = now;
	p->later = NULL;
	p->prev = b->last;
	*(b->last != NULL ? &b->last->later : &b->first) = p;
	b->last = p;
	b->nended++;
}

static void
free_proc(struct mapbook *b, struct mapproc *p)
{
	struct mapproc **s = slot(b, p->pid);

	while (*s != p)
		s = &(*s)->next;
	*s = p->next;
	if (p->ended != 0)
		unqueue(b, p);
	b->nprocs--;
	b->files.bytes -= sizeof(*p);
	mapspace_unref(&b->files, p->space);
	mapfile_unref(&b->files, p->exe);
	free(p);
}

void
mapbook_free(struct mapbook *b)
{
	size_t i;

	if (b == NULL)
		return;
	for (i = 0; i < b->nbuckets; i++)
		while (b->bucket[i] != NULL)
			free_proc(b, b->bucket[i]);
	mapfiles_free(&b->files);
	free(b->bucket);
	free(b);
}

static void
end_proc(struct mapbook *b, struct mapproc *p, uint64_t time)
{
	if (p->ended != 0)
		return;
	p->ended = time != 0 ? time : 1;
	queue(b, p, time);
}

/* It did not end after all: only its leader did. */
static void
revive(struct mapbook *b, struct mapproc *p)
{
	if (p->ended == 0)
		return;
	unqueue(b, p);
	p->ended = 0;
}

/* The one that waited longest goes, or waits again because threads of it are
 * left. */
static void
settle(struct mapbook *b, struct mapproc *p, uint64_t now)
{
	if (youngest(b, p->pid) == p && b->o.alive != NULL &&
	    b->o.alive(b->o.ctx, p->pid)) {
		unqueue(b, p);
		queue(b, p, now);
	} else
		free_proc(b, p);
}

static void
make_room(struct mapbook *b, uint64_t now)
{
	unsigned n;

	for (n = 0; b->first != NULL && n < CHECKED_AT_ONCE &&
	     (b->nended > b->o.ended_max || b->files.bytes > b->o.bytes_max);
	     n++)
		settle(b, b->first, now);
}

void
mapbook_expire(struct mapbook *b, uint64_t now)
{
	while (b->first != NULL && b->first->queued < now &&
	    now - b->first->queued > b->o.keep_ns)
		settle(b, b->first, now);
	make_room(b, now);
}

/* --- records -------------------------------------------------------------- */

/* The entry that a record is about; begun in the middle if need be. */
static struct mapproc *
entry(struct mapbook *b, pid_t pid, uint64_t time)
{
	struct mapproc *p = youngest(b, pid);

	if (p == NULL) {
		p = add_proc(b, pid, time, NULL);
		if (p != NULL)
			p->unfounded = 1;
	}
	return p;
}

static void
set_comm(struct mapproc *p, const char *comm)
{
	size_t n = strnlen(comm, MAPBOOK_COMM);

	memcpy(p->comm, comm, n);
	p->comm[n] = '\0';
}

static void
set_exe(struct mapbook *b, struct mapproc *p, struct mapfile *f)
{
	if (f != NULL)
		mapfile_ref(f);
	mapfile_unref(&b->files, p->exe);
	p->exe = f;
}

static int
put(struct mapbook *b, struct mapproc *p, const struct map *m, int first)
{
	struct mapfile *f;

	if (b->files.bytes > b->o.bytes_max) {
		p->space->incomplete = 1;
		b->refused++;
		return 0;
	}
	f = mapspace_put(&b->files, &p->space, m);
	if (f == NULL && errno != ENOSPC)
		return -1;
	if (f == NULL) {
		b->refused++;
		return 0;
	}
	if (first && p->exe == NULL && *m->name == '/')
		set_exe(b, p, f);
	if (b->o.mapped != NULL)
		b->o.mapped(b->o.ctx, p, f, m);
	return 0;
}

static int
apply_fork(struct mapbook *b, const struct perfrec *r)
{
	struct mapproc *parent, *p;

	if (r->pid == r->ppid) /* a thread */
		return 0;
	p = youngest(b, r->pid);
	if (p != NULL) /* the number is used again: its exit was lost */
		end_proc(b, p, r->time);
	parent = youngest(b, r->ppid);
	p = add_proc(b, r->pid, r->time, parent != NULL ? parent->space : NULL);
	if (p == NULL)
		return -1;
	p->ppid = r->ppid;
	p->unfounded = parent == NULL || parent->unfounded;
	if (parent != NULL) {
		p->synced = parent->synced;
		set_exe(b, p, parent->exe);
		memcpy(p->comm, parent->comm, sizeof(p->comm));
		if (mapbook_doubtful(b, parent, r->time))
			p->unfounded = 1;
	}
	return 0;
}

static int
apply_exec(struct mapbook *b, const struct perfrec *r)
{
	struct mapproc *old = youngest(b, r->pid), *p;

	p = add_proc(b, r->pid, r->time, NULL);
	if (p == NULL)
		return -1;
	if (old != NULL) {
		p->ppid = old->ppid;
		end_proc(b, old, r->time);
	}
	set_comm(p, r->comm);
	return 0;
}

int
mapbook_apply(struct mapbook *b, const struct perfrec *r)
{
	struct mapproc *p;
	int rc = 0;

	switch (r->type) {
	case PERFREC_FORK:
		rc = apply_fork(b, r);
		break;
	case PERFREC_EXEC:
		rc = apply_exec(b, r);
		break;
	case PERFREC_EXIT:
		p = r->pid == r->tid ? youngest(b, r->pid) : NULL;
		/* of two with that number, one is not meant */
		if (p != NULL && p->since <= r->time)
			end_proc(b, p, r->time);
		break;
	case PERFREC_COMM:
		p = r->pid == r->tid ? entry(b, r->pid, r->time) : NULL;
		if (p != NULL)
			set_comm(p, r->comm);
		break;
	case PERFREC_MMAP:
		p = entry(b, r->pid, r->time);
		if (p == NULL)
			return -1;
		if (p->synced > r->time) /* /proc was read after that */
			break;
		rc = put(b, p, &r->map, p->since != 0 && !p->unfounded);
		break;
	case PERFREC_LOST:
		mapbook_lost(b, 0, r->time);
		break;
	case PERFREC_OTHER:
		break;
	}
	make_room(b, r->time);
	return rc;
}

/* --- /proc ---------------------------------------------------------------- */

/* The file of that name; the path of an executable is among its mappings. */
static struct mapfile *
named(const struct mapspace *s, const char *name)
{
	size_t i;

	for (i = 0; i < s->n; i++)
		if (strcmp(s->m[i].file->name, name) == 0)
			return s->m[i].file;
	return NULL;
}

int
mapbook_seed(struct mapbook *b, const struct procseen *s, uint64_t time)
{
	struct mapproc *p = youngest(b, s->pid);
	struct mapspace *old;
	size_t i;
	int rc = 0;

	if (p == NULL && (p = add_proc(b, s->pid, 0, NULL)) == NULL)
		return -1;
	revive(b, p);
	/* the new space first: files that both have stay mapped */
	old = p->space;
	p->space = mapspace_new(&b->files);
	if (p->space == NULL) {
		p->space = old;
		return -1;
	}
	for (i = 0; rc == 0 && i < s->n; i++)
		rc = put(b, p, &s->maps[i], 0);
	mapspace_unref(&b->files, old);
	p->ppid = s->ppid;
	set_comm(p, s->comm);
	set_exe(b, p, named(p->space, s->exe));
	p->unfounded = 0;
	p->synced = time;
	make_room(b, time);
	return rc;
}

void
mapbook_lost(struct mapbook *b, uint64_t from, uint64_t to)
{
	if (from > b->lost_to) {
		b->lost_before = b->lost_to;
		b->lost_from = from;
	} else if (from < b->lost_from)
		b->lost_from = from;
	if (to > b->lost_to)
		b->lost_to = to;
}

int
mapbook_doubtful(
    const struct mapbook *b, const struct mapproc *p, uint64_t time)
{
	uint64_t sure = p->since > p->synced ? p->since : p->synced;

	return p->unfounded || p->space->incomplete ||
	    (b->lost_before != 0 && sure <= b->lost_before) ||
	    (b->lost_to != 0 && sure <= b->lost_to && time >= b->lost_from);
}

void
mapbook_sweep(struct mapbook *b, uint64_t time, uint64_t now)
{
	struct mapproc *p;
	size_t i;

	for (i = 0; i < b->nbuckets; i++)
		for (p = b->bucket[i]; p != NULL; p = p->next)
			if (p->ended == 0 && p->since < time &&
			    p->synced < time && b->o.alive != NULL &&
			    !b->o.alive(b->o.ctx, p->pid))
				end_proc(b, p, now);
	make_room(b, now);
}

const struct mapproc *
mapbook_find(struct mapbook *b, pid_t pid, uint64_t time)
{
	struct mapproc *p, *oldest = NULL;

	for (p = *slot(b, pid); p != NULL; p = p->next) {
		if (p->pid != pid)
			continue;
		if (p->since <= time)
			return p;
		oldest = p;
	}
	return oldest;
}

void
mapbook_get_stats(const struct mapbook *b, struct mapbook_stats *s)
{
	s->procs = b->nprocs;
	s->ended = b->nended;
	s->files = b->files.n;
	s->bytes = b->files.bytes;
	s->refused = b->refused;
}
