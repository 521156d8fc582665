#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "report/segv_watch.h"

uint64_t
segv_watch_missing(const struct segv_watch *w)
{
	struct segv_counts c = {0};
	struct segv_feed_stats fs;
	uint64_t came;

	segv_feed_get_stats(w->feed, &fs);
	segv_probe_counts(&w->probe, &c, NULL);
	/* a bad record may have been an event */
	came = fs.events < c.sent ? fs.events : c.sent;
	return c.dropped + (c.sent - came);
}

void
segv_watch_stats(const struct segv_watch *w, char *line, size_t n)
{
	struct segv_counts c = {0};
	struct segv_feed_stats fs;
	struct maptrack_stats ms;
	struct rusage ru = {0};

	segv_probe_counts(&w->probe, &c, NULL);
	segv_feed_get_stats(w->feed, &fs);
	maptrack_get_stats(w->maps, &ms);
	getrusage(RUSAGE_SELF, &ru);
	snprintf(line, n,
	    "events=%" PRIu64 " seen=%" PRIu64 " dropped=%" PRIu64
	    " limited=%" PRIu64 " other_name=%" PRIu64 " reliable=%" PRIu64
	    " truncated=%" PRIu64 " doubtful=%" PRIu64 " pages=%" PRIu64
	    " pages_lost=%" PRIu64 " no_regs=%" PRIu64 " no_info=%" PRIu64
	    " no_vma=%" PRIu64 " misses=%" PRIu64 " bad_records=%" PRIu64
	    " ring_size=%zu ring_peak=%" PRIu64 " no_maps=%" PRIu64
	    " map_records=%" PRIu64 " map_lost=%" PRIu64 " processes=%zu"
	    " max_rss_kib=%ld",
	    w->told, c.seen, c.dropped, c.limited, c.named + w->unnamed,
	    w->reliable, w->truncated, w->doubtful, c.pages, c.pages_lost,
	    c.no_regs, c.no_info, c.no_vma, bpfsys_misses(w->probe.progfd),
	    fs.bad, w->probe.ring.size, w->probe.ring.most, w->unmapped,
	    ms.records, ms.lost, ms.procs, ru.ru_maxrss);
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
		    i, cpu[i].seen, cpu[i].sent, cpu[i].dropped, cpu[i].limited,
		    cpu[i].named, cpu[i].pages, cpu[i].pages_lost);
	free(cpu);
}
