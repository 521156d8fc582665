/*
 * Whose process it was: its command line, while it is there.
 */
#include <string.h>
#include <unistd.h>

#include "base/num.h"
#include "proc/procdir.h"
#include "segv/segv_watch.h"

enum {
	CMDLINE_MAX = 32768,
	STAT_START = 22 - 2 /* field of stat, counted from behind comm */
};

/* Did the process behind dirfd begin when that of the event did? */
static int
is_same(int dirfd, const struct segv_event *ev)
{
	uint64_t ticks, hz = (uint64_t)sysconf(_SC_CLK_TCK);
	struct buf b = {0};
	const char *p = NULL;
	int i, same = 0;

	if (io_slurp_once(dirfd, "stat", 4096, &b, NULL) == 0)
		p = strrchr(b.p, ')'); /* comm may hold anything else */
	for (i = 0; p != NULL && i < STAT_START; i++)
		p = strchr(p + 1, ' ');
	if (p != NULL && num_scan(p + 1, b.p + b.len, 10, &ticks, &p) == 0)
		same = ticks == ev->start / (1000000000 / hz);
	buf_free(&b);
	return same;
}

int
segv_cmdline(const struct segv_event *ev, struct buf *b, int *cut)
{
	int dirfd, r = -1;

	if (!(ev->have & SEGV_HAVE_LEADER))
		return -1;
	dirfd = proc_open(ev->pid);
	if (dirfd == -1)
		return -1;
	if (is_same(dirfd, ev))
		r = io_slurp_once(dirfd, "cmdline", CMDLINE_MAX, b, cut);
	close(dirfd);
	if (r == -1)
		b->len = 0;
	return r;
}
