#include "segv/segv_watch.h"

#include <errno.h>
#include <linux/capability.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/bytes.h"
#include "base/deadline.h"

enum {
	LAZY_MS = 2,
	FIRST_MS = 200, /* for the second signal of a full stack */
	IDLE_MS = 1000,
	STACK_NEAR = 256 << 10, /* a fault so near to sp may be an overflow */
	SHARES_MS = 1000,	/* between two words on what is left out */
	LAST_MS = 100,		/* for programs that still run when detached */
	EVENTS_A_LOOK = 64,	/* between two looks at the clock */
	WAITING_MAX = 1024,	/* events whose pages have not come yet */
	ROWS = 24,		/* of a terminal that does not say */
	COLUMNS = 80
};

/* linux/capability.h of Linux 5.9; older headers lack them */
enum { PERFMON = 38, BPF = 39, CHECKPOINT_RESTORE = 40 };

int
segv_watch_open(struct segv_watch *w, const struct segv_watch_opts *o)
{
	struct modcache_limits limits = {.half = MODCACHE_OPENS,
	    .closed = segv_wire_closed,
	    .ctx = &w->wire};
	struct maptrack_opts mo = {.flags = MAPTRACK_INODES};
	int i;

	w->o = o;
	w->wire.fd = w->teller->fd;
	w->wire.stops = w->stops;
	w->wire.unblocked = &w->unblocked;
	w->cache = modcache_new(&limits);
	for (i = 0; i < SEGV_KINDS; i++)
		if ((w->feed[i] = segv_feed_new(WAITING_MAX)) == NULL)
			return -1;
	if (w->cache == NULL || segv_shares_init(&w->shares) == -1 ||
	    ((w->cgroups = cgroups_open()) == NULL && errno == ENOMEM))
		return -1;
	/* First, so that the maps are known of whatever crashes.  Woken by each
	 * exec: a file that is deleted, or lies where only its process sees
	 * it, can be opened as long as that lives. */
	mo.cache = w->cache;
	mo.wakeup = 1;
	w->maps = maptrack_open(&mo, &w->maps_why);
	if (w->maps == NULL)
		return -1;
	return segv_probe_open(&w->probe, &o->probe);
}

void
segv_watch_close(struct segv_watch *w)
{
	int i;

	if (w->maps != NULL) {
		segv_probe_close(&w->probe);
		maptrack_close(w->maps);
	}
	segv_shares_free(&w->shares);
	for (i = 0; i < SEGV_KINDS; i++)
		segv_feed_free(w->feed[i]);
	if (w->cache != NULL)
		modcache_free(w->cache);
	cgroups_close(w->cgroups);
	segv_wire_close(&w->wire);
}

uint64_t
segv_watch_caps(void)
{
	/* /proc of others, their files, kallsyms; rings for new CPUs, the
	 * counters, map_files */
	static const unsigned caps[] = {CAP_SYS_PTRACE, CAP_DAC_READ_SEARCH,
	    CAP_SYSLOG, PERFMON, BPF, CHECKPOINT_RESTORE};
	uint64_t set = 0;
	size_t i;

	for (i = 0; i < NELEM(caps); i++)
		set |= UINT64_C(1) << caps[i];
	return set;
}

/* --- time ------------------------------------------------------------------
 */

/* Clocks may be set at any time: asked for each round. */
static void
find_wall(struct segv_watch *w)
{
	struct timespec real, mono;

	clock_gettime(CLOCK_REALTIME, &real);
	clock_gettime(CLOCK_MONOTONIC, &mono);
	w->wall.tv_sec = real.tv_sec - mono.tv_sec;
	w->wall.tv_nsec = real.tv_nsec - mono.tv_nsec;
}

/* What was left out of each process since the last time. */
static int
tell_shares(struct segv_watch *w)
{
	struct wire_limited l = {0};
	size_t i;

	if (segv_shares_look(&w->shares, &w->probe) == -1)
		return 0;
	clock_gettime(CLOCK_REALTIME, &l.when);
	for (i = 0; i < w->shares.nnow; i++) {
		l.told = w->shares.now[i];
		if (l.told.more > 0 && segv_wire_limited(&w->wire, &l) == -1)
			return -1;
	}
	return 0;
}

/* The table, as of now. */
static int
show_top(struct segv_watch *w, int last)
{
	struct segv_top_screen s = {.last = last != 0};
	struct segv_counts c;
	struct winsize size;

	clock_gettime(CLOCK_REALTIME, &s.when);
	if (w->termfd != -1 && ioctl(w->termfd, TIOCGWINSZ, &size) == 0) {
		s.rows = size.ws_row > 0 ? size.ws_row : ROWS;
		s.columns = size.ws_col > 0 ? size.ws_col : COLUMNS;
	}
	if (segv_probe_counts(&w->probe, &c, NULL) == 0)
		s.dropped = c.dropped;
	return segv_wire_top(&w->wire, &s);
}

/* Does what is due by the clock; 1 when it is time to end, -1 with errno. */
static int
look_at_clock(struct segv_watch *w)
{
	if (deadline_left(w->shares_due) == 0) {
		if (tell_shares(w) == -1 || segv_wire_flush(&w->wire) == -1)
			return -1;
		w->shares_due = deadline_in(SHARES_MS);
	}
	if (deadline_left(w->idle_due) == 0) {
		maptrack_idle(w->maps);
		w->idle_due = deadline_in(IDLE_MS);
	}
	if (deadline_left(w->top_due) == 0) {
		if (show_top(w, 0) == -1)
			return -1;
		w->top_due = deadline_in(w->o->top_ms);
	}
	if (w->agains != *w->renamed) {
		w->agains = *w->renamed;
		if (segv_wire_again(&w->wire) == -1)
			return -1;
	}
	if (deadline_left(w->stats_due) == 0) {
		w->on_stats(w);
		w->stats_due = deadline_in(w->o->stats_ms);
	}
	return *w->stops > 0 || deadline_left(w->end) == 0;
}

/* Waits for descriptors (none: for signals alone). */
static int
nap(const struct segv_watch *w, struct pollfd *p, nfds_t n, int ms)
{
	struct timespec ts = {ms / 1000, ms % 1000 * 1000000L};

	return ppoll(p, n, &ts, &w->unblocked);
}

/* --- two signals of one overflow -------------------------------------------
 */

/*
 * Where a stack is full its handler cannot be called, and the kernel sends a
 * second signal at once: one record for both.  So an event that may be the
 * first waits for what is in the rings behind it.
 */
static int
may_be_first(const struct segv_event *ev)
{
	return ev->handled && ev->signo == SIGSEGV && ev->has_addr &&
	    ev->addr < ev->sp + STACK_NEAR && ev->sp < ev->addr + STACK_NEAR;
}

static void
drop_first(struct segv_watch *w, size_t i)
{
	segv_feed_release(w->feed[SEGV_LIVES], w->first[i]);
	w->nfirst--;
	memmove(w->first + i, w->first + i + 1,
	    (w->nfirst - i) * sizeof(*w->first));
}

/* Those that have waited so long in vain. */
static int
tell_firsts(struct segv_watch *w, uint64_t ns)
{
	struct timespec t;
	uint64_t now;
	int r = 0;

	clock_gettime(CLOCK_MONOTONIC, &t);
	now = (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
	while (r == 0 && w->nfirst > 0 && now >= w->first[0]->time + ns) {
		r = segv_watch_tell(w, w->first[0]);
		drop_first(w, 0);
	}
	return r;
}

/* Its first, if that waits, is told with it. */
static void
join(struct segv_watch *w, struct segv_event *ev)
{
	size_t i;

	for (i = 0; i < w->nfirst; i++)
		if (w->first[i]->tid == ev->tid &&
		    w->first[i]->pid == ev->pid &&
		    w->first[i]->time <= ev->time &&
		    w->first[i]->addr == ev->fault_addr) {
			ev->joined = 1;
			drop_first(w, i);
			return;
		}
}

static int
tell_all(struct segv_watch *w, enum segv_kind kind)
{
	struct segv_event *ev;
	int r = 0;

	while (r == 0 && (ev = segv_feed_get(w->feed[kind])) != NULL) {
		if (kind == SEGV_LIVES && may_be_first(ev)) {
			if (w->nfirst == FIRSTS_MAX)
				r = tell_firsts(w, 0);
			w->first[w->nfirst++] = ev;
			continue;
		}
		if (ev->forced)
			join(w, ev);
		r = segv_watch_tell(w, ev);
		segv_feed_release(w->feed[kind], ev);
	}
	return r;
}

/* All that is in the rings; at last, until they are empty, else only while it
 * is not time to end. */
static int
drain(struct segv_watch *w, int last)
{
	int r, told = *w->stops, end = 0;
	enum segv_kind kind;
	const void *rec;
	unsigned n = 0;
	size_t len;

	find_wall(w);
	if (maptrack_drain(w->maps) == -1)
		return -1;
	while ((r = segv_probe_next(&w->probe, &rec, &len, &kind)) == 1) {
		/* a bad record is counted by the feed */
		if (segv_feed_put(w->feed[kind], rec, len) == -1 &&
		    errno == ENOMEM)
			return -1;
		bpf_ring_done(&w->probe.ring[kind]);
		if (tell_all(w, kind) == -1)
			return -1;
		if (++n % EVENTS_A_LOOK != 0)
			continue;
		nap(w, NULL, 0, 0);
		if (last)
			end = *w->stops > told;
		else
			end = look_at_clock(w);
		if (end != 0)
			break;
	}
	return r == -1 || end == -1 ? -1 : 0;
}

/* The same; at last also what waits for a second signal. */
static int
drain_all(struct segv_watch *w, int last)
{
	if (drain(w, last) == -1 || (last && tell_firsts(w, 0) == -1))
		return -1;
	return segv_wire_flush(&w->wire);
}

/* How long nothing is due. */
static int
idle_time(const struct segv_watch *w)
{
	const int64_t due[] = {w->end, w->stats_due, w->shares_due, w->top_due};
	int ms = deadline_left(w->idle_due), left;
	size_t i;

	if (w->nfirst > 0 && ms > FIRST_MS / 4)
		ms = FIRST_MS / 4;
	for (i = 0; i < NELEM(due); i++) {
		left = deadline_left(due[i]);
		if (left != -1 && left < ms)
			ms = left;
	}
	return ms;
}

static int
watch(struct segv_watch *w)
{
	struct pollfd pfd[] = {{.fd = w->probe.pollfd, .events = POLLIN},
	    {.fd = maptrack_fd(w->maps), .events = POLLIN},
	    {.fd = w->wire.fd, .events = POLLIN}};
	int r = 0, end;

	while (r == 0) {
		if ((end = look_at_clock(w)) != 0)
			return end == -1 ? -1 : 0;
		if (w->nfirst > 0 &&
		    (tell_firsts(w, FIRST_MS * UINT64_C(1000000)) == -1 ||
			segv_wire_flush(&w->wire) == -1))
			return -1;
		if (nap(w, pfd, NELEM(pfd), idle_time(w)) <= 0)
			continue;
		if (pfd[2].revents != 0)
			return fails(EPIPE);
		if (pfd[0].revents != 0) {
			nap(w, NULL, 0, LAZY_MS);
			r = drain_all(w, 0);
		} else
			r = maptrack_drain(w->maps);
	}
	return r;
}

/* Events that came out of the rings, bad ones among them. */
static uint64_t
came(const struct segv_watch *w)
{
	struct segv_feed_stats fs;
	uint64_t n = 0;
	int i;

	for (i = 0; i < SEGV_KINDS; i++) {
		segv_feed_get_stats(w->feed[i], &fs);
		n += fs.events + fs.bad;
	}
	return n;
}

/* Those that were forgotten before they could be told, and the sum. */
static int
tell_end(struct segv_watch *w)
{
	struct wire_limited others = {0};
	struct wire_end e = {0};
	struct segv_counts c;

	if (tell_shares(w) == -1)
		return -1;
	if (segv_probe_counts(&w->probe, &c, NULL) == -1)
		return 0;
	clock_gettime(CLOCK_REALTIME, &e.when);
	if (c.shared > w->shares.told) {
		others.when = e.when;
		others.told.more = c.shared - w->shares.told;
		if (segv_wire_limited(&w->wire, &others) == -1)
			return -1;
	}
	e.seen = c.seen;
	e.sent = c.sent;
	e.limited = c.limited + c.shared;
	e.dropped = c.dropped;
	if (w->o->top_ms != -1 && show_top(w, 1) == -1)
		return -1;
	return segv_wire_end(&w->wire, &e);
}

/* Waits also for those events that are being made this moment. */
static int
finish(struct segv_watch *w)
{
	int64_t end = deadline_in(LAST_MS);
	struct segv_counts c;
	int told = *w->stops, i;

	segv_probe_detach(&w->probe);
	do {
		if (drain_all(w, 1) == -1)
			return -1;
		if (segv_probe_counts(&w->probe, &c, NULL) == -1)
			break;
	} while ((came(w) < c.sent ||
		     c.seen != c.sent + c.dropped + c.limited + c.shared) &&
	    deadline_left(end) > 0 && *w->stops == told);
	for (i = 0; i < SEGV_KINDS; i++) {
		segv_feed_flush(w->feed[i]);
		if (tell_all(w, i) == -1)
			return -1;
	}
	return tell_firsts(w, 0) == -1 ? -1 : tell_end(w);
}

int
segv_watch_run(struct segv_watch *w)
{
	w->end = deadline_in(w->o->duration_ms);
	w->stats_due = deadline_in(w->o->stats_ms);
	w->idle_due = deadline_in(IDLE_MS);
	w->top_due = deadline_in(w->o->top_ms == -1 ? -1 : 0);
	w->shares_due = deadline_in(w->o->probe.share > 0 ? SHARES_MS : -1);
	if (watch(w) == -1)
		return -1;
	return finish(w);
}
