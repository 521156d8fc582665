/*
 * fault: what went wrong, in plain words: which access, to what, in which
 * function.
 *
 * The kernel tells address and code (NT_SIGINFO) but not whether it was a
 * read or a write, and for a non-canonical address not even where; both follow
 * from the instruction at pc.  Where a handler caught a fault and then gave
 * up, the fault it caught is found too (report/caught.c).  Memory and notes
 * are hostile.
 */
#ifndef REPORT_FAULT_H
#define REPORT_FAULT_H

#include <stddef.h>
#include <stdint.h>

#include "core/arch.h"

struct crash;
struct exception;
struct panic;
struct symbols;

enum { FAULT_TEXT = 512, FAULT_SI_KERNEL = 128 };

struct fault {
	int signo, code, have_code;
	int pid, uid;	  /* the sender's, with a code that is not above 0 */
	int by_itself;	  /* the process sent it */
	struct regs regs; /* when it came; n 0: not known */
	size_t frame;	  /* where it came, in the first thread's trace */
	uint64_t addr;
	int have_addr;	 /* addr is where the access went */
	unsigned access; /* MEMOP_* */
	int misaligned;	 /* for an instruction that minds (movaps) */
	int overflow;	 /* the stack ran out */
	char *abort_msg; /* malloc'd, NULL when there is none */

	/* what a handler had caught before, malloc'd, NULL: nothing known */
	struct fault *caught;
	struct exception *exception; /* malloc'd, NULL: none */
	struct panic *panic;	     /* malloc'd, NULL: none */
	char text[FAULT_TEXT];	     /* the cause in plain words; "" unknown */
};

/* From what the crash's threads were unwound to and symbols know by now. */
void fault_find(struct fault *, const struct crash *, struct symbols *);
void fault_free(struct fault *);

/* --- shared by fault.c, caught.c and cause.c ----------------------------- */

/* Is it one that an instruction raises? */
int fault_is_raised(int signo);
/* From signo, code, regs and, where have_addr, addr: the access, and what is
 * still missing of the address. */
void fault_look(struct fault *, const struct crash *);
/* The same where nobody told code and address. */
void fault_guess(struct fault *, const struct crash *);
/* What a handler caught whose frame is on the stack, or just was; malloc'd, or
 * NULL. */
struct fault *
caught_find(const struct fault *, const struct crash *, struct symbols *);
/* Fills in text, of f->caught first. */
void cause_text(struct fault *, const struct crash *, struct symbols *);

#endif
