/*
 * taken_over: a worker in an enemy's hands.
 *
 * Linked into a program (ld --wrap), it stands where that goes behind the door.
 * Once in, it does the deed that TAKEN_OVER names, to the process TAKEN_OVER_AT
 * where one is done to somebody, and exits: 42 it was let, 43 it got an error.
 * "stay" sits there for ever; so does "garble", when it has written what is no
 * report; "late" does when the report is made, and writes on, as does "flood",
 * more than it may.  For the parent of such a one "unkillable" is what no
 * signal ends.
 */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/child.h"
#include "base/sandbox.h"
#include "out/out.h"

enum { LET = 42, REFUSED = 43, FDS = 64, FLOOD = 256 /* times 64 KiB */ };

int __real_sandbox_enter(enum sandbox_role, const struct sandbox_bounds *,
    pid_t parent, const char **why);
int __wrap_sandbox_enter(enum sandbox_role, const struct sandbox_bounds *,
    pid_t parent, const char **why);
/* who makes no report has none */
int __real_out_finish(struct out *) __attribute__((weak));
int __wrap_out_finish(struct out *);
int __real_child_end(pid_t, int64_t deadline, int *status);
int __wrap_child_end(pid_t, int64_t deadline, int *status);

static long victim;
static int is_in; /* behind the door */

static long
do_fork(void)
{
	return syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
}

static long
do_exec(void)
{
	static char name[] = "true";
	char *argv[] = {name, NULL};

	return execve("/bin/true", argv, NULL);
}

static long
do_socket(void)
{
	return syscall(SYS_socket, AF_INET, SOCK_STREAM, 0);
}

static long
do_connect(void)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX, .sun_path = "/run/x"};

	return syscall(SYS_connect, 0, &to, sizeof(to));
}

static long
do_trace(void)
{
	return syscall(SYS_ptrace, PTRACE_ATTACH, victim, 0, 0);
}

static long
do_create(void)
{
	return syscall(
	    SYS_openat, AT_FDCWD, "/tmp/taken_over", O_WRONLY | O_CREAT, 0755);
}

static long
do_read(void)
{
	return syscall(SYS_openat, AT_FDCWD, "/etc/passwd", O_RDONLY);
}

static long
do_kill(void)
{
	return syscall(SYS_kill, victim, SIGKILL);
}

static long
do_namespace(void)
{
	return syscall(SYS_unshare, CLONE_NEWUSER);
}

static long
do_outlive(void)
{
	return syscall(SYS_prctl, PR_SET_PDEATHSIG, 0, 0, 0, 0);
}

static long
do_session(void)
{
	return syscall(SYS_setsid);
}

static long
do_pass(void)
{
	struct msghdr mh = {0};

	return syscall(SYS_sendmsg, 0, &mh, 0);
}

static void
nap(void)
{
	const struct timespec ms = {.tv_nsec = 1000000};

	nanosleep(&ms, NULL);
}

static long
do_stay(void)
{
	while (getpid() != 0)
		nap();
	return 0;
}

/* To all files it has, n times 64 KiB of empty lines. */
static void
write_all(int n)
{
	static char lines[64 << 10];
	struct stat st;
	int fd;

	memset(lines, '\n', sizeof(lines));
	while (n-- > 0)
		for (fd = STDERR_FILENO + 1; fd < FDS; fd++)
			if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
				(void)!write(fd, lines, sizeof(lines));
}

static long
do_garble(void)
{
	write_all(1);
	return do_stay();
}

static const struct {
	const char *name;
	long (*act)(void);
} deeds[] = {{"fork", do_fork}, {"exec", do_exec}, {"socket", do_socket},
    {"connect", do_connect}, {"trace", do_trace}, {"create", do_create},
    {"read", do_read}, {"kill", do_kill}, {"namespace", do_namespace},
    {"outlive", do_outlive}, {"session", do_session}, {"pass", do_pass},
    {"garble", do_garble}, {"stay", do_stay}};

static int
wanted(const char *name)
{
	const char *deed = getenv("TAKEN_OVER");

	return deed != NULL && strcmp(deed, name) == 0;
}

int
__wrap_sandbox_enter(enum sandbox_role role, const struct sandbox_bounds *b,
    pid_t parent, const char **why)
{
	const char *at = getenv("TAKEN_OVER_AT");
	int r = __real_sandbox_enter(role, b, parent, why);
	size_t i;

	is_in = r != -1;
	victim = at != NULL ? atol(at) : parent;
	for (i = 0; is_in && i < NELEM(deeds); i++)
		if (wanted(deeds[i].name))
			_exit(deeds[i].act() == -1 ? REFUSED : LET);
	return r;
}

int
__wrap_out_finish(struct out *o)
{
	int r = __real_out_finish(o), fd;

	if (is_in && wanted("flood")) {
		write_all(FLOOD);
		do_stay();
	}
	while (is_in && (wanted("late") || wanted("unkillable")))
		for (nap(), fd = STDERR_FILENO + 1; fd < FDS; fd++)
			(void)!write(fd, "forged\n", 7);
	return r;
}

int
__wrap_child_end(pid_t pid, int64_t deadline, int *status)
{
	if (wanted("unkillable"))
		return child_wait(pid, deadline, status) == 1 ? 0 : -1;
	return __real_child_end(pid, deadline, status);
}
