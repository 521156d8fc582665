/*
 * cost_count OUT COMMAND [ARG ...]: runs it and counts, without a clock, what
 * it and its children ask of the kernel.  One line in OUT:
 *
 *   calls N faults N execs N forks N kbytes N
 *
 * System calls are counted by ptrace(2), page faults by wait4(2): those of
 * children that were waited for among them.  kbytes are those that were read of
 * other processes' memory, by process_vm_readv(2) and of /proc/PID/mem.
 * Addresses are not random, so that two runs are alike.  Exits as the command
 * does, 111 when it cannot be run.
 */
#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SYSCALL_STOP = SIGTRAP | 0x80 };

static long stops, execs, forks, bytes;

/* What was called last, by process id; two that share a place take turns at
 * most when one waits for the other. */
enum { PLACES = 4096 };
static struct {
	uint64_t nr, fd;
} called[PLACES];

static int
is_memory(pid_t pid, uint64_t fd)
{
	char path[64], to[64];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)pid, (int)fd);
	n = readlink(path, to, sizeof(to) - 1);
	to[n > 0 ? n : 0] = '\0';
	return strncmp(to, "/proc/", 6) == 0 && n > 4 &&
	    strcmp(to + n - 4, "/mem") == 0;
}

static void
count_bytes(pid_t pid)
{
	struct __ptrace_syscall_info i;
	uint64_t nr = called[pid % PLACES].nr;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, (void *)sizeof(i), &i) <= 0)
		return;
	if (i.op == PTRACE_SYSCALL_INFO_ENTRY) {
		called[pid % PLACES].nr = i.entry.nr;
		called[pid % PLACES].fd = i.entry.args[0];
	} else if (i.op == PTRACE_SYSCALL_INFO_EXIT && i.exit.rval > 0 &&
	    (nr == SYS_process_vm_readv ||
		((nr == SYS_pread64 || nr == SYS_preadv) &&
		    is_memory(pid, called[pid % PLACES].fd))))
		bytes += i.exit.rval;
}

/* What a stopped one stopped for; the signal it is to get. */
static int
look(pid_t pid, int status)
{
	int sig = WSTOPSIG(status), event = status >> 16;

	if (sig == SYSCALL_STOP) {
		stops++;
		count_bytes(pid);
		return 0;
	}
	if (event == PTRACE_EVENT_EXEC)
		execs++;
	else if (event == PTRACE_EVENT_FORK || event == PTRACE_EVENT_VFORK ||
	    event == PTRACE_EVENT_CLONE)
		forks++;
	return event != 0 ? 0 : sig;
}

/* Goes on with all of them until the first has ended: its status. */
static int
follow(pid_t first, long *faults)
{
	struct rusage ru;
	int status, sig;
	pid_t pid;

	for (;;) {
		pid = wait4(-1, &status, __WALL, &ru);
		if (pid == -1 && errno == EINTR)
			continue;
		if (pid == -1)
			err(111, "wait4");
		if (WIFSTOPPED(status)) {
			sig = look(pid, status);
			ptrace(PTRACE_SYSCALL, pid, NULL, (void *)(long)sig);
		} else if (pid == first) {
			*faults = ru.ru_minflt + ru.ru_majflt;
			return status;
		}
	}
}

int
main(int argc, char **argv)
{
	long faults;
	int status;
	pid_t pid;
	FILE *f;

	if (argc < 3)
		errx(100, "usage: cost_count out command [arg ...]");
	/* shares our memory until it is another program: no fault of its own
	 * is counted before that */
	pid = vfork();
	if (pid == -1)
		err(111, "vfork");
	if (pid == 0) {
		personality(ADDR_NO_RANDOMIZE);
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		execv(argv[2], argv + 2);
		_exit(111);
	}
	if (waitpid(pid, &status, 0) != pid)
		err(111, "waitpid");
	if (!WIFSTOPPED(status))
		errx(111, "unable to run %s", argv[2]);
	execs = 1;
	if (ptrace(PTRACE_SETOPTIONS, pid, NULL,
		(void *)(long)(PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK |
		    PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE |
		    PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL)) == -1)
		err(111, "ptrace");
	ptrace(PTRACE_SYSCALL, pid, NULL, NULL);
	status = follow(pid, &faults);
	f = fopen(argv[1], "w");
	/* a call stops it twice, but the last of each process once */
	if (f == NULL ||
	    fprintf(f, "calls %ld faults %ld execs %ld forks %ld kbytes %ld\n",
		(stops + forks + 1) / 2, faults, execs, forks,
		(bytes + 1023) / 1024) < 0 ||
	    fclose(f) != 0)
		err(111, "%s", argv[1]);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 111;
}
