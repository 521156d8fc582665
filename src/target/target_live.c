#include "target/target_live.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "base/array.h"
#include "base/deadline.h"
#include "base/io.h"
#include "proc/pagemap.h"
#include "target/seizure.h"
#include "target/target_proc.h"

enum {
	RED_ZONE = 128, /* x86-64 psABI: leaf data below the stack pointer */
	/* A thread that waits has little on its stack; so much of the arena is
	 * made ready, for a page fault in the pause is the process's. */
	READY_EACH = 8 << 10,
	PIECES = 256 /* read at once */
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
	size_t arenalen, used;
	struct pagemap pages; /* as it is in the pause */
};

/* Pieces of stacks, each of one of the threads. */
struct pieces {
	struct iovec from[PIECES], to[PIECES];
	struct seized *of[PIECES];
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

/* --- in the pause ----------------------------------------------------------
 */

/* Before all others on a busy machine, which else run while the process stands
 * still; nothing here goes on for long without a nap.  Whether that is so. */
static int
hurry(void)
{
	const struct sched_param first = {.sched_priority = 1};

	return sched_getscheduler(0) == SCHED_OTHER &&
	    sched_setscheduler(0, SCHED_FIFO, &first) == 0;
}

static void
hurry_no_more(void)
{
	const struct sched_param plain = {.sched_priority = 0};

	sched_setscheduler(0, SCHED_OTHER, &plain);
}

/* All pieces; a stack ends before the first of its own that is not to be had.
 */
static void
read_pieces(struct target *t, struct pieces *b)
{
	ssize_t left;
	size_t i = 0;

	if (b->n == 0)
		return;
	left = process_vm_readv(b->of[0]->tid, b->to, b->n, b->from, b->n, 0);
	for (; i < b->n && left >= (ssize_t)b->from[i].iov_len; i++)
		left -= (ssize_t)b->from[i].iov_len;
	for (; i < b->n; i++) {
		uint64_t addr = (uintptr_t)b->from[i].iov_base;

		if (addr - b->of[i]->start < b->of[i]->len &&
		    below_read(t, addr, b->to[i].iov_base,
			b->from[i].iov_len) != (ssize_t)b->from[i].iov_len)
			b->of[i]->len = (size_t)(addr - b->of[i]->start);
	}
	b->n = 0;
}

static void
add_piece(struct target *t, struct pieces *b, struct seized *th, size_t at,
    size_t len)
{
	if (b->n == PIECES)
		read_pieces(t, b);
	b->from[b->n] =
	    (struct iovec){(void *)(uintptr_t)(th->start + at), len};
	b->to[b->n] = (struct iovec){th->p + at, len};
	b->of[b->n++] = th;
}

/*
 * Where the stack's copy begins, and how much at most: of the mapping that
 * holds it; of one that came later nothing is known.
 */
static size_t
stack_bounds(struct target *t, struct seized *th, size_t most)
{
	uint64_t sp = th->regs.r[arch_native->sp], from = sp - RED_ZONE;
	const struct map *m = target_map(t, from);

	if (sp < RED_ZONE)
		return 0;
	if (m == NULL && (m = target_map(t, sp)) != NULL)
		from = m->start;
	th->start = from - from % TARGET_PAGE;
	return m != NULL && m->end - th->start < most
	    ? (size_t)(m->end - th->start)
	    : most;
}

/* Marks what of a stack is there for copying, up to a guard, if it is in the
 * same mapping.  What is not, and of no file, is zeros; to read it would make
 * the process bigger. */
static void
take_stack(struct target *t, struct pieces *b, struct seized *th, size_t most)
{
	struct live_source *s = t->src;
	size_t len = stack_bounds(t, th, most), at, n;
	const struct map *m = target_map(t, th->start);
	int what, empty = m != NULL && map_begins_empty(m);

	if (len > s->arenalen - s->used)
		len = s->arenalen - s->used;
	th->p = s->arena + s->used;
	for (at = 0; at < len; at += n) {
		n = pagemap_span(&s->pages, th->start + at, len - at, &what);
		if (what == PAGEMAP_HERE) {
			th->len = at + n;
			add_piece(t, b, th, at, n);
		} else if (what == PAGEMAP_GUARD || !empty)
			break;
	}
	s->used += th->len;
}

static void
copy_stacks(struct target *t, struct live_source *s, struct seizure *z)
{
	size_t i, each = s->arenalen / z->n;
	struct pieces b = {.n = 0};

	each -= each % TARGET_PAGE;
	each = each > LIVE_STACK ? LIVE_STACK : each;
	pagemap_forget(&s->pages);
	for (i = 0; i < z->n; i++)
		if (z->th[i].state == STOPPED && z->th[i].regs.n > 0)
			take_stack(t, &b, &z->th[i], each);
	read_pieces(t, &b);
}

/* --- after it --------------------------------------------------------------
 */

static void
name_thread(const struct procinfo *pi, struct target_thread *th)
{
	const struct proc_task *task = procinfo_task(pi, th->tid);
	size_t i;

	/* the same number in another namespace may be another thread */
	for (i = 0; task == NULL || task->tid != th->tid; i++) {
		if (i == pi->ntasks)
			return;
		task = &pi->tasks[i];
	}
	th->nstid = task->nstid;
	th->namelen = task->commlen;
	memcpy(th->name, task->comm, sizeof(th->name));
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

static void
take_thread(struct target *t, struct live_source *s, const struct seized *from,
    const struct procinfo *pi)
{
	struct target_thread *th = &t->threads[t->nthreads++];

	th->tid = th->nstid = from->tid;
	name_thread(pi, th);
	if (from->state != STOPPED)
		th->why = why_lost(from->err);
	else if (from->regs.n == 0)
		th->why = "registers cannot be read";
	else {
		th->regs = from->regs;
		t->arch = arch_native;
		t->machine = arch_native->machine;
		t->elfclass = ELFCLASS64;
	}
	if (from->len > 0)
		s->stack[s->nstacks++] =
		    (struct stack_copy){from->start, from->len, from->p};
}

static int
take_threads(struct target *t, struct live_source *s, const struct seizure *z,
    const struct procinfo *pi)
{
	size_t i;

	t->threads = calloc(z->n + 1, sizeof(*t->threads));
	s->stack = calloc(z->n + 1, sizeof(*s->stack));
	if (t->threads == NULL || s->stack == NULL)
		return -1;
	for (i = 0; i < z->n; i++)
		take_thread(t, s, &z->th[i], pi);
	ARRAY_SORT(s->stack, s->nstacks, start);
	target_drop_cache(t); /* what was read before the pause */
	return 0;
}

/* --- the whole -------------------------------------------------------------
 */

/*
 * Pages to be written to without a page fault, neither ours nor, below a
 * hypervisor that keeps tables of its own for the kernel's view of us, the
 * hypervisor's: by the kernel, as it will be.
 */
static void
make_ready(unsigned char *p, size_t len)
{
	int zerofd = open("/dev/zero", O_RDONLY | O_CLOEXEC);

	if (mmap(p, len, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_POPULATE, -1,
		0) == p &&
	    zerofd != -1)
		(void)!io_read_full(zerofd, p, len);
	io_close(&zerofd);
}

/* Room for the stacks of about so many threads. */
static struct live_source *
live_begin(struct target *t, const struct proc_text *auxv, size_t nthreads)
{
	struct live_source *s = calloc(1, sizeof(*s));
	size_t n = nthreads * LIVE_STACK, ready = nthreads * READY_EACH;

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
	make_ready(s->arena, ready < s->arenalen ? ready : s->arenalen);
	if (auxv->b.len > 0)
		memcpy(t->auxv, auxv->b.p, auxv->b.len);
	t->auxvlen = auxv->b.len;
	return s;
}

/* Why nothing was stopped, 0 when something was. */
static int
why_none(const struct seizure *z)
{
	size_t i;

	for (i = 0; i < z->n; i++)
		if (z->th[i].state == STOPPED)
			return 0;
	return z->n > 0 && z->th[0].err != 0 ? z->th[0].err : ESRCH;
}

int
target_live_open(
    int procfd, struct procinfo *pi, struct live *lt, struct target *t)
{
	struct seizure z = {.procfd = procfd};
	struct live_source *s;
	uint64_t begin;
	int err = 0, hurried;

	lt->pause_ns = lt->late = 0;
	if (target_proc_open(procfd, pi, t, 1) == -1)
		return -1;
	s = live_begin(t, &pi->item[PROC_AUXV],
	    lt->only > 0 ? 1 : pi->ntasks + pi->ntasks / 8 + 4);
	if (s == NULL)
		return -1;
	pagemap_open(&s->pages, procfd);
	if (seizure_begin(&z, lt->only) == -1)
		err = errno;

	hurried = hurry();
	begin = now_ns();
	if (err == 0 &&
	    seizure_stop(&z, lt->only, deadline_in(LIVE_WAIT_MS)) == -1)
		err = errno;
	if (err == 0 && (err = why_none(&z)) == 0)
		copy_stacks(t, s, &z);
	seizure_release(&z);
	lt->pause_ns = now_ns() - begin;
	if (hurried)
		hurry_no_more();

	lt->late = z.late;
	pagemap_close(&s->pages);
	if (err == 0 && take_threads(t, s, &z, pi) == -1)
		err = errno;
	if (err == 0)
		put_first(t, lt->first);
	seizure_free(&z);
	errno = err;
	return err ? -1 : 0;
}
