#include "target/target_live.h"

#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/array.h"
#include "base/deadline.h"
#include "base/io.h"
#include "base/num.h"
#include "proc/procdir.h"
#include "target/target_proc.h"

enum {
	RED_ZONE = 128, /* x86-64 psABI: leaf data below the stack pointer */
	/* A thread that waits has little on its stack; so much of the arena is
	 * made ready, for a page fault in the pause is the process's. */
	READY_EACH = 8 << 10,
	READY = 64 << 10
};

struct stack_copy {
	uint64_t start;
	size_t len;
	unsigned char *p;
};

struct live_source {
	ssize_t (*proc_read)(struct target *, uint64_t, void *, size_t);
	void (*proc_close)(struct target *);
	void *proc_src;
	struct stack_copy *stack;
	size_t nstacks;
	unsigned char *arena;
	size_t arenalen;
};

enum thread_state { SEIZED, STOPPED, LOST };

struct seized {
	pid_t tid;
	enum thread_state state;
	int err;    /* why it is LOST */
	int status; /* how it STOPPED, as waitpid(2) has it */
};

struct seizure {
	struct seized *th;
	size_t n;
};

static uint64_t
now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

/* Calls into the /proc source with its own src in place. */
static ssize_t
below_read(struct target *t, uint64_t addr, void *p, size_t len)
{
	struct live_source *s = t->src;
	ssize_t r;

	t->src = s->proc_src;
	r = s->proc_read(t, addr, p, len);
	t->src = s;
	if (t->lost != NULL)
		t->lost = "the process ended, or executed another program, "
			  "while it was read";
	return r;
}

static ssize_t
live_read(struct target *t, uint64_t addr, void *p, size_t len)
{
	struct live_source *s = t->src;
	size_t i = ARRAY_ABOVE(s->stack, s->nstacks, start, addr), at, n;

	if (i > 0 &&
	    (at = addr - s->stack[i - 1].start) < s->stack[i - 1].len) {
		n = s->stack[i - 1].len - at;
		n = n < len ? n : len;
		memcpy(p, s->stack[i - 1].p + at, n);
		return (ssize_t)n;
	}
	return below_read(t, addr, p, len);
}

static void
live_close(struct target *t)
{
	struct live_source *s = t->src;

	t->src = s->proc_src;
	s->proc_close(t);
	if (s->arena != NULL)
		munmap(s->arena, s->arenalen);
	free(s->stack);
	free(s);
}

static int
is_seized(const struct seizure *z, pid_t tid)
{
	size_t i;

	for (i = z->n; i > 0; i--) /* new ones are listed last */
		if (z->th[i - 1].tid == tid)
			return 1;
	return 0;
}

static int
seize(struct seizure *z, pid_t tid)
{
	struct seized *p;

	if (ARRAY_ROOM(z->th, z->n) == -1)
		return -1;
	p = &z->th[z->n++];
	memset(p, 0, sizeof(*p));
	p->tid = tid;
	if (ptrace(PTRACE_SEIZE, tid, NULL, NULL) == -1 ||
	    ptrace(PTRACE_INTERRUPT, tid, NULL, NULL) == -1) {
		p->state = LOST;
		p->err = errno;
	}
	return 0;
}

/* Seizes what /proc/PID/task lists until a whole pass finds nothing new. */
static int
seize_all(int procfd, pid_t only, struct seizure *z)
{
	struct dirent *e;
	uint64_t tid;
	size_t before;
	DIR *d;
	int r = 0;

	if (only > 0)
		return seize(z, only);
	d = io_opendir(procfd, "task");
	if (d == NULL)
		return -1;
	do {
		before = z->n;
		rewinddir(d);
		while (r == 0 && (e = readdir(d)) != NULL)
			if (num_u64(e->d_name, 10, 1, INT_MAX, &tid) == 0 &&
			    !is_seized(z, (pid_t)tid))
				r = seize(z, (pid_t)tid);
	} while (r == 0 && z->n > before);
	closedir(d);
	return r;
}

/* Waits until each has stopped; a signal that arrives first is passed on. */
static void
await_stops(struct seizure *z, struct live *lt)
{
	const struct timespec nap = {.tv_nsec = 20000};
	int64_t deadline = deadline_in(LIVE_WAIT_MS);
	int status, r;
	size_t i;

	for (i = 0; i < z->n; i++)
		while (z->th[i].state == SEIZED) {
			r = waitpid(z->th[i].tid, &status, __WALL | WNOHANG);
			if (r == z->th[i].tid && WIFSTOPPED(status)) {
				z->th[i].state = STOPPED;
				z->th[i].status = status;
			} else if (r != 0) {
				z->th[i].state = LOST;
				z->th[i].err = ESRCH;
			} else if (deadline_left(deadline) == 0) {
				z->th[i].state = LOST;
				z->th[i].err = ETIMEDOUT;
				lt->late++;
			} else
				nanosleep(&nap, NULL);
		}
}

static void
copy_regs(struct target *t, pid_t tid, struct target_thread *th)
{
	struct iovec iov = {th->regs.r, sizeof(th->regs.r)};

	if (ptrace(PTRACE_GETREGSET, tid, (void *)NT_PRSTATUS, &iov) == -1)
		th->why = "registers cannot be read";
	else if (iov.iov_len != arch_native->gregs * sizeof(uint64_t))
		th->why = "registers of another machine";
	else {
		th->regs.n = arch_native->gregs;
		t->arch = arch_native;
		t->machine = arch_native->machine;
		t->elfclass = ELFCLASS64;
	}
}

/* Lets go; a signal that was about to be delivered goes with it. */
static void
release(const struct seized *s)
{
	int sig = 0;

	if (s->state != STOPPED)
		return; /* on_late(), or the kernel when we exit */
	if (s->status >> 16 == 0)
		sig = WSTOPSIG(s->status);
	ptrace(PTRACE_DETACH, s->tid, NULL, (void *)(intptr_t)sig);
}

/* Threads that stop only now, or are sent a signal, would stand still until
 * we exit, and a reader of the report may take his time. */
static void
on_late(int sig)
{
	struct seized s = {.state = STOPPED};
	int saved = errno;

	(void)sig;
	while ((s.tid = waitpid(-1, &s.status, __WALL | WNOHANG)) > 0)
		if (WIFSTOPPED(s.status))
			release(&s);
	errno = saved;
}

static void
await_late(void)
{
	struct sigaction sa = {.sa_handler = on_late, .sa_flags = SA_RESTART};

	sigaction(SIGCHLD, &sa, NULL);
	raise(SIGCHLD); /* for those that stopped before */
}

static void
name_thread(const struct procinfo *pi, struct target_thread *th)
{
	size_t i;

	for (i = 0; i < pi->ntasks; i++) {
		if (pi->tasks[i].tid != th->tid)
			continue;
		th->nstid = pi->tasks[i].nstid;
		th->namelen = pi->tasks[i].commlen;
		memcpy(th->name, pi->tasks[i].comm, sizeof(th->name));
		return;
	}
}

static const char *
why_lost(int err)
{
	switch (err) {
	case ETIMEDOUT:
		return "it did not stop in time";
	case EPERM:
		return "it has exited, or is traced already";
	default:
		return "it has exited";
	}
}

/* How much from start on is of the same stack, at most so much: what lies
 * behind it, the process may never have touched. */
static size_t
stack_left(struct target *t, uint64_t start, size_t most)
{
	const struct map *m = target_map(t, start);

	return m != NULL && m->end - start < most ? (size_t)(m->end - start)
						  : most;
}

/* Registers first, then stacks: the arena is there before the pause. */
static void
copy_threads(struct target *t, struct live_source *s, struct seizure *z)
{
	size_t i, each = s->arenalen / (z->n ? z->n : 1), used = 0;
	struct stack_copy *c;
	uint64_t sp;
	ssize_t r;

	each -= each % TARGET_PAGE;
	each = each > LIVE_STACK ? LIVE_STACK : each;
	for (i = 0; i < z->n; i++) {
		struct target_thread *th = &t->threads[i];

		th->tid = th->nstid = z->th[i].tid;
		if (z->th[i].state != STOPPED) {
			th->why = why_lost(z->th[i].err);
			continue;
		}
		copy_regs(t, z->th[i].tid, th);
		sp = thread_sp(t, th);
		if (sp < RED_ZONE || th->regs.n == 0 || each == 0)
			continue;
		c = &s->stack[s->nstacks];
		c->start = (sp - RED_ZONE) & ~(uint64_t)(TARGET_PAGE - 1);
		c->p = s->arena + used;
		r = below_read(
		    t, c->start, c->p, stack_left(t, c->start, each));
		if (r > 0) {
			c->len = (size_t)r;
			used += c->len;
			s->nstacks++;
		}
	}
}

/* The wanted thread; where that has no registers (a leader that has exited),
 * the first that has. */
static void
put_first(struct target *t, pid_t first)
{
	struct target_thread tmp;
	size_t i, pick = 0;

	for (i = 0; i < t->nthreads; i++) {
		if (t->threads[i].regs.n == 0)
			continue;
		if (t->threads[i].tid == first) {
			pick = i;
			break;
		}
		if (t->threads[pick].regs.n == 0)
			pick = i;
	}
	tmp = t->threads[0];
	t->threads[0] = t->threads[pick];
	t->threads[pick] = tmp;
}

static int
has_stopped(const struct seizure *z)
{
	size_t i;

	for (i = 0; i < z->n; i++)
		if (z->th[i].state == STOPPED)
			return 1;
	return 0;
}

/* Room for the stacks of about so many threads. */
static struct live_source *
live_begin(struct target *t, const struct proc_text *auxv, size_t nthreads)
{
	size_t n = nthreads * LIVE_STACK, i;
	struct live_source *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->proc_read = t->read;
	s->proc_close = t->close;
	s->proc_src = t->src;
	t->src = s;
	t->read = live_read;
	t->close = live_close;
	t->auxv = malloc(auxv->b.len + 1);
	s->arenalen = n > LIVE_ARENA ? LIVE_ARENA : n;
	s->arena = mmap(NULL, s->arenalen, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (s->arena == MAP_FAILED || t->auxv == NULL) {
		s->arena = NULL;
		return NULL;
	}
	n = nthreads * READY_EACH + READY;
	for (i = 0; i < n && i < s->arenalen; i += TARGET_PAGE)
		s->arena[i] = 1;
	if (auxv->b.len > 0)
		memcpy(t->auxv, auxv->b.p, auxv->b.len);
	t->auxvlen = auxv->b.len;
	return s;
}

int
target_live_open(
    int procfd, struct procinfo *pi, struct live *lt, struct target *t)
{
	struct seizure z = {0};
	struct live_source *s;
	uint64_t begin;
	int err = 0;
	size_t i;

	lt->pause_ns = lt->late = 0;
	if (target_proc_open(procfd, pi, t) == -1)
		return -1;
	s = live_begin(t, &pi->item[PROC_AUXV],
	    lt->only > 0 ? 1 : pi->ntasks + pi->ntasks / 8 + 4);
	if (s == NULL)
		return -1;

	begin = now_ns();
	if (seize_all(procfd, lt->only, &z) == -1 || z.n == 0)
		err = errno ? errno : ESRCH;
	await_stops(&z, lt);
	t->threads = calloc(z.n + 1, sizeof(*t->threads));
	s->stack = calloc(z.n + 1, sizeof(*s->stack));
	if (t->threads == NULL || s->stack == NULL)
		err = ENOMEM;
	if (err == 0)
		copy_threads(t, s, &z);
	for (i = 0; i < z.n; i++)
		release(&z.th[i]);
	lt->pause_ns = now_ns() - begin;
	if (lt->late > 0)
		await_late();

	if (err == 0 && !has_stopped(&z))
		err = z.th[0].err ? z.th[0].err : ESRCH;
	if (err == 0) {
		t->nthreads = z.n;
		for (i = 0; i < t->nthreads; i++)
			name_thread(pi, &t->threads[i]);
		put_first(t, lt->first);
		ARRAY_SORT(s->stack, s->nstacks, start);
		target_drop_cache(t); /* what was read before the pause */
	}
	free(z.th);
	errno = err;
	return err ? -1 : 0;
}
