/*
 * ran_text OUT ADDRESSES COMMAND [ARG ...]: runs it, a static program that is
 * linked to its addresses, and writes those of ADDRESSES, in hexadecimal and
 * one a line, that it or a child of it came to.  Exits as the command does, 111
 * when it cannot be run.
 *
 * Each begins with a breakpoint (int3 of x86-64) until it is come to.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BASE = 0x400000, SIZE = 1 << 21 };

static unsigned char had[SIZE];
static char asked[SIZE], ran[SIZE];

static int
open_memory(pid_t pid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/mem", (int)pid);
	return open(path, O_RDWR | O_CLOEXEC);
}

static void
set_all(pid_t pid, const char *list)
{
	FILE *f = fopen(list, "r");
	int fd = open_memory(pid);
	unsigned long at;

	if (f == NULL || fd == -1)
		err(111, "%s", list);
	while (fscanf(f, "%lx", &at) == 1)
		if (at >= BASE && at - BASE < SIZE && !asked[at - BASE]) {
			asked[at - BASE] = 1;
			if (pread(fd, &had[at - BASE], 1, (off_t)at) != 1 ||
			    pwrite(fd, "\xcc", 1, (off_t)at) != 1)
				err(111, "%lx", at);
		}
	fclose(f);
	close(fd);
}

/* Whether it was one of ours, which is taken back. */
static int
take_back(pid_t pid)
{
#if defined(__x86_64__)
	struct user_regs_struct r;
	size_t at;
	int fd;

	if (ptrace(PTRACE_GETREGS, pid, NULL, &r) == -1)
		return 0;
	at = (size_t)r.rip - 1 - BASE;
	if (at >= SIZE || !asked[at])
		return 0;
	ran[at] = 1;
	fd = open_memory(pid);
	if (fd == -1 || pwrite(fd, &had[at], 1, (off_t)(BASE + at)) != 1)
		err(111, "%zx", BASE + at);
	close(fd);
	r.rip--;
	ptrace(PTRACE_SETREGS, pid, NULL, &r);
	return 1;
#else
	errx(111, "%d: breakpoints are known of x86-64 alone", (int)pid);
#endif
}

static int
follow(pid_t first)
{
	int status, sig;
	pid_t pid;

	for (;;) {
		pid = waitpid(-1, &status, __WALL);
		if (pid == -1 && errno != EINTR)
			err(111, "waitpid");
		if (pid == first && !WIFSTOPPED(status))
			return status;
		if (pid == -1 || !WIFSTOPPED(status))
			continue;
		sig = WSTOPSIG(status);
		if (status >> 16 != 0 || sig == SIGSTOP ||
		    (sig == SIGTRAP && take_back(pid)))
			sig = 0;
		ptrace(PTRACE_CONT, pid, NULL, (void *)(long)sig);
	}
}

int
main(int argc, char **argv)
{
	int status;
	size_t i;
	pid_t pid;
	FILE *f;

	if (argc < 4)
		errx(100, "usage: ran_text out addresses command [arg ...]");
	pid = fork();
	if (pid == 0) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		execv(argv[3], argv + 3);
		_exit(111);
	}
	if (pid == -1 || waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status))
		errx(111, "unable to run %s", argv[3]);
	ptrace(PTRACE_SETOPTIONS, pid, NULL,
	    (void *)(long)(PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
		PTRACE_O_TRACECLONE | PTRACE_O_EXITKILL));
	set_all(pid, argv[2]);
	ptrace(PTRACE_CONT, pid, NULL, NULL);
	status = follow(pid);
	f = fopen(argv[1], "w");
	for (i = 0; f != NULL && i < SIZE; i++)
		if (ran[i])
			fprintf(f, "%016zx\n", BASE + i);
	if (f == NULL || fclose(f) != 0)
		err(111, "%s", argv[1]);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 111;
}
