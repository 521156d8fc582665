/*
 * acceptor: an accept loop with a child for each connection.
 *
 * Children are bounded, and so are those for one host: the next connections
 * wait, first come first served, and whoever has waited too long is told so.
 * Hostile: whoever connects; nothing is read before there is a child.  Nothing
 * is printed.  One acceptor per process (net/pool.h).
 */
#ifndef NET_ACCEPTOR_H
#define NET_ACCEPTOR_H

#include <stdint.h>

#include "net/pool.h"
#include "net/waiting.h"

enum { ACCEPTOR_WAITING = 512 };

enum acceptor_event { ACCEPTOR_CONNECTED, ACCEPTOR_REFUSED, ACCEPTOR_TROUBLE };

struct acceptor {
	int listenfd;	  /* non-blocking; closed by acceptor_run() */
	unsigned perhost; /* children */
	int64_t waitms;	  /* how long a connection may wait for its child */
	/* In the child: serves the connection; its exit code. */
	int (*serve)(void *arg, int connfd);
	void *arg;
	/* The line, with its newline, that tells a peer why. */
	void (*refusal)(const char *reason, char *line, size_t size);
	/* For the log: what happened to whom (tcp_peer() text, or "").  With
	 * ACCEPTOR_TROUBLE errno says more. */
	void (*event)(enum acceptor_event, const char *peer, const char *what);
	/* private */
	struct pool pool;
	struct waiting waiting;
	int64_t rest; /* accept nothing before */
	int ailing;   /* and it has been said why */
};

/* Room for that many children; killed as in struct pool.  -1 ENOMEM. */
int
acceptor_init(struct acceptor *, unsigned max, void (*killed)(pid_t, int sig));
/*
 * Runs until SIGTERM or SIGINT; then listens no more, sends away who waits,
 * and waits finishms for the children, or for another such signal.  The number
 * of children left.
 */
unsigned acceptor_run(struct acceptor *, int64_t finishms);

#endif
