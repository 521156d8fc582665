/*
 * memop_run: one instruction on this processor, with registers of choice.
 *
 * run_start() traps (int3, brk); the handler keeps the registers it finds and
 * puts the wanted ones in their place, so the instruction runs next.
 * Whatever ends it is a signal too: its facts are noted and the kept registers
 * go back.  Vector registers 1 (all ones) and 2 (zeros) are set before.
 */
#ifndef T_MEMOP_RUN_H
#define T_MEMOP_RUN_H

#include <stdint.h>

enum { RUN_REGS = 40 };

struct run {
	uint64_t want[RUN_REGS]; /* in; elf_gregset_t order */
	uint64_t got[RUN_REGS];	 /* when the fault came */
	int signo, code;
	uint64_t addr;
	int data;  /* a page fault at the first instruction */
	int write; /* it says so; -1 not known */
};

#if defined(__x86_64__)
enum { RUN_PC = 16, RUN_SP = 19 };
#elif defined(__aarch64__)
enum { RUN_PC = 32, RUN_SP = 31 };
#endif

/* Before all others. */
void run_init(void);

void run_start(struct run *r);

/* A page apart; the one before it is always good.  run_init() maps them. */
#define RUN_PAGE UINT64_C(0x20001000)
#define RUN_EDGE (RUN_PAGE + 4096)

/* What may be done to the page, and to the one behind its edge. */
void run_pages(int prot, int behind);

#endif
