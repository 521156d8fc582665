#include "base/opener.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/child.h"
#include "base/deadline.h"
#include "base/io.h"
#include "base/passfd.h"
#include "base/sandbox.h"

enum {
	BLOCK = 1 << 20,
	FILES = 4096,
	DEATHS = 16, /* of openers, that the keeper makes good */
	ANY = 0	     /* no question's serial: that of whoever waits */
};

struct ask {
	uint32_t serial;
	char what[OPENER_NAME];
};

struct answer {
	uint32_t serial;
	int err; /* 0: a descriptor comes with it */
	char why[OPENER_WHY];
};

/* --- the opener ------------------------------------------------------------
 */

/* All of it in memory; takes fd over. */
static int
copy(int fd)
{
	int to = memfd_create("copy", MFD_CLOEXEC), err = 0;
	char *p = malloc(BLOCK);
	uint64_t len = 0;
	ssize_t n = -1;

	while (to != -1 && p != NULL && err == 0 &&
	    (n = io_pread_full(fd, p, BLOCK, len)) > 0) {
		len += (uint64_t)n;
		if (len > (uint64_t)OPENER_COPY << 20)
			err = EFBIG;
		else if (io_write_full(to, p, (size_t)n) == -1)
			err = errno;
	}
	if (err == 0 && n == -1)
		err = errno;
	close(fd);
	free(p);
	if (err != 0 && to != -1) {
		close(to);
		to = -1;
	}
	errno = err;
	return to;
}

/* It is open; does it answer, and is it to be had without its server? */
static int
tried(int fd)
{
	struct statfs fs;
	char c;

	/* not every program that serves files knows how many there are */
	if (fstatfs(fd, &fs) == -1 || fs.f_type == FUSE_SUPER_MAGIC)
		return copy(fd);
	if (pread(fd, &c, 1, 0) != -1)
		return fd;
	close(fd);
	return -1;
}

static void
answer(int sock, struct answer a, int fd)
{
	struct iovec iov = {&a, sizeof(a)};
	struct msghdr mh = {.msg_iov = &iov, .msg_iovlen = 1};
	union passfd u;

	passfd_put(&mh, &u, fd);
	if (sendmsg(sock, &mh, MSG_NOSIGNAL) == -1)
		_exit(1);
}

static _Noreturn void
serve(int sock, const struct opener_how *how)
{
	struct answer to = {0};
	const char *why;
	struct ask a;
	ssize_t n;
	int fd;

	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	for (;;) {
		n = recv(sock, &a, sizeof(a), 0);
		if (n <= (ssize_t)offsetof(struct ask, what))
			_exit(0);
		a.what[sizeof(a.what) - 1] = '\0';
		why = NULL;
		fd = how->open(how->arg, a.what, &why);
		if (fd != -1 && how->connect_ms == 0)
			fd = tried(fd);
		to.serial = a.serial;
		to.err = fd != -1 ? 0 : errno != 0 ? errno : EIO;
		snprintf(to.why, sizeof(to.why), "%s", why != NULL ? why : "");
		answer(sock, to, fd);
		if (fd != -1)
			close(fd);
	}
}

/* Whatever else is open would be held as long as the opener hangs: the core's
 * pipe, a report. */
static void
close_but(int a, int b, int c)
{
	struct rlimit rl = {.rlim_cur = FILES};
	int fd, most;

	getrlimit(RLIMIT_NOFILE, &rl);
	most = rl.rlim_cur < FILES ? (int)rl.rlim_cur : FILES;
	for (fd = 0; fd < most; fd++) {
		if (fd == a || fd == b || fd == c)
			continue;
#if defined(SYS_close_range) /* Linux 5.9 */
		if (fd > a && fd > b && fd > c &&
		    syscall(SYS_close_range, fd, ~0U, 0) == 0)
			return;
#endif
		close(fd);
	}
}

/* One that serves.  Its end, if it comes unasked, shows on *endfd. */
static pid_t
employ(int sock, int nextfd, const struct opener_how *how, int *endfd)
{
	pid_t self = getpid(), pid;
	int p[2];

	if (pipe2(p, O_CLOEXEC) == -1)
		return -1;
	pid = child_fork();
	if (pid == 0) {
		close(nextfd);
		close(p[0]);
		if (getppid() != self)
			_exit(1);
		serve(sock, how);
	}
	close(p[1]);
	*endfd = p[0];
	return pid;
}

/* It may end, or not: another does its work. */
static void
dismiss(pid_t pid, int endfd)
{
	int status;

	close(endfd);
	if (waitpid(pid, &status, WNOHANG) == 0)
		kill(pid, SIGKILL);
}

/* 1 the next one is asked for, 0 that one died, -1 nobody asks any more. */
static int
await(int nextfd, int endfd)
{
	struct pollfd p[2] = {{.fd = nextfd, .events = POLLIN}, {.fd = endfd}};
	char c;

	while (poll(p, 2, -1) == -1)
		if (errno != EINTR)
			return -1;
	if (p[0].revents == 0)
		return 0;
	return read(nextfd, &c, 1) == 1 ? 1 : -1;
}

/* After so many deaths: nobody is to wait for an answer. */
static void
refuse(int sock, struct answer no)
{
	struct ask a;

	while (recv(sock, &a, sizeof(a), 0) > (ssize_t)sizeof(a.serial)) {
		no.serial = a.serial;
		answer(sock, no, -1);
	}
}

static _Noreturn void
keep(int sock, int nextfd, const struct opener_how *how)
{
	static const struct answer died = {
	    .serial = ANY, .err = EPIPE, .why = "its opener has died"};
	int deaths = 0, endfd = -1, r = 1;
	pid_t pid;

	close_but(sock, nextfd, how->keepfd);
	io_forget();
	if (how->drop && geteuid() == 0 && sandbox_approach(0) == -1)
		_exit(1);
	while (r != -1 && deaths < DEATHS) {
		pid = employ(sock, nextfd, how, &endfd);
		if (pid == -1)
			break;
		r = await(nextfd, endfd);
		dismiss(pid, endfd);
		if (r == 1 && write(nextfd, "", 1) != 1)
			break;
		if (r == 0) {
			deaths++;
			answer(sock, died, -1);
		}
	}
	if (deaths == DEATHS)
		refuse(sock, died);
	_exit(0);
}

/* --- who asks --------------------------------------------------------------
 */

int
opener_start(struct opener *o, const struct opener_how *how)
{
	int ask[2] = {-1, -1}, next[2] = {-1, -1}, err;
	pid_t self = getpid();

	memset(o, 0, sizeof(*o));
	o->askfd = o->nextfd = -1;
	o->each = how->connect_ms > 0 ? how->connect_ms : OPENER_MS;
	o->all = how->connect_ms > 0 ? INT64_MAX : OPENER_ALL_MS;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ask) == -1 ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, next) == -1)
		goto fail;
	o->keeper = child_fork();
	if (o->keeper == -1)
		goto fail;
	if (o->keeper == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
		if (getppid() != self)
			_exit(1);
		keep(ask[1], next[1], how);
	}
	close(ask[1]);
	close(next[1]);
	o->askfd = ask[0];
	o->nextfd = next[0];
	return 0;
fail:
	err = errno;
	for (self = 0; self < 2; self++) {
		if (ask[self] != -1)
			close(ask[self]);
		if (next[self] != -1)
			close(next[self]);
	}
	errno = err;
	return -1;
}

/* 1 the answer, 0 one to an earlier question, -1 with errno. */
static int
hear(struct opener *o, int64_t deadline, int *fd)
{
	struct answer a;
	struct iovec iov = {&a, sizeof(a)};
	union passfd u;
	struct msghdr mh = {.msg_iov = &iov, .msg_iovlen = 1};
	int r = deadline_poll(o->askfd, POLLIN, deadline);

	*fd = -1;
	if (r == 0)
		errno = ETIMEDOUT;
	if (r <= 0)
		return -1;
	errno = EPIPE;
	passfd_room(&mh, &u);
	if (recvmsg(o->askfd, &mh, MSG_CMSG_CLOEXEC) != (ssize_t)sizeof(a) ||
	    passfd_take(&mh, fd) == -1)
		return -1;
	if (a.serial == o->serial || a.serial == ANY) {
		memcpy(o->why, a.why, sizeof(o->why) - 1);
		errno = a.err;
		return *fd != -1 || a.err != 0 ? 1 : -1;
	}
	if (*fd != -1)
		close(*fd);
	return 0;
}

/* Has the one that hangs killed, and waits until there is another. */
static void
next(struct opener *o)
{
	char c;

	if (write(o->nextfd, "", 1) == 1 &&
	    deadline_poll(o->nextfd, POLLIN, deadline_in(OPENER_MS)) > 0)
		(void)!read(o->nextfd, &c, 1);
}

int
opener_open(struct opener *o, const char *what)
{
	struct ask a = {.serial = ++o->serial};
	size_t len = strlen(what) + 1;
	int64_t left = o->all - o->spent, start = deadline_in(0);
	int fd, r, err;

	*o->why = '\0';
	if (len > sizeof(a.what)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if (left <= 0) {
		errno = ETIMEDOUT;
		return -1;
	}
	memcpy(a.what, what, len);
	len += offsetof(struct ask, what);
	if (write(o->askfd, &a, len) != (ssize_t)len)
		return -1;
	do
		r = hear(o, start + (left < o->each ? left : o->each), &fd);
	while (r == 0);
	err = errno;
	o->spent += deadline_in(0) - start;
	if (r == -1 && err == ETIMEDOUT)
		next(o);
	errno = err;
	return r == 1 ? fd : -1;
}

void
opener_end(struct opener *o)
{
	int status;

	if (o->askfd == -1)
		return;
	close(o->askfd);
	close(o->nextfd);
	o->askfd = -1;
	/* else it ends by itself, and is init's to wait for */
	waitpid(o->keeper, &status, WNOHANG);
}
