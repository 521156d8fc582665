/*
 * segv_watch: from the signal to its record: probe, mappings, ring, writer.
 *
 * Under load the reader is woken once in some milliseconds, not once an
 * event: it sleeps until the ring has something, 2 ms longer, then reads all
 * there is.  The CPUs that crash then never pay for a wake-up.
 *
 * Only segv_watch_open() needs more rights than to look (CAP_BPF, CAP_PERFMON;
 * what stays needed: segv_watch_caps()).
 */
#ifndef SEGV_SEGV_WATCH_H
#define SEGV_SEGV_WATCH_H

#include <signal.h>
#include <stdint.h>
#include <time.h>

#include "out/out.h"
#include "segv/segv_print.h"
#include "segv/segv_probe.h"
#include "segv/segv_resolve.h"
#include "segv/segv_shares.h"
#include "track/maptrack.h"

struct segv_watch_opts {
	struct segv_probe_opts probe;
	struct segv_opts show;
	int64_t duration_ms; /* -1: until told to stop */
	int64_t stats_ms;    /* how often on_stats is called; -1: never */
};

struct segv_watch {
	const struct segv_watch_opts *o;
	/* The caller's; before segv_watch_run(): signals that count in *stops
	 * are blocked, and unblocked says which are while asleep. */
	const volatile sig_atomic_t *stops;
	sigset_t unblocked;
	void (*on_stats)(const struct segv_watch *);

	struct segv_probe probe;
	struct maptrack *maps;
	const char *maps_why; /* why mappings are not followed, or NULL */

	uint64_t told;	   /* events written */
	uint64_t unmapped; /* of processes nothing was known of */
	uint64_t reliable, truncated, doubtful; /* stacks */

	/* private */
	struct modcache *cache;
	struct segv_feed *feed[SEGV_KINDS];
	struct segv_shares shares;
	struct segv_resolver resolver;
	struct out *out;
	int64_t end, stats_due, idle_due, shares_due;
	struct timespec wall; /* of CLOCK_MONOTONIC 0 */
};

/*
 * Attaches.  -1 with errno; probe.why says more, "" when it was not the
 * probe.  segv_watch_close() in either case.
 */
int segv_watch_open(struct segv_watch *, const struct segv_watch_opts *);
/* The capabilities that reading goes on to need, one bit for each CAP_*. */
uint64_t segv_watch_caps(void);
/*
 * Writes events to out (a feed) until *stops is not 0 or time is over; then
 * detaches and writes all that is still in the ring, unless *stops is raised
 * again meanwhile.  0, or -1 with errno: EBADMSG the ring makes no sense,
 * ENOMEM, or what writing failed with.
 */
int segv_watch_run(struct segv_watch *, struct out *);
void segv_watch_close(struct segv_watch *);

/* What became of all events: those that were lost after the kernel had put them
 * into a ring are among the dropped. */
struct segv_sum segv_watch_sum(const struct segv_watch *);
/* All counts in one line, "key=value ...", and those of one CPU, "" when it
 * saw nothing. */
void segv_watch_stats(const struct segv_watch *, char *line, size_t n);
void
segv_watch_cpu(const struct segv_watch *, unsigned cpu, char *line, size_t n);

#endif
