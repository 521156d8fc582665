/*
 * target_live: a running process as a target.
 *
 * Every thread is seized and interrupted (ptrace(2)), its registers and the
 * top of its stack are copied, and all run on; unwinding comes after, from
 * the copies.  The pause is what the copying takes.  Should this program be
 * killed in between, the kernel lets the threads go.
 */
#ifndef TARGET_TARGET_LIVE_H
#define TARGET_TARGET_LIVE_H

#include "proc/procinfo.h"
#include "target/target.h"

enum {
	LIVE_STACK = 64 << 10,	/* copied of each stack */
	LIVE_ARENA = 256 << 20, /* all stacks together; then less of each */
	LIVE_WAIT_MS = 2000	/* for a thread to stop */
};

struct live {
	pid_t first; /* the thread that comes first, where it is there */
	pid_t only;  /* one thread, or 0 for all */
	/* filled in: */
	uint64_t pause_ns; /* from the first interrupt to the last release */
	size_t late;	   /* threads that did not stop in time */
};

/*
 * Fills in a target from the process and what was gathered of it (which must
 * outlive the target).  -1 with errno: EPERM may not trace, ESRCH gone, EBUSY
 * traced by another already.
 */
int
target_live_open(int procfd, struct procinfo *, struct live *, struct target *);

#endif
