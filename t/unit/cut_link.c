/*
 * cut_link: a link that breaks.
 *
 * cut_link [-r] [-s rcvbuf] DIR PORT [BYTES ...]
 *	Listens on a free port of 127.0.0.1, which it writes to DIR/port, and
 *	carries each connection to PORT there and back.  Connection n, from 0,
 *is cut after so many bytes of the sender have gone through, the n-th of BYTES
 *(0 and those behind the last: never); both ends see it closed, with -r reset.
 *DIR/n.bytes has how many there were once it is over.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/io.h"

static int reset, rcvbuf, keepfd;
static unsigned number;

static struct sockaddr_in
place(int port)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	    .sin_port = htons((uint16_t)port)};

	return a;
}

static _Noreturn void
over(int a, int b, uint64_t bytes)
{
	struct linger l = {1, 0};
	char name[40], to[40];
	int fd;

	if (reset) {
		setsockopt(a, SOL_SOCKET, SO_LINGER, &l, sizeof(l));
		setsockopt(b, SOL_SOCKET, SO_LINGER, &l, sizeof(l));
	}
	close(a);
	close(b);
	snprintf(name, sizeof(name), "%u.new", number);
	snprintf(to, sizeof(to), "%u.bytes", number);
	fd = openat(keepfd, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	dprintf(fd, "%" PRIu64 "\n", bytes);
	close(fd);
	renameat(keepfd, name, keepfd, to);
	exit(0);
}

/* What one says, at most so much of it, to the other: its length. */
static size_t
carry(int from, int to, uint64_t most)
{
	static char piece[65536];
	ssize_t n;

	n = read(from, piece, most < sizeof(piece) ? most : sizeof(piece));
	if (n <= 0 || io_write_full(to, piece, (size_t)n) == -1)
		return 0;
	return (size_t)n;
}

static _Noreturn void
serve(int from, int to, uint64_t most)
{
	struct pollfd p[2] = {
	    {.fd = from, .events = POLLIN}, {.fd = to, .events = POLLIN}};
	uint64_t done = 0;
	size_t n;

	for (;;) {
		if (done == most)
			over(from, to, done);
		if (poll(p, 2, -1) == -1)
			err(111, "poll");
		if (p[0].revents) {
			n = carry(from, to, most - done);
			done += n;
			if (n == 0) {
				shutdown(to, SHUT_WR);
				p[0].fd = -1;
			}
		}
		if (p[1].revents && carry(to, from, UINT64_MAX) == 0)
			over(from, to, done);
	}
}

static void
listen_there(int s)
{
	struct sockaddr_in a = place(0);
	socklen_t len = sizeof(a);
	int fd;

	if (rcvbuf > 0)
		setsockopt(s, SOL_SOCKET, SO_RCVBUF, &rcvbuf, sizeof(rcvbuf));
	if (bind(s, (struct sockaddr *)&a, sizeof(a)) == -1 ||
	    listen(s, 128) == -1 ||
	    getsockname(s, (struct sockaddr *)&a, &len) == -1)
		err(111, "listen");
	fd = openat(keepfd, "port.new", O_WRONLY | O_CREAT | O_TRUNC, 0600);
	dprintf(fd, "%d\n", ntohs(a.sin_port));
	close(fd);
	renameat(keepfd, "port.new", keepfd, "port");
}

int
main(int argc, char **argv)
{
	struct sockaddr_in a;
	int c, s, from, to;
	uint64_t most;

	while ((c = getopt(argc, argv, "rs:")) != -1)
		if (c == 'r')
			reset = 1;
		else if (c == 's')
			rcvbuf = atoi(optarg);
		else
			return 100;
	argv += optind;
	if (argc - optind < 2)
		errx(100, "see the head of cut_link.c");
	keepfd = open(argv[0], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	s = socket(AF_INET, SOCK_STREAM, 0);
	if (keepfd == -1 || s == -1)
		err(111, "%s", argv[0]);
	a = place(atoi(argv[1]));
	argv += 2;
	listen_there(s);
	signal(SIGCHLD, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	for (;; number++, close(from)) {
		from = accept(s, NULL, NULL);
		if (from == -1)
			err(111, "accept");
		most = *argv != NULL ? strtoull(*argv++, NULL, 10) : 0;
		if (fork() != 0)
			continue;
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(s);
		to = socket(AF_INET, SOCK_STREAM, 0);
		if (connect(to, (struct sockaddr *)&a, sizeof(a)) == -1)
			over(from, to, 0);
		serve(from, to, most == 0 ? UINT64_MAX : most);
	}
}
