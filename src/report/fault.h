/*
 * fault: what went wrong, in plain words: which access, to what, in which
 * function.
 *
 * The kernel tells address and code (NT_SIGINFO) but not whether it was a
 * read or a write, and for a non-canonical address not even where; both follow
 * from the instruction at pc.  Memory and notes are hostile.
 */
#ifndef REPORT_FAULT_H
#define REPORT_FAULT_H

#include <stdint.h>

struct crash;
struct symbols;

struct fault {
	int signo, code, have_code;
	uint64_t addr;
	int have_addr;	 /* addr is where the access went */
	unsigned access; /* MEMOP_* */
	int misaligned;	 /* for an instruction that minds (movaps) */
	int overflow;	 /* the stack ran out */
	char *abort_msg; /* malloc'd, NULL when there is none */
	char text[256];	 /* the cause in plain words; "" unknown */
};

/* From what the crash's threads were unwound to and symbols know by now. */
void fault_find(struct fault *, const struct crash *, struct symbols *);
void fault_free(struct fault *);

#endif
