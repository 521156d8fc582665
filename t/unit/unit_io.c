/*
 * unit_io: base/io, base/owned, base/inroot, base/deadline: files, directories
 * and locks that are ours, links of another root, what interrupts, waiting.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/deadline.h"
#include "base/inroot.h"
#include "base/io.h"
#include "base/owned.h"

#include "check.h"

enum { LATE_S = 240 };

static void
test_buf(void)
{
	struct buf b = {0};
	char big[5000];
	size_t i;

	CHECK(buf_append(&b, "", 0) == 0 && b.len == 0 && *b.p == '\0');
	memset(big, 'x', sizeof(big));
	for (i = 0; i < 100; i++)
		CHECK(buf_append(&b, big, 37 * i) == 0);
	CHECK(b.len == 37 * 4950 && b.p[b.len] == '\0');
	CHECK(strlen(b.p) == b.len && b.cap > b.len);
	errno = 0;
	CHECK(buf_reserve(&b, SIZE_MAX) == -1 && errno == ENOMEM);
	CHECK(buf_reserve(&b, SIZE_MAX / 2) == -1 && errno == ENOMEM);
	CHECK(strlen(b.p) == b.len && b.len == 37 * 4950);
	buf_free(&b);
	CHECK(b.p == NULL && b.len == 0 && b.cap == 0);
	buf_free(&b);
}

static void
test_io_files(void)
{
	char name[] = "/tmp/unit_base.XXXXXX", got[16];
	int fd = mkstemp(name), dir = open("/", O_RDONLY), full;

	CHECK(fd != -1 && unlink(name) == 0);
	CHECK(io_write_full(fd, "0123456789", 10) == 0);
	CHECK(io_pread_full(fd, got, 4, 3) == 4);
	CHECK(memcmp(got, "3456", 4) == 0);
	CHECK(io_pread_full(fd, got, 16, 8) == 2);
	CHECK(io_pread_full(fd, got, 16, 10) == 0);
	CHECK(io_pread_full(fd, got, 0, 0) == 0);
	CHECK(lseek(fd, 5, SEEK_SET) == 5);
	CHECK(io_read_full(fd, got, 16) == 5 && memcmp(got, "56789", 5) == 0);
	errno = 0;
	CHECK(io_read_full(dir, got, 16) == -1 && errno == EISDIR);
	CHECK(io_pread_full(dir, got, 16, 0) == -1 && errno == EISDIR);
	CHECK(io_read_full(-1, got, 16) == -1 && errno == EBADF);
	full = open("/dev/full", O_WRONLY);
	CHECK(io_write_full(full, "x", 1) == -1 && errno == ENOSPC);
	CHECK(io_write_full(full, "x", 0) == 0);
	close(full);
	close(dir);
	close(fd);
}

static void
test_slurp(void)
{
	char dir[] = "/tmp/unit_base.XXXXXX";
	struct buf empty = {0}, b = {0}, big = {0};
	int dirfd, fd, cut = 9;
	size_t max;

	if (mkdtemp(dir) == NULL || (dirfd = open(dir, O_RDONLY)) == -1)
		exit(111);
	buf_reserve(&big, 100000);
	memset(big.p, 'z', 100000);
	fd = openat(dirfd, "f", O_WRONLY | O_CREAT, 0600);
	CHECK(io_write_full(fd, big.p, 100000) == 0);
	close(fd);
	buf_append(&b, "head", 4);
	for (max = 99999; max <= 100001; max++) {
		b.len = 4;
		CHECK(io_slurp(dirfd, "f", max, &b, &cut) == 0);
		CHECK(cut == (max < 100000));
		CHECK(b.len == 4 + (max < 100000 ? max : 100000));
		CHECK(memcmp(b.p, "headzz", 6) == 0 && b.p[b.len] == '\0');
		b.len = 4;
		CHECK(io_slurp_once(dirfd, "f", max, &b, &cut) == 0);
		CHECK(cut == (max < 100000));
		CHECK(b.len == 4 + (max < 100000 ? max : 100000));
	}
	b.len = 4;
	CHECK(io_slurp(dirfd, "f", 0, &b, &cut) == 0 && b.len == 4 && cut);
	CHECK(io_slurp(dirfd, "f", SIZE_MAX, &b, NULL) == 0);
	CHECK(b.len == 100004);
	b.len = 4;
	errno = 0;
	CHECK(io_slurp(dirfd, "none", 9, &b, &cut) == -1 && errno == ENOENT);
	CHECK(io_slurp(dirfd, ".", 9, &b, &cut) == -1 && errno == EISDIR);
	CHECK(b.len == 4);
	/* what was reserved for an empty one is freed */
	CHECK(io_slurp(dirfd, ".", 9, &empty, NULL) == -1 && empty.p == NULL);
	/* nobody writes to it: no wait */
	CHECK(mkfifoat(dirfd, "p", 0600) == 0);
	CHECK(io_slurp(dirfd, "p", 9, &b, &cut) == 0 && b.len == 4);
	CHECK(io_slurp(AT_FDCWD, "/proc/self/status", 1 << 16, &b, &cut) == 0);
	CHECK(strstr(b.p, "\nPid:\t") != NULL);
	b.len = 0;
	CHECK(io_slurp_once(AT_FDCWD, "/proc/self/status", 1 << 16, &b, &cut) ==
	    0);
	CHECK(strstr(b.p, "\nnonvoluntary_ctxt_switches:\t") != NULL);
	unlinkat(dirfd, "f", 0);
	unlinkat(dirfd, "p", 0);
	rmdir(dir);
	close(dirfd);
	buf_free(&b);
	buf_free(&big);
}

/* Class 7: what a name leads to is known before it is opened. */
static void
test_open_regular(void)
{
	char dir[] = "/tmp/unit_io.XXXXXX", c;
	int dirfd, fd;

	MUST(mkdtemp(dir) != NULL);
	dirfd = open(dir, O_RDONLY);
	MUST(dirfd != -1);
	fd = openat(dirfd, "f", O_WRONLY | O_CREAT, 0600);
	CHECK(write(fd, "x", 1) == 1);
	close(fd);
	MUST(symlinkat("f", dirfd, "l") == 0);
	MUST(mkfifoat(dirfd, "p", 0600) == 0);
	fd = io_open_regular(dirfd, "f");
	CHECK(fd != -1 && read(fd, &c, 1) == 1 && c == 'x');
	CHECK(fcntl(fd, F_GETFD) == FD_CLOEXEC);
	close(fd);
	fd = io_open_regular(dirfd, "l");
	CHECK(fd != -1 && read(fd, &c, 1) == 1 && c == 'x');
	close(fd);
	FAILS(io_open_regular(dirfd, "p"), ENODEV);
	FAILS(io_open_regular(dirfd, "."), ENODEV);
	FAILS(io_open_regular(AT_FDCWD, "/dev/null"), ENODEV);
	FAILS(io_open_regular(dirfd, "none"), ENOENT);
	unlinkat(dirfd, "f", 0);
	unlinkat(dirfd, "l", 0);
	unlinkat(dirfd, "p", 0);
	rmdir(dir);
	close(dirfd);
}

/* --- owned -----------------------------------------------------------------
 */

static void
test_owned_dir(const char *dir)
{
	char path[64], link[64];
	struct stat st;
	int fd, made = 7;

	snprintf(path, sizeof(path), "%s/d", dir);
	snprintf(link, sizeof(link), "%s/l", dir);
	umask(0);
	FAILS(owned_dir(path, OWNED_ANY, NULL), ENOENT);
	fd = owned_dir(path, OWNED_OURS, &made);
	CHECK(fd != -1 && made == 1);
	CHECK(fstat(fd, &st) == 0 && (st.st_mode & 07777) == 0700);
	CHECK(fcntl(fd, F_GETFD) == FD_CLOEXEC);
	close(fd);
	fd = owned_dir(path, OWNED_OURS, &made);
	CHECK(fd != -1 && made == 0);
	close(fd);
	CHECK(symlink(path, link) == 0);
	FAILS(owned_dir(link, OWNED_ANY, &made), ENOTDIR);
	CHECK(chmod(path, 0720) == 0);
	FAILS(owned_dir(path, OWNED_OURS, NULL), EPERM);
	CHECK(chmod(path, 0702) == 0);
	FAILS(owned_dir(path, OWNED_ANY, NULL), EPERM);
	CHECK(chmod(path, 0755) == 0);
	if (geteuid() == 0) {
		CHECK(chown(path, 4711, 0) == 0);
		FAILS(owned_dir(path, OWNED_OURS, NULL), EPERM);
		FAILS(owned_dir(path, OWNED_OURS_OR_ROOTS, NULL), EPERM);
		fd = owned_dir(path, OWNED_ANY, NULL);
		CHECK(fd != -1);
		close(fd);
	}
}

static void
test_owned_lock(int dirfd)
{
	struct stat st;
	int fd, other;

	fd = owned_lock(dirfd, "lock", deadline_in(0), &st);
	CHECK(fd != -1 && !owned_idle(dirfd, "lock"));
	FAILS(owned_lock(dirfd, "lock", deadline_in(20), &st), ETIMEDOUT);
	/* one that was removed is nobody's: the next is a file that is there */
	CHECK(unlinkat(dirfd, "lock", 0) == 0);
	other = owned_lock(dirfd, "lock", deadline_in(0), &st);
	CHECK(other != -1 && !owned_idle(dirfd, "lock"));
	close(fd);
	CHECK(!owned_idle(dirfd, "lock"));
	close(other);
	CHECK(owned_idle(dirfd, "lock"));
	CHECK(!owned_idle(dirfd, "none"));
	CHECK(symlinkat("lock", dirfd, "link") == 0);
	FAILS(owned_lock(dirfd, "link", deadline_in(0), &st), ELOOP);
	FAILS(owned_file(dirfd, "link"), ENODEV);
	CHECK(mkfifoat(dirfd, "fifo", 0600) == 0);
	FAILS(owned_lock(dirfd, "fifo", deadline_in(0), &st), EPERM);
	FAILS(owned_file(dirfd, "fifo"), ENODEV);
	FAILS(owned_sub(dirfd, "fifo"), ENOTDIR);
}

static void
test_owned(void)
{
	char dir[] = "/tmp/unit_io.XXXXXX", rm[64];
	int dirfd = -1;

	MUST(mkdtemp(dir) != NULL);
	dirfd = open(dir, O_RDONLY);
	MUST(dirfd != -1);
	test_owned_dir(dir);
	test_owned_lock(dirfd);
	close(dirfd);
	snprintf(rm, sizeof(rm), "rm -rf %s", dir);
	CHECK(system(rm) == 0);
}

/* --- interruptions -------------------------------------------------------- */

/* In memory of both processes. */
static volatile int *interrupted;

static void
count(int signo)
{
	(void)signo;
	++*interrupted;
}

/*
 * In the child: waits until the parent sleeps, interrupts that sleep, and
 * returns when the handler has run: a system call has then met EINTR.  0 when
 * the parent never slept.
 */
static int
interrupt(pid_t parent)
{
	int64_t deadline = deadline_in(10000);
	char path[64], s[512], *state;
	int before = *interrupted, fd, asleep = 0;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)parent);
	while (deadline_left(deadline) > 0 && *interrupted == before) {
		fd = open(path, O_RDONLY);
		n = read(fd, s, sizeof(s) - 1);
		close(fd);
		if (n <= 0)
			return 0;
		s[n] = '\0';
		state = strrchr(s, ')');
		if (asleep || (state != NULL && state[2] == 'S')) {
			if (!asleep)
				kill(parent, SIGUSR1);
			asleep = 1;
		}
	}
	return asleep && *interrupted != before;
}

/* Feeds (write) or drains the other end of a pipe, byte by byte at first,
 * with an interruption before each. */
static pid_t
other_end(int fd, int write_end, size_t total)
{
	pid_t parent = getpid(), pid;
	size_t done = 0, want;
	char s[4096];
	ssize_t n;

	fflush(stdout);
	pid = fork();
	if (pid != 0)
		return pid;
	memset(s, 'q', sizeof(s));
	while (done < total) {
		if (done < 20 && !interrupt(parent))
			_exit(1);
		want = done < 20 ? 1 : total - done;
		if (want > sizeof(s))
			want = sizeof(s);
		n = write_end ? write(fd, s, want) : read(fd, s, want);
		if (n <= 0)
			_exit(2);
		done += (size_t)n;
	}
	_exit(0);
}

static void
test_io_interrupted(void)
{
	enum { TOTAL = 1 << 20 };
	struct sigaction sa = {.sa_handler = count}; /* no SA_RESTART */
	char *s = malloc(TOTAL);
	int p[2], status;
	size_t i;
	pid_t pid;

	interrupted = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (interrupted == MAP_FAILED || s == NULL ||
	    sigaction(SIGUSR1, &sa, NULL) == -1 || pipe(p) == -1)
		exit(111);
	pid = other_end(p[1], 1, TOTAL);
	CHECK(io_read_full(p[0], s, TOTAL) == TOTAL);
	for (i = 0; i < TOTAL && s[i] == 'q'; i++)
		continue;
	CHECK(i == TOTAL);
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	CHECK(*interrupted >= 20);
	*interrupted = 0;
	pid = other_end(p[0], 0, TOTAL);
	CHECK(io_write_full(p[1], s, TOTAL) == 0);
	do
		errno = 0;
	while (waitpid(pid, &status, 0) != pid && errno == EINTR);
	CHECK(status == 0);
	CHECK(*interrupted >= 20);
	/* the end of the file ends a read */
	CHECK(write(p[1], "abc", 3) == 3);
	close(p[1]);
	CHECK(io_read_full(p[0], s, 10) == 3);
	CHECK(io_read_full(p[0], s, 10) == 0);
	close(p[0]);
	free(s);
}

/* --- deadline ------------------------------------------------------------- */

static int64_t
now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void
test_deadline(void)
{
	int64_t start, d;
	int p[2], status;
	pid_t pid, parent = getpid();

	CHECK(deadline_in(-1) == INT64_MAX);
	CHECK(deadline_left(INT64_MAX) == -1);
	CHECK(deadline_left(deadline_in(0)) == 0);
	CHECK(deadline_left(deadline_in(-1)) == -1);
	CHECK(deadline_left(0) == 0 && deadline_left(-5) == 0);
	d = deadline_in(60000);
	CHECK(deadline_left(d) > 0 && deadline_left(d) <= 60000);
	CHECK(deadline_left(deadline_in(INT64_C(1) << 40)) == INT_MAX);

	if (pipe(p) == -1)
		exit(111);
	start = now_ms();
	CHECK(deadline_poll(p[0], POLLIN, deadline_in(30)) == 0 &&
	    errno == ETIMEDOUT);
	CHECK(now_ms() - start >= 29);
	CHECK(deadline_poll(p[0], POLLIN, deadline_in(0)) == 0);
	CHECK(deadline_poll(p[1], POLLOUT, deadline_in(0)) == POLLOUT);
	/* interrupted, it waits on; and not beyond its deadline */
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		int ok = interrupt(parent) && interrupt(parent);

		_exit(ok && write(p[1], "x", 1) == 1 ? 0 : 1);
	}
	CHECK(deadline_poll(p[0], POLLIN, deadline_in(-1)) == POLLIN);
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	close(p[1]);
	CHECK(
	    deadline_poll(p[0], POLLIN, deadline_in(-1)) == (POLLIN | POLLHUP));
	close(p[0]);
	CHECK(deadline_poll(p[0], POLLIN, deadline_in(-1)) == POLLNVAL);
}

/* What path is below that root, by either way; ino 0: none. */
static void
leads(int rootfd, const char *path, ino_t ino)
{
	int (*const way[])(int, const char *) = {inroot_path, inroot_walk};
	struct stat st;
	size_t i;
	int fd;

	for (i = 0; i < 2; i++) {
		fd = way[i](rootfd, path);
		CHECK_OF(path, fd != -1 ? ino != 0 : ino == 0);
		CHECK_OF(path,
		    fd == -1 || (fstat(fd, &st) == 0 && st.st_ino == ino));
		if (fd != -1)
			close(fd);
	}
}

/* A link out of the root is a link within it. */
static void
test_inroot(void)
{
	static const char *const made[] = {"absolute", "out", "loop", "etc/in",
	    "etc/up", "etc/out", "etc/root"};
	char dir[] = "/tmp/unit_io.XXXXXX", deep[300];
	struct stat in, top;
	size_t i;
	int rootfd;

	MUST(mkdtemp(dir) != NULL);
	rootfd = open(dir, O_RDONLY | O_DIRECTORY);
	MUST(rootfd != -1 && mkdirat(rootfd, "etc", 0755) == 0);
	close(openat(rootfd, "etc/in", O_CREAT | O_WRONLY, 0644));
	MUST(
	    fstatat(rootfd, "etc/in", &in, 0) == 0 && fstat(rootfd, &top) == 0);
	MUST(symlinkat("/etc/in", rootfd, "absolute") == 0 &&
	    symlinkat("../../../../etc/in", rootfd, "etc/up") == 0 &&
	    symlinkat("/etc/passwd", rootfd, "out") == 0 &&
	    symlinkat("../../../../../etc/passwd", rootfd, "etc/out") == 0 &&
	    symlinkat("/", rootfd, "etc/root") == 0 &&
	    symlinkat("loop", rootfd, "loop") == 0);
	leads(rootfd, "/etc/in", in.st_ino);
	leads(rootfd, "absolute", in.st_ino);
	leads(rootfd, "etc/up", in.st_ino);
	leads(rootfd, "etc/root/absolute", in.st_ino);
	leads(rootfd, "../..", top.st_ino);
	leads(rootfd, "out", 0);
	leads(rootfd, "etc/out", 0);
	leads(rootfd, "etc/root/etc/passwd", 0);
	leads(rootfd, "../../../etc/passwd", 0);
	leads(rootfd, "etc/in/..", 0);
	leads(rootfd, "loop", 0);
	memset(deep, 'n', sizeof(deep));
	deep[sizeof(deep) - 1] = '\0';
	leads(rootfd, deep, 0);
	for (i = 0; i < NELEM(made); i++)
		unlinkat(rootfd, made[i], 0);
	unlinkat(rootfd, "etc", AT_REMOVEDIR);
	close(rootfd);
	CHECK(rmdir(dir) == 0);
}

int
main(void)
{
	/* a lock that is waited for without end is a failure, too */
	alarm(LATE_S);
	test_buf();
	test_io_files();
	test_slurp();
	test_open_regular();
	test_owned();
	test_inroot();
	test_io_interrupted();
	test_deadline();
	return check_report();
}
