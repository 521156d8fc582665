/*
 * unit_net: net/local, both ends in one process.
 * Prints one line per failed check; exits 0 when there was none.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/deadline.h"
#include "net/local.h"

static char dir[] = "/tmp/unit_net.XXXXXX";

#include "check.h"

static int
open_fds(void)
{
	int fd, n = 0;

	for (fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) != -1;
	return n;
}

/* Sends size bytes with any number of descriptors, as only a foe would. */
static void
send_many(int fd, size_t size, int nfds)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(8 * sizeof(int))];
	} c;
	char data[64] = "abcdefgh";
	struct iovec iov = {data, size};
	struct msghdr mh = {.msg_iov = &iov, .msg_iovlen = 1};
	int fds[8] = {0};

	memset(&c, 0, sizeof(c));
	if (nfds > 0) {
		mh.msg_control = &c;
		mh.msg_controllen = CMSG_SPACE((size_t)nfds * sizeof(int));
		c.align.cmsg_level = SOL_SOCKET;
		c.align.cmsg_type = SCM_RIGHTS;
		c.align.cmsg_len = CMSG_LEN((size_t)nfds * sizeof(int));
		memcpy(CMSG_DATA(&c.align), fds, (size_t)nfds * sizeof(int));
	}
	CHECK(sendmsg(fd, &mh, MSG_NOSIGNAL) == (ssize_t)size);
}

static void
test_packets(int type)
{
	int p[2], got, before, nfds;
	char b[8];
	int64_t soon = deadline_in(30), later = deadline_in(5000);
	int packets = type == SOCK_SEQPACKET;

	CHECK(socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, p) == 0);
	before = open_fds();
	CHECK(net_send(p[0], "abcdefgh", 8, -1, later) == 0);
	CHECK(net_recv(p[1], b, 8, &got, later) == 1 && got == -1);
	CHECK(memcmp(b, "abcdefgh", 8) == 0);
	CHECK(net_send(p[0], "abcdefgh", 8, 0, later) == 0);
	CHECK(net_recv(p[1], b, 8, &got, later) == 1 && got != -1);
	CHECK(fcntl(got, F_GETFD) == FD_CLOEXEC);
	close(got);
	CHECK(open_fds() == before);
	for (nfds = 1; nfds <= 8; nfds++) {
		send_many(p[0], 8, nfds);
		FAILS(net_recv(p[1], b, 8, NULL, later), EPROTO);
		CHECK(open_fds() == before);
		if (nfds == 1)
			continue;
		send_many(p[0], 8, nfds);
		FAILS(net_recv(p[1], b, 8, &got, later), EPROTO);
		CHECK(got == -1 && open_fds() == before);
	}
	FAILS(net_recv(p[1], b, 8, &got, soon), ETIMEDOUT);
	if (packets) {
		send_many(p[0], 9, 1);
		FAILS(net_recv(p[1], b, 8, &got, later), EMSGSIZE);
		CHECK(got == -1 && open_fds() == before);
		send_many(p[0], 7, 1);
		FAILS(net_recv(p[1], b, 8, &got, later), EMSGSIZE);
		CHECK(got == -1 && open_fds() == before);
	} else {
		send_many(p[0], 3, 0);
		send_many(p[0], 5, 0);
		CHECK(net_recv(p[1], b, 8, &got, later) == 1);
		CHECK(memcmp(b, "abcabcde", 8) == 0);
		send_many(p[0], 3, 1);
		send_many(p[0], 5, 1);
		FAILS(net_recv(p[1], b, 8, &got, later), EPROTO);
		CHECK(open_fds() == before);
		send_many(p[0], 3, 1);
		CHECK(shutdown(p[0], SHUT_WR) == 0);
		FAILS(net_recv(p[1], b, 8, &got, later), EMSGSIZE);
		CHECK(open_fds() == before);
	}
	close(p[0]);
	CHECK(net_recv(p[1], b, 8, &got, later) == 0);
	FAILS(net_send(p[1], b, 8, -1, later), EPIPE);
	close(p[1]);
}

/* A peer that answers and goes without reading: the answer still counts. */
static void
test_answer_and_go(void)
{
	int p[2];
	char b[8];
	int64_t later = deadline_in(5000);

	CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, p) == 0);
	CHECK(net_send(p[1], "question", 8, -1, later) == 0);
	CHECK(net_send(p[0], "refusal!", 8, -1, later) == 0);
	close(p[0]);
	CHECK(net_recv(p[1], b, 8, NULL, later) == 1);
	CHECK(memcmp(b, "refusal!", 8) == 0);
	close(p[1]);
}

static void
closefrom_3(void)
{
	int fd;

	for (fd = 3; fd < 64; fd++)
		close(fd);
}

static void
test_no_room(void)
{
	struct rlimit old, none;
	int p[2], got;
	char b[8];

	CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, p) == 0);
	CHECK(net_send(p[0], "abcdefgh", 8, 0, deadline_in(5000)) == 0);
	getrlimit(RLIMIT_NOFILE, &old);
	none = old;
	/* poll(2) itself wants room; fill what holes there are below */
	none.rlim_cur = 64;
	setrlimit(RLIMIT_NOFILE, &none);
	while (dup(0) != -1)
		;
	FAILS(net_recv(p[1], b, 8, &got, deadline_in(5000)), EMFILE);
	CHECK(got == -1);
	setrlimit(RLIMIT_NOFILE, &old);
	closefrom_3();
}

static void
test_full(void)
{
	int p[2], i;
	int64_t soon;
	char b[8] = {0};

	/* Nobody reads: the send ends at its deadline, not before nor never. */
	CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, p) == 0);
	for (i = 0; i < 1000000; i++)
		if (send(p[0], b, sizeof(b), MSG_DONTWAIT) == -1)
			break;
	soon = deadline_in(50);
	FAILS(net_send(p[0], b, 8, -1, soon), ETIMEDOUT);
	CHECK(deadline_left(soon) == 0);
	close(p[0]);
	close(p[1]);
}

static void
test_listen(void)
{
	struct net_listener a, b;
	struct ucred peer;
	struct stat st;
	char path[200], lock[200];
	int fd, listening;
	int64_t later = deadline_in(5000);
	pid_t pid;

	snprintf(path, sizeof(path), "%s/new/sock", dir);
	snprintf(lock, sizeof(lock), "%s/new", dir);
	umask(0);
	CHECK(net_listen(path, SOCK_SEQPACKET, 0600, 9, later, &a) == 0);
	CHECK(stat(path, &st) == 0 && (st.st_mode & 07777) == 0600);
	CHECK(stat(lock, &st) == 0 && (st.st_mode & 07777) == 0755);
	CHECK(net_is_local(a.fd, &listening) == 0 && listening);
	FAILS(net_listen(path, SOCK_SEQPACKET, 0600, 9, deadline_in(20), &b),
	    EADDRINUSE);
	fd = net_connect(path, SOCK_SEQPACKET, later);
	CHECK(fd != -1 && net_peer(fd, &peer) == 0 && peer.pid == getpid());
	CHECK(net_is_local(fd, &listening) == 0 && !listening);
	close(fd);
	FAILS(net_connect(path, SOCK_STREAM, later), EPROTOTYPE);
	net_unlisten(&a);
	net_unlisten(&a);
	CHECK(stat(path, &st) == -1 && errno == ENOENT);

	/* killed: the socket is left, the lock is not */
	pid = fork();
	if (pid == 0) {
		_exit(
		    net_listen(path, SOCK_SEQPACKET, 0600, 9, later, &a) == -1);
	}
	CHECK(waitpid(pid, &listening, 0) == pid && listening == 0);
	CHECK(stat(path, &st) == 0);
	FAILS(net_connect(path, SOCK_SEQPACKET, later), ECONNREFUSED);
	umask(077);
	CHECK(net_listen(path, SOCK_SEQPACKET, 0666, 9, later, &a) == 0);
	CHECK(stat(path, &st) == 0 && (st.st_mode & 07777) == 0666);

	/* somebody listens without the lock */
	unlink(lock);
	strcpy(lock, path);
	strcat(lock, ".lock");
	CHECK(unlink(lock) == 0);
	FAILS(net_listen(path, SOCK_SEQPACKET, 0600, 9, later, &b), EADDRINUSE);
	/* our path has become another's: it stays */
	CHECK(unlink(path) == 0);
	close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	net_unlisten(&a);
	CHECK(stat(path, &st) == 0 && S_ISREG(st.st_mode));
	FAILS(net_listen(path, SOCK_SEQPACKET, 0600, 9, later, &b), EEXIST);
	CHECK(unlink(path) == 0);
	/* a link is not followed, nor replaced */
	CHECK(symlink("elsewhere", path) == 0);
	FAILS(net_listen(path, SOCK_SEQPACKET, 0600, 9, later, &b), EEXIST);
	CHECK(unlink(path) == 0 && unlink(lock) == 0);
	CHECK(symlink("elsewhere", lock) == 0);
	FAILS(net_listen(path, SOCK_SEQPACKET, 0600, 9, later, &b), ELOOP);
	CHECK(unlink(lock) == 0);
	CHECK(mkfifo(lock, 0600) == 0);
	FAILS(net_listen(path, SOCK_SEQPACKET, 0600, 9, later, &b), EPERM);
	CHECK(unlink(lock) == 0);
	FAILS(
	    net_listen("rel/sock", SOCK_SEQPACKET, 0600, 9, later, &b), EINVAL);
	memset(lock, 'x', sizeof(lock));
	lock[0] = '/';
	lock[120] = '\0';
	FAILS(
	    net_listen(lock, SOCK_SEQPACKET, 0600, 9, later, &b), ENAMETOOLONG);
}

static void
test_parent(void)
{
	struct net_listener l;
	char sub[100], path[120], link[120];
	int64_t later = deadline_in(5000);

	snprintf(sub, sizeof(sub), "%s/open", dir);
	snprintf(path, sizeof(path), "%s/open/sock", dir);
	CHECK(mkdir(sub, 0700) == 0 && chmod(sub, 0777) == 0);
	FAILS(net_listen(path, SOCK_SEQPACKET, 0600, 9, later, &l), EPERM);
	CHECK(chmod(sub, 0775) == 0);
	FAILS(net_listen(path, SOCK_SEQPACKET, 0600, 9, later, &l), EPERM);
	CHECK(chmod(sub, 0755) == 0);
	if (geteuid() == 0) {
		CHECK(chown(sub, 65534, 65534) == 0);
		FAILS(net_listen(path, SOCK_SEQPACKET, 0600, 9, later, &l),
		    EPERM);
		CHECK(chown(sub, 0, 0) == 0);
	}
	snprintf(link, sizeof(link), "%s/link", dir);
	CHECK(symlink("open", link) == 0);
	snprintf(path, sizeof(path), "%s/link/sock", dir);
	/* open(2): ENOTDIR with O_DIRECTORY, ELOOP on some */
	CHECK(net_listen(path, SOCK_SEQPACKET, 0600, 9, later, &l) == -1 &&
	    (errno == ENOTDIR || errno == ELOOP));
}

/* A backlog that is full is waited for, and no longer than the deadline. */
static void
test_backlog(void)
{
	struct net_listener l;
	char path[120];
	int fd[2], third;
	int64_t soon, later = deadline_in(5000);

	snprintf(path, sizeof(path), "%s/backlog", dir);
	CHECK(net_listen(path, SOCK_SEQPACKET, 0600, 0, later, &l) == 0);
	fd[0] = net_connect(path, SOCK_SEQPACKET, later);
	CHECK(fd[0] != -1);
	soon = deadline_in(50);
	FAILS(fd[1] = net_connect(path, SOCK_SEQPACKET, soon), ETIMEDOUT);
	CHECK(deadline_left(soon) == 0);
	third = accept(l.fd, NULL, NULL);
	CHECK(third != -1);
	fd[1] = net_connect(path, SOCK_SEQPACKET, later);
	CHECK(fd[1] != -1);
	close(fd[0]);
	close(fd[1]);
	close(third);
	net_unlisten(&l);
}

static void
test_activated(void)
{
	char pid[16];

	unsetenv("LISTEN_PID");
	CHECK(net_activated() == 0);
	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	setenv("LISTEN_PID", "1", 1);
	setenv("LISTEN_FDS", "1", 1);
	CHECK(net_activated() == 0);
	setenv("LISTEN_PID", pid, 1);
	setenv("LISTEN_FDS", "1x", 1);
	FAILS(net_activated(), EINVAL);
	setenv("LISTEN_FDS", "-1", 1);
	FAILS(net_activated(), EINVAL);
	setenv("LISTEN_FDS", "1000", 1); /* not open */
	FAILS(net_activated(), EINVAL);
	setenv("LISTEN_PID", pid, 1);
	setenv("LISTEN_FDS", "1", 1);
	CHECK(dup2(0, NET_ACTIVATED) == NET_ACTIVATED);
	CHECK(net_activated() == 1 && getenv("LISTEN_FDS") == NULL);
	CHECK(fcntl(NET_ACTIVATED, F_GETFD) == FD_CLOEXEC);
	close(NET_ACTIVATED);
}

int
main(void)
{
	char rm[64];

	signal(SIGPIPE, SIG_DFL);
	if (mkdtemp(dir) == NULL)
		return 111;
	test_packets(SOCK_SEQPACKET);
	test_packets(SOCK_STREAM);
	test_answer_and_go();
	test_no_room();
	test_full();
	test_listen();
	test_parent();
	test_backlog();
	test_activated();
	snprintf(rm, sizeof(rm), "rm -rf %s", dir);
	if (system(rm) != 0)
		return 111;
	return check_report();
}
