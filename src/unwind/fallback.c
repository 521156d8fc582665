/*
 * Steps that libunwind does not make: from a pc that is no code, out of code
 * without unwind data, out of a signal trampoline without any.
 */
#include <string.h>

#include "unwind/unwind_impl.h"

#if UNWIND_SUPPORTED
/* A pc that is no code was called or returned to: the caller's address is
 * what the call left behind. */
int
walk_pop_return(struct walk *w)
{
	struct target *t = w->u->t;
	uint64_t ra, sp = w->sp;
	struct caller c;

	if (UNW_LR != -1)
		ra = w->lr;
	else if (target_word(t, sp, &ra) == -1)
		return -1;
	else
		sp += 8;
	if (target_code(t, ra - 1) == NULL)
		return -1;
	w->flags = FRAME_POPPED;
	c = (struct caller){.pc = ra, .sp = sp, .fp = w->fp};
	return walk_restart(w, &c);
}

#if defined(__x86_64__)
/*
 * A signal trampoline without unwind data (musl has none), with the stack
 * pointer at the struct ucontext (asm/ucontext.h).  1 went on from the
 * interrupted registers, 0 none such.
 */
int
walk_pop_sigcontext(struct walk *w)
{
	/* struct sigcontext's order, as DWARF register numbers */
	static const signed char order[] = {
	    8, 9, 10, 11, 12, 13, 14, 15, 5, 4, 6, 3, 1, 0, 2, 7, 16};
	enum { UC_MCONTEXT = 40 };
	struct unwinder *u = w->u;
	uint64_t reg[sizeof(order)];
	size_t i;

	if (!walk_at_trampoline(w) ||
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
	walk_load(w);
	return 1;
}

/* In a prologue or epilogue the frame pointer is still (or again) the
 * caller's, and the return address at a known place. */
static int
at_function_edge(struct walk *w, struct caller *c)
{
	static const unsigned char endbr[] = {0xf3, 0x0f, 0x1e, 0xfa};
	struct target *t = w->u->t;
	unsigned char b[8];
	size_t n = target_read(t, w->ip, b, sizeof(b)), i = 0;
	uint64_t at;

	c->fp = w->fp;
	if (n >= 5 && memcmp(b, endbr, sizeof(endbr)) == 0)
		i = sizeof(endbr);
	if (i >= n)
		return 0;
	if (b[i] == 0x55 || b[i] == 0xc3) /* push %rbp; ret */
		at = w->sp;
	else if (n >= 3 && b[0] == 0x48 && b[1] == 0x89 && b[2] == 0xe5) {
		at = w->sp + 8; /* mov %rsp,%rbp: pushed, not yet set */
		if (target_word(t, w->sp, &c->fp) == -1)
			return 0;
	} else
		return 0;
	c->sp = at + 8;
	return target_word(t, at, &c->pc) == 0;
}
#else
int
walk_pop_sigcontext(struct walk *w)
{
	(void)w;
	return 0; /* the kernel's vdso holds the trampoline, with its data */
}

static int
at_function_edge(struct walk *w, struct caller *c)
{
	(void)w;
	(void)c;
	return 0; /* walk_by_call() looks at the link register */
}
#endif

/* The caller's stack pointer.  aarch64: the pair stands at the bottom of a
 * frame, so the frame's end is unknown; but where the caller keeps a frame
 * pointer and its unwind data count from sp (gcc), the two are one. */
static uint64_t
sp_after(const struct walk *w, uint64_t caller_fp)
{
	if (UNW_LR != -1 && caller_fp >= w->fp + 16)
		return caller_fp;
	return w->fp + 16;
}

/* Code without unwind data: saved frame pointer and return address are a pair
 * of words at fp, on both machines. */
int
walk_follow_fp(struct walk *w)
{
	struct target *t = w->u->t;
	struct caller c = {0};

	if (!w->exact || !at_function_edge(w, &c) ||
	    target_code(t, c.pc - 1) == NULL) {
		if (w->fp < w->sp || w->fp % 8 != 0 ||
		    target_word(t, w->fp, &c.fp) == -1 ||
		    target_word(t, w->fp + 8, &c.pc) == -1 ||
		    target_code(t, c.pc - 1) == NULL)
			return -1;
		c.sp = sp_after(w, c.fp);
	}
	w->flags = FRAME_FP;
	return walk_restart(w, &c);
}
#endif
