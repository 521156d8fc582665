#include "net/acceptor.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/deadline.h"
#include "net/local.h"

#define TOO_MANY_OF_HOST "too many connections from this host"

enum {
	REST_MS = 100 /* after a failure that may pass */
};

int
acceptor_init(struct acceptor *a, unsigned max, void (*killed)(pid_t, int sig))
{
	unsigned places = a->places > 0 ? a->places : ACCEPTOR_WAITING;
	rlim_t files = 2 * (rlim_t)places;
	struct rlimit lim;

	a->rest = 0;
	a->ailing = 0;
	/* a descriptor for each connection that waits */
	if (a->waitms > 0 && getrlimit(RLIMIT_NOFILE, &lim) == 0 &&
	    lim.rlim_cur < files) {
		lim.rlim_cur = lim.rlim_max < files ? lim.rlim_max : files;
		setrlimit(RLIMIT_NOFILE, &lim);
	}
	if (waiting_init(&a->waiting, places) == -1 ||
	    pool_init(&a->pool, max) == -1)
		return -1;
	a->pool.killed = killed;
	return 0;
}

/* Descriptors, processes or memory are short: it can only get better. */
static void
ail(struct acceptor *a, const char *what)
{
	if (!a->ailing)
		a->trouble(what);
	a->ailing = 1;
	a->rest = deadline_in(REST_MS);
}

static void
refuse(struct acceptor *a, unsigned i, const char *reason)
{
	a->refuse(a->arg, a->waiting.conn[i].fd, reason);
	waiting_refuse(&a->waiting, i);
}

/* 0 when a child has the connection. */
static int
start(struct acceptor *a, const struct waiting_conn *c)
{
	pid_t pid;
	int connfd;

	pid = fork();
	if (pid == -1)
		return -1;
	if (pid == 0) {
		signal(SIGTERM, SIG_IGN);
		signal(SIGINT, SIG_IGN);
		close(a->listenfd);
		connfd = fcntl(c->fd, F_DUPFD_CLOEXEC, 3);
		/* The others would stay open as long as this one. */
		waiting_close(&a->waiting);
		_exit(connfd == -1 ? 111 : a->serve(a->arg, connfd));
	}
	pool_add(&a->pool, pid, c->kin);
	return 0;
}

static int
may_start(const struct acceptor *a, const struct waiting_conn *c)
{
	return a->pool.n < a->pool.max &&
	    pool_count(&a->pool, c->kin) < a->perkin;
}

/* Starts what can be started, and sends away who has waited long enough. */
static void
advance(struct acceptor *a)
{
	struct waiting *w = &a->waiting;
	struct waiting_conn *c;
	unsigned i = 0;

	while (i < w->n) {
		c = &w->conn[i];
		if (!c->refused && may_start(a, c)) {
			if (start(a, c) == 0) {
				waiting_remove(w, i);
				continue;
			}
			ail(a, "fork");
		}
		if (deadline_left(c->until) == 0) {
			if (c->refused) {
				waiting_remove(w, i);
				continue;
			}
			refuse(a, i,
			    a->pool.n < a->pool.max ? TOO_MANY_OF_HOST
						    : "too many connections");
		}
		i++;
	}
}

/*
 * Makes room in a full queue: of those who have the most places the last one
 * goes, unless the new one's kin has as many.  So who is alone has them all,
 * and nobody keeps the others out.  0, or -1: there is none for the new one.
 */
static int
make_room(struct acceptor *a, uint64_t kin)
{
	struct waiting *w = &a->waiting;
	unsigned i, n, most = 0, last = 0;

	if (w->n < w->max)
		return 0;
	for (i = 0; i < w->n; i++) {
		n = waiting_count(w, w->conn[i].kin);
		if (n >= most) {
			most = n;
			last = i;
		}
	}
	if (waiting_count(w, kin) + 1 >= most)
		return -1;
	if (!w->conn[last].refused)
		a->refuse(a->arg, w->conn[last].fd, TOO_MANY_OF_HOST);
	waiting_remove(w, last);
	return 0;
}

static void
take(struct acceptor *a)
{
	struct waiting_conn c = {.kin = 0};

	c.fd = accept4(a->listenfd, NULL, NULL, SOCK_CLOEXEC);
	if (c.fd == -1) {
		if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
			ail(a, "accept");
		return;
	}
	a->ailing = 0;
	if (a->admit(a->arg, c.fd, &c.kin) == 0) {
		if (a->waitms > 0 && make_room(a, c.kin) == -1) {
			a->refuse(a->arg, c.fd, TOO_MANY_OF_HOST);
		} else if (a->waitms > 0) {
			waiting_add(
			    &a->waiting, c.fd, c.kin, deadline_in(a->waitms));
			return;
		} else if (start(a, &c) == -1)
			a->refuse(a->arg, c.fd, "fork");
	}
	close(c.fd);
}

static int
has_room(const struct acceptor *a)
{
	return a->waitms > 0 || a->pool.n < a->pool.max;
}

void
acceptor_run(struct acceptor *a)
{
	int fd, rest, ms;

	while (!pool_stopping()) {
		pool_reap(&a->pool);
		advance(a);
		rest = deadline_left(a->rest);
		ms = waiting_left(&a->waiting);
		if (rest && (ms == -1 || rest < ms))
			ms = rest;
		fd = rest || !has_room(a) ? -1 : a->listenfd;
		if (pool_sleep(&a->pool, fd, ms) && !pool_stopping())
			take(a);
	}
}

void
acceptor_drain(struct acceptor *a)
{
	int signals = pool_stopping(), ms, rest;
	unsigned n;

	for (n = 0; n < NET_BACKLOG && pool_sleep(&a->pool, a->listenfd, 0);
	     n++)
		take(a);
	while (a->waiting.n > 0 && pool_stopping() == signals) {
		pool_reap(&a->pool);
		advance(a);
		ms = waiting_left(&a->waiting);
		rest = deadline_left(a->rest);
		if (ms != -1)
			pool_sleep(&a->pool, -1, rest && rest < ms ? rest : ms);
	}
}

unsigned
acceptor_finish(struct acceptor *a, int64_t finishms)
{
	unsigned i;

	for (i = 0; i < a->waiting.n; i++)
		if (!a->waiting.conn[i].refused)
			refuse(a, i, "to stop");
	pool_finish(&a->pool, deadline_in(finishms));
	return a->pool.n;
}
