/*
 * The fault that a handler had caught before the process died: the kernel's
 * frame on the stack tells it (target/sigframe.h).
 *
 * That frame holds siginfo only for handlers with SA_SIGINFO, and the trap
 * that it tells may be an older one.  So siginfo counts where it agrees with
 * the trap, and a trap alone where it agrees with the instruction; else
 * nothing is said.
 */
#include <elf.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "memop/memop.h"
#include "report/crash_dump.h"
#include "report/fault.h"
#include "target/sigframe.h"
#include "unwind/symbols.h"

/* Intel SDM volume 3, 6.15, and the error code of a page fault, 4.7; Arm ARM
 * DDI 0487, ESR_EL1. */
enum {
	X86_DE = 0,
	X86_DB = 1,
	X86_BP = 3,
	X86_UD = 6,
	X86_SS = 12,
	X86_GP = 13,
	X86_PF = 14,
	X86_MF = 16,
	X86_AC = 17,
	X86_XM = 19,
	X86_PF_WRITE = 2,
	X86_PF_FETCH = 16,
	A64_FETCH = 0x20,
	A64_DATA = 0x24,
	A64_WRITE = 1 << 6,
	NEAR = 64,	 /* a wide operand faults at any of its bytes */
	FRAMES_MAX = 320 /* looked at */
};

#define A64_ADDRESS ((UINT64_C(1) << 56) - 1) /* without its tag */

static int
is_memory(int signo)
{
	return signo == SIGSEGV || signo == SIGBUS;
}

/* Is the frame's trap a failed access to addr? */
static int
is_page_fault(const struct target *t, const struct sigframe *s)
{
	if (t->machine == EM_X86_64)
		return s->trap == X86_PF;
	return s->trap == A64_FETCH || s->trap == A64_DATA;
}

/* Does the frame's siginfo belong to its trap? */
static int
agrees(const struct target *t, const struct sigframe *s)
{
	uint64_t apart = s->addr ^ s->trapaddr;

	if (s->code <= 0 || !fault_is_raised(s->signo))
		return 0;
	if (!s->have_trap) /* aarch64: no access failed */
		return !is_memory(s->signo);
	if (t->machine != EM_X86_64)
		return !is_page_fault(t, s) || !is_memory(s->signo) ||
		    (apart & A64_ADDRESS) == 0;
	switch (s->trap) {
	case X86_DE:
	case X86_MF:
	case X86_XM:
		return s->signo == SIGFPE;
	case X86_DB:
	case X86_BP:
		return s->signo == SIGTRAP;
	case X86_UD:
		return s->signo == SIGILL;
	case X86_PF:
		return is_memory(s->signo) && s->code != FAULT_SI_KERNEL &&
		    apart == 0;
	case X86_AC:
	case X86_SS:
		return s->signo == SIGBUS;
	default:
		return is_memory(s->signo);
	}
}

static unsigned
access_of(const struct target *t, const struct sigframe *s)
{
	int x86 = t->machine == EM_X86_64;

	if (x86 ? s->error & X86_PF_FETCH : s->trap == A64_FETCH)
		return MEMOP_EXEC;
	return s->error & (x86 ? (uint64_t)X86_PF_WRITE : (uint64_t)A64_WRITE)
	    ? MEMOP_WRITE
	    : MEMOP_READ;
}

/* Does the instruction go where the trap says? */
static int
goes_there(const struct crash *c, const struct sigframe *s)
{
	unsigned char code[16];
	struct memop op;
	uint64_t pc = s->regs.r[c->t->arch->pc];
	size_t n = target_read(c->t, pc, code, sizeof(code));
	struct memop_in in = {
	    c->t->machine, code, n, s->regs.r, s->trapaddr, 1};

	if (n == 0)
		return s->trapaddr == pc;
	if (memop_decode(&in, &op) == -1 || op.access == 0 || !op.have_ea)
		return 0;
	return s->trapaddr - op.ea < NEAR || op.ea - s->trapaddr < NEAR;
}

/* Is the instruction one that raises it?  Undefined ones: ud2, ud1, ud0 and
 * udf; divisions: F6 and F7 with /6 and /7. */
static int
is_instruction(const struct crash *c, const struct sigframe *s, int signo)
{
	unsigned char b[16];
	uint64_t pc = s->regs.r[c->t->arch->pc];
	size_t n = target_read(c->t, pc, b, sizeof(b)), i = 0;

	if (c->t->machine != EM_X86_64)
		return signo == SIGILL && n >= 4 && b[2] == 0 && b[3] == 0;
	while (i < n && (b[i] == 0x66 || b[i] == 0x67 || (b[i] & 0xf0) == 0x40))
		i++;
	if (n - i < 2)
		return 0;
	if (signo == SIGFPE)
		return (b[i] == 0xf6 || b[i] == 0xf7) &&
		    (b[i + 1] >> 3 & 7) >= 6;
	return b[i] == 0x0f &&
	    (b[i + 1] == 0x0b || b[i + 1] == 0xb9 || b[i + 1] == 0xff);
}

/* From the trap alone; -1 when the instruction does not bear it out. */
static int
from_trap(struct fault *f, const struct crash *c, const struct sigframe *s)
{
	struct map *m;

	if (!s->have_trap)
		return -1;
	f->have_code = 1;
	f->addr = s->trapaddr;
	f->have_addr = 1;
	if (is_page_fault(c->t, s)) {
		m = target_map(c->t, s->trapaddr);
		f->signo = SIGSEGV;
		f->code = m != NULL ? SEGV_ACCERR : SEGV_MAPERR;
		f->access = access_of(c->t, s);
		return goes_there(c, s) ? 0 : -1;
	}
	if (c->t->machine != EM_X86_64)
		return -1;
	if (s->trap == X86_GP) {
		f->signo = SIGSEGV;
		f->code = FAULT_SI_KERNEL;
		f->addr = 0;
		f->have_addr = 0;
		fault_look(f, c);
		return f->have_addr ? 0 : -1;
	}
	f->addr = f->regs.r[c->t->arch->pc];
	f->signo = s->trap == X86_DE ? SIGFPE : SIGILL;
	f->code = s->trap == X86_DE ? FPE_INTDIV : ILL_ILLOPN;
	return (s->trap == X86_DE || s->trap == X86_UD) &&
		is_instruction(c, s, f->signo)
	    ? 0
	    : -1;
}

/* -1: what the frame tells is not sure. */
static int
from_frame(struct fault *f, const struct crash *c, const struct sigframe *s,
    size_t frame)
{
	memset(f, 0, sizeof(*f));
	f->regs = s->regs;
	f->frame = frame;
	if (s->have_info && agrees(c->t, s)) {
		f->signo = s->signo;
		f->code = s->code;
		f->have_code = 1;
		f->have_addr = s->code != FAULT_SI_KERNEL;
		f->addr = f->have_addr ? s->addr : 0;
		if (s->have_trap && is_page_fault(c->t, s) &&
		    is_memory(f->signo))
			f->access = access_of(c->t, s);
		fault_look(f, c);
		return 0;
	}
	if (from_trap(f, c, s) == 0)
		return 0;
	if (!s->have_info || s->code > 0 || !fault_is_raised(s->signo))
		return -1;
	memset(f, 0, sizeof(*f));
	f->regs = s->regs;
	f->frame = frame;
	f->signo = s->signo;
	f->code = s->code;
	f->have_code = 1;
	f->pid = s->pid;
	f->uid = s->uid;
	f->by_itself = c->head->have_psinfo && s->pid == c->head->pspid;
	return 0;
}

/* The outermost handler's. */
static int
on_stack(struct fault *f, const struct crash *c)
{
	const struct trace *tr = &c->t->threads[0].trace;
	const struct regs *now = &c->t->threads[0].regs;
	struct sigframe s;
	size_t i;

	for (i = tr->n < FRAMES_MAX ? tr->n : FRAMES_MAX; i-- > 0;)
		if (tr->f[i].flags & FRAME_SIGNAL && i + 1 < tr->n &&
		    sigframe_read(c->t, tr->f[i].sp, now, &s) == 0 &&
		    from_frame(f, c, &s, i + 1) == 0)
			return 0;
	return -1;
}

/* --- Go --------------------------------------------------------------------
 * Its handler returns to make it look as if the instruction had called
 * runtime.sigpanic.  What the kernel told stays in the goroutine, struct g
 * (runtime/runtime2.go): the bounds of its stack come first, its m is at 48;
 * at sigpc the instruction's address, before it the rest.
 */
enum {
	GO_M = 48,
	GO_WORDS = 96, /* of struct g, and of struct m, looked at */
	GO_STACK = 4096,
	SIGPC_ADDR = 8, /* below sigpc */
	SIGPC_CODE = 16,
	SIGPC_SIG = 48, /* the half of that word in which one is: by version */
	FS_BASE = 21,
	A64_G = 28 /* x28 */
};

/* A goroutine whose stack sp is in and that was stopped at pc: where its sigpc
 * is, or 0. */
static uint64_t
go_sigpc(struct target *t, uint64_t g, uint64_t sp, uint64_t pc)
{
	uint64_t lo, hi, v;
	size_t i;

	if (g % 8 != 0 || target_word(t, g, &lo) == -1 || sp < lo ||
	    target_word(t, g + 8, &hi) == -1 || sp >= hi)
		return 0;
	for (i = GO_M / 8; i < GO_WORDS; i++)
		if (target_word(t, g + 8 * i, &v) == 0 && v == pc)
			return g + 8 * i;
	return 0;
}

/* The same among n words at addr. */
static uint64_t
go_among(struct target *t, uint64_t addr, size_t n, const uint64_t sp_pc[2])
{
	uint64_t g, at;

	for (; n > 0; n--, addr += 8)
		if (target_word(t, addr, &g) == 0 && target_map(t, g) != NULL &&
		    (at = go_sigpc(t, g, sp_pc[0], sp_pc[1])) != 0)
			return at;
	return 0;
}

/* It is the thread's own, or its m's, or one that stands on the stack. */
static uint64_t
go_find(const struct crash *c, uint64_t from, const uint64_t sp_pc[2])
{
	const struct regs *r = &c->t->threads[0].regs;
	uint64_t g = 0, m, at;

	if (c->t->machine != EM_X86_64)
		g = r->r[A64_G];
	else if (target_word(c->t, r->r[FS_BASE] - 8, &g) == -1)
		g = 0;
	at = go_sigpc(c->t, g, sp_pc[0], sp_pc[1]);
	if (at == 0 && target_word(c->t, g + GO_M, &m) == 0)
		at = go_among(c->t, m, GO_WORDS, sp_pc);
	return at != 0 ? at : go_among(c->t, from, GO_STACK, sp_pc);
}

/* Which access it was, of an instruction that makes but one. */
static unsigned
only_access(const struct crash *c, uint64_t pc, uint64_t addr)
{
	static const unsigned char several[] = {
	    0xa4, 0xa5, 0xa6, 0xa7, 0x8f, 0xff};
	unsigned char b[16];
	struct regs r = {.n = 0};
	size_t n = target_read(c->t, pc, b, sizeof(b)), i = 0;
	struct memop_in in = {c->t->machine, b, n, r.r, addr, 1};
	struct memop op;

	while (i < n &&
	    (b[i] == 0xf2 || b[i] == 0xf3 || b[i] == 0x66 ||
		(b[i] & 0xf0) == 0x40))
		i++;
	if (i == n ||
	    (c->t->machine == EM_X86_64 &&
		memchr(several, b[i], sizeof(several)) != NULL))
		return 0;
	r.r[c->t->arch->pc] = pc;
	return memop_decode(&in, &op) == 0 ? (unsigned)op.access : 0;
}

static int
in_go(struct fault *f, const struct crash *c, struct symbols *sy)
{
	const struct trace *tr = &c->t->threads[0].trace;
	uint64_t sp_pc[2], at, code, addr, sig;
	struct symbol s;
	size_t i;

	for (i = 0; i + 1 < tr->n && i < FRAMES_MAX; i++) {
		symbols_get(sy, tr->f[i].pc, tr->f[i].flags & FRAME_EXACT, &s);
		if (s.name == NULL || strcmp(s.name, "runtime.sigpanic") != 0)
			continue;
		sp_pc[0] = tr->f[i].sp;
		sp_pc[1] = tr->f[i + 1].pc;
		at = go_find(c, tr->f[0].sp, sp_pc);
		if (at == 0 || target_word(c->t, at - SIGPC_SIG, &sig) == -1 ||
		    target_word(c->t, at - SIGPC_CODE, &code) == -1 ||
		    target_word(c->t, at - SIGPC_ADDR, &addr) == -1)
			continue;
		sig = fault_is_raised((int)(sig >> 32)) ? sig >> 32
							: (uint32_t)sig;
		if (!fault_is_raised((int)sig) || code == 0 || code >> 8 != 0)
			continue;
		memset(f, 0, sizeof(*f));
		f->frame = i + 1;
		f->signo = (int)sig;
		f->code = (int)code;
		f->have_code = 1;
		f->have_addr = f->code != FAULT_SI_KERNEL;
		f->addr = f->have_addr ? addr : 0;
		if (is_memory(f->signo) && f->have_addr)
			f->access = only_access(c, sp_pc[1], addr);
		return 0;
	}
	return -1;
}

/*
 * Beside the stack pointer, and refused to us as well: a guard in the midst of
 * the stack's mapping (MADV_GUARD_INSTALL, as glibc 2.42 has it).
 */
static int
is_guard(const struct fault *sent, const struct crash *c, uint64_t addr)
{
	const uint64_t near = 64 << 10;
	uint64_t sp = sent->regs.r[c->t->arch->sp];
	char byte;

	return sent->signo == SIGSEGV && addr - sp + near < 2 * near &&
	    target_read(c->t, addr, &byte, 1) != 1;
}

/* No frame of it: what the instruction at pc could not have done. */
static int
at_pc(struct fault *f, const struct fault *sent, const struct crash *c)
{
	unsigned char code[16];
	struct memop op;
	struct map *m;
	uint64_t pc = sent->regs.r[c->t->arch->pc];
	size_t n = target_read(c->t, pc, code, sizeof(code));
	struct memop_in in = {c->t->machine, code, n, sent->regs.r, 0, 0};
	unsigned need;

	if (n == 0 || !is_memory(sent->signo) || memop_decode(&in, &op) == -1 ||
	    !op.have_ea || (op.access & MEMOP_EXEC))
		return -1;
	need = (op.access & MEMOP_READ ? MAP_R : 0) |
	    (op.access & MEMOP_WRITE ? MAP_W : 0);
	m = target_map(c->t, op.ea);
	if (m != NULL && (m->prot & need) == need && !is_guard(sent, c, op.ea))
		return -1;
	memset(f, 0, sizeof(*f));
	f->regs = sent->regs;
	f->signo = sent->signo;
	f->code = m != NULL ? SEGV_ACCERR : SEGV_MAPERR;
	f->have_code = f->have_addr = 1;
	f->addr = op.ea;
	f->access = (unsigned)op.access;
	return 0;
}

struct fault *
caught_find(const struct fault *f, const struct crash *c, struct symbols *sy)
{
	struct fault *first = malloc(sizeof(*first));
	struct sigframe s;

	if (first == NULL)
		return NULL;
	if (in_go(first, c, sy) == 0)
		return first;
	if (on_stack(first, c) == 0 && first->signo != SIGABRT)
		return first;
	/* raised again while it was blocked: it came when the handler had
	 * returned to where the fault was */
	if (f->have_code && f->code <= 0 && f->by_itself &&
	    fault_is_raised(f->signo)) {
		if (sigframe_left(c->t, &f->regs, &s) == 0 &&
		    from_frame(first, c, &s, 0) == 0 &&
		    first->signo == f->signo)
			return first;
		if (at_pc(first, f, c) == 0)
			return first;
	}
	free(first);
	return NULL;
}
