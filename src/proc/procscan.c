#include "proc/procscan.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/num.h"
#include "proc/procdir.h"

enum { STAT_MAX = 4096, MAPS_MAX = 32 << 20 };
#define TICK_NS UINT64_C(10000000) /* clock ticks of /proc are 100 a second */
enum { STAT_STATE = 0, STAT_PPID = 1, STAT_START = 19 }; /* behind the comm */

/* "PID (COMM) S PPID ...": the comm may hold anything, so its end is the last
 * parenthesis (proc(5)). */
int
procscan_parse_stat(const char *text, size_t len, struct procseen *s)
{
	const char *open = memchr(text, '(', len), *end = text + len, *p;
	const char *shut = memrchr(text, ')', len);
	long hz = sysconf(_SC_CLK_TCK);
	uint64_t v;
	size_t n;
	int i;

	if (open == NULL || shut == NULL || shut < open ||
	    num_scan(text, end, 10, &v, &p) == -1 || v > INT_MAX)
		return fails(EINVAL);
	s->pid = (pid_t)v;
	n = (size_t)(shut - open - 1);
	n = n < sizeof(s->comm) - 1 ? n : sizeof(s->comm) - 1;
	memcpy(s->comm, open + 1, n);
	s->comm[n] = '\0';
	p = shut + 1;
	for (i = 0; i <= STAT_START; i++) {
		p = p < end ? memchr(p, ' ', (size_t)(end - p)) : NULL;
		if (p == NULL)
			return fails(EINVAL);
		p++;
		if (i != STAT_PPID && i != STAT_START)
			continue;
		if (num_scan(p, end, 10, &v, &p) == -1)
			return fails(EINVAL);
		if (i == STAT_PPID)
			s->ppid = v <= INT_MAX ? (pid_t)v : 0;
		else
			s->start = v *
			    (UINT64_C(1000000000) /
				(uint64_t)(hz > 0 ? hz : 100));
	}
	return 0;
}

static int
read_stat(int procfd, struct procseen *s)
{
	struct buf b = {0};
	int r = -1;

	if (io_slurp_once(procfd, "stat", STAT_MAX, &b, NULL) == 0)
		r = procscan_parse_stat(b.p != NULL ? b.p : "", b.len, s);
	buf_free(&b);
	return r;
}

static uint64_t
now_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * UINT64_C(1000000000) +
	    (uint64_t)ts.tv_nsec;
}

int
procscan_was(pid_t pid, uint64_t time)
{
	uint64_t asleep = now_ns(CLOCK_BOOTTIME) - now_ns(CLOCK_MONOTONIC);
	struct procseen s;
	int fd = proc_open(pid), r;

	if (fd == -1)
		return -1;
	r = read_stat(fd, &s);
	close(fd);
	if (r == 0)
		return s.start <= time + asleep + TICK_NS;
	return fails(ESRCH);
}

void
procscan_free(struct procseen *s)
{
	free(s->maps);
	buf_free(&s->text);
}

int
procscan_read(pid_t pid, int all, struct procseen *s)
{
	size_t i, n = 0;
	ssize_t len;
	int fd;

	memset(s, 0, sizeof(*s));
	fd = proc_open_thread(pid);
	if (fd == -1)
		return -1;
	if (read_stat(fd, s) == -1 ||
	    io_slurp(fd, "maps", MAPS_MAX, &s->text, NULL) == -1 ||
	    s->text.len == 0) {
		close(fd);
		procscan_free(s);
		return fails(ESRCH);
	}
	s->pid = pid; /* a thread's own, so far */
	len = readlinkat(fd, "exe", s->exe, sizeof(s->exe) - 1);
	s->exe[len > 0 ? len : 0] = '\0';
	close(fd);
	if (maps_parse(s->text.p, s->text.len, &s->maps, &s->n) == -1 &&
	    s->maps == NULL) {
		procscan_free(s);
		return fails(ENOMEM);
	}
	for (i = 0; i < s->n; i++)
		if (all || (s->maps[i].prot & MAP_X))
			s->maps[n++] = s->maps[i];
	s->n = n;
	return 0;
}
