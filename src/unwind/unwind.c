#include "unwind/unwind.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/bytes.h"
#include "base/deadline.h"
#include "unwind/unwind_impl.h"

#if UNWIND_SUPPORTED
enum { CHECK_DEADLINE_EVERY = 1024 };

static int
keep_frame(struct walk *w, unsigned flags)
{
	struct trace *tr = w->tr;
	size_t keep = w->lim->head + w->lim->tail;
	struct frame *f;

	if (tr->n < keep) {
		if (ARRAY_ROOM(tr->f, tr->n) == -1)
			return -1;
		f = &tr->f[tr->n++];
	} else { /* the tail is a ring until the walk ends */
		f = &tr->f[w->lim->head + w->tailpos++ % w->lim->tail];
		tr->left_out++;
	}
	f->pc = w->ip + w->adjust;
	f->sp = w->sp;
	f->flags = flags;
	f->n = w->count++;
	w->last = f;
	return 0;
}

static int
by_number(const void *a, const void *b)
{
	const struct frame *x = a, *y = b;

	return (x->n > y->n) - (x->n < y->n);
}

#if defined(__x86_64__)
/* Whether the frame just left, or about to be, is a signal frame: libunwind
 * knows the first on x86-64, the second on aarch64 (Gos-linux.c of each). */
static int
was_signal(struct walk *w)
{
	return unw_is_signal_frame(&w->c) > 0;
}

static int
is_signal(struct walk *w)
{
	(void)w;
	return 0;
}
#else
static int
was_signal(struct walk *w)
{
	(void)w;
	return 0;
}

static int
is_signal(struct walk *w)
{
	return unw_is_signal_frame(&w->c) > 0;
}
#endif

static void
stop(struct walk *, const char *, ...) __attribute__((format(printf, 2, 3)));

static void
stop(struct walk *w, const char *why, ...)
{
	const char *lost = w->u->t->lost;
	va_list ap;

	va_start(ap, why);
	if (lost != NULL) /* what could not be found is for lack of it */
		snprintf(w->tr->stop, sizeof(w->tr->stop), "%s", lost);
	else
		vsnprintf(w->tr->stop, sizeof(w->tr->stop), why, ap);
	va_end(ap);
}

static void
lack(struct walk *w)
{
	stop(w, "no memory at 0x%" PRIx64, w->u->missing);
	w->tr->unreadable = 1;
	w->tr->missing = w->u->missing;
}

static int
in_code(struct walk *w)
{
	return target_code(w->u->t, walk_at(w)) != NULL;
}

/* The same where libunwind cannot: whatever it tries without unwind data is a
 * guess. */
static int
step_by_hand(struct walk *w, uint64_t ip)
{
	struct unwinder *u = w->u;
	int r, noinfo = u->noinfo;

	if (walk_pop_sigcontext(w)) {
		w->last->flags |= FRAME_SIGNAL | FRAME_EXACT;
		return 1;
	}
	r = noinfo ? walk_go(w) : -1;
	if (r == -1 && noinfo)
		r = walk_by_call(w);
	if (r == -1)
		r = walk_follow_fp(w);
	if (r == -1 && !noinfo && u->unreadable)
		lack(w);
	else if (r == -1)
		stop(w, "%s for pc 0x%" PRIx64 ", no frame pointers",
		    noinfo ? "no unwind data" : "bad unwind data", ip);
	return r == 1 ? walk_settle(w) : r;
}

/* From one frame to its caller: 1 there, 0 no more, -1 it ended early. */
static int
step(struct walk *w)
{
	struct unwinder *u = w->u;
	uint64_t ip = w->ip + w->adjust, sp = w->sp;
	int r, signal;

	if (w->bottom)
		return 0;
	if (!in_code(w)) {
		r = w->exact ? walk_pop_return(w) : -1;
		if (r == -1)
			stop(w, "pc 0x%" PRIx64 " is in no executable mapping",
			    ip);
		return r;
	}
	signal = is_signal(w);
	u->noinfo = u->unreadable = 0;
	r = unw_step(&w->c);
	signal |= r >= 0 && was_signal(w);
	if (!signal && (r < 0 || u->noinfo))
		return step_by_hand(w, ip);
	if (r < 0) {
		stop(w, "bad signal frame at 0x%" PRIx64, sp);
		return -1;
	}
	if (signal)
		w->last->flags |= FRAME_SIGNAL | FRAME_EXACT;
	w->adjust = 0;
	w->exact = signal;
	if (r == 0)
		return 0;
	walk_load(w);
	if (w->ip == 0 && !signal)
		return 0;
	if (w->ip == ip && w->sp == sp) {
		stop(w, "frame at pc 0x%" PRIx64 " repeats itself", ip);
		return -1;
	}
	if (!signal && !in_code(w)) {
		stop(w, "return address 0x%" PRIx64 " is not in code", w->ip);
		return -1;
	}
	return walk_settle(w);
}

static void
load_regs(struct unwinder *u, const struct target_thread *th)
{
	const struct arch *a = u->t->arch;
	size_t i;

	u->have = 0;
	for (i = 0; i < a->nreg; i++) {
		if (a->reg[i].unw < 0 || (size_t)a->reg[i].greg >= th->regs.n)
			continue;
		u->reg[a->reg[i].unw] = th->regs.r[a->reg[i].greg];
		u->have |= UINT64_C(1) << a->reg[i].unw;
	}
}

static int
walk_thread(struct unwinder *u, struct target_thread *th,
    const struct unwind_limits *lim)
{
	struct walk w = {
	    .u = u, .th = th, .tr = &th->trace, .lim = lim, .exact = 1};
	struct trace *tr = &th->trace;
	unsigned flags;
	int r;

	memset(tr, 0, sizeof(*tr));
	if (th->regs.n == 0)
		return fails(ENODATA);
	load_regs(u, th);
	if (unw_init_remote(&w.c, u->as, u) < 0)
		return fails(EINVAL);
	walk_load(&w);
	do {
		flags = w.flags | (w.exact ? FRAME_EXACT : 0) |
		    (in_code(&w) ? 0 : FRAME_BADPC);
		w.flags = 0;
		if (keep_frame(&w, flags) == -1)
			return -1;
		if (w.count >= lim->frames ||
		    (w.count % CHECK_DEADLINE_EVERY == 0 &&
			deadline_left(lim->deadline) == 0)) {
			stop(&w, "%" PRIu64 " frames and more, not counted on",
			    w.count);
			break;
		}
		r = step(&w);
	} while (r == 1);
	tr->head = tr->left_out ? lim->head : tr->n;
	if (tr->left_out)
		qsort(tr->f + lim->head, tr->n - lim->head, sizeof(*tr->f),
		    by_number);
	return 0;
}

int
unwind_thread(struct unwinder *u, struct target_thread *th,
    const struct unwind_limits *lim)
{
	int r;

	unwind_alone(1);
	r = walk_thread(u, th, lim);
	unwind_alone(0);
	return r;
}
#endif
