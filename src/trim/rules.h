/*
 * rules: which memory of a process tells why it ended.
 *
 * Of each thread the stack from its stack pointer on, and what its registers
 * and the words at the top of its stack point to; libc's block of it (where its
 * thread pointer leads); the list of loaded objects (r_debug, link_map and
 * their names), each object's headers and dynamic section, the data of libc;
 * the vdso; what the auxiliary vector points to; and on request the data of the
 * program.
 *
 * All of it is memory of a hostile program: each list is bounded, a pointer
 * costs what it is allowed to and no more.
 */
#ifndef TRIM_RULES_H
#define TRIM_RULES_H

#include "core/corehead.h"
#include "target/target.h"
#include "trim/pageset.h"

struct trim_rules {
	uint64_t stack;	 /* bytes of each thread's stack at most */
	uint64_t around; /* bytes from where a pointer leads */
	int data;	 /* the program's writable data, too */
};

/*
 * The target has maps, modules, threads and auxv; h may be NULL: then nothing
 * is known but the registers that those have.  What was found is added.
 */
void trim_apply(struct target *, const struct core_head *h,
    const struct trim_rules *, struct pageset *);

#endif
