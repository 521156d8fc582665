/*
 * clock [-n COUNT] [-d DIR -p PREFIX | -x COMMAND] VICTIM ARGS...
 * clock -g -x COMMAND VICTIM ARGS... live
 *
 * Times one crash, or COUNT crashes at once, and prints microseconds from
 * right before the (first) fault:
 *
 *     REPORT GONE REPORTS
 *
 * REPORT   until COUNT files whose names begin with PREFIX (and do not end in
 *          .part or .info) had appeared in DIR, as inotify(7) tells; with -x
 *          until COMMAND ended, which sh runs once the process is gone; "-"
 *          when neither was asked for or it did not come to that
 * GONE     until the last crashed process was gone for its parent
 * REPORTS  how many files appeared
 *
 * -g: runs COMMAND, with PID in its environment, beside a live victim and
 * prints how long COMMAND took and how long the victim stood still.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

enum { WAIT_MS = 300000, STRAGGLERS_MS = 10000, VICTIMS_MAX = 10000 };

struct run {
	int count;
	const char *dir, *prefix, *command;
	char **victim;
	struct bench_page *page;
	int pagefd, watchfd, childfd, gofd;
	pid_t pid; /* of the last one started */
	int alive, reports;
	uint64_t gone, reported;
};

static void
die(const char *what)
{
	fprintf(
	    stderr, "clock: fatal: unable to %s: %s\n", what, strerror(errno));
	exit(111);
}

static void
usage(void)
{
	fputs("usage: clock [-g] [-n count] [-d dir -p prefix | -x command] "
	      "victim args...\n",
	    stderr);
	exit(100);
}

static void
run_victim(struct run *r, int go, int ready)
{
	struct rlimit all = {RLIM_INFINITY, RLIM_INFINITY};
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setrlimit(RLIMIT_CORE, &all);
	/* childfd came first, so what is wanted here is not in the way */
	if (dup2(go, 0) == -1 || dup2(ready, 1) == -1 ||
	    dup2(r->pagefd, BENCH_FD) == -1)
		_exit(111);
	execv(r->victim[0], r->victim);
	_exit(111);
}

/* All victims started and ready. */
static void
start(struct run *r)
{
	int go[2], ready[2], i;
	char c;

	if (pipe2(go, O_CLOEXEC) == -1 || pipe2(ready, O_CLOEXEC) == -1)
		die("make a pipe");
	for (i = 0; i < r->count; i++) {
		r->pid = fork();
		if (r->pid == -1)
			die("fork");
		if (r->pid == 0)
			run_victim(r, go[0], ready[1]);
		r->alive++;
	}
	close(go[0]);
	close(ready[1]);
	r->gofd = go[1];
	for (i = 0; i < r->count; i++)
		if (read(ready[0], &c, 1) != 1)
			die("start the victim");
	close(ready[0]);
}

static int
is_report(const struct run *r, const char *name)
{
	size_t n = strlen(name);

	return strncmp(name, r->prefix, strlen(r->prefix)) == 0 &&
	    (n < 5 ||
		(strcmp(name + n - 5, ".part") != 0 &&
		    strcmp(name + n - 5, ".info") != 0));
}

static void
count_reports(struct run *r, uint64_t now)
{
	char buf[65536] __attribute__((aligned(8)));
	const struct inotify_event *e;
	ssize_t n, at;

	n = read(r->watchfd, buf, sizeof(buf));
	for (at = 0; at < n; at += (ssize_t)(sizeof(*e) + e->len)) {
		e = (const struct inotify_event *)(buf + at);
		/* before the fault it is somebody else's */
		if (r->page->fault != 0 && e->len > 0 && is_report(r, e->name))
			r->reports++;
	}
	if (r->reports >= r->count && r->reported == 0)
		r->reported = now;
}

static void
reap(struct run *r, uint64_t now)
{
	struct signalfd_siginfo si;

	(void)!read(r->childfd, &si, sizeof(si));
	while (waitpid(-1, NULL, WNOHANG) > 0)
		r->alive--;
	if (r->alive == 0)
		r->gone = now;
}

static void
await(struct run *r)
{
	struct pollfd p[2] = {{.fd = r->childfd, .events = POLLIN},
	    {.fd = r->watchfd, .events = POLLIN}};
	uint64_t now;
	int n;

	while (r->alive > 0 || (r->dir != NULL && r->reported == 0)) {
		n = poll(p, 2, r->alive > 0 ? WAIT_MS : STRAGGLERS_MS);
		now = bench_now();
		if (n <= 0)
			break;
		if (p[1].revents != 0)
			count_reports(r, now);
		if (p[0].revents != 0)
			reap(r, now);
	}
}

static void
put(const struct run *r, uint64_t t, char end)
{
	if (t == 0 || r->page->fault == 0)
		printf("-%c", end);
	else
		printf("%llu%c",
		    (unsigned long long)(t - r->page->fault) / 1000, end);
}

static void
time_crash(struct run *r)
{
	start(r);
	close(r->gofd);
	await(r);
	if (r->command != NULL && r->gone != 0 && system(r->command) == 0)
		r->reported = bench_now();
	put(r, r->reported, ' ');
	put(r, r->gone, ' ');
	printf("%d\n", r->reports);
}

static void
time_pause(struct run *r)
{
	char pid[16];
	uint64_t before;
	int ok;

	start(r);
	snprintf(pid, sizeof(pid), "%d", (int)r->pid);
	setenv("PID", pid, 1);
	r->page->gap = 0;
	before = bench_now();
	ok = system(r->command) == 0;
	before = bench_now() - before;
	kill(r->pid, SIGKILL);
	waitpid(r->pid, NULL, 0);
	if (!ok)
		puts("- -");
	else
		printf("%llu %llu\n", (unsigned long long)before / 1000,
		    (unsigned long long)r->page->gap / 1000);
}

static void
prepare(struct run *r)
{
	const struct sched_param first = {.sched_priority = 1};
	sigset_t chld;

	/* else a clock that is told late, as all processors are busy with the
	 * end of a big process, reads late; our children stay ordinary */
	sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &first);
	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	sigprocmask(SIG_BLOCK, &chld, NULL);
	r->childfd = signalfd(-1, &chld, SFD_CLOEXEC | SFD_NONBLOCK);
	r->pagefd = memfd_create("bench", MFD_CLOEXEC);
	if (r->childfd == -1 || r->pagefd == -1 ||
	    ftruncate(r->pagefd, sizeof(*r->page)) == -1)
		die("start");
	r->page = mmap(NULL, sizeof(*r->page), PROT_READ | PROT_WRITE,
	    MAP_SHARED, r->pagefd, 0);
	if (r->page == MAP_FAILED)
		die("start");
	r->watchfd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (r->watchfd == -1 ||
	    (r->dir != NULL &&
		inotify_add_watch(
		    r->watchfd, r->dir, IN_CREATE | IN_MOVED_TO) == -1))
		die("watch the directory");
}

int
main(int argc, char **argv)
{
	struct run r = {.count = 1};
	int c, pause = 0;

	while ((c = getopt(argc, argv, "+d:gn:p:x:")) != -1)
		switch (c) {
		case 'd':
			r.dir = optarg;
			break;
		case 'g':
			pause = 1;
			break;
		case 'n':
			r.count = atoi(optarg);
			break;
		case 'p':
			r.prefix = optarg;
			break;
		case 'x':
			r.command = optarg;
			break;
		default:
			usage();
		}
	r.victim = argv + optind;
	if (optind == argc || r.count < 1 || r.count > VICTIMS_MAX ||
	    (r.dir == NULL) != (r.prefix == NULL) ||
	    (r.dir != NULL && r.command != NULL) ||
	    (pause && r.command == NULL))
		usage();
	prepare(&r);
	if (pause)
		time_pause(&r);
	else
		time_crash(&r);
	return 0;
}
