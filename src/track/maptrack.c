#include "track/maptrack.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/num.h"
#include "proc/procscan.h"
#include "target/modcache.h"
#include "track/codemaps.h"
#include "track/mapbook.h"
#include "track/perfring.h"
#include "track/recqueue.h"

enum {
	RING_BYTES = 512 * 1024, /* what perf_event_mlock_kb allows anybody */
	RING_LEAST = 64 * 1024,	 /* some 80 execs */
	RINGS_MAX = 16 << 20,
	QUEUE_MAX = 16 << 20,
	ENDED_MAX = 8192
};
#define SECOND UINT64_C(1000000000)
#define KEEP_NS (5 * SECOND)
#define BYTES_MAX ((size_t)64 << 20)
#define SLICE_NS UINT64_C(2000000)
#define LOOK_NS (SECOND / 20) /* one process is read only so often */

struct maptrack {
	struct maptrack_opts o;
	const char *why; /* there are no rings */
	struct perfring *ring;
	struct mapbook *book;
	uint64_t drained_to; /* all that happened before was in the rings */

	struct recqueue queue; /* not entered yet */
	int nomem;

	DIR *scan; /* of /proc, under way */
	int scan_wanted;
	uint64_t scan_began, scan_ended;
	uint64_t cpus_seen;

	struct map *maps; /* of the view */
	struct modfile **files;
	size_t cap;
	struct maptrack_stats stats;
	struct codemaps code;
};

static uint64_t
now_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * SECOND + (uint64_t)ts.tv_nsec;
}

/* --- hooks of the book ---------------------------------------------------- */

/* A file is opened while its process is there to lead to it, and stays so
 * that it can be read when both are gone. */
static void
on_mapped(
    void *ctx, const struct mapproc *p, struct mapfile *f, const struct map *m)
{
	struct maptrack *mt = ctx;
	struct modfile *mf = f->held;
	pid_t roots[2] = {p->pid, p->ppid};

	if ((m->prot & MAP_X) && map_is_made(m))
		codemaps_add(
		    &mt->code, p->pid, p->since, now_ns(CLOCK_MONOTONIC));
	if (mt->o.cache == NULL || !(m->prot & MAP_X) ||
	    (mf != NULL && mf->fd != -1))
		return;
	f->held = modcache_get(mt->o.cache, m, roots, p->ppid > 0 ? 2 : 1);
	if (mf != NULL)
		modfile_release(mt->o.cache, mf);
}

static void
on_unmapped(void *ctx, struct mapfile *f)
{
	struct maptrack *mt = ctx;

	if (f->held != NULL)
		modfile_release(mt->o.cache, f->held);
	f->held = NULL;
}

static int
is_alive(void *ctx, pid_t pid)
{
	(void)ctx;
	return kill(pid, 0) == 0 || errno == EPERM;
}

/* --- /proc ---------------------------------------------------------------- */

static int
seed(struct maptrack *mt, pid_t pid)
{
	uint64_t now = now_ns(CLOCK_MONOTONIC);
	struct procseen s;
	int r;

	if (procscan_read(pid, mt->o.flags & MAPTRACK_DATA, &s) == -1)
		return errno == ENOMEM ? -1 : 0;
	r = mapbook_seed(mt->book, &s, now);
	procscan_free(&s);
	return r;
}

/* Some more of a scan, until the time is up.  0 more is to do, 1 done. */
static int
scan(struct maptrack *mt, uint64_t until)
{
	struct dirent *e;
	uint64_t pid;

	if (mt->scan == NULL) {
		mt->scan = opendir("/proc");
		if (mt->scan == NULL)
			return 1;
		mt->scan_wanted = 0;
		mt->scan_began = now_ns(CLOCK_MONOTONIC);
		mt->stats.rescans++;
	}
	while ((e = readdir(mt->scan)) != NULL) {
		if (num_u64(e->d_name, 10, 1, INT_MAX, &pid) == 0 &&
		    seed(mt, (pid_t)pid) == -1)
			mt->nomem = 1;
		if (now_ns(CLOCK_MONOTONIC) >= until)
			return 0;
	}
	closedir(mt->scan);
	mt->scan = NULL;
	mt->scan_ended = now_ns(CLOCK_MONOTONIC);
	mapbook_sweep(mt->book, mt->scan_began, mt->scan_ended);
	return 1;
}

/* Reads a process that is still the one that was there at that time. */
static void
look(struct maptrack *mt, pid_t pid, uint64_t time)
{
	if (procscan_was(pid, time) == 1)
		seed(mt, pid);
}

/* --- records -------------------------------------------------------------- */

/* What happened since the last drain is not known in full. */
static void
lose(struct maptrack *mt, uint64_t until)
{
	mapbook_lost(mt->book, mt->drained_to, until);
	mt->scan_wanted = 1;
}

static int
enqueue(void *ctx, const void *p, size_t len)
{
	struct maptrack *mt = ctx;
	struct perfrec r;

	mt->stats.records++;
	if (perfrec_decode(p, len, &r) == 0 && r.type == PERFREC_LOST) {
		/* after the last drain, when there was room */
		mt->stats.lost += r.lost;
		lose(mt, r.time);
		return 0;
	}
	if (recqueue_put(&mt->queue, p, len) == 0 || errno == EBADMSG)
		return 0;
	mt->stats.records--;
	mt->nomem = errno == ENOMEM;
	return -1;
}

/* Enters what happened up to that time. */
static void
advance(struct maptrack *mt, uint64_t time)
{
	struct perfrec r;

	while (recqueue_take(&mt->queue, time, &r))
		if (mapbook_apply(mt->book, &r) == -1)
			mt->nomem = 1;
}

/* Without memory for a record the book is no longer sure of anything. */
static int
check_memory(struct maptrack *mt)
{
	if (!mt->nomem)
		return 0;
	mt->nomem = 0;
	lose(mt, now_ns(CLOCK_MONOTONIC));
	return fails(ENOMEM);
}

int
maptrack_drain(struct maptrack *mt)
{
	uint64_t now = now_ns(CLOCK_MONOTONIC);
	int full = 0;

	if (mt->ring == NULL)
		return 0;
	while (perfring_read(mt->ring, enqueue, mt, &full) == -1) {
		advance(mt, UINT64_MAX); /* too many wait */
		if (mt->nomem)
			break;
	}
	if (full)
		lose(mt, now_ns(CLOCK_MONOTONIC));
	mt->drained_to = now;
	return check_memory(mt);
}

void
maptrack_idle(struct maptrack *mt)
{
	uint64_t now, seen;

	maptrack_drain(mt);
	now = now_ns(CLOCK_MONOTONIC);
	advance(mt, mt->drained_to);
	mapbook_expire(mt->book, now);
	codemaps_idle(&mt->code, now, KEEP_NS);
	if (mt->ring != NULL && now - mt->cpus_seen >= SECOND) {
		seen = mt->cpus_seen;
		mt->cpus_seen = now;
		if (perfring_cpus(mt->ring) > 0) {
			mapbook_lost(mt->book, seen, now_ns(CLOCK_MONOTONIC));
			mt->scan_wanted = 1;
		}
	}
	/* nobody reports anything: look now and then */
	if (mt->ring == NULL && now - mt->scan_ended >= SECOND)
		mt->scan_wanted = 1;
	if (mt->scan != NULL || mt->scan_wanted)
		scan(mt, now + SLICE_NS);
	check_memory(mt);
}

/* --- questions ------------------------------------------------------------ */

static int
view_room(struct maptrack *mt, size_t n)
{
	size_t cap = n > 64 ? n : 64;
	void *p;

	if (n <= mt->cap)
		return 0;
	p = reallocarray(mt->maps, cap, sizeof(*mt->maps));
	if (p == NULL)
		return -1;
	mt->maps = p;
	p = reallocarray(mt->files, cap, sizeof(struct modfile *));
	if (p == NULL)
		return -1;
	mt->files = p;
	mt->cap = cap;
	return 0;
}

static void
find_roots(struct maptrack *mt, const struct mapproc *p, uint64_t time,
    struct maptrack_view *v)
{
	while (p != NULL && v->nroots < MAPTRACK_ROOTS) {
		v->roots[v->nroots++] = p->pid;
		p = p->ppid > 0 && p->ppid != p->pid
		    ? mapbook_find(mt->book, p->ppid, time)
		    : NULL;
	}
}

static const char *
why_doubtful(const struct maptrack *mt, const struct mapproc *p, uint64_t time)
{
	if (mt->ring == NULL && p->synced < time)
		return mt->why;
	if (p->space->incomplete)
		return "it has more mappings than are kept";
	if (mapbook_doubtful(mt->book, p, time))
		return "reports of its mappings were lost";
	return NULL;
}

int
maptrack_at(
    struct maptrack *mt, pid_t pid, uint64_t time, struct maptrack_view *v)
{
	const struct codemap *code;
	const struct mapproc *p;
	size_t i;

	memset(v, 0, sizeof(*v));
	v->exe = v->comm = "";
	if (time >= mt->drained_to)
		maptrack_drain(mt);
	advance(mt, time);
	p = mapbook_find(mt->book, pid, time);
	if (p == NULL ||
	    (why_doubtful(mt, p, time) != NULL &&
		(time < p->synced || time - p->synced > LOOK_NS))) {
		look(mt, pid, time);
		p = mapbook_find(mt->book, pid, time);
	}
	if (p == NULL) {
		v->doubt = mt->ring == NULL
		    ? mt->why
		    : "nothing is known of its mappings";
		return fails(ESRCH);
	}
	if (view_room(mt, p->space->n) == -1)
		return -1;
	v->maps = mt->maps;
	v->files = mt->files;
	v->n = p->space->n;
	for (i = 0; i < v->n; i++) {
		mapspace_get(p->space, i, &v->maps[i]);
		v->files[i] = p->space->m[i].file->held;
	}
	v->exe = p->exe != NULL ? p->exe->name : "";
	v->comm = p->comm;
	code = codemaps_get(&mt->code, pid, p->since);
	if (code != NULL) {
		v->jitfd = &code->fd;
		v->jitserial = code->serial;
	}
	v->doubt = why_doubtful(mt, p, time);
	find_roots(mt, p, time, v);
	return 0;
}

/* --- beginning and end ---------------------------------------------------- */

static const char *
why_no_rings(int err)
{
	switch (err) {
	case EPERM:
	case EACCES:
		return "mappings are not tracked: no right to perf events "
		       "(CAP_PERFMON)";
	case ENOBUFS:
		return "mappings are not tracked: locked memory is limited "
		       "(RLIMIT_MEMLOCK, perf_event_mlock_kb)";
	case ENOMEM:
		return "mappings are not tracked: no memory for perf rings";
	case EMFILE:
	case ENFILE:
		return "mappings are not tracked: too many open files";
	default:
		return "mappings are not tracked: no perf events in this "
		       "kernel";
	}
}

/* All rings together are locked memory too. */
static size_t
ring_bytes(void)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	size_t n = RING_BYTES;

	while (n > RING_LEAST && cpus > 0 && n > RINGS_MAX / (size_t)cpus)
		n /= 2;
	return n;
}

struct maptrack *
maptrack_open(const struct maptrack_opts *o, const char **why)
{
	struct mapbook_opts bo = {.keep_ns = KEEP_NS,
	    .ended_max = ENDED_MAX,
	    .bytes_max = BYTES_MAX,
	    .mapped = on_mapped,
	    .unmapped = on_unmapped,
	    .alive = is_alive};
	struct maptrack *mt = calloc(1, sizeof(*mt));
	struct perfring_opts ro;

	*why = NULL;
	if (mt == NULL)
		return NULL;
	mt->o = *o;
	bo.ctx = mt;
	codemaps_init(&mt->code);
	recqueue_init(&mt->queue, QUEUE_MAX);
	mt->book = mapbook_new(&bo);
	if (mt->book == NULL) {
		free(mt);
		return NULL;
	}
	ro.bytes = o->ring > 0 ? o->ring : ring_bytes();
	ro.wakeup = o->wakeup > 0 ? o->wakeup : ro.bytes / 2;
	ro.data = o->flags & MAPTRACK_DATA;
	ro.inodes = o->flags & MAPTRACK_INODES;
	ro.cpus = o->cpus;
	mt->ring = perfring_open(&ro);
	if (mt->ring == NULL)
		*why = mt->why = why_no_rings(errno);
	mt->cpus_seen = now_ns(CLOCK_MONOTONIC);
	while (scan(mt, UINT64_MAX) == 0)
		;
	mt->stats.rescans = 0; /* that was none */
	if (mt->nomem) {
		maptrack_close(mt);
		errno = ENOMEM;
		return NULL;
	}
	return mt;
}

void
maptrack_close(struct maptrack *mt)
{
	if (mt == NULL)
		return;
	perfring_close(mt->ring);
	mapbook_free(mt->book);
	if (mt->scan != NULL)
		closedir(mt->scan);
	codemaps_free(&mt->code);
	recqueue_free(&mt->queue);
	free(mt->maps);
	free(mt->files);
	free(mt);
}

int
maptrack_fd(const struct maptrack *mt)
{
	return mt->ring != NULL ? perfring_fd(mt->ring) : -1;
}

void
maptrack_get_stats(const struct maptrack *mt, struct maptrack_stats *s)
{
	struct mapbook_stats b;

	mapbook_get_stats(mt->book, &b);
	*s = mt->stats;
	s->cpus = mt->ring != NULL ? perfring_ncpus(mt->ring) : 0;
	s->procs = b.procs;
	s->files = b.files;
	s->bytes = b.bytes;
}
