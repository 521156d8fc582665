#include "target/seizure.h"

#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>

#include "base/array.h"
#include "base/deadline.h"
#include "base/io.h"
#include "base/num.h"

static void
lose(struct seized *s, int err)
{
	s->state = LOST;
	s->err = err;
}

static int
attach(struct seizure *z, pid_t tid)
{
	struct seized *s;

	if (ARRAY_ROOM(z->th, z->n) == -1)
		return -1;
	s = &z->th[z->n++];
	memset(s, 0, sizeof(*s));
	s->tid = tid;
	if (ptrace(PTRACE_SEIZE, tid, NULL, NULL) == -1)
		lose(s, errno);
	return 0;
}

/* *at is where the one before was found: they are listed in one order. */
static int
is_seized(const struct seizure *z, pid_t tid, size_t *at)
{
	size_t i, k;

	for (i = 0; i < z->n; i++) {
		k = *at + i < z->n ? *at + i : *at + i - z->n;
		if (z->th[k].tid == tid) {
			*at = k + 1 < z->n ? k + 1 : 0;
			return 1;
		}
	}
	return 0;
}

/* One look at /proc/PID/task, for those that are not attached to. */
static int
attach_listed(struct seizure *z, DIR *d)
{
	struct dirent *e;
	size_t at = 0;
	uint64_t tid;

	rewinddir(d);
	while ((e = readdir(d)) != NULL)
		if (num_u64(e->d_name, 10, 1, INT_MAX, &tid) == 0 &&
		    !is_seized(z, (pid_t)tid, &at) &&
		    attach(z, (pid_t)tid) == -1)
			return -1;
	return 0;
}

int
seizure_begin(struct seizure *z, pid_t only)
{
	DIR *d;
	size_t before;
	int r;

	if (only > 0)
		return attach(z, only);
	d = io_opendir(z->procfd, "task");
	if (d == NULL)
		return -1;
	do {
		before = z->n;
		r = attach_listed(z, d);
	} while (r == 0 && z->n > before);
	closedir(d);
	return r;
}

static size_t
interrupt_from(struct seizure *z, size_t i)
{
	for (; i < z->n; i++)
		if (z->th[i].state == SEIZED &&
		    ptrace(PTRACE_INTERRUPT, z->th[i].tid, NULL, NULL) == -1)
			lose(&z->th[i], errno);
	return i;
}

/* Are those attached to all there are?  The directory of them has a link for
 * each thread (proc_task_getattr() of fs/proc/base.c). */
static int
is_complete(const struct seizure *z)
{
	size_t i, n = 0;
	struct stat st;

	for (i = 0; i < z->n; i++)
		n += z->th[i].state == SEIZED;
	return fstatat(z->procfd, "task", &st, 0) == 0 && st.st_nlink == n + 2;
}

static int
interrupt_all(struct seizure *z, pid_t only)
{
	size_t told = interrupt_from(z, 0), before;
	DIR *d;
	int r;

	if (only > 0 || is_complete(z))
		return 0;
	d = io_opendir(z->procfd, "task");
	if (d == NULL)
		return -1;
	do {
		before = told;
		r = attach_listed(z, d);
		told = interrupt_from(z, told);
	} while (r == 0 && told > before);
	closedir(d);
	return r;
}

static void
read_regs(struct seized *s)
{
	struct iovec iov = {s->regs.r, sizeof(s->regs.r)};

	if (ptrace(PTRACE_GETREGSET, s->tid, (void *)NT_PRSTATUS, &iov) == 0 &&
	    iov.iov_len == arch_native->gregs * sizeof(uint64_t))
		s->regs.n = arch_native->gregs;
}

/* Until it has stopped; a signal that arrives first is passed on. */
static void
await(struct seizure *z, struct seized *s, int64_t deadline)
{
	const struct timespec nap = {.tv_nsec = 20000};
	pid_t r;

	while (s->state == SEIZED) {
		r = waitpid(s->tid, &s->status, __WALL | WNOHANG);
		if (r == s->tid && WIFSTOPPED(s->status)) {
			s->state = STOPPED;
			read_regs(s);
		} else if (r != 0)
			lose(s, ESRCH);
		else if (deadline_left(deadline) == 0) {
			lose(s, ETIMEDOUT);
			z->late++;
		} else
			nanosleep(&nap, NULL);
	}
}

int
seizure_stop(struct seizure *z, pid_t only, int64_t deadline)
{
	size_t i;
	int r;

	r = interrupt_all(z, only);
	for (i = 0; i < z->n; i++)
		await(z, &z->th[i], deadline);
	return r;
}

static void
release(pid_t tid, int status)
{
	int sig = status >> 16 == 0 ? WSTOPSIG(status) : 0;

	ptrace(PTRACE_DETACH, tid, NULL, (void *)(intptr_t)sig);
}

/* Threads that stop only now, or are sent a signal, would stand still until
 * we exit, and a reader of the report may take his time. */
static void
on_late(int sig)
{
	int saved = errno, status;
	pid_t tid;

	(void)sig;
	while ((tid = waitpid(-1, &status, __WALL | WNOHANG)) > 0)
		if (WIFSTOPPED(status))
			release(tid, status);
	errno = saved;
}

void
seizure_release(struct seizure *z)
{
	struct sigaction sa = {.sa_handler = on_late, .sa_flags = SA_RESTART};
	size_t i;

	for (i = 0; i < z->n; i++)
		if (z->th[i].state == STOPPED)
			release(z->th[i].tid, z->th[i].status);
	if (z->late > 0) {
		sigaction(SIGCHLD, &sa, NULL);
		raise(SIGCHLD); /* for those that stopped before */
	}
}

void
seizure_free(struct seizure *z)
{
	free(z->th);
	z->th = NULL;
	z->n = 0;
}
