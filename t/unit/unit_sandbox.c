/*
 * unit_sandbox: what is behind the door, tried from within and seen from
 * outside.
 *
 *   unit_sandbox              every check; 77 when filters are not to be had
 *   unit_sandbox stay ROLE    goes in, says its pid, and stays until stdin ends
 */
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/sandbox.h"
#include "check.h"

enum { GONE_IN = 0, NO_FILTER = 77, NOT_IN = 99 };

static int treefd = -1, outfd, connfd, want_tree;
static pid_t neighbour;

static void
go_in(enum sandbox_role role)
{
	struct sandbox_bounds b = {.memory = 256 << 20,
	    .file = 1 << 16,
	    .cpu_s = 1,
	    .treefd = treefd,
	    .uid = 54321,
	    .gid = 54321};
	const char *why;

	if (sandbox_enter(role, &b, getppid(), &why) == -1)
		_exit(NOT_IN);
	if (why != NULL && (want_tree || strstr(why, "filter") != NULL))
		_exit(NO_FILTER);
}

/* The status of a child that goes in and then does it. */
static int
inside(enum sandbox_role role, void (*act)(void))
{
	pid_t pid = fork();
	int status = -1;

	if (pid == 0) {
		go_in(role);
		act();
		_exit(GONE_IN);
	}
	must(pid != -1 && waitpid(pid, &status, 0) == pid, "fork");
	return status;
}

static void
do_fork(void)
{
	if (syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0) == 0)
		_exit(0);
}

static void
do_exec(void)
{
	static char name[] = "true";
	char *argv[] = {name, NULL};

	execve("/bin/true", argv, NULL);
}

static void
do_socket(void)
{
	syscall(SYS_socket, AF_UNIX, SOCK_STREAM, 0);
}

static void
do_connect(void)
{
	syscall(SYS_connect, 0, NULL, 0);
}

static void
do_sendmsg(void)
{
	syscall(SYS_sendmsg, 0, NULL, 0);
}

static void
do_sendto(void)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX, .sun_path = "x"};

	syscall(SYS_sendto, 0, "", 1, MSG_DONTWAIT, &to, sizeof(to));
}

static void
do_kill(void)
{
	syscall(SYS_kill, neighbour, SIGKILL);
}

static void
do_tgkill(void)
{
	syscall(SYS_tgkill, neighbour, neighbour, SIGKILL);
}

static void
do_trace(void)
{
	syscall(SYS_ptrace, PTRACE_ATTACH, neighbour, 0, 0);
}

static void
do_peek(void)
{
	syscall(SYS_process_vm_readv, neighbour, NULL, 0, NULL, 0, 0);
}

static void
do_unshare(void)
{
	syscall(SYS_unshare, CLONE_NEWUSER);
}

static void
do_setns(void)
{
	syscall(SYS_setns, 0, 0);
}

static void
do_create(void)
{
	syscall(SYS_openat, AT_FDCWD, "x", O_WRONLY | O_CREAT, 0600);
}

static void
do_create_code(void)
{
	syscall(SYS_openat, AT_FDCWD, "x", O_WRONLY | O_CREAT, 04755);
}

static void
do_truncate_open(void)
{
	syscall(SYS_openat, AT_FDCWD, "there", O_RDONLY | O_TRUNC);
}

static void
do_unlink(void)
{
	syscall(SYS_unlinkat, AT_FDCWD, "there", 0);
}

static void
do_link(void)
{
	syscall(SYS_linkat, outfd, "", AT_FDCWD, "x", AT_EMPTY_PATH);
}

static void
do_chmod(void)
{
	syscall(SYS_fchmod, outfd, 0777);
}

static void
do_setuid(void)
{
	syscall(SYS_setuid, 0);
}

static void
do_prctl(void)
{
	syscall(SYS_prctl, PR_SET_PDEATHSIG, 0, 0, 0, 0);
}

static void
do_code(void)
{
	mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1,
	    0);
}

static void
do_become_code(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	mprotect(p, 4096, PROT_READ | PROT_EXEC);
}

static void
do_stat(void)
{
	struct stat st;

#if defined(SYS_newfstatat)
	syscall(SYS_newfstatat, AT_FDCWD, "/etc/passwd", &st, 0);
#else
	syscall(SYS_statx, AT_FDCWD, "/etc/passwd", 0, 0, &st);
#endif
}

static void
do_bpf(void)
{
	syscall(SYS_bpf, 0, NULL, 0);
}

static void
do_cut(void)
{
	syscall(SYS_ftruncate, outfd, 0);
}

static void
do_write_over(void)
{
	syscall(SYS_pwrite64, outfd, "x", 1, 0);
}

static void
do_leave_append(void)
{
	syscall(SYS_fcntl, outfd, F_SETFL, 0);
}

static void
do_setfowner(void)
{
	syscall(SYS_fcntl, outfd, F_SETOWN, neighbour);
}

enum {
	SANE = 64, /* the sanitizers' runtimes need it */
	REWRITES = SANDBOX_REPORT | SANDBOX_SEND | SANDBOX_STORE,
	KEEPERS = SANDBOX_STORE | SANDBOX_LOG
};

static const struct {
	const char *name;
	void (*act)(void);
	unsigned but; /* roles that may */
} forbidden[] = {{"fork", do_fork, 0}, {"exec", do_exec, 0},
    {"socket", do_socket, 0}, {"connect", do_connect, 0},
    {"sendmsg", do_sendmsg, SANDBOX_LOG}, {"send elsewhere", do_sendto, 0},
    {"kill", do_kill, 0}, {"tgkill", do_tgkill, 0}, {"trace", do_trace, 0},
    {"read a neighbour's memory", do_peek, 0},
    {"make a namespace", do_unshare, 0}, {"enter a namespace", do_setns, 0},
    {"create a file", do_create, KEEPERS},
    {"truncate a file", do_truncate_open, KEEPERS},
    {"remove a file", do_unlink, SANDBOX_STORE},
    {"name a file", do_link, SANDBOX_STORE},
    {"make a file that another may run", do_create_code, 0},
    {"change a file's mode", do_chmod, 0}, {"become root", do_setuid, 0},
    {"outlive its parent", do_prctl, SANE}, {"map code", do_code, 0},
    {"make memory code", do_become_code, 0},
    {"look a path up", do_stat, SANE | KEEPERS}, {"load BPF", do_bpf, 0},
    {"have signals sent", do_setfowner, 0},
    {"cut what was written", do_cut, REWRITES},
    {"write over it", do_write_over, REWRITES},
    {"leave O_APPEND", do_leave_append, REWRITES}};

static void
test_forbidden(enum sandbox_role role)
{
	size_t i;
	int status;

	for (i = 0; i < NELEM(forbidden); i++) {
#if defined(SANITIZED)
		if (forbidden[i].but & SANE)
			continue;
#endif
		if (forbidden[i].but & role)
			continue;
		status = inside(role, forbidden[i].act);
		CHECK(sandbox_violation(status) != NULL);
		if (sandbox_violation(status) == NULL)
			printf("role %d: %s: status %#x\n", role,
			    forbidden[i].name, status);
	}
	CHECK(kill(neighbour, 0) == 0);
}

static int
by_byte(const void *a, const void *b)
{
	return *(const char *)a - *(const char *)b;
}

/* What a worker lives of. */
static void
do_work(void)
{
	char *p = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct stat st;
	sigset_t all;

	if (p == MAP_FAILED)
		_exit(1);
	memset(p, 1, 1 << 20);
	qsort(p, 64, 1024, by_byte);
	sigfillset(&all);
	if (sigprocmask(SIG_BLOCK, &all, NULL) == -1 ||
	    fstat(outfd, &st) == -1 || write(outfd, p, 100) != 100 ||
	    ftruncate(outfd, 10) == -1 || lseek(outfd, 0, SEEK_SET) == -1 ||
	    pread(outfd, p, 100, 0) != 10 || poll(NULL, 0, 1) == -1 ||
	    munmap(p, 1 << 20) == -1)
		_exit(2);
}

static void
do_read_tree(void)
{
	int fd = open("there", O_RDONLY);
	char c;

	if (fd == -1 || read(fd, &c, 1) != 1)
		_exit(3);
}

static void
do_read_beside(void)
{
	int fd = open("/etc/passwd", O_RDONLY);

	if (fd != -1)
		_exit(4);
	fd = open("../../../../../../etc/passwd", O_RDONLY);
	if (fd != -1)
		_exit(5);
}

/* What a store's keeper lives of, and its tree alone. */
static void
do_keep(void)
{
	struct statfs fs;
	struct dirent *e;
	DIR *d;
	int fd, n = 0;
	char c;

	if (mkdirat(treefd, "host", 0750) == -1)
		_exit(10);
	fd = openat(treefd, "host/core.part",
	    O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd == -1 || flock(fd, LOCK_EX | LOCK_NB) == -1 ||
	    pwrite(fd, "x", 1, 9) != 1 ||
	    sync_file_range(fd, 0, 9, SYNC_FILE_RANGE_WRITE) == -1 ||
	    fchmod(fd, 0440) == -1 || fsync(fd) == -1 || fstatfs(fd, &fs) == -1)
		_exit(11);
	if (renameat(treefd, "host/core.part", treefd, "host/core") == -1 ||
	    syscall(SYS_renameat2, treefd, "host/core", treefd, "host/core.1",
		1) == -1 ||
	    symlinkat("host/core.1", treefd, "core_dump") == -1 ||
	    faccessat(treefd, "core_dump", F_OK, AT_SYMLINK_NOFOLLOW) == -1)
		_exit(12);
	fd = openat(treefd, "host", O_RDONLY | O_DIRECTORY);
	if (fd == -1 || (d = fdopendir(fd)) == NULL)
		_exit(13);
	while ((e = readdir(d)) != NULL)
		n += strncmp(e->d_name, "core", 4) == 0;
	closedir(d);
	if (n != 1 || unlinkat(treefd, "host/core.1", 0) == -1 ||
	    unlinkat(treefd, "core_dump", 0) == -1 ||
	    unlinkat(treefd, "host", AT_REMOVEDIR) == -1)
		_exit(14);
	if (send(connfd, "x", 1, MSG_NOSIGNAL | MSG_DONTWAIT) != 1 ||
	    shutdown(connfd, SHUT_WR) == -1 ||
	    recv(connfd, &c, 1, MSG_DONTWAIT) != -1 || errno != EAGAIN)
		_exit(15);
}

static void
do_make_beside(void)
{
	if (openat(AT_FDCWD, "/tmp/unit_sandbox.x", O_WRONLY | O_CREAT, 0600) !=
	    -1)
		_exit(16);
}

static void
test_store(void)
{
	int pair[2];

	must(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0, "socketpair");
	connfd = pair[0];
	CHECK(inside(SANDBOX_STORE, do_keep) == 0);
	want_tree = 1;
	if (inside(SANDBOX_STORE, do_make_beside) != NO_FILTER << 8) {
		CHECK(inside(SANDBOX_STORE, do_read_beside) == 0);
		CHECK(inside(SANDBOX_STORE, do_make_beside) == 0);
	}
	want_tree = 0;
	close(pair[0]);
	close(pair[1]);
}

static void
do_too_long(void)
{
	static char block[1 << 12];
	int i;

	signal(SIGXFSZ, SIG_IGN);
	for (i = 0; i < 32; i++)
		if (write(outfd, block, sizeof(block)) !=
		    (ssize_t)sizeof(block))
			_exit(errno == EFBIG && i == 16 ? 0 : 6);
	_exit(7);
}

#if !defined(SANITIZED) /* who map terabytes themselves */
static void
do_too_much(void)
{
	if (mmap(NULL, (size_t)1 << 30, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED)
		_exit(8);
}
#endif

static void
do_loop(void)
{
	for (;;)
		;
}

static void
test_allowed(void)
{
	int saved = treefd;

	CHECK(inside(SANDBOX_REPORT, do_work) == 0);
	CHECK(ftruncate(outfd, 0) == 0 && lseek(outfd, 0, SEEK_SET) == 0);
	CHECK(inside(SANDBOX_SEND, do_work) == 0);
	CHECK(inside(SANDBOX_REPORT, do_read_tree) == 0);
	CHECK(inside(SANDBOX_REPORT, do_read_beside) == 0);
	treefd = -1;
	CHECK(inside(SANDBOX_REPORT, do_read_beside) == 0);
	CHECK(inside(SANDBOX_REPORT, do_read_tree) == 3 << 8);
	treefd = saved;
}

static void
test_bounds(void)
{
	int status;

	CHECK(ftruncate(outfd, 0) == 0 && lseek(outfd, 0, SEEK_SET) == 0);
	CHECK(inside(SANDBOX_REPORT, do_too_long) == 0);
#if !defined(SANITIZED)
	CHECK(inside(SANDBOX_REPORT, do_too_much) == 0);
#endif
	status = inside(SANDBOX_REPORT, do_loop);
	CHECK(WIFSIGNALED(status) &&
	    (WTERMSIG(status) == SIGKILL || WTERMSIG(status) == SIGXCPU));
	CHECK(sandbox_violation(status) == NULL);
}

/* Its parent dies: so does it. */
static void
test_orphan(void)
{
	pid_t middle, worker;
	int p[2], i;
	char c;

	must(pipe(p) == 0, "pipe");
	middle = fork();
	if (middle == 0) {
		worker = fork();
		if (worker == 0) {
			go_in(SANDBOX_REPORT);
			if (write(p[1], "", 1) == 1)
				poll(NULL, 0, -1);
			_exit(0);
		}
		close(p[1]);
		pause();
	}
	close(p[1]);
	CHECK(read(p[0], &c, 1) == 1);
	kill(middle, SIGKILL);
	waitpid(middle, NULL, 0);
	/* the last end of the pipe closes when the worker is gone */
	for (i = 0; i < 2; i++) {
		struct pollfd f = {.fd = p[0], .events = POLLIN};

		if (poll(&f, 1, 30000) == 1 && read(p[0], &c, 1) == 0)
			break;
	}
	CHECK(i < 2);
	close(p[0]);
}

static int
stay(const char *name)
{
	enum sandbox_role role = strcmp(name, "send") == 0 ? SANDBOX_SEND
	    : strcmp(name, "store") == 0		   ? SANDBOX_STORE
	    : strcmp(name, "feed") == 0			   ? SANDBOX_FEED
	    : strcmp(name, "log") == 0			   ? SANDBOX_LOG
							   : SANDBOX_REPORT;
	char c;

	treefd = open("/tmp", O_PATH | O_DIRECTORY);
	go_in(role);
	if (write(STDOUT_FILENO, "in\n", 3) == 3)
		while (read(STDIN_FILENO, &c, 1) > 0)
			;
	return 0;
}

int
main(int argc, char **argv)
{
	char dir[] = "/tmp/unit_sandbox.XXXXXX";
	int fd, status;

	if (argc == 3 && strcmp(argv[1], "stay") == 0)
		return stay(argv[2]);
	must(mkdtemp(dir) != NULL && chmod(dir, 0755) == 0, "mkdtemp");
	must(geteuid() != 0 || chown(dir, 54321, 54321) == 0 || errno == EINVAL,
	    "chown");
	treefd = open(dir, O_PATH | O_DIRECTORY);
	fd = openat(treefd, "there", O_RDWR | O_CREAT, 0644);
	must(fd != -1 && write(fd, "x", 1) == 1, "file");
	close(fd);
	outfd = open("/tmp", O_RDWR | O_TMPFILE, 0600);
	must(outfd != -1, "O_TMPFILE");
	neighbour = fork();
	if (neighbour == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		pause();
		_exit(0);
	}
	status = inside(SANDBOX_REPORT, do_work);
	if (status != NO_FILTER << 8) {
		test_allowed();
		test_forbidden(SANDBOX_REPORT);
		test_forbidden(SANDBOX_SEND);
		test_forbidden(SANDBOX_STORE);
		test_forbidden(SANDBOX_FEED);
		test_forbidden(SANDBOX_LOG);
		test_store();
		test_bounds();
		test_orphan();
	}
	kill(neighbour, SIGKILL);
	waitpid(neighbour, NULL, 0);
	must(unlinkat(treefd, "there", 0) == 0 && rmdir(dir) == 0, "rmdir");
	if (status == NO_FILTER << 8) {
		puts("needs system call filters");
		return NO_FILTER;
	}
	return check_report();
}
