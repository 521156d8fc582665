/*
 * segv_watch: the process that looks: probe, mappings, rings; and what it sees
 * goes to the process that names (segv/segv_teller.h).
 *
 * It reads what the kernel wrote, and opens files without looking into them.
 * Only segv_watch_open() needs more rights than to look (CAP_BPF, CAP_PERFMON;
 * what stays needed: segv_watch_caps()).
 *
 * Under load the reader is woken once in some milliseconds, not once an
 * event: it sleeps until a ring has something, 2 ms longer, then reads all
 * there is.  The CPUs that crash then never pay for a wake-up.
 */
#ifndef SEGV_SEGV_WATCH_H
#define SEGV_SEGV_WATCH_H

#include <signal.h>
#include <stdint.h>
#include <time.h>

#include "probe/segv_probe.h"
#include "probe/segv_shares.h"
#include "proc/cgroups.h"
#include "segv/segv_print.h"
#include "segv/segv_teller.h"
#include "segv/segv_wire.h"
#include "track/mapspace.h"
#include "track/maptrack.h"

struct segv_watch_opts {
	struct segv_probe_opts probe;
	int cmdline;	     /* wanted */
	int64_t duration_ms; /* -1: until told to stop */
	int64_t stats_ms;    /* how often on_stats is called; -1: never */
	int64_t top_ms; /* how often the table is shown; -1: there is none */
};

enum { HELD_MAX = MAPSPACE_MAX, FIRSTS_MAX = 16 };

struct segv_watch {
	const struct segv_watch_opts *o;
	/* The caller's; before segv_watch_run(): signals that count in *stops
	 * are blocked, and unblocked says which are while asleep. */
	const volatile sig_atomic_t *stops;
	sigset_t unblocked;
	/* the same, of how often the output was renamed */
	const volatile sig_atomic_t *renamed;
	int termfd; /* the output, when it is a terminal, or -1 */
	void (*on_stats)(const struct segv_watch *);

	struct segv_probe probe;
	struct maptrack *maps;
	const char *maps_why; /* why mappings are not followed, or NULL */

	uint64_t sent;		    /* events that went to the teller */
	uint64_t unmapped;	    /* of processes nothing was known of */
	struct segv_teller *teller; /* the caller's, started */
	struct segv_wire wire;

	/* private */
	struct modcache *cache;
	struct segv_feed *feed[SEGV_KINDS];
	/* events whose handler it is not sure can be called */
	struct segv_event *first[FIRSTS_MAX];
	size_t nfirst;
	struct segv_shares shares;
	struct cgroups *cgroups;
	struct modfile *held[HELD_MAX]; /* while an event is sent */
	size_t nheld;
	int64_t end, stats_due, idle_due, shares_due, top_due;
	sig_atomic_t agains;  /* of *renamed, seen so far */
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
 * Sends events until *stops is not 0 or time is over; then detaches and sends
 * all that is still in the rings, and waits until all is written, unless *stops
 * is raised again meanwhile.  0, or -1 with errno: EBADMSG a ring makes no
 * sense, EPIPE the teller has gone, ENOMEM.
 */
int segv_watch_run(struct segv_watch *);
void segv_watch_close(struct segv_watch *);

/* What became of all events: those that were lost after the kernel had put them
 * into a ring are among the dropped. */
struct segv_sum segv_watch_sum(const struct segv_watch *);
/* All counts in one line, "key=value ...", and those of one CPU, "" when it
 * saw nothing. */
void segv_watch_stats(const struct segv_watch *, char *line, size_t n);
void
segv_watch_cpu(const struct segv_watch *, unsigned cpu, char *line, size_t n);

/* --- private: segv_send.c --------------------------------------------------
 */

int segv_watch_tell(struct segv_watch *, const struct segv_event *);

/* --- private: segv_owner.c -------------------------------------------------
 */

/* The command line, if the process is still there: NULs between and behind
 * the arguments; cut is set when there was more.  -1 when it has gone. */
int segv_cmdline(const struct segv_event *, struct buf *, int *cut);

#endif
