/*
 * acceptor: an accept loop with a child for each connection.
 *
 * Children are bounded, and so are those of one kin: the next connections
 * wait, first come first served, and whoever has waited too long is told so.
 * When all places to wait are taken, a kin that has fewer of them than another
 * gets one of its.
 * Hostile: whoever connects; nothing is read before there is a child.  Nothing
 * is printed.  One acceptor per process (net/pool.h).
 */
#ifndef NET_ACCEPTOR_H
#define NET_ACCEPTOR_H

#include <stdint.h>

#include "net/pool.h"
#include "net/waiting.h"

enum { ACCEPTOR_WAITING = 512 };

struct acceptor {
	int listenfd;	 /* non-blocking; the caller closes it */
	unsigned perkin; /* children */
	/* How long a connection may wait for its child; 0: it does so in the
	 * backlog, for ever, and kin is not looked at. */
	int64_t waitms;
	unsigned places; /* for those that wait; 0: ACCEPTOR_WAITING */
	void *arg;	 /* of all these */
	/* Before there is a child: whose it is.  -1: refused, and told so. */
	int (*admit)(void *arg, int connfd, uint64_t *kin);
	/* In the child: serves the connection; its exit code. */
	int (*serve)(void *arg, int connfd);
	/* Tells an admitted peer why it is not served, and the log; without
	 * waiting.  Where waitms is 0 reason is "fork", and errno says more. */
	void (*refuse)(void *arg, int connfd, const char *reason);
	/* For the log, once for each spell: unable to do that; see errno. */
	void (*trouble)(const char *what);
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
 * Runs until SIGTERM or SIGINT.  acceptor_drain() then takes what has connected
 * so far and serves all who wait, as long as they may, or until another such
 * signal; for a server that lets them wait.  Then close the socket, and
 * acceptor_finish() sends away who waits, and waits finishms for the children,
 * or for another such signal.  The number of children left.
 */
void acceptor_run(struct acceptor *);
void acceptor_drain(struct acceptor *);
unsigned acceptor_finish(struct acceptor *, int64_t finishms);

#endif
