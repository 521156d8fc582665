/* What segv_watch counted, in numbers and in lines. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "segv/segv_watch.h"

struct segv_sum
segv_watch_sum(const struct segv_watch *w)
{
	struct segv_counts c = {0};
	struct segv_sum s;

	segv_probe_counts(&w->probe, &c, NULL);
	s.seen = c.seen;
	s.written =
	    w->teller->tally->told < c.sent ? w->teller->tally->told : c.sent;
	s.limited = c.limited + c.shared;
	s.dropped = c.dropped + (c.sent - s.written);
	return s;
}

void
segv_watch_stats(const struct segv_watch *w, char *line, size_t n)
{
	struct segv_counts c = {0};
	struct segv_feed_stats fs;
	struct maptrack_stats ms;
	const struct segv_tally *t = w->teller->tally;
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
	    " bad_records=%" PRIu64 " joined=%" PRIu64
	    " ring_size=%zu ring_peak=%" PRIu64 " no_maps=%" PRIu64
	    " map_records=%" PRIu64 " map_lost=%" PRIu64 " processes=%zu"
	    " max_rss_kib=%ld",
	    t->told, c.seen, c.dropped, c.limited + c.shared, c.shared, c.named,
	    t->reliable, t->truncated, t->doubtful, c.pages, c.pages_lost,
	    c.no_regs, c.no_info, c.no_vma, bpfsys_misses(w->probe.progfd), bad,
	    t->joined, w->probe.ring[SEGV_FATAL].size, peak, w->unmapped,
	    ms.records, ms.lost, ms.procs, ru.ru_maxrss + t->rss_kib);
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
