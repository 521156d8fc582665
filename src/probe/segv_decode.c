#include "probe/segv_decode.h"

#include <elf.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "proc/maps.h"

/* linux/proc_ns.h: PROC_PID_INIT_INO */
#define PIDNS_INIT 0xeffffffcu

/* n bytes that may lack the NUL. */
static void
text(char *to, const char *from, size_t n)
{
	size_t len = strnlen(from, n);

	memcpy(to, from, len);
	to[len] = '\0';
}

static int
name(char to[SEGV_NAME], const char from[SEGV_NAME], uint32_t len)
{
	text(to, from, SEGV_NAME - 1);
	return len > strlen(to);
}

/* Signals whose siginfo has an address (siginfo.h: _sigfault). */
static int
has_addr(int signo)
{
	return signo == SIGSEGV || signo == SIGBUS || signo == SIGILL ||
	    signo == SIGFPE || signo == SIGTRAP;
}

static void
decode_info(struct segv_event *e, const unsigned char *p)
{
	uint32_t w[2];

	/* struct kernel_siginfo: signo, errno, code, then a union at 16 */
	memcpy(&e->signo, p, 4);
	memcpy(&e->err, p + 4, 4);
	memcpy(&e->code, p + 8, 4);
	if (e->code == 128) { /* SI_KERNEL */
		e->origin = SEGV_FROM_KERNEL;
	} else if (e->code > 0) {
		e->origin = SEGV_FROM_FAULT;
		if ((e->has_addr = has_addr(e->signo)))
			memcpy(&e->addr, p + 16, 8);
		if (e->signo == SIGSEGV && e->code == 4) /* SEGV_PKUERR */
			memcpy(&e->pkey, p + 32, 4);
	} else {
		e->origin = SEGV_FROM_USER;
		/* of SI_TIMER and its like these are others; only kill, tgkill
		 * and sigqueue have a sender */
		if (e->code == 0 || e->code == -1 || e->code == -6) {
			memcpy(w, p + 16, 8);
			e->sender_pid = (pid_t)w[0];
			e->sender_uid = w[1];
		}
	}
}

static unsigned
access_x86(uint64_t code)
{
	unsigned a = code & 16 ? SEGV_EXEC : code & 2 ? SEGV_WRITE : SEGV_READ;

	return a | (code & 1 ? SEGV_PRESENT : 0) | (code & 32 ? SEGV_PKEY : 0) |
	    (code & 64 ? SEGV_SHSTK : 0);
}

static unsigned
access_a64(uint64_t esr)
{
	unsigned a = esr >> 26 == 0x20 ? SEGV_EXEC
	    : esr & 64		       ? SEGV_WRITE
				       : SEGV_READ;

	/* permission faults of level 0 to 3 */
	return a | ((esr & 0x3c) == 0x0c ? SEGV_PRESENT : 0);
}

/*
 * What the thread keeps is of its last fault that made a signal, and that may
 * have been another signal: a page fault counts only if its address is the
 * siginfo's, a protection fault only with SI_KERNEL.
 */
static void
decode_fault(struct segv_event *e, const uint64_t fault[3])
{
	uint64_t ec;

	e->error_code = fault[0];
	e->trap_nr = fault[1];
	e->fault_addr = fault[2];
	if (e->machine == EM_X86_64) {
		if (e->origin == SEGV_FROM_FAULT && e->has_addr &&
		    e->trap_nr == 14 && e->fault_addr == e->addr) {
			e->fault_valid = 1;
			e->access = access_x86(e->error_code);
		} else if (e->origin == SEGV_FROM_KERNEL) {
			/* #SS or #GP */
			e->fault_valid = e->trap_nr == 12 || e->trap_nr == 13;
			e->forced = e->signo == SIGSEGV && e->trap_nr == 14;
		}
	} else if (e->machine == EM_AARCH64) {
		/* an instruction or data abort from EL0; si_addr has no tag */
		ec = e->error_code >> 26 & 0x3f;
		if (e->origin == SEGV_FROM_FAULT && e->has_addr &&
		    (ec == 0x20 || ec == 0x24) &&
		    (e->fault_addr << 8) == (e->addr << 8)) {
			e->fault_valid = 1;
			e->access = access_a64(e->error_code & 0xffffffff);
		}
	}
}

static void
decode_regs(struct segv_event *e, const struct segv_rec_event *r)
{
	const struct arch *a = arch_find(e->machine);

	if (!(e->have & SEGV_HAVE_REGS))
		return;
	if (e->machine == EM_X86_64) {
		e->regs.n = e->have & SEGV_HAVE_BASES ? 27 : 21;
		memcpy(e->regs.r, r->regs, e->regs.n * 8);
		e->compat = (e->regs.r[17] & 0xffff) == 0x23;
	} else {
		e->regs.n = SEGV_REC_REGS;
		memcpy(e->regs.r, r->regs, e->regs.n * 8);
		e->compat = (e->regs.r[33] & 0x10) != 0;
	}
	e->pc = e->regs.r[a->pc];
	e->sp = e->regs.r[a->sp];
}

static void
decode_vma(struct segv_event *e, const struct segv_rec_event *r)
{
	struct segv_vma *v = &e->vma;

	e->vma_err = ENOTSUP;
	if (e->have & SEGV_HAVE_VMA_ERR && r->vma.err < 0 &&
	    r->vma.err >= -4095)
		e->vma_err = (int)-r->vma.err;
	if (!(e->have & SEGV_HAVE_VMA))
		return;
	e->vma_err = 0;
	v->start = r->vma.start;
	v->end = r->vma.end;
	/* VM_READ, VM_WRITE, VM_EXEC are 1, 2, 4; VM_SHARED is 8 */
	v->prot = (r->vma.flags & 1 ? MAP_R : 0) |
	    (r->vma.flags & 2 ? MAP_W : 0) | (r->vma.flags & 4 ? MAP_X : 0) |
	    (r->vma.flags & 8 ? MAP_S : 0);
	v->ino = r->vma.ino;
	if (v->ino != 0)
		v->off = r->vma.pgoff * (uint64_t)sysconf(_SC_PAGESIZE);
	v->dev = (uint64_t)(r->vma.dev >> 20) << 32 | (r->vma.dev & 0xfffff);
	if (r->vma.len > 0)
		v->name_cut = name(v->name, r->vma.name, r->vma.len);
}

unsigned
segv_bits(uint64_t w)
{
	return (unsigned)__builtin_popcountll(w);
}

/* -1 when it makes no sense. */
static int
decode_stack(struct segv_event *e, const struct segv_rec_event *r)
{
	uint64_t all;

	if (!(e->have & SEGV_HAVE_STACK))
		return 0;
	if (r->stack.want == 0 || r->stack.want > SEGV_PAGES_MAX ||
	    r->stack.addr % SEGV_PAGE != 0)
		return -1;
	all = ~0ull >> (SEGV_PAGES_MAX - r->stack.want);
	if (r->stack.have & ~all || r->stack.lost & ~all ||
	    r->stack.have & r->stack.lost)
		return -1;
	e->stack_lo = r->stack.addr;
	e->stack_hi = r->stack.addr + r->stack.want * SEGV_PAGE;
	if (e->stack_hi < e->stack_lo)
		e->stack_hi = ~0ull;
	e->stack_whole =
	    r->stack.top >= e->stack_lo && r->stack.top < e->stack_hi;
	e->want = r->stack.have;
	e->lost = r->stack.lost;
	e->none = all & ~r->stack.have & ~r->stack.lost;
	e->pages_lost = segv_bits(e->lost);
	e->pages_none = segv_bits(e->none);
	return 0;
}

/* How long the record must be to hold all that it says it has. */
static size_t
extent(uint32_t have)
{
	if (have & (SEGV_HAVE_VMA | SEGV_HAVE_VMA_ERR))
		return sizeof(struct segv_rec_event);
	if (have & SEGV_HAVE_STACK)
		return offsetof(struct segv_rec_event, vma);
	if (have & SEGV_HAVE_EXE)
		return offsetof(struct segv_rec_event, stack);
	if (have & (SEGV_HAVE_NS | SEGV_HAVE_CGROUP | SEGV_HAVE_LEADER))
		return offsetof(struct segv_rec_event, exe);
	return offsetof(struct segv_rec_event, ids);
}

static int
decode(struct segv_event *e, const struct segv_rec_event *r)
{
	e->have = r->have & ~(uint32_t)SEGV_IS_FATAL;
	e->kind = r->have & SEGV_IS_FATAL ? SEGV_FATAL : SEGV_LIVES;
	e->machine = r->rec.machine;
	e->time = r->rec.time;
	e->pid = (pid_t)(r->rec.pid_tgid >> 32);
	e->tid = (pid_t)(r->rec.pid_tgid & 0xffffffff);
	e->uid = (uid_t)(r->uid_gid & 0xffffffff);
	e->gid = (gid_t)(r->uid_gid >> 32);
	text(e->comm, r->comm, SEGV_COMM);
	e->signo = (int)r->sig;
	if (e->have & SEGV_HAVE_CGROUP)
		e->cgroup = r->ids.cgroup;
	if (e->have & SEGV_HAVE_LEADER) {
		text(e->leader, r->ids.leader, SEGV_COMM);
		e->start = r->ids.start;
	}
	if (e->have & SEGV_HAVE_NS) {
		e->nslevel = r->ids.nslevel;
		e->nspid = e->nslevel ? (pid_t)r->ids.nspid : e->pid;
		e->nstid = e->nslevel ? (pid_t)r->ids.nstid : e->tid;
		e->pidns = e->nslevel ? r->ids.pidns : PIDNS_INIT;
	}
	if (e->have & SEGV_HAVE_EXE)
		e->exe_cut = name(e->exe, r->exe.name, r->exe.len);
	if (e->have & SEGV_HAVE_INFO)
		decode_info(e, r->info);
	if (e->have & SEGV_HAVE_ACTION) {
		e->handler = r->handler;
		e->sa_flags = r->sa_flags;
		e->handled = e->handler > 1;
	}
	if (e->have & SEGV_HAVE_FAULT)
		decode_fault(e, r->fault);
	decode_regs(e, r);
	decode_vma(e, r);
	return decode_stack(e, r);
}

int
segv_decode(struct segv_event *e, const void *p, size_t len)
{
	struct segv_rec_event r;

	if (len > sizeof(r) || len < extent(0))
		return -1;
	memset(&r, 0, sizeof(r));
	memcpy(&r, p, len);
	if (len < extent(r.have) || arch_find(r.rec.machine) == NULL ||
	    r.sig == 0 || r.sig > 64)
		return -1;
	return decode(e, &r);
}
