/*
 * Steps that libunwind does not make: from a pc that is no code, out of code
 * without unwind data, out of a signal trampoline without any.
 */
#include <string.h>

#include "unwind/unwind_impl.h"

#if UNWIND_SUPPORTED
#if defined(__aarch64__)
/* unw_get_reg() takes x30 for the ip; where it was saved tells its value. */
static uint64_t
link_register(struct walk *w)
{
	unw_save_loc_t loc;
	uint64_t v;

	if (unw_get_save_loc(&w->c, UNW_LR, &loc) < 0)
		return 0;
	if (loc.type == UNW_SLT_REG && w->u->have >> UNW_LR & 1)
		return w->u->reg[UNW_LR];
	if (loc.type == UNW_SLT_MEMORY &&
	    target_word(w->u->t, loc.u.addr, &v) == 0)
		return v;
	return 0;
}
#else
static uint64_t
link_register(struct walk *w)
{
	(void)w;
	return 0;
}
#endif

void
walk_load(struct walk *w)
{
	unw_word_t v;

	w->ip = w->sp = w->fp = 0;
	w->lr = link_register(w);
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
		if (a->reg[i].unw < 0 || a->reg[i].unw == UNW_LR ||
		    unw_get_reg(&w->c, a->reg[i].unw, &v) != 0)
			continue;
		reg[a->reg[i].unw] = v;
		have |= UINT64_C(1) << a->reg[i].unw;
	}
	reg[UNW_PC] = ra - 1;
	reg[UNW_REG_SP] = sp;
	reg[UNW_FP] = fp;
	have |= UINT64_C(1) << UNW_PC | UINT64_C(1) << UNW_REG_SP |
	    UINT64_C(1) << UNW_FP;
	memcpy(u->reg, reg, sizeof(u->reg));
	u->have = have;
	w->adjust = 1;
	w->exact = 0;
	if (unw_init_remote(&w->c, u->as, u) < 0)
		return -1;
	walk_load(w);
	return 1;
}

/* A pc that is no code was called or returned to: the caller's address is
 * what the call left behind. */
int
walk_pop_return(struct walk *w)
{
	struct target *t = w->u->t;
	uint64_t ra, sp = w->sp;

	if (UNW_LR != -1)
		ra = w->lr;
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
int
walk_pop_sigcontext(struct walk *w)
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
	walk_load(w);
	return 1;
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
int
walk_pop_sigcontext(struct walk *w)
{
	(void)w;
	return 0; /* the kernel's vdso holds the trampoline, with its data */
}

enum { LEAF_MAX = 4096 };

/*
 * A leaf keeps its return address in lr alone and its caller's frame pointer.
 * lr is that, and no leftover of an earlier call, if the bl before it leads to
 * shortly before pc.
 */
static int
at_function_edge(struct walk *w, uint64_t *ra, uint64_t *sp, uint64_t *fp)
{
	uint32_t insn;
	int64_t target;

	if (w->lr < 4 || target_read(w->u->t, w->lr - 4, &insn, 4) != 4 ||
	    insn >> 26 != 0x25)
		return 0;
	target = (int64_t)((uint64_t)insn << 38) >> 36; /* imm26 * 4 */
	target += (int64_t)(w->lr - 4);
	if ((uint64_t)target > w->ip || w->ip - (uint64_t)target > LEAF_MAX)
		return 0;
	*ra = w->lr;
	*sp = w->sp;
	*fp = w->fp;
	return 1;
}
#endif

/* Code without unwind data: saved frame pointer and return address are a pair
 * of words at fp, on both machines. */
int
walk_follow_fp(struct walk *w)
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
#endif
