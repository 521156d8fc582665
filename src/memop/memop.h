/*
 * memop: what the instruction at a fault does to memory.
 *
 * Decodes one instruction as far as its memory operands: which are read,
 * written or both, where and how wide.  Nothing is executed.  The code bytes
 * and registers come from a crashed program and are hostile; every read is
 * bounded by (code, n), no memory of the program is touched.
 *
 * Facts: Intel SDM volume 2 (opcode maps, appendix A; EVEX disp8*N, 2.7.5),
 * AMD APM volume 3, Arm ARM DDI 0487 C4.1 (loads and stores).
 */
#ifndef MEMOP_MEMOP_H
#define MEMOP_MEMOP_H

#include <stddef.h>
#include <stdint.h>

enum { MEMOP_READ = 1, MEMOP_WRITE = 2, MEMOP_EXEC = 4 };

struct memop {
	int access;	/* MEMOP_ bits; 0: touches no memory */
	int have_ea;	/* ea is known */
	uint64_t ea;	/* effective address of the first byte */
	unsigned size;	/* bytes, 0 unknown or the processor's own */
	unsigned align; /* ea must be a multiple of it, or the instruction
			 * itself may fault: not all processors mind each one
			 * (SHA on AMD's, exclusives with FEAT_LSE2), so this
			 * explains a fault and predicts none; 0 none */
	int have_via;	/* with MEMOP_EXEC: the target stands in memory ... */
	uint64_t via;	/* ... here */
};

struct memop_in {
	int machine;		   /* EM_X86_64 or EM_AARCH64 */
	const unsigned char *code; /* the bytes at pc, 16 suffice */
	size_t n;		   /* how many there are */
	/* The kernel's elf_gregset_t: x86-64 r15 r14 r13 r12 rbp rbx r11 r10
	 * r9 r8 rax rcx rdx rsi rdi orig_rax rip cs eflags rsp ss fs_base
	 * gs_base ..., aarch64 x0..x30 sp pc pstate. */
	const uint64_t *gregs;
	uint64_t fault; /* address, where valid */
	int valid;
};

/*
 * The fault's address (where valid) chooses among several operands, such as
 * both sides of a string move or the stack of a push from memory.  Without it
 * (general protection: SI_KERNEL, address 0) the operand is chosen that can
 * be to blame: the non-canonical one, then the misaligned one, then the
 * first.  The caller compares ea with the fault: a wide operand faults at any
 * of its bytes, a gather or scalable vector at any element (then ea is the
 * fault where valid, else unknown), and aarch64 addresses may carry tags in
 * their top byte.
 *
 * MEMOP_EXEC: the fault came from fetching there, or (no valid
 * address) from a jump to an impossible one; where that one stands in memory
 * ea is unknown, and via tells where.
 *
 * 0, or -1 with errno: EINVAL not understood (or another machine), ERANGE
 * code ends too early.
 */
int memop_decode(const struct memop_in *, struct memop *out);
/* Length of the x86-64 instruction at code, of which n bytes are there (15
 * suffice); 0 not understood, or cut. */
size_t memop_x86_length(const unsigned char *code, size_t n);

#endif
