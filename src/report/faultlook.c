/*
 * The instruction of a fault: what it did to memory, and where, when the
 * kernel does not say.  Below fault.c and caught.c, which both ask.
 */
#include <signal.h>

#include "memop/memop.h"
#include "report/crash_dump.h"
#include "report/fault.h"

enum { CODE_MAX = 16 }; /* bytes of an instruction */

int
fault_is_raised(int signo)
{
	return signo == SIGSEGV || signo == SIGBUS || signo == SIGILL ||
	    signo == SIGFPE || signo == SIGTRAP;
}

/*
 * A general protection fault, or one that was sent again: the operand that the
 * instruction could not have reached.
 */
static void
work_out(struct fault *f, const struct crash *c, const struct memop *op)
{
	struct target *t = c->t;
	uint64_t target;

	if (op->have_via) {
		/* a call, jump or return: where to stands in memory */
		if (target_word(t, op->via, &target) == -1 ||
		    target >> 47 == 0 || target >> 47 == UINT64_MAX >> 47)
			return;
		f->addr = target;
		f->have_addr = 1;
		return;
	}
	f->addr = op->ea;
	f->misaligned = op->have_ea && op->align > 1 && op->ea % op->align != 0;
	/* neither: the instruction is not for user mode, or the like */
	f->have_addr = op->have_ea && (f->misaligned || op->ea >> 47 != 0);
}

void
fault_look(struct fault *f, const struct crash *c)
{
	unsigned char code[CODE_MAX];
	struct memop_in in;
	struct memop op;
	uint64_t pc;
	size_t n;

	if (f->regs.n == 0 || c->t->arch == NULL ||
	    (f->signo != SIGSEGV && f->signo != SIGBUS) ||
	    (!f->have_addr && f->code != FAULT_SI_KERNEL))
		return;
	pc = f->regs.r[c->t->arch->pc];
	n = target_read(c->t, pc, code, sizeof(code));
	/* without a byte of it only an address at pc itself tells anything */
	if (n == 0 && !(f->have_addr && f->addr == pc))
		return;
	in = (struct memop_in){
	    c->t->machine, code, n, f->regs.r, f->addr, f->have_addr};
	if (memop_decode(&in, &op) == -1)
		return;
	if (f->access == 0)
		f->access = (unsigned)op.access;
	if (!f->have_addr)
		work_out(f, c, &op);
}

/*
 * Cores of old kernels have no NT_SIGINFO: the address is what the instruction
 * reaches for, if it could not reach that.  A signal that was sent leaves an
 * instruction that could.
 */
void
fault_guess(struct fault *f, const struct crash *c)
{
	unsigned char code[CODE_MAX];
	struct target *t = c->t;
	const struct map *m;
	struct memop_in in;
	struct memop op;
	uint64_t pc;
	size_t n;

	if (f->regs.n == 0 || t->arch == NULL || t->nmaps == 0 ||
	    (f->signo != SIGSEGV && f->signo != SIGBUS))
		return;
	pc = f->regs.r[t->arch->pc];
	f->addr = pc;
	m = target_map(t, pc);
	if (m == NULL || !(m->prot & MAP_X)) {
		f->have_addr = 1;
		f->access = MEMOP_EXEC;
		f->code = m == NULL ? SEGV_MAPERR : SEGV_ACCERR;
		return;
	}
	n = target_read(t, pc, code, sizeof(code));
	in = (struct memop_in){t->machine, code, n, f->regs.r, 0, 0};
	if (n == 0 || memop_decode(&in, &op) == -1 || !op.have_ea)
		return;
	f->addr = op.ea;
	f->access = (unsigned)op.access;
	f->misaligned = op.align > 1 && op.ea % op.align != 0;
	m = target_map(t, op.ea);
	if (op.ea >> 47 != 0)
		f->code = FAULT_SI_KERNEL;
	else if (m == NULL)
		f->code = SEGV_MAPERR;
	else if (!(m->prot & (op.access & MEMOP_WRITE ? MAP_W : MAP_R)))
		f->code = SEGV_ACCERR;
	f->have_addr = f->misaligned || f->code != 0;
}
