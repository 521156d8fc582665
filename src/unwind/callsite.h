/*
 * callsite: which call a return address stands behind, and where it leads.
 *
 * Reads instructions in a target, so what it finds is a hint and hostile: an
 * address that is none, code that lies, chains of jumps without an end.
 */
#ifndef UNWIND_CALLSITE_H
#define UNWIND_CALLSITE_H

#include <stdint.h>

#include "target/target.h"

enum callsite {
	CALL_UNKNOWN, /* the code cannot be read */
	CALL_NONE,    /* no call ends there */
	CALL_DIRECT,  /* one that leads to *dest */
	CALL_INDIRECT /* by a register or by memory that says no more */
};

enum callsite callsite_find(struct target *, uint64_t ra, uint64_t *dest);
/*
 * Where code at that address goes on at once, by a jump, an entry of the
 * procedure linkage table, a veneer of the linker: 1 and *addr, or 0.
 */
int callsite_follow(struct target *, uint64_t *addr);

#endif
