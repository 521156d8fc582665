#include "unwind/unwind.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/deadline.h"
#include "unwind/ehframe.h"

#if defined(__x86_64__) || defined(__aarch64__)
#include <libunwind.h>

/* Exported by libunwind-<arch>, in no public header
 * (src/dwarf/Gfind_proc_info-lsb.c): looks up ip in a binary search table that
 * is in the target's memory, reading through the accessors. */
extern int UNW_OBJ(dwarf_search_unwind_table)(unw_addr_space_t, unw_word_t,
    unw_dyn_info_t *, unw_proc_info_t *, int, void *);
#define search_unwind_table UNW_OBJ(dwarf_search_unwind_table)

#if defined(__x86_64__)
enum { UNW_FP = UNW_X86_64_RBP, UNW_LR = -1 };
#else
enum { UNW_FP = UNW_AARCH64_X29, UNW_LR = UNW_AARCH64_X30 };
#endif

/* Where access_mem() finds a table made by us: no user address, and not one
 * that the arithmetic of the search can overflow. */
#define OWN_TABLE UINT64_C(0x7f00000000000000)

enum { UNW_REGS = 64, CHECK_DEADLINE_EVERY = 1024 };

struct unwinder {
	struct target *t;
	unw_addr_space_t as;
	uint64_t reg[UNW_REGS]; /* of the frame a cursor starts from */
	uint64_t have;		/* bit per register */
	int noinfo;		/* the last look-up found no unwind data */
	int unreadable;		/* the last step missed memory, here: */
	uint64_t missing;
	const struct ehtable *own;
};

static int
find_proc_info(unw_addr_space_t as, unw_word_t ip, unw_proc_info_t *pi,
    int need, void *arg)
{
	struct unwinder *u = arg;
	struct module *m = target_module(u->t, ip);
	unw_dyn_info_t di;
	int r;

	if (m == NULL || !module_unwind_data(u->t, m)) {
		u->noinfo = 1;
		return -UNW_ENOINFO;
	}
	memset(&di, 0, sizeof(di));
	di.format = UNW_INFO_FORMAT_REMOTE_TABLE;
	di.start_ip = m->start;
	di.end_ip = m->end;
	/* table_len counts words of 8 bytes, an entry has as many */
	if (m->own != NULL) {
		u->own = m->own;
		di.u.rti.segbase = m->own->segbase;
		di.u.rti.table_data = OWN_TABLE;
		di.u.rti.table_len = m->own->n;
	} else {
		di.u.rti.segbase = m->ehhdr;
		di.u.rti.table_data = m->ehtable;
		di.u.rti.table_len = m->ehcount;
	}
	r = search_unwind_table(as, ip, &di, pi, need, arg);
	if (r < 0)
		u->noinfo = 1;
	return r;
}

static void
put_unwind_info(unw_addr_space_t as, unw_proc_info_t *pi, void *arg)
{
	(void)as;
	(void)pi;
	(void)arg;
}

static int
get_dyn_info_list_addr(unw_addr_space_t as, unw_word_t *addr, void *arg)
{
	(void)as;
	(void)addr;
	(void)arg;
	return -UNW_ENOINFO;
}

static int
access_mem(
    unw_addr_space_t as, unw_word_t addr, unw_word_t *val, int write, void *arg)
{
	struct unwinder *u = arg;
	uint64_t v, off;

	(void)as;
	if (write)
		return -UNW_EREADONLYREG;
	if (addr >= OWN_TABLE && u->own != NULL) {
		off = addr - OWN_TABLE;
		if (off / sizeof(*u->own->e) >= u->own->n)
			return -UNW_EINVAL;
		memcpy(val, (const char *)u->own->e + off, sizeof(*val));
		return 0;
	}
	if (target_word(u->t, addr, &v) == -1) {
		u->unreadable = 1;
		u->missing = addr;
		return -UNW_EINVAL;
	}
	*val = v;
	return 0;
}

static int
access_reg(unw_addr_space_t as, unw_regnum_t reg, unw_word_t *val, int write,
    void *arg)
{
	struct unwinder *u = arg;

	(void)as;
	if (write)
		return -UNW_EREADONLYREG;
	if (reg < 0 || reg >= UNW_REGS || !(u->have >> reg & 1))
		return -UNW_EBADREG;
	*val = u->reg[reg];
	return 0;
}

static int
access_fpreg(unw_addr_space_t as, unw_regnum_t reg, unw_fpreg_t *val, int write,
    void *arg)
{
	(void)as;
	(void)reg;
	(void)val;
	(void)write;
	(void)arg;
	return -UNW_EBADREG; /* no caller's frame hangs on one */
}

static int
resume(unw_addr_space_t as, unw_cursor_t *c, void *arg)
{
	(void)as;
	(void)c;
	(void)arg;
	return -UNW_EINVAL;
}

static int
get_proc_name(unw_addr_space_t as, unw_word_t ip, char *p, size_t n,
    unw_word_t *off, void *arg)
{
	(void)as;
	(void)ip;
	(void)p;
	(void)n;
	(void)off;
	(void)arg;
	return -UNW_ENOINFO; /* symbols come later, all in one pass */
}

struct unwinder *
unwind_new(struct target *t)
{
	static unw_accessors_t accessors = {.find_proc_info = find_proc_info,
	    .put_unwind_info = put_unwind_info,
	    .get_dyn_info_list_addr = get_dyn_info_list_addr,
	    .access_mem = access_mem,
	    .access_reg = access_reg,
	    .access_fpreg = access_fpreg,
	    .resume = resume,
	    .get_proc_name = get_proc_name};
	struct unwinder *u;

	if (t->arch == NULL || t->arch != arch_native) {
		errno = ENOTSUP;
		return NULL;
	}
	u = calloc(1, sizeof(*u));
	if (u == NULL)
		return NULL;
	u->t = t;
	u->as = unw_create_addr_space(&accessors, 0);
	if (u->as == NULL) {
		free(u);
		errno = ENOMEM;
		return NULL;
	}
	/* threads share code: 3 times faster over 200 of them */
	unw_set_caching_policy(u->as, UNW_CACHE_GLOBAL);
	return u;
}

void
unwind_free(struct unwinder *u)
{
	if (u != NULL)
		unw_destroy_addr_space(u->as);
	free(u);
}

/* Where the walk stands; kept apart from the cursor, which may be replaced. */
struct walk {
	struct unwinder *u;
	struct trace *tr;
	const struct unwind_limits *lim;
	unw_cursor_t c;
	uint64_t ip, sp, fp;
	uint64_t adjust; /* what to add to ip for the true return address */
	uint64_t count;
	size_t tailpos;
	int exact;	    /* ip is the instruction itself */
	struct frame *last; /* the one kept last */
	unsigned flags;	    /* of the frame to come */
};

static int
keep_frame(struct walk *w, unsigned flags)
{
	struct trace *tr = w->tr;
	size_t keep = w->lim->head + w->lim->tail;
	struct frame *f;
	void *p;

	if (tr->n < keep) {
		if ((tr->n & (tr->n - 1)) == 0) {
			p = reallocarray(
			    tr->f, tr->n ? tr->n * 2 : 1, sizeof(*tr->f));
			if (p == NULL)
				return -1;
			tr->f = p;
		}
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

static void
load_cursor(struct walk *w)
{
	unw_word_t v;

	w->ip = w->sp = w->fp = 0;
	if (unw_get_reg(&w->c, UNW_REG_IP, &v) == 0)
		w->ip = v;
	if (unw_get_reg(&w->c, UNW_REG_SP, &v) == 0)
		w->sp = v;
	if (unw_get_reg(&w->c, UNW_FP, &v) == 0)
		w->fp = v;
}

/*
 * Goes on from a frame that was worked out by hand; registers other than the
 * three are taken to be the callee's still.  A fresh cursor takes its ip for
 * an exact one, so a return address is handed to it less 1.
 */
static int
restart(struct walk *w, uint64_t ra, uint64_t sp, uint64_t fp)
{
	struct unwinder *u = w->u;
	uint64_t reg[UNW_REGS], have = 0;
	const struct arch *a = u->t->arch;
	unw_word_t v;
	size_t i;

	for (i = 0; i < a->nreg; i++) {
		if (a->reg[i].unw < 0 ||
		    unw_get_reg(&w->c, a->reg[i].unw, &v) != 0)
			continue;
		reg[a->reg[i].unw] = v;
		have |= UINT64_C(1) << a->reg[i].unw;
	}
	reg[UNW_REG_IP] = ra - 1;
	reg[UNW_REG_SP] = sp;
	reg[UNW_FP] = fp;
	have |= UINT64_C(1) << UNW_REG_IP | UINT64_C(1) << UNW_REG_SP |
	    UINT64_C(1) << UNW_FP;
	memcpy(u->reg, reg, sizeof(u->reg));
	u->have = have;
	w->adjust = 1;
	w->exact = 0;
	if (unw_init_remote(&w->c, u->as, u) < 0)
		return -1;
	load_cursor(w);
	return 1;
}

static uint64_t
cursor_reg(struct walk *w, int reg)
{
	unw_word_t v;

	return reg >= 0 && unw_get_reg(&w->c, reg, &v) == 0 ? v : 0;
}

/* A pc that is no code was called or returned to: the caller's address is
 * what the call left behind. */
static int
pop_return(struct walk *w)
{
	struct target *t = w->u->t;
	uint64_t ra, sp = w->sp;

	if (UNW_LR != -1)
		ra = cursor_reg(w, UNW_LR);
	else if (target_word(t, sp, &ra) == -1)
		return -1;
	else
		sp += 8;
	if (target_code(t, ra - 1) == NULL)
		return -1;
	w->flags = FRAME_POPPED;
	return restart(w, ra, sp, w->fp);
}

#if defined(__x86_64__)
/*
 * A signal trampoline without unwind data (musl has none): mov $15,%rax;
 * syscall, with the stack pointer at the struct ucontext (sigreturn(2),
 * asm/ucontext.h).  1 went on from the interrupted registers, 0 none such.
 */
static int
pop_sigcontext(struct walk *w)
{
	static const unsigned char trampoline[] = {
	    0x48, 0xc7, 0xc0, 0x0f, 0, 0, 0, 0x0f, 0x05};
	/* struct sigcontext's order, as DWARF register numbers */
	static const signed char order[] = {
	    8, 9, 10, 11, 12, 13, 14, 15, 5, 4, 6, 3, 1, 0, 2, 7, 16};
	enum { UC_MCONTEXT = 40 };
	struct unwinder *u = w->u;
	unsigned char code[sizeof(trampoline)];
	uint64_t reg[sizeof(order)];
	size_t i;

	if (target_read(u->t, w->ip + w->adjust, code, sizeof(code)) !=
		sizeof(code) ||
	    memcmp(code, trampoline, sizeof(code)) != 0 ||
	    target_read(u->t, w->sp + UC_MCONTEXT, reg, sizeof(reg)) !=
		sizeof(reg))
		return 0;
	u->have = 0;
	for (i = 0; i < sizeof(order); i++) {
		u->reg[order[i]] = reg[i];
		u->have |= UINT64_C(1) << order[i];
	}
	w->adjust = 0;
	w->exact = 1;
	if (unw_init_remote(&w->c, u->as, u) < 0)
		return 0;
	load_cursor(w);
	return 1;
}

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

/* In a prologue or epilogue the frame pointer is still (or again) the
 * caller's, and the return address at a known place. */
static int
at_function_edge(struct walk *w, uint64_t *ra, uint64_t *sp, uint64_t *fp)
{
	static const unsigned char endbr[] = {0xf3, 0x0f, 0x1e, 0xfa};
	struct target *t = w->u->t;
	unsigned char b[8];
	size_t n = target_read(t, w->ip, b, sizeof(b)), i = 0;
	uint64_t at;

	*fp = w->fp;
	if (n >= 5 && memcmp(b, endbr, sizeof(endbr)) == 0)
		i = sizeof(endbr);
	if (i >= n)
		return 0;
	if (b[i] == 0x55 || b[i] == 0xc3) /* push %rbp; ret */
		at = w->sp;
	else if (n >= 3 && b[0] == 0x48 && b[1] == 0x89 && b[2] == 0xe5) {
		at = w->sp + 8; /* mov %rsp,%rbp: pushed, not yet set */
		if (target_word(t, w->sp, fp) == -1)
			return 0;
	} else
		return 0;
	*sp = at + 8;
	return target_word(t, at, ra) == 0;
}
#else
static int
pop_sigcontext(struct walk *w)
{
	(void)w;
	return 0; /* the kernel's vdso holds the trampoline, with its data */
}

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

static int
at_function_edge(struct walk *w, uint64_t *ra, uint64_t *sp, uint64_t *fp)
{
	(void)w;
	(void)ra;
	(void)sp;
	(void)fp;
	return 0;
}
#endif

/* Code without unwind data: saved frame pointer and return address are a pair
 * of words at fp, on both machines. */
static int
follow_fp(struct walk *w)
{
	struct target *t = w->u->t;
	uint64_t ra, sp, fp;

	if (w->exact && at_function_edge(w, &ra, &sp, &fp) &&
	    target_code(t, ra - 1) != NULL)
		goto found;
	if (w->fp < w->sp || w->fp % 8 != 0 ||
	    target_word(t, w->fp, &fp) == -1 ||
	    target_word(t, w->fp + 8, &ra) == -1)
		return -1;
	sp = w->fp + 16;
	if (target_code(t, ra - 1) == NULL)
		return -1;
found:
	w->flags = FRAME_FP;
	return restart(w, ra, sp, fp);
}

static void
stop(struct walk *, const char *, ...) __attribute__((format(printf, 2, 3)));

static void
stop(struct walk *w, const char *why, ...)
{
	va_list ap;

	va_start(ap, why);
	vsnprintf(w->tr->stop, sizeof(w->tr->stop), why, ap);
	va_end(ap);
}

/* The code a frame's ip is looked up by: a return address may lie behind the
 * end of its function. */
static int
in_code(struct walk *w)
{
	uint64_t ip = w->ip - (w->exact || w->adjust ? 0 : 1);

	return target_code(w->u->t, ip) != NULL;
}

/* From one frame to its caller: 1 there, 0 no more, -1 it ended early. */
static int
step(struct walk *w)
{
	struct unwinder *u = w->u;
	uint64_t ip = w->ip + w->adjust, sp = w->sp;
	int r, signal;

	if (!in_code(w)) {
		r = w->exact ? pop_return(w) : -1;
		if (r == -1)
			stop(w, "pc 0x%" PRIx64 " is in no executable mapping",
			    ip);
		return r;
	}
	signal = is_signal(w);
	u->noinfo = u->unreadable = 0;
	r = unw_step(&w->c);
	signal |= r >= 0 && was_signal(w);
	/* whatever libunwind tries without unwind data is a guess */
	if (!signal && (r < 0 || u->noinfo)) {
		signal = pop_sigcontext(w);
		r = signal ? 1 : follow_fp(w);
		if (r == -1 && !u->noinfo && u->unreadable)
			stop(w, "no memory at 0x%" PRIx64, u->missing);
		else if (r == -1)
			stop(w, "%s for pc 0x%" PRIx64 ", no frame pointers",
			    u->noinfo ? "no unwind data" : "bad unwind data",
			    ip);
		if (signal)
			w->last->flags |= FRAME_SIGNAL;
		return r;
	}
	if (r < 0) {
		stop(w, "bad signal frame at 0x%" PRIx64, sp);
		return -1;
	}
	if (signal)
		w->last->flags |= FRAME_SIGNAL;
	w->adjust = 0;
	w->exact = signal;
	if (r == 0)
		return 0;
	load_cursor(w);
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
	return 1;
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

int
unwind_thread(struct unwinder *u, struct target_thread *th,
    const struct unwind_limits *lim)
{
	struct walk w = {.u = u, .tr = &th->trace, .lim = lim, .exact = 1};
	struct trace *tr = &th->trace;
	unsigned flags;
	int r;

	memset(tr, 0, sizeof(*tr));
	if (th->regs.n == 0) {
		errno = ENODATA;
		return -1;
	}
	load_regs(u, th);
	if (unw_init_remote(&w.c, u->as, u) < 0) {
		errno = EINVAL;
		return -1;
	}
	load_cursor(&w);
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

#else /* no libunwind recipe for this machine: reports go without */

struct unwinder *
unwind_new(struct target *t)
{
	(void)t;
	errno = ENOTSUP;
	return NULL;
}

void
unwind_free(struct unwinder *u)
{
	(void)u;
}

int
unwind_thread(struct unwinder *u, struct target_thread *th,
    const struct unwind_limits *lim)
{
	(void)u;
	(void)th;
	(void)lim;
	errno = ENOTSUP;
	return -1;
}
#endif
