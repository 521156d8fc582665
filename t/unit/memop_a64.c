/*
 * memop_a64: encodings as aarch64-linux-gnu-as makes them, and what they do.
 *
 * Registers: x1 and sp hold the address T, x2 3, the rest zero (as data: the
 * index and zero registers aside).  off: the operand's address less T; PCREL:
 * less pc.  ea: the address follows from the registers.
 */
#include <elf.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "check.h"
#include "memop_check.h"
#include "memop_run.h"

enum { A64_EA = 1, A64_PCREL = 2, A64_STATIC = 4 };

struct a64_case {
	uint32_t insn;
	const char *text;
	int access;
	unsigned size;
	long off;
	int flags; /* STATIC: not run, qemu or the processor may lack it */
};

static const struct a64_case a64_cases[] = {
#define EA A64_EA
#define PC (A64_EA | A64_PCREL | A64_STATIC)
#define ST (A64_EA | A64_STATIC)
    {0xf9400020, "ldr x0, [x1]", 1, 8, 0, EA},
    {0xf9400820, "ldr x0, [x1, #16]", 1, 8, 16, EA},
    {0x39400c20, "ldrb w0, [x1, #3]", 1, 1, 3, EA},
    {0x781fec20, "strh w0, [x1, #-2]!", 2, 2, -2, EA},
    {0x3c810420, "str q0, [x1], #16", 2, 16, 0, EA},
    {0x3ce27820, "ldr q0, [x1, x2, lsl #4]", 1, 16, 48, EA},
    {0xb822d820, "str w0, [x1, w2, sxtw #2]", 2, 4, 12, EA},
    {0xb8a24820, "ldrsw x0, [x1, w2, uxtw]", 1, 4, 3, EA},
    {0xa9fe0fe0, "ldp x0, x3, [sp, #-32]!", 1, 16, -32, EA},
    {0xad020420, "stp q0, q1, [x1, #64]", 2, 32, 64, EA},
    {0x69410c20, "ldpsw x0, x3, [x1, #8]", 1, 8, 8, EA},
    {0x283f0c20, "stnp w0, w3, [x1, #-8]", 2, 8, -8, EA},
    {0x6cc10420, "ldp d0, d1, [x1], #16", 1, 16, 0, EA},
    {0xc85f7c20, "ldxr x0, [x1]", 1, 8, 0, EA},
    {0x8803fc20, "stlxr w3, w0, [x1]", 2, 4, 0, ST},
    {0xc87f8c20, "ldaxp x0, x3, [x1]", 1, 16, 0, EA},
    {0xc89ffc20, "stlr x0, [x1]", 2, 8, 0, EA},
    {0x88dffc20, "ldar w0, [x1]", 1, 4, 0, EA},
    {0xc8a07c23, "cas x0, x3, [x1]", 3, 8, 0, EA},
    {0x08227c24, "casp w2, w3, w4, w5, [x1]", 3, 8, 0, EA},
    {0xb8200023, "ldadd w0, w3, [x1]", 3, 4, 0, EA},
    {0xf8e08023, "swpal x0, x3, [x1]", 3, 8, 0, EA},
    {0xb820303f, "stset w0, [x1]", 3, 4, 0, EA},
    {0xb8bfc020, "ldapr w0, [x1]", 1, 4, 0, EA},
    {0xd95f8020, "ldapur x0, [x1, #-8]", 1, 8, -8, EA},
    {0x19001020, "stlurb w0, [x1, #1]", 2, 1, 1, EA},
    {0x58000040, "ldr x0, .+8", 1, 8, 8, PC},
    {0x98ffffe0, "ldrsw x0, .-4", 1, 4, -4, PC},
    {0x9c000080, "ldr q0, .+16", 1, 16, 16, PC},
    {0xf9800020, "prfm pldl1keep, [x1]", 0, 0, 0, 0},
    {0xf8a26820, "prfm pldl1keep, [x1, x2]", 0, 0, 0, 0},
    {0xf8801020, "prfum pldl1keep, [x1, #1]", 0, 0, 0, 0},
    {0x4c407020, "ld1 {v0.16b}, [x1]", 1, 16, 0, EA},
    {0x0c002020, "st1 {v0.8b-v3.8b}, [x1]", 2, 32, 0, EA},
    {0x4cdf0820, "ld4 {v0.4s-v3.4s}, [x1], #64", 1, 64, 0, EA},
    {0x4d00a420, "st3 {v0.d-v2.d}[1], [x1]", 2, 24, 0, EA},
    {0x0d405820, "ld1 {v0.h}[3], [x1]", 1, 2, 0, EA},
    {0x4d60c820, "ld2r {v0.4s, v1.4s}, [x1]", 1, 8, 0, EA},
    {0x0d400c20, "ld1 {v0.b}[3], [x1]", 1, 1, 0, EA},
    {0x0d209020, "st2 {v0.s, v1.s}[1], [x1]", 2, 8, 0, EA},
    {0xd50b7421, "dc zva, x1", 2, 0, 0, EA},
    {0xd50b7e21, "dc civac, x1", 1, 0, 0, ST},
    {0xd50b7521, "ic ivau, x1", 1, 0, 0, ST},
    {0xf8202420, "ldraa x0, [x1, #16]", 1, 8, 0, A64_STATIC},
    {0x385ff020, "ldurb w0, [x1, #-1]", 1, 1, -1, EA},
    {0xf8008820, "sttr x0, [x1, #8]", 2, 8, 8, EA},
    {0x3c9f0020, "stur q0, [x1, #-16]", 2, 16, -16, EA},
    {0x3d400420, "ldr b0, [x1, #1]", 1, 1, 1, EA},
    {0x7d400420, "ldr h0, [x1, #2]", 1, 2, 2, EA},
    {0xd9201821, "stg x1, [x1, #16]", 2, 16, 16, ST},
    {0xd9bfe821, "st2g x1, [x1, #-32]", 2, 32, -32, ST},
    {0xd9600020, "ldg x0, [x1]", 1, 16, 0, ST},
    {0x69010c20, "stgp x0, x3, [x1, #32]", 2, 16, 32, ST},
    {0x8b020020, "add x0, x1, x2", 0, 0, 0, 0},
    {0xd4200020, "brk #0x1", 0, 0, 0, A64_STATIC},
    {0xd65f03c0, "ret", 0, 0, 0, A64_STATIC},
    {0xd63f0020, "blr x1", 0, 0, 0, A64_STATIC},
    {0xd503201f, "nop", 0, 0, 0, 0},
    {0x00000000, "udf #0", 0, 0, 0, A64_STATIC},
    {0xd53bd040, "mrs x0, tpidr_el0", 0, 0, 0, 0},
    {0xa400a020, "ld1b {z0.b}, p0/z, [x1]", 1, 0, 0, A64_STATIC},
    {0xe5e0e020, "st1d {z0.d}, p0, [x1]", 2, 0, 0, A64_STATIC},
    {0x85804020, "ldr z0, [x1]", 1, 0, 0, A64_STATIC},
    {0xe5804020, "str z0, [x1]", 2, 0, 0, A64_STATIC},
    {0x85014020, "ld1w {z0.s}, p0/z, [x1, z1.s, uxtw]", 1, 0, 0, A64_STATIC},
    {0xe4418020, "st1b {z0.s}, p0, [x1, z1.s, uxtw]", 2, 0, 0, A64_STATIC},
    {0x19010440, "cpyfp [x0]!, [x1]!, x2!", -1, 0, 0, A64_STATIC},
    {0x19410440, "cpyfm [x0]!, [x1]!, x2!", -1, 0, 0, A64_STATIC},
    {0x19810440, "cpyfe [x0]!, [x1]!, x2!", -1, 0, 0, A64_STATIC},
    {0xb9400fe0, "ldr w0, [sp, #12]", 1, 4, 12, EA},
    {0xf83f683f, "str xzr, [x1, xzr]", 2, 8, 0, EA},
    {0x4ea28420, "add v0.4s, v1.4s, v2.4s", 0, 0, 0, 0},
    {0x04a20020, "add z0.s, z1.s, z2.s", 0, 0, 0, A64_STATIC},
    {0xf83fd020, "ld64b x0, [x1]", 1, 64, 0, ST},
    {0xf83f9020, "st64b x0, [x1]", 2, 64, 0, ST},
#undef EA
#undef PC
#undef ST
};

#if defined(__aarch64__)
/* The same table on the processor (or an emulator, which may not have all). */
static void
run_a64(void)
{
	uint32_t *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	const uint64_t at = RUN_PAGE + 2048;
	struct memop m;
	size_t i;

	if (code == MAP_FAILED)
		exit(111);
	for (i = 0; i < sizeof(a64_cases) / sizeof(*a64_cases); i++) {
		const struct a64_case *c = &a64_cases[i];
		struct run r = {0};

		if (c->flags & A64_STATIC)
			continue;
		code[0] = c->insn;
		code[1] = 0xd4200000; /* brk */
		__builtin___clear_cache((char *)code, (char *)(code + 2));
		r.want[1] = r.want[31] = at;
		r.want[2] = 3;
		r.want[RUN_PC] = (uint64_t)(uintptr_t)code;
		run_pages(PROT_NONE, PROT_NONE);
		run_start(&r);
		if (r.signo == SIGILL) {
			absent++;
			continue;
		}
		CHECK_OF(c->text, r.data == (c->access != 0));
		if (!r.data)
			continue;
		CHECK_OF(c->text,
		    decode(EM_AARCH64, code, 4, r.got, r.addr, 1, &m) == 0);
		CHECK_OF(c->text, m.access == c->access);
		CHECK_OF(c->text,
		    r.addr >= m.ea && r.addr - m.ea < (m.size ? m.size : 64));
		if (r.write != -1 && m.access != 3)
			CHECK_OF(c->text, r.write == (m.access == MEMOP_WRITE));
		run_pages(PROT_READ, PROT_READ);
		run_start(&r);
		CHECK_OF(c->text, r.data == ((c->access & MEMOP_WRITE) != 0));
	}
}
#endif

void
check_a64(void)
{
	uint64_t regs[34] = {0};
	const uint64_t at = 0x1230000, pc = 0x400000;
	struct memop m;
	unsigned char code[4];
	size_t i;
	int r;

	regs[1] = regs[31] = at;
	regs[2] = 3;
	regs[32] = pc;
	for (i = 0; i < sizeof(a64_cases) / sizeof(*a64_cases); i++) {
		const struct a64_case *c = &a64_cases[i];
		uint64_t ea = (uint64_t)c->off;

		ea += c->flags & A64_PCREL ? pc : at;
		code[0] = (unsigned char)c->insn;
		code[1] = (unsigned char)(c->insn >> 8);
		code[2] = (unsigned char)(c->insn >> 16);
		code[3] = (unsigned char)(c->insn >> 24);
		errno = 0;
		r = decode(EM_AARCH64, code, 4, regs, ea, 1, &m);
		if (c->access == -1) {
			CHECK_OF(c->text, r == -1 && errno == EINVAL);
			continue;
		}
		CHECK_OF(c->text, r == 0);
		CHECK_OF(c->text, m.access == c->access && m.size == c->size);
		CHECK_OF(c->text, m.have_ea == (c->access != 0));
		CHECK_OF(c->text, !m.have_ea || m.ea == ea);
		/* without a fault address only what the registers tell */
		r = decode(EM_AARCH64, code, 4, regs, 0, 0, &m);
		CHECK_OF(c->text, r == 0 && m.access == c->access);
		CHECK_OF(c->text, m.have_ea == !!(c->flags & A64_EA));
		CHECK_OF(c->text, !m.have_ea || m.ea == ea);
		check_cut(c->text, EM_AARCH64, code, 4, regs, &m);
	}
#if defined(__aarch64__)
	run_a64();
#endif
}
