#include "target/sigframe.h"

#include <elf.h>
#include <string.h>

enum {
	INFO_SIZE = 128, /* siginfo_t; the kernel's own is 48 of them */
	INFO_USED = 48,
	/* struct ucontext: uc_flags, uc_link, uc_stack, then on x86-64 the
	 * registers, on aarch64 the signal mask in 128 bytes */
	UC_LINK = 8,
	X86_UC_REGS = 40,
	X86_UC_FLAGS = 7, /* UC_FP_XSTATE and two about ss */
	X86_INFO = 304,	  /* behind the ucontext */
	X86_WORDS = 23,	  /* of struct sigcontext that count here */
	X86_CS = 18,
	X86_ERR = 19,
	X86_TRAPNO = 20,
	X86_CR2 = 22,
	X86_USER_CS = 0x33,
	A64_UC = 128, /* behind siginfo */
	A64_UC_REGS = 176,
	A64_WORDS = 35, /* fault_address, x0..x30, sp, pc, pstate */
	A64_RECORDS = A64_UC + A64_UC_REGS + A64_WORDS * 8 + 8,
	A64_RECORDS_MAX = 4096,
	ESR_MAGIC = 0x45535201,
	SIGNALS = 64
};

static int
take_info(const unsigned char p[INFO_SIZE], struct sigframe *f)
{
	int32_t w[4], sender[2];
	size_t i;

	memcpy(w, p, sizeof(w)); /* si_signo, si_errno, si_code, padding */
	memcpy(sender, p + 16, sizeof(sender));
	memcpy(&f->addr, p + 16, sizeof(f->addr));
	if (w[0] < 1 || w[0] > SIGNALS || w[3] != 0)
		return 0;
	for (i = INFO_USED; i < INFO_SIZE; i++)
		if (p[i] != 0)
			return 0;
	f->signo = w[0];
	f->code = w[2];
	f->pid = sender[0];
	f->uid = sender[1];
	return 1;
}

static int
x86_read(struct target *t, uint64_t sp, struct sigframe *f)
{
	/* struct sigcontext's order, as indices of elf_gregset_t */
	static const unsigned char order[] = {
	    9, 8, 7, 6, 3, 2, 1, 0, 14, 13, 4, 5, 12, 10, 11, 19, 16, 18};
	unsigned char p[X86_INFO + INFO_SIZE];
	uint64_t uc[2], w[X86_WORDS];
	size_t i, n = target_read(t, sp, p, sizeof(p));

	if (n < X86_INFO)
		return -1;
	memcpy(uc, p, sizeof(uc));
	memcpy(w, p + X86_UC_REGS, sizeof(w));
	if (uc[0] & ~(uint64_t)X86_UC_FLAGS || uc[1] != 0 ||
	    (w[X86_CS] & 0xffff) != X86_USER_CS)
		return -1;
	for (i = 0; i < sizeof(order); i++)
		f->regs.r[order[i]] = w[i];
	f->have_trap = 1;
	f->trap = (unsigned)w[X86_TRAPNO];
	f->error = w[X86_ERR];
	f->trapaddr = w[X86_CR2];
	f->have_info = n == sizeof(p) && take_info(p + X86_INFO, f);
	return 0;
}

/* The record that tells why, among those behind the registers. */
static void
a64_esr(struct target *t, uint64_t at, struct sigframe *f)
{
	struct {
		uint32_t magic, size;
		uint64_t esr;
	} r;
	uint64_t off;

	for (off = 0; off < A64_RECORDS_MAX; off += r.size) {
		if (target_read(t, at + off, &r, sizeof(r)) != sizeof(r) ||
		    r.magic == 0 || r.size < 16 || r.size % 16 != 0)
			return;
		if (r.magic != ESR_MAGIC)
			continue;
		f->have_trap = 1;
		f->error = r.esr;
		f->trap = (unsigned)(r.esr >> 26 & 63);
		return;
	}
}

static int
a64_read(struct target *t, uint64_t sp, struct sigframe *f)
{
	unsigned char info[INFO_SIZE];
	uint64_t uc[2], w[A64_WORDS];

	if (target_read(t, sp, info, sizeof(info)) != sizeof(info) ||
	    target_read(t, sp + A64_UC, uc, sizeof(uc)) != sizeof(uc) ||
	    target_read(t, sp + A64_UC + A64_UC_REGS, w, sizeof(w)) !=
		sizeof(w) ||
	    uc[0] != 0 || uc[1] != 0)
		return -1;
	f->trapaddr = w[0];
	memcpy(f->regs.r, w + 1, sizeof(w) - sizeof(w[0]));
	a64_esr(t, sp + A64_RECORDS, f);
	f->have_info = take_info(info, f);
	return 0;
}

int
sigframe_read(
    struct target *t, uint64_t sp, const struct regs *now, struct sigframe *f)
{
	memset(f, 0, sizeof(*f));
	if (t->arch == NULL || now->n < t->arch->gregs)
		return -1;
	f->regs = *now;
	if (t->machine == EM_X86_64)
		return x86_read(t, sp, f);
	return t->machine == EM_AARCH64 ? a64_read(t, sp, f) : -1;
}

/* Where pc and sp of a frame's registers stand, from what sigframe_read()
 * calls sp. */
static void
places(const struct target *t, unsigned *sp, unsigned *pc)
{
	if (t->machine == EM_X86_64) {
		*sp = X86_UC_REGS + 15 * 8;
		*pc = X86_UC_REGS + 16 * 8;
	} else {
		*sp = A64_UC + A64_UC_REGS + 32 * 8;
		*pc = A64_UC + A64_UC_REGS + 33 * 8;
	}
}

int
sigframe_left(struct target *t, const struct regs *now, struct sigframe *f)
{
	uint64_t pc, sp, at, v;
	unsigned sp_off, pc_off;

	if (t->arch == NULL || now->n < t->arch->gregs)
		return -1;
	pc = now->r[t->arch->pc];
	sp = now->r[t->arch->sp];
	places(t, &sp_off, &pc_off);
	for (at = sp & ~UINT64_C(7); sp - at < SIGFRAME_BELOW; at -= 8) {
		if (target_word(t, at + pc_off, &v) == -1 || v != pc ||
		    target_word(t, at + sp_off, &v) == -1 || v != sp ||
		    sigframe_read(t, at, now, f) == -1)
			continue;
		if (memcmp(f->regs.r, now->r, sizeof(now->r[0]) * 15) == 0)
			return 0;
	}
	return -1;
}
