/*
 * coresock: the kernel at the other end of a coredump socket ("@@/path" in
 * core_pattern, core(5), Linux 6.17; "@/path", Linux 6.16, where nothing is
 * asked and the core comes at once).
 *
 * The kernel connects for the process that crashed, says in a few bytes what it
 * can do, waits for what is wanted and says whether that makes sense; then the
 * core follows.  The process stands still meanwhile, with no end of the
 * kernel's: every wait here has a deadline (base/deadline.h).
 *
 * Hostile: whoever may connect.  So a peer is only one that a pidfd says is
 * dumping.  Sources: include/uapi/linux/coredump.h, include/uapi/linux/pidfd.h
 * and fs/coredump.c, 6.17 to 7.2.
 */
#ifndef CRASH_CORESOCK_H
#define CRASH_CORESOCK_H

#include <stdint.h>
#include <sys/types.h>

struct coresock {
	pid_t pid;
	int pidfd; /* close-on-exec, the caller's */
	uid_t uid; /* real ones, as %u and %g tell them */
	gid_t gid;
	int dumpmode; /* as %d: 1, or 2 for root alone; 0 unknown */
	int signal;   /* 0 unknown: before Linux 6.19 */
};

/* What the core may be answered with. */
enum {
	CORESOCK_KERNEL = 1, /* the core follows */
	CORESOCK_REJECT = 4, /* it does not, and wait(2) says so */
	CORESOCK_WAIT = 8    /* the process stays until the socket is closed */
};

/*
 * Who is dumping there.  0; -1 with errno: ESRCH it is nobody who dumps,
 * ENOSYS a kernel that does not tell (pidfd is then -1).
 */
int coresock_peer(int connfd, struct coresock *);
/*
 * Takes the kernel's request and answers it.  0: as was asked, or it is a
 * socket of 6.16, whose process waits if core_pipe_limit is not 0.  -1 with
 * errno: EPROTO it is no such request, EINVAL the kernel refuses the answer and
 * *mark says why (enum coredump_mark), else as of read(2), ETIMEDOUT.
 */
int
coresock_answer(int connfd, uint64_t what, int64_t deadline, unsigned *mark);

#endif
