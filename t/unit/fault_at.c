/*
 * fault_at [-o FILE] POINT FAULT command [argument ...]
 *
 * Runs the command; at one system call of it, or of one of its children, things
 * go wrong.  POINT is P:N, the N-th call of the P-th process (both from 1; a
 * thread counts as one), in the order in which they are made.  FAULT is
 *
 *	ERRNO	EIO, ENOSPC, EINTR, EMFILE, ENOMEM: the call is not made
 *	KILL	the process is killed in place of the call
 *	short	of a read or write only one byte is asked for
 *	none	nothing; FILE gets each call, as "P:N name first-argument"
 *
 * FILE gets the call that was hit; nothing, if it never came.  Exits as the
 * command does; 111 when it cannot be run.
 */
#include <elf.h>
#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TRACEES = 4096, FDS = 1024 };

#if defined(__x86_64__)
#define RESULT(r) ((r).rax)
#define ARG1(r) ((r).rdi)
#define ARG3(r) ((r).rdx)
#elif defined(__aarch64__)
#define RESULT(r) ((r).regs[0])
#define ARG1(r) ((r).regs[0])
#define ARG3(r) ((r).regs[2])
#endif

/* Those that the faults are chosen by, and that reports of them need. */
static const struct {
	long nr;
	const char *name;
} names[] = {
#define CALL(name)                \
	{                         \
		SYS_##name, #name \
	}
    CALL(read), CALL(write), CALL(pread64), CALL(pwrite64), CALL(readv),
    CALL(writev), CALL(openat), CALL(close), CALL(ftruncate), CALL(fstat),
    CALL(fsync), CALL(fdatasync), CALL(fallocate), CALL(linkat), CALL(unlinkat),
    CALL(mkdirat), CALL(symlinkat), CALL(readlinkat), CALL(fchown),
    CALL(fchmod), CALL(flock), CALL(fcntl), CALL(lseek), CALL(getdents64),
    CALL(statfs), CALL(fstatfs), CALL(socket), CALL(connect), CALL(bind),
    CALL(listen), CALL(accept4), CALL(sendto), CALL(sendmsg), CALL(recvfrom),
    CALL(recvmsg), CALL(setsockopt), CALL(getsockopt), CALL(shutdown),
    CALL(ppoll), CALL(pipe2), CALL(dup), CALL(dup3), CALL(clone), CALL(wait4),
    CALL(waitid), CALL(execve), CALL(exit), CALL(exit_group),
    CALL(rt_sigreturn), CALL(mmap), CALL(munmap), CALL(mprotect), CALL(brk),
    CALL(prctl), CALL(prlimit64), CALL(setresuid), CALL(setresgid),
    CALL(setgroups), CALL(capset), CALL(chroot), CALL(chdir), CALL(fchdir),
    CALL(process_vm_readv), CALL(splice), CALL(tee), CALL(kill), CALL(seccomp),
    CALL(futex), CALL(newfstatat), CALL(renameat2), CALL(rt_sigprocmask),
    CALL(rt_sigaction), CALL(mincore), CALL(madvise), CALL(umask),
#ifdef SYS_open
    CALL(open), CALL(poll), CALL(pipe), CALL(dup2), CALL(fork), CALL(vfork),
    CALL(rename), CALL(mkdir), CALL(unlink), CALL(stat), CALL(access),
    CALL(readlink), CALL(symlink), CALL(link), CALL(rmdir), CALL(alarm),
#endif
    CALL(renameat), CALL(faccessat), CALL(sigaltstack), CALL(clone3),
    CALL(getrandom), CALL(setsid), CALL(fadvise64), CALL(copy_file_range),
    CALL(sendfile), CALL(statx)};

static const struct {
	const char *name;
	int err;
} faults[] = {{"EIO", EIO}, {"ENOSPC", ENOSPC}, {"EINTR", EINTR},
    {"EMFILE", EMFILE}, {"ENOMEM", ENOMEM}};

struct tracee {
	pid_t pid;
	unsigned calls;
	struct user_regs_struct held; /* as they were, where it is failed */
	int failing;
};

static struct tracee *tracees;
static unsigned ntracees, point_p, point_n;
static int fault_err, fault_kill, fault_short;
static FILE *out;

static const char *
name_of(long nr)
{
	static char text[32];
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (names[i].nr == nr)
			return names[i].name;
	snprintf(text, sizeof(text), "call-%ld", nr);
	return text;
}

static struct tracee *
tracee_of(pid_t pid)
{
	unsigned i;

	for (i = 0; i < ntracees; i++)
		if (tracees[i].pid == pid)
			return &tracees[i];
	if (ntracees == TRACEES)
		errx(111, "too many processes");
	tracees[ntracees].pid = pid;
	return &tracees[ntracees++];
}

static void
registers(pid_t pid, int set, struct user_regs_struct *r)
{
	struct iovec v = {r, sizeof(*r)};

	/* it may have been killed in the meantime */
	ptrace(set ? PTRACE_SETREGSET : PTRACE_GETREGSET, pid, NT_PRSTATUS, &v);
}

/* Another call in the place of the one that is about to be made. */
static void
call_instead(pid_t pid, struct user_regs_struct *r, int nr)
{
#if defined(__aarch64__)
	struct iovec v = {&nr, sizeof(nr)};

	ptrace(PTRACE_SETREGSET, pid, NT_ARM_SYSTEM_CALL, &v);
#else
	r->orig_rax = (unsigned long)nr;
#endif
	registers(pid, 1, r);
}

static int
moves_bytes(long nr)
{
	return nr == SYS_read || nr == SYS_write || nr == SYS_pread64 ||
	    nr == SYS_pwrite64 || nr == SYS_recvfrom || nr == SYS_sendto;
}

/* The call is about to be made. */
static void
enter(struct tracee *t, const struct __ptrace_syscall_info *info)
{
	struct user_regs_struct r = {0};
	long nr = (long)info->entry.nr;
	int hit;

	t->calls++;
	hit = (unsigned)(t - tracees) + 1 == point_p && t->calls == point_n;
	if (!hit && (point_p != 0 || out == NULL))
		return;
	if (out != NULL) {
		fprintf(out, "%u:%u %s %lld\n", (unsigned)(t - tracees) + 1,
		    t->calls, name_of(nr), (long long)info->entry.args[0]);
		fflush(out);
	}
	if (!hit)
		return;
	registers(t->pid, 0, &r);
	if (fault_kill) {
		kill(t->pid, SIGKILL);
	} else if (fault_short && moves_bytes(nr) && ARG3(r) > 1) {
		ARG3(r) = 1;
		registers(t->pid, 1, &r);
	} else if (fault_err != 0) {
		/* one that no sandbox minds and that does nothing */
		t->held = r;
		t->failing = 1;
		ARG1(r) = (unsigned long)-1;
		call_instead(t->pid, &r, SYS_lseek);
	}
}

static void
leave(struct tracee *t)
{
	if (!t->failing)
		return;
	t->failing = 0;
	RESULT(t->held) = (unsigned long)-fault_err;
	registers(t->pid, 1, &t->held);
}

/* A stop of it; the signal to go on with. */
static int
stopped(struct tracee *t, int status)
{
	struct __ptrace_syscall_info info;
	int sig = WSTOPSIG(status);

	if (sig == (SIGTRAP | 0x80)) {
		if (ptrace(PTRACE_GET_SYSCALL_INFO, t->pid, sizeof(info),
			&info) <= 0)
			return 0; /* it has been killed */
		if (info.op == PTRACE_SYSCALL_INFO_ENTRY)
			enter(t, &info);
		else
			leave(t);
		return 0;
	}
	if (status >> 16 != 0 || (sig == SIGSTOP && t->calls == 0))
		return 0;
	return sig;
}

static int
trace(pid_t first)
{
	struct tracee *t;
	int status, code = 111, sig;
	pid_t pid;

	while ((pid = waitpid(-1, &status, __WALL)) != -1) {
		t = tracee_of(pid);
		if (WIFSTOPPED(status)) {
			sig = stopped(t, status);
			ptrace(PTRACE_SYSCALL, pid, NULL, (long)sig);
			continue;
		}
		if (pid == first)
			code = WIFEXITED(status) ? WEXITSTATUS(status)
						 : 128 + WTERMSIG(status);
		t->pid = -1;
	}
	return code;
}

static void
parse(const char *point, const char *fault)
{
	size_t i;

	if (strcmp(fault, "none") == 0)
		return;
	if (sscanf(point, "%u:%u", &point_p, &point_n) != 2 || point_p < 1 ||
	    point_p > TRACEES)
		errx(100, "no point: %s", point);
	fault_kill = strcmp(fault, "KILL") == 0;
	fault_short = strcmp(fault, "short") == 0;
	for (i = 0; i < sizeof(faults) / sizeof(*faults); i++)
		if (strcmp(fault, faults[i].name) == 0)
			fault_err = faults[i].err;
	if (!fault_kill && !fault_short && fault_err == 0)
		errx(100, "no fault: %s", fault);
}

int
main(int argc, char **argv)
{
	int status, fd;
	pid_t pid;

	if (argc > 2 && strcmp(argv[1], "-o") == 0) {
		out = fopen(argv[2], "we");
		if (out == NULL)
			err(111, "%s", argv[2]);
		argc -= 2;
		argv += 2;
	}
	if (argc < 4)
		errx(100, "usage: fault_at [-o file] point fault command ...");
	parse(argv[1], argv[2]);
	tracees = calloc(TRACEES, sizeof(*tracees));
	pid = tracees == NULL ? -1 : fork();
	if (pid == -1)
		err(111, "fork");
	if (pid == 0) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
		execv(argv[3], argv + 3);
		_exit(111);
	}
	if (waitpid(pid, &status, __WALL) != pid ||
	    ptrace(PTRACE_SETOPTIONS, pid, NULL,
		PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK |
		    PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE |
		    PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL) == -1)
		err(111, "ptrace");
	tracee_of(pid);
	/* its descriptors are not ours to hold */
	for (fd = 0; fd < FDS; fd++)
		if (fd != STDERR_FILENO && (out == NULL || fd != fileno(out)))
			close(fd);
	ptrace(PTRACE_SYSCALL, pid, NULL, 0L);
	return trace(pid);
}
