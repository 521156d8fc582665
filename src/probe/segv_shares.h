/*
 * segv_shares: what was left out of whom, once a second.
 *
 * The map of shares only counts up; a process that it forgets (it keeps those
 * that were looked for last) begins anew.
 */
#ifndef SEGV_SEGV_SHARES_H
#define SEGV_SEGV_SHARES_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "probe/segv_probe.h"

struct segv_told {
	pid_t pid;
	uint64_t limited; /* all that was left out so far */
	uint64_t more;	  /* of it, since the last look */
	char comm[SEGV_COMM + 1];
};

struct segv_shares {
	struct segv_told *was, *now; /* by pid; room for SEGV_SHARES each */
	size_t nwas, nnow;
	uint64_t told; /* all of more, so far */
};

/* -1 ENOMEM. */
int segv_shares_init(struct segv_shares *);
void segv_shares_free(struct segv_shares *);
/* Looks: now has them all.  0, or -1 with errno. */
int segv_shares_look(struct segv_shares *, const struct segv_probe *);

#endif
