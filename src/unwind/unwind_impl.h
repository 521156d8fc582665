/*
 * Private to unwind.c, accessors.c and byhand.c: libunwind and the walk.
 */
#ifndef UNWIND_IMPL_H
#define UNWIND_IMPL_H

#include "elf/ehframe.h"
#include "unwind/unwind.h"

#if defined(__x86_64__) || defined(__aarch64__)
#define UNWIND_SUPPORTED 1
#include <libunwind.h>

/* UNW_REG_IP is good for reading only: on aarch64 it is x30's number. */
#if defined(__x86_64__)
enum { UNW_PC = UNW_X86_64_RIP, UNW_FP = UNW_X86_64_RBP, UNW_LR = -1 };
#else
enum {
	UNW_PC = UNW_AARCH64_PC,
	UNW_FP = UNW_AARCH64_X29,
	UNW_LR = UNW_AARCH64_X30
};
#endif

enum { UNW_REGS = 64 };

struct unwinder {
	struct target *t;
	unw_addr_space_t as;
	uint64_t reg[UNW_REGS]; /* of the frame a cursor starts from */
	uint64_t have;		/* bit per register */
	int noinfo;		/* the last look-up found no unwind data */
	int searching;		/* in search_unwind_table() */
	int unreadable;		/* the last step missed memory, here: */
	uint64_t missing;
	const struct ehtable *own;
};

/* Where the walk stands; kept apart from the cursor, which may be replaced. */
struct walk {
	struct unwinder *u;
	struct trace *tr;
	const struct unwind_limits *lim;
	unw_cursor_t c;
	uint64_t ip, sp, fp, lr; /* lr 0: none, or not known any more */
	uint64_t adjust; /* what to add to ip for the true return address */
	uint64_t count;
	size_t tailpos;
	int exact;	    /* ip is the instruction itself */
	struct frame *last; /* the one kept last */
	unsigned flags;	    /* of the frame to come */
};

/* --- byhand.c ------------------------------------------------------------ */

/* Takes ip, sp, fp and lr from the cursor. */
void walk_load(struct walk *);
/* Go on to the caller: 1, or -1 (walk_pop_sigcontext 0) when they cannot. */
int walk_pop_return(struct walk *);
int walk_follow_fp(struct walk *);
int walk_pop_sigcontext(struct walk *);

#else
#define UNWIND_SUPPORTED 0
#endif
#endif
