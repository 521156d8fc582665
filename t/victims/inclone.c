/*
 * inclone: stopped within the system call that makes a thread, where glibc's
 * clone3() and clone() have no unwind data: a filter makes it a SIGSYS.
 *
 * case: - | SIGSYS SYS_SECCOMP * | @lib starts main
 */
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stddef.h>

#include "victim.h"

static void *
nothing(void *arg)
{
	return arg;
}

NOINLINE static int
starts(void)
{
	pthread_t t;
	int r = pthread_create(&t, NULL, nothing, NULL);

	KEEP();
	return r;
}

int
main(void)
{
	struct sock_filter f[] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
				      offsetof(struct seccomp_data, nr)),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone3, 1, 0),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 1),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
	struct sock_fprog p = {sizeof(f) / sizeof(f[0]), f};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &p) == -1)
		return 1;
	return starts();
}
