/*
 * server: one connection that was given to us, or an acceptor.
 *
 * inetd(8) gives a connection on fd 0, a service manager (sd_listen_fds(3)) a
 * connection or a listening socket; else the program listens itself.  Nothing
 * is printed.
 */
#ifndef NET_SERVER_H
#define NET_SERVER_H

#include "net/acceptor.h"
#include "net/local.h"

struct server {
	int local;  /* local sockets are served, else streams of any kind */
	int connfd; /* a connection to serve in place of all others, or -1 */
	struct acceptor acceptor; /* its listenfd -1: nothing was given */
	struct net_listener own;  /* a local socket that is ours, or fd -1 */
	char why[80];
};

/*
 * Takes what was given, to connfd or acceptor.listenfd; with inetd it is on fd
 * 0, and where streams are served it may be a pipe.  -1 with why when that is
 * not what this server serves.
 */
int server_given(struct server *, int inetd);
/* Listens at path as net_listen(); -1 with errno. */
int
server_listen(struct server *, const char *path, mode_t mode, int64_t deadline);
/*
 * acceptor_run() until a signal, acceptor_finish() with the socket closed and,
 * when it is ours, removed.  The number of children left.
 */
unsigned server_run(struct server *, int64_t finishms);
/* For the acceptor's child: lets go of the path and its lock. */
void server_forget(struct server *);

#endif
