/*
 * spool_client: an asker for the tests of usercrash_s, good or bad.
 *
 * spool_client [-S socket] [-d dir] [-n slots] [-k key] [-p pid] [-s signal]
 *     [-c comm] [-w ms] MODE [argument]
 *
 *   report TEXT   asks, writes TEXT, completes; without a server it takes and
 *                 publishes the slot itself: "NAME server" or "NAME self"
 *   hold TEXT     the same, but says "asked" and waits for a
 *                 line on stdin before it completes
 *   only TEXT     the same with the server or not at all
 *   abandon       asks, then says that there will be no report
 *   quit          asks, says "asked" and is gone
 *   mute          connects, says nothing: "dropped" when the server hangs up
 *   idle          asks, then says nothing: "dropped" when it hangs up
 *   raw BYTES [FDS]  sends BYTES (hex) with FDS descriptors: the reply's errno
 *   forge BYTES   asks rightly, then sends BYTES (hex) for a completion
 *   twice         like report, and tries to complete a second time
 *   inetd PROGRAM...   a super-server: listens, and becomes PROGRAM with the
 *                 first connection on fds 0 and 1; inetd2: and on fd 2;
 *                 stream: the same as inetd, with a stream socket
 *   listen PROGRAM...  becomes PROGRAM with LISTEN_FDS=1; listen2: with 2
 * Exit codes: 0 done, 1 refused (strerror on stdout), 100 usage, 111 other.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/deadline.h"
#include "base/io.h"
#include "net/local.h"
#include "slots/protocol.h"
#include "slots/slots.h"

static const char *sockpath = SPOOL_SOCKET;
static struct slots_cfg cfg;
static struct spool_request req;
static int waitms = 10000;

static int
refused(void)
{
	printf("%s\n", strerror(errno));
	return 1;
}

static int
broken(const char *what)
{
	fprintf(stderr, "spool_client: %s: %s\n", what, strerror(errno));
	return 111;
}

static int64_t
later(void)
{
	return deadline_in(waitms);
}

static int
mode_report(const char *mode, const char *text)
{
	struct slots_entry entry = {.key = req.key, .uid = req.uid};
	struct spool_published pub;
	char line[16];
	int connfd, dirfd = -1, fd;
	const char *by = "server";

	connfd = spool_ask(sockpath, &req, later(), &fd);
	if (connfd == -1) {
		if (strcmp(mode, "only") == 0)
			return refused();
		by = "self";
		dirfd = slots_open(&cfg);
		if (dirfd == -1)
			return refused();
		fd = slots_tmp(dirfd, &cfg, later());
		if (fd == -1)
			return refused();
	}
	if (io_write_full(fd, text, strlen(text)) == -1)
		return broken("write");
	if (strcmp(mode, "hold") == 0) {
		printf("asked\n");
		fflush(stdout);
		if (fgets(line, sizeof(line), stdin) == NULL)
			return 111;
	}
	if (connfd == -1 || spool_complete(connfd, later(), &pub) == -1) {
		if (strcmp(mode, "only") == 0)
			return refused();
		by = "self";
		if (dirfd == -1)
			dirfd = slots_open(&cfg);
		if (dirfd == -1 ||
		    slots_publish(dirfd, fd, &cfg, later(), &entry) == -1)
			return refused();
	}
	printf("%s %s\n", strcmp(by, "self") == 0 ? entry.name : pub.name, by);
	if (strcmp(mode, "twice") == 0 &&
	    spool_complete(connfd, later(), &pub) == -1)
		return refused();
	return 0;
}

static int
wait_dropped(int fd)
{
	char b[64];
	int r = deadline_poll(fd, POLLIN | POLLHUP, later());

	if (r > 0 && recv(fd, b, sizeof(b), MSG_DONTWAIT) > 0) {
		/* a server that drops us first says why, in one packet */
		r = deadline_poll(fd, POLLIN | POLLHUP, later());
		if (r > 0 && recv(fd, b, sizeof(b), MSG_DONTWAIT) > 0) {
			printf("chatter\n");
			return 1;
		}
	}
	if (r <= 0) {
		printf("still there\n");
		return 1;
	}
	printf("dropped\n");
	return 0;
}

static size_t
unhex(const char *s, unsigned char *out, size_t max)
{
	size_t n;
	unsigned v;

	for (n = 0; n < max && sscanf(s, "%2x", &v) == 1; n++, s += 2)
		out[n] = (unsigned char)v;
	return n;
}

static int
send_raw(int fd, const char *hex, int nfds)
{
	static unsigned char data[70000];
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(8 * sizeof(int))];
	} c;
	struct iovec iov = {data, 0};
	struct msghdr mh = {.msg_iov = &iov, .msg_iovlen = 1};
	int fds[8] = {0};

	/* "+N": N zero bytes */
	if (*hex == '+')
		iov.iov_len = (size_t)atoi(hex + 1);
	else
		iov.iov_len = unhex(hex, data, sizeof(data));
	if (iov.iov_len > sizeof(data) || nfds > 8)
		return -1;
	if (nfds > 0) {
		memset(&c, 0, sizeof(c));
		mh.msg_control = &c;
		mh.msg_controllen = CMSG_SPACE((size_t)nfds * sizeof(int));
		c.align.cmsg_level = SOL_SOCKET;
		c.align.cmsg_type = SCM_RIGHTS;
		c.align.cmsg_len = CMSG_LEN((size_t)nfds * sizeof(int));
		memcpy(CMSG_DATA(&c.align), fds, (size_t)nfds * sizeof(int));
	}
	return sendmsg(fd, &mh, MSG_NOSIGNAL) == -1 ? -1 : 0;
}

static int
mode_raw(const char *hex, int nfds)
{
	struct spool_head reply;
	int fd, got, r;

	fd = net_connect(sockpath, SOCK_SEQPACKET, later());
	if (fd == -1)
		return broken("connect");
	if (send_raw(fd, hex, nfds) == -1)
		return broken("send");
	r = net_recv(fd, &reply, sizeof(reply), &got, later());
	if (r != 1)
		return broken("reply");
	if (reply.status == 0 && got != -1) {
		printf("accepted\n");
		return 0;
	}
	errno = reply.status;
	return refused();
}

static int
mode_other(const char *mode, const char *arg)
{
	struct spool_published pub;
	int connfd, fd;

	if (strcmp(mode, "mute") == 0) {
		fd = net_connect(sockpath, SOCK_SEQPACKET, later());
		if (fd == -1)
			return broken("connect");
		printf("connected\n");
		fflush(stdout);
		return wait_dropped(fd);
	}
	connfd = spool_ask(sockpath, &req, later(), &fd);
	if (connfd == -1)
		return refused();
	if (strcmp(mode, "abandon") == 0) {
		spool_abandon(connfd, ENOSPC);
		return wait_dropped(connfd);
	}
	printf("asked\n");
	fflush(stdout);
	if (strcmp(mode, "quit") == 0)
		return 0;
	if (strcmp(mode, "idle") == 0)
		return wait_dropped(connfd);
	if (send_raw(connfd, arg, 0) == -1)
		return broken("send");
	if (net_recv(connfd, &pub, sizeof(pub), NULL, later()) == 1 &&
	    pub.head.status == 0)
		return 0;
	return refused();
}

/* Stands in for inetd, s6-ipcserver and systemd. */
static int
mode_super(const char *mode, char *argv[])
{
	struct net_listener l;
	char pid[16];
	int fd, type = *mode == 's' ? SOCK_STREAM : SOCK_SEQPACKET;

	if (argv[0] == NULL)
		return 100;
	if (net_listen(sockpath, type, 0600, 9, later(), &l) == -1)
		return broken("listen");
	if (*mode == 'l') {
		if (dup2(l.fd, 10) == -1 || dup2(10, NET_ACTIVATED) == -1 ||
		    dup2(10, NET_ACTIVATED + 1) == -1)
			return broken("dup2");
		snprintf(pid, sizeof(pid), "%d", (int)getpid());
		setenv("LISTEN_PID", pid, 1);
		setenv("LISTEN_FDS", mode[6] ? "2" : "1", 1);
	} else {
		if (deadline_poll(l.fd, POLLIN, later()) <= 0)
			return broken("wait");
		fd = accept(l.fd, NULL, NULL);
		if (fd == -1)
			return broken("accept");
		if (dup2(fd, 0) == -1 || dup2(fd, 1) == -1 ||
		    (strcmp(mode, "inetd2") == 0 && dup2(fd, 2) == -1))
			return broken("dup2");
		close(fd);
		net_unlisten(&l);
	}
	execv(argv[0], argv);
	return broken(argv[0]);
}

int
main(int argc, char *argv[])
{
	const char *mode, *arg;
	int opt;

	slots_defaults(&cfg);
	cfg.minfree = 0;
	req.pid = (uint32_t)getpid();
	req.signal = 11;
	req.key = 1;
	memcpy(req.comm, "victim", 6);
	while ((opt = getopt(argc, argv, "+S:c:d:k:n:p:s:w:")) != -1)
		switch (opt) {
		case 'S':
			sockpath = optarg;
			break;
		case 'c':
			memset(req.comm, 0, sizeof(req.comm));
			memcpy(req.comm, optarg,
			    strnlen(optarg, sizeof(req.comm)));
			break;
		case 'd':
			cfg.dir = optarg;
			break;
		case 'k':
			req.key = strtoull(optarg, NULL, 10);
			break;
		case 'n':
			cfg.n = (unsigned)atoi(optarg);
			break;
		case 'p':
			req.pid = (uint32_t)atoi(optarg);
			break;
		case 's':
			req.signal = (uint32_t)atoi(optarg);
			break;
		case 'w':
			waitms = atoi(optarg);
			break;
		default:
			return 100;
		}
	if (optind >= argc)
		return 100;
	mode = argv[optind];
	arg = optind + 1 < argc ? argv[optind + 1] : "";
	if (strcmp(mode, "report") == 0 || strcmp(mode, "hold") == 0 ||
	    strcmp(mode, "only") == 0 || strcmp(mode, "twice") == 0)
		return mode_report(mode, arg);
	if (strncmp(mode, "inetd", 5) == 0 || strncmp(mode, "listen", 6) == 0 ||
	    strcmp(mode, "stream") == 0)
		return mode_super(mode, argv + optind + 1);
	if (strcmp(mode, "raw") == 0)
		return mode_raw(
		    arg, optind + 2 < argc ? atoi(argv[optind + 2]) : 0);
	return mode_other(mode, arg);
}
