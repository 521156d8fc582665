#include "segv/segv_watch.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/bytes.h"
#include "base/deadline.h"

enum {
	LAZY_MS = 2,
	IDLE_MS = 1000,
	SHARES_MS = 1000,   /* between two words on what is left out */
	LAST_MS = 100,	    /* for programs that still run when detached */
	EVENTS_A_LOOK = 64, /* between two looks at the clock */
	WAITING_MAX = 1024  /* events whose pages have not come yet */
};

/* linux/capability.h of Linux 5.9; older headers lack them */
enum { PERFMON = 38, BPF = 39, CHECKPOINT_RESTORE = 40 };

int
segv_watch_open(struct segv_watch *w, const struct segv_watch_opts *o)
{
	struct modcache_limits limits = {0};
	struct maptrack_opts mo = {0};
	int i;

	w->o = o;
	w->cache = modcache_new(&limits);
	for (i = 0; i < SEGV_KINDS; i++)
		if ((w->feed[i] = segv_feed_new(WAITING_MAX)) == NULL)
			return -1;
	if (w->cache == NULL || segv_shares_init(&w->shares) == -1 ||
	    segv_resolver_init(&w->resolver, &o->show, w->cache) == -1)
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
	segv_resolver_free(&w->resolver);
	segv_shares_free(&w->shares);
	for (i = 0; i < SEGV_KINDS; i++)
		segv_feed_free(w->feed[i]);
	if (w->cache != NULL)
		modcache_free(w->cache);
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

/* What was left out of each process since the last time. */
static int
tell_shares(struct segv_watch *w)
{
	struct segv_moment now;
	struct timespec ts;
	size_t i;

	if (segv_shares_look(&w->shares, &w->probe) == -1)
		return 0;
	clock_gettime(CLOCK_REALTIME, &ts);
	segv_moment(&w->resolver, ts, &now);
	for (i = 0; i < w->shares.nnow; i++)
		if (w->shares.now[i].more > 0 &&
		    segv_print_limited(w->out, &now, &w->shares.now[i]) == -1)
			return -1;
	return 0;
}

/* Does what is due by the clock; 1 when it is time to end, -1 with errno. */
static int
look_at_clock(struct segv_watch *w)
{
	if (deadline_left(w->shares_due) == 0) {
		if (tell_shares(w) == -1 || out_flush(w->out) == -1)
			return -1;
		w->shares_due = deadline_in(SHARES_MS);
	}
	if (deadline_left(w->idle_due) == 0) {
		maptrack_idle(w->maps);
		w->idle_due = deadline_in(IDLE_MS);
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

/* --- events ----------------------------------------------------------------
 */

static int
tell(struct segv_watch *w, const struct segv_event *ev)
{
	struct maptrack_view v = {0};
	struct segv_resolved got;
	int r;

	if (maptrack_at(w->maps, ev->pid, ev->time, &v) == -1) {
		if (errno == ENOMEM)
			return -1;
		w->unmapped++;
	}
	r = segv_resolve(&got, &w->resolver, ev, &v, wall_time(w, ev->time));
	if (r == 0)
		r = segv_print(&got, w->out);
	if (r == 0) {
		w->told++;
		w->reliable += got.stack == SEGV_STACK_RELIABLE;
		w->truncated += got.stack == SEGV_STACK_TRUNCATED;
		w->doubtful += got.stack == SEGV_STACK_DOUBTFUL;
	}
	segv_resolved_free(&got);
	return r;
}

static int
tell_all(struct segv_watch *w, enum segv_kind kind)
{
	struct segv_event *ev;
	int r = 0;

	while (r == 0 && (ev = segv_feed_get(w->feed[kind])) != NULL) {
		r = tell(w, ev);
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
	return out_flush(w->out) == -1 || r == -1 || end == -1 ? -1 : 0;
}

/* How long nothing is due. */
static int
idle_time(const struct segv_watch *w)
{
	const int64_t due[] = {w->end, w->stats_due, w->shares_due};
	int ms = deadline_left(w->idle_due), left;
	size_t i;

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
	struct pollfd pfd[2] = {{.fd = w->probe.pollfd, .events = POLLIN},
	    {.fd = maptrack_fd(w->maps), .events = POLLIN}};
	int r = 0, end;

	while (r == 0) {
		if ((end = look_at_clock(w)) != 0)
			return end == -1 ? -1 : 0;
		if (nap(w, pfd, 2, idle_time(w)) <= 0)
			continue;
		if (pfd[0].revents != 0) {
			nap(w, NULL, 0, LAZY_MS);
			r = drain(w, 0);
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

struct segv_sum
segv_watch_sum(const struct segv_watch *w)
{
	struct segv_counts c = {0};
	struct segv_sum s;

	segv_probe_counts(&w->probe, &c, NULL);
	s.seen = c.seen;
	s.written = w->told < c.sent ? w->told : c.sent;
	s.limited = c.limited + c.shared;
	s.dropped = c.dropped + (c.sent - s.written);
	return s;
}

/* Those that were forgotten before they could be told. */
static int
tell_end(struct segv_watch *w)
{
	struct segv_told others = {0};
	struct segv_counts c;
	struct segv_moment now;
	struct segv_sum s = segv_watch_sum(w);
	struct timespec ts;

	if (tell_shares(w) == -1)
		return -1;
	clock_gettime(CLOCK_REALTIME, &ts);
	segv_moment(&w->resolver, ts, &now);
	if (segv_probe_counts(&w->probe, &c, NULL) == 0 &&
	    c.shared > w->shares.told) {
		others.more = c.shared - w->shares.told;
		if (segv_print_limited(w->out, &now, &others) == -1)
			return -1;
	}
	if (segv_print_counts(w->out, &now, &s) == -1)
		return -1;
	return out_flush(w->out);
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
		if (drain(w, 1) == -1)
			return -1;
		if (segv_probe_counts(&w->probe, &c, NULL) == -1)
			break;
	} while ((came(w) < c.sent ||
		     c.seen != c.sent + c.dropped + c.limited + c.shared) &&
	    deadline_left(end) > 0 && *w->stops == told);
	for (i = SEGV_KINDS; i-- > 0;) {
		segv_feed_flush(w->feed[i]);
		if (tell_all(w, i) == -1)
			return -1;
	}
	return tell_end(w);
}

int
segv_watch_run(struct segv_watch *w, struct out *out)
{
	w->out = out;
	w->end = deadline_in(w->o->duration_ms);
	w->stats_due = deadline_in(w->o->stats_ms);
	w->idle_due = deadline_in(IDLE_MS);
	w->shares_due = w->o->probe.share > 0 ? deadline_in(SHARES_MS) : -1;
	if (watch(w) == -1)
		return -1;
	return finish(w);
}

void
segv_watch_stats(const struct segv_watch *w, char *line, size_t n)
{
	struct segv_counts c = {0};
	struct segv_feed_stats fs;
	struct maptrack_stats ms;
	struct rusage ru = {0};
	uint64_t bad = 0, peak = 0;
	int i;

	segv_probe_counts(&w->probe, &c, NULL);
	for (i = 0; i < SEGV_KINDS; i++) {
		segv_feed_get_stats(w->feed[i], &fs);
		bad += fs.bad;
		if (w->probe.ring[i].most > peak)
			peak = w->probe.ring[i].most;
	}
	maptrack_get_stats(w->maps, &ms);
	getrusage(RUSAGE_SELF, &ru);
	snprintf(line, n,
	    "events=%" PRIu64 " seen=%" PRIu64 " dropped=%" PRIu64
	    " limited=%" PRIu64 " not_shown=%" PRIu64 " other_name=%" PRIu64
	    " reliable=%" PRIu64 " truncated=%" PRIu64 " doubtful=%" PRIu64
	    " pages=%" PRIu64 " pages_lost=%" PRIu64 " no_regs=%" PRIu64
	    " no_info=%" PRIu64 " no_vma=%" PRIu64 " misses=%" PRIu64
	    " bad_records=%" PRIu64 " ring_size=%zu ring_peak=%" PRIu64
	    " no_maps=%" PRIu64 " map_records=%" PRIu64 " map_lost=%" PRIu64
	    " processes=%zu"
	    " max_rss_kib=%ld",
	    w->told, c.seen, c.dropped, c.limited + c.shared, c.shared, c.named,
	    w->reliable, w->truncated, w->doubtful, c.pages, c.pages_lost,
	    c.no_regs, c.no_info, c.no_vma, bpfsys_misses(w->probe.progfd), bad,
	    w->probe.ring[SEGV_FATAL].size, peak, w->unmapped, ms.records,
	    ms.lost, ms.procs, ru.ru_maxrss);
}

void
segv_watch_cpu(const struct segv_watch *w, unsigned i, char *line, size_t n)
{
	struct segv_counts sum, *cpu = calloc(w->probe.ncpus, sizeof(*cpu));

	line[0] = '\0';
	if (cpu != NULL && segv_probe_counts(&w->probe, &sum, cpu) == 0 &&
	    cpu[i].seen > 0)
		snprintf(line, n,
		    "cpu=%u seen=%" PRIu64 " sent=%" PRIu64 " dropped=%" PRIu64
		    " limited=%" PRIu64 " other_name=%" PRIu64 " pages=%" PRIu64
		    " pages_lost=%" PRIu64,
		    i, cpu[i].seen, cpu[i].sent, cpu[i].dropped,
		    cpu[i].limited + cpu[i].shared, cpu[i].named, cpu[i].pages,
		    cpu[i].pages_lost);
	free(cpu);
}
