/*
 * Private to this room: libunwind and the walk.
 */
#ifndef UNWIND_IMPL_H
#define UNWIND_IMPL_H

#include "elf/ehframe.h"
#include "unwind/callsite.h"
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

enum { UNW_REGS = 64, FUNCTIONS = 16 };

/* What an address without unwind data is in. */
struct function {
	const struct module *mod;
	uint64_t at; /* the address asked for */
	uint64_t start;
	int sized; /* it ends behind at; else just the symbol before it */
	int go;
	char *name; /* NULL: unknown */
};

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
	struct function fn[FUNCTIONS]; /* asked for last */
	size_t fnext;
};

/* Where the walk stands; kept apart from the cursor, which may be replaced. */
struct walk {
	struct unwinder *u;
	const struct target_thread *th;
	struct trace *tr;
	const struct unwind_limits *lim;
	unw_cursor_t c;
	uint64_t ip, sp, fp, lr; /* lr 0: none, or not known any more */
	uint64_t adjust; /* what to add to ip for the true return address */
	uint64_t count;
	size_t tailpos;
	int exact;	    /* ip is the instruction itself */
	int bottom;	    /* nobody called it */
	struct frame *last; /* the one kept last */
	unsigned flags;	    /* of the frame to come */
};

/* The address the frame to come is looked up by: a return address may lie
 * behind the end of its function. */
static inline uint64_t
walk_at(const struct walk *w)
{
	return w->ip - (w->exact || w->adjust ? 0 : 1);
}

/* --- accessors.c --------------------------------------------------------- */

/* Around libunwind's calls: no one else needs the signals blocked. */
void unwind_alone(int on);
/* Whether unwind data has a function that begins there. */
int unwind_begins(struct unwinder *, uint64_t addr);

/* --- function.c ---------------------------------------------------------- */

/* NULL: unknown.  Good until some further calls. */
const struct function *function_at(struct unwinder *, uint64_t at);
void function_forget(struct function *);

/* --- bottom.c ------------------------------------------------------------ */

/* Whether nobody called the code of the frame to come. */
int walk_is_bottom(struct walk *);
/* x86-64: towards the bottom, where at most one call by a pointer lies in
 * between: 1, or -1. */
int walk_to_bottom(struct walk *);

/* --- gostep.c ------------------------------------------------------------ */

/* Out of Go's code, by its own table: 1 to the caller, 0 there is none, -1 it
 * is not Go's, or the table does not say. */
int walk_go(struct walk *);

/* --- restart.c ----------------------------------------------------------- */

/* A frame worked out by hand. */
struct caller {
	uint64_t pc, sp, fp;
	uint64_t lr; /* 0: not known */
	int exact;   /* pc is no return address */
};

/* Takes ip, sp, fp and lr from the cursor. */
void walk_load(struct walk *);
/* Goes on from there: 1, or -1. */
int walk_restart(struct walk *, const struct caller *);
/* Whether a signal's handler returns there. */
int walk_at_trampoline(struct walk *);
/* Sees to a return address that is none: 1, or -1. */
int walk_settle(struct walk *);

/* --- leads.c ------------------------------------------------------------- */

/* Whether a call before ra leads to the function that the walk is in; strict:
 * to its very start. */
enum callsite
walk_leads(struct walk *, const struct function *, uint64_t ra, int strict);

/* --- bycode.c ------------------------------------------------------------ */

/* x86-64: to the caller by what the function's code has pushed: 1, or -1. */
int walk_by_code(struct walk *);

/* --- bycall.c ------------------------------------------------------------ */

/* To a caller by its call: 1, 0 there is none, -1 not found that way. */
int walk_by_call(struct walk *);

/* --- fallback.c ---------------------------------------------------------- */

/* Go on to the caller: 1, or -1 (walk_pop_sigcontext 0) when they cannot. */
int walk_pop_return(struct walk *);
int walk_follow_fp(struct walk *);
int walk_pop_sigcontext(struct walk *);

#else
#define UNWIND_SUPPORTED 0
#endif
#endif
