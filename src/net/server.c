#include "net/server.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int
suits(const struct server *s, int fd, int inetd, int *listening)
{
	int type;

	*listening = 0;
	if (s->local) {
		if (net_is_local(fd, listening) == -1)
			return 0;
	} else if (net_kind(fd, NULL, &type, listening) == -1)
		return inetd;
	else if (type != SOCK_STREAM)
		return 0;
	return !inetd || !*listening;
}

int
server_given(struct server *s, int inetd)
{
	int fd = inetd ? STDIN_FILENO : NET_ACTIVATED, listening;
	int n = inetd ? 1 : net_activated();

	s->connfd = s->acceptor.listenfd = -1;
	s->own = (struct net_listener){.fd = -1, .dirfd = -1, .lockfd = -1};
	if (n == 0)
		return 0;
	if (n == -1)
		snprintf(s->why, sizeof(s->why),
		    "unable to take LISTEN_FDS: %s", strerror(errno));
	else if (n > 1)
		snprintf(s->why, sizeof(s->why),
		    "%d sockets passed: one is wanted", n);
	else if (!suits(s, fd, inetd, &listening))
		snprintf(s->why, sizeof(s->why), "fd %d is not a %s%s", fd,
		    s->local ? "local " : &"stream "[inetd ? 7 : 0],
		    inetd ? "connection" : "socket");
	else if (!listening) {
		s->connfd = fd;
		return 0;
	} else if (fcntl(fd, F_SETFL, O_NONBLOCK) == 0) {
		s->acceptor.listenfd = fd;
		return 0;
	} else
		snprintf(s->why, sizeof(s->why), "unable to use fd %d: %s", fd,
		    strerror(errno));
	return -1;
}

int
server_listen(struct server *s, const char *path, mode_t mode, int64_t deadline)
{
	int r;

	r = net_listen(
	    path, SOCK_SEQPACKET, mode, NET_BACKLOG, deadline, &s->own);
	s->acceptor.listenfd = s->own.fd;
	return r;
}

unsigned
server_run(struct server *s, int64_t finishms)
{
	acceptor_run(&s->acceptor);
	if (s->own.fd == -1)
		close(s->acceptor.listenfd);
	net_unlisten(&s->own);
	return acceptor_finish(&s->acceptor, finishms);
}

void
server_forget(struct server *s)
{
	/* the acceptor has closed it, and the number may be another's */
	s->own.fd = -1;
	net_forget(&s->own);
}
