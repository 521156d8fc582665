/*
 * seizure: the threads of a process, stopped and let go (ptrace(2)).  Private
 * to target_live.
 *
 * They are attached to first, and run on meanwhile; the pause is from the
 * first interrupt on.  Whoever was told to stop starts no thread any more
 * (copy_process() of kernel/fork.c sees a signal pending), so that there are
 * no further ones once one look has found none.
 */
#ifndef TARGET_SEIZURE_H
#define TARGET_SEIZURE_H

#include <sys/types.h>

#include "core/arch.h"

enum seized_state { SEIZED, STOPPED, LOST };

struct seized {
	pid_t tid;
	enum seized_state state;
	int err;	  /* why it is LOST */
	int status;	  /* how it STOPPED, as waitpid(2) has it */
	struct regs regs; /* of one that STOPPED; n 0: none */
	/* what was copied of its stack; of who copies */
	uint64_t start;
	size_t len;
	unsigned char *p;
};

struct seizure {
	int procfd;
	struct seized *th;
	size_t n;
	size_t late; /* that did not stop in time */
};

/* Attaches to all, or to that one alone.  -1 with errno. */
int seizure_begin(struct seizure *, pid_t only);
/* Stops them and reads their registers; by the deadline (base/deadline.h).
 * -1 with errno; those that could not be stopped are LOST. */
int seizure_stop(struct seizure *, pid_t only, int64_t deadline);
/* Lets go, with what signals were about to be delivered.  Those that are late
 * are let go when they do stop. */
void seizure_release(struct seizure *);
void seizure_free(struct seizure *);

#endif
