/*
 * The walk's own place beside libunwind's cursor, and how to set it.
 */
#include <string.h>

#include "unwind/callsite.h"
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

#if defined(__x86_64__)
/* mov $15,%rax; syscall: sigreturn(2) */
static const unsigned char trampoline[] = {
    0x48, 0xc7, 0xc0, 0x0f, 0, 0, 0, 0x0f, 0x05};
#else
/* mov x8, #139; svc #0 */
static const unsigned char trampoline[] = {
    0x68, 0x11, 0x80, 0xd2, 0x01, 0, 0, 0xd4};
#endif

int
walk_at_trampoline(struct walk *w)
{
	unsigned char code[sizeof(trampoline)];

	return target_read(w->u->t, w->ip + w->adjust, code, sizeof(code)) ==
	    sizeof(code) &&
	    memcmp(code, trampoline, sizeof(code)) == 0;
}

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

static void
set_reg(struct unwinder *u, int reg, uint64_t value)
{
	u->reg[reg] = value;
	u->have |= UINT64_C(1) << reg;
}

/* Registers other than those are taken to be the callee's still.  A fresh
 * cursor takes its ip for an exact one, so a return address is handed to it
 * less 1. */
int
walk_restart(struct walk *w, const struct caller *c)
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
	memcpy(u->reg, reg, sizeof(u->reg));
	u->have = have;
	set_reg(u, UNW_PC, c->pc - !c->exact);
	set_reg(u, UNW_REG_SP, c->sp);
	set_reg(u, UNW_FP, c->fp);
	if (UNW_LR != -1 && c->lr != 0)
		set_reg(u, UNW_LR, c->lr);
	w->adjust = !c->exact;
	w->exact = c->exact;
	if (unw_init_remote(&w->c, u->as, u) < 0)
		return -1;
	walk_load(w);
	return 1;
}

/* A return address stands behind a call.  One that does not, where a function
 * begins, is an address that somebody put on the stack for it to be entered by
 * a return: makecontext(3), and the like.  What stands behind it nobody left.
 */
int
walk_settle(struct walk *w)
{
	uint64_t ra = w->ip + w->adjust, dest;
	const struct function *fn;
	struct caller c = {
	    .pc = ra, .sp = w->sp, .fp = w->fp, .lr = w->lr, .exact = 1};

	if (w->exact || walk_at_trampoline(w) ||
	    callsite_find(w->u->t, ra, &dest) != CALL_NONE)
		return 1;
	if (!unwind_begins(w->u, ra)) {
		fn = function_at(w->u, ra);
		if (fn == NULL || fn->start != ra)
			return 1;
	}
	w->bottom = 1;
	return walk_restart(w, &c);
}
#endif
