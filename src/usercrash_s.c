/*
 * usercrash_s: hands out report files and gives them their slot.
 *
 * usercrash_s [-iv] [-S socket] [-d dir] [-n slots] [-s share] [-m minfree]
 *     [-c children] [-t ask-ms] [-T complete-ms] [-U uid]...
 *
 * - listens on a local socket, or on one that socket activation passes;
 * - forks per connection; the child runs serve() and exits; -i runs serve() on
 *   fd 0, and so does an activated descriptor that is a connection already;
 * - SO_PEERCRED is looked at before the fork: who may not ask costs no child;
 * - as many children as allowed: the next connections wait in the backlog;
 * - what goes wrong with one report is a line in the log, never an exit;
 * - SIGTERM, SIGINT: closes the socket, lets the children finish, exits 0.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/args.h"
#include "base/deadline.h"
#include "base/msg.h"
#include "base/privdrop.h"
#include "net/local.h"
#include "net/pool.h"
#include "slots/serve.h"

#define USAGE                                                             \
	"[-iv] [-S socket] [-d dir] [-n slots] [-s share] [-m minfree]\n" \
	"\t[-c children] [-t ask-ms] [-T complete-ms] [-U uid] ..."

enum {
	CHILDREN = 64,
	CHILDREN_MAX = 4096,
	LOCK_MS = 2000,	  /* a server that is just leaving */
	REST_MS = 100,	  /* after an accept(2) that failed */
	FINISH_MS = 5000, /* for children, beyond what askers may take */
	WAIT_MS_MAX = 3600000
};

struct server {
	struct serve_cfg cfg;
	struct net_listener own; /* fd -1 when the socket was passed to us */
	int listenfd;
	struct pool pool;
	unsigned max, maxothers;
	int64_t rest; /* accept nothing before */
	int ailing;   /* and it has been said why */
};

static int
report_outcome(const struct serve_outcome *o)
{
	const struct spool_request *r = &o->req;

	if (o->result == SERVE_PUBLISHED) {
		msg_info("%s: pid %u signal %u comm %.16s", o->name, r->pid,
		    r->signal, r->comm);
		return EXIT_DONE;
	}
	if (o->asked)
		msg_warn("unable to %s: pid %u signal %u comm %.16s: %s",
		    o->step, r->pid, r->signal, r->comm, strerror(o->error));
	else
		msg_warn("unable to %s: asker pid %d uid %u: %s", o->step,
		    (int)o->peer.pid, (unsigned)o->peer.uid,
		    strerror(o->error));
	return o->result == SERVE_NOTHING ? EXIT_PARTIAL : EXIT_SYSTEM;
}

/* One connection to its end; a stop signal does not cut it short. */
static int
serve_one(int connfd, const struct serve_cfg *cfg)
{
	struct serve_outcome outcome;

	signal(SIGTERM, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	serve(connfd, cfg, &outcome);
	return report_outcome(&outcome);
}

static void
refuse(int connfd, const struct ucred *peer, int error, const char *step)
{
	msg_warn("unable to %s: asker pid %d uid %u: %s", step, (int)peer->pid,
	    (unsigned)peer->uid, strerror(error));
	spool_send_reply(connfd, error, -1, deadline_in(0));
}

static void
start(struct server *s, int connfd)
{
	struct ucred peer = {0, (uid_t)-1, (gid_t)-1};
	int other;
	pid_t pid;

	if (net_peer(connfd, &peer) == -1 || !serve_allows(&s->cfg, peer.uid)) {
		refuse(connfd, &peer, EACCES, "let this user ask");
		return;
	}
	/* A crowd of others must not use up the children root needs. */
	other = peer.uid != 0 && peer.uid != geteuid();
	if (other && pool_count(&s->pool, 1) >= s->maxothers) {
		refuse(connfd, &peer, EAGAIN, "serve more of this kind");
		return;
	}
	pid = fork();
	if (pid == -1) {
		refuse(connfd, &peer, errno, "fork");
		return;
	}
	if (pid == 0) {
		/* The socket and the lock on its path are the parent's. */
		if (s->own.fd == -1)
			close(s->listenfd);
		net_forget(&s->own);
		_exit(serve_one(connfd, &s->cfg));
	}
	msg_debug(1, "asker pid %d uid %u: child %d", (int)peer.pid,
	    (unsigned)peer.uid, (int)pid);
	pool_add(&s->pool, pid, (uint64_t)other);
}

static void
take(struct server *s)
{
	int connfd;

	connfd = accept4(s->listenfd, NULL, NULL, SOCK_CLOEXEC);
	if (connfd != -1) {
		s->ailing = 0;
		start(s, connfd);
		close(connfd);
		return;
	}
	if (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED)
		return;
	/* Descriptors or memory are short: it can only get better. */
	if (!s->ailing)
		msg_warn_sys("unable to accept");
	s->ailing = 1;
	s->rest = deadline_in(REST_MS);
}

static void
run(struct server *s)
{
	int fd, rest;

	while (!pool_stopping()) {
		pool_reap(&s->pool);
		rest = deadline_left(s->rest);
		fd = rest || s->pool.n == s->max ? -1 : s->listenfd;
		if (pool_sleep(&s->pool, fd, rest ? rest : -1) &&
		    !pool_stopping())
			take(s);
	}
	if (s->own.fd == -1)
		close(s->listenfd);
	net_unlisten(&s->own);
	if (pool_finish(&s->pool,
		deadline_in(s->cfg.askms + s->cfg.completems + SLOTS_LOCK_MS +
		    FINISH_MS)) == -1)
		msg_warn("leaving %u children behind", s->pool.n);
}

static void
harden(void)
{
	/* We would connect to ourselves, and hold report descriptors. */
	if (priv_harden() == -1)
		msg_warn_sys("unable to become non-dumpable");
	umask(077);
}

static unsigned
count(int opt, const char *arg, unsigned max)
{
	return (unsigned)args_option(opt, arg, 1, max);
}

static const char *
absolute(int opt, const char *arg)
{
	if (*arg != '/')
		msg_die(EXIT_USAGE,
		    "option -%c wants an absolute path, not \"%s\"", opt, arg);
	return arg;
}

/* Serves what was given to us already connected, if anything was. */
static void
serve_given(const struct serve_cfg *cfg, int inetd, int *listenfd)
{
	int fd = STDIN_FILENO, listening, n = 0;

	*listenfd = -1;
	if (!inetd) {
		n = net_activated();
		if (n == -1)
			msg_die_sys(EXIT_USAGE, "unable to take LISTEN_FDS");
		if (n == 0)
			return;
		if (n > 1)
			msg_die(
			    EXIT_USAGE, "%d sockets passed: one is wanted", n);
		fd = NET_ACTIVATED;
	}
	if (net_is_local(fd, &listening) == -1 || (inetd && listening))
		msg_die(EXIT_USAGE, "fd %d is not a local %s", fd,
		    inetd ? "connection" : "socket");
	if (!listening)
		exit(serve_one(fd, cfg));
	if (fcntl(fd, F_SETFL, O_NONBLOCK) == -1)
		msg_die_sys(EXIT_SYSTEM, "unable to use fd %d", fd);
	*listenfd = fd;
}

static void
listen_self(struct server *s, const char *sockpath)
{
	/* With others let in by -U, the mode cannot tell them apart. */
	if (net_listen(sockpath, SOCK_SEQPACKET, s->cfg.nuids ? 0666 : 0600,
		NET_BACKLOG, deadline_in(LOCK_MS), &s->own) == -1)
		msg_die_sys(EXIT_SYSTEM, "unable to listen on %s", sockpath);
	s->listenfd = s->own.fd;
	msg_debug(1, "listening on %s", sockpath);
}

int
main(int argc, char *argv[])
{
	static struct server s = {.own = {.fd = -1, .dirfd = -1, .lockfd = -1}};
	const char *sockpath = SPOOL_SOCKET;
	struct slots_cfg *slots = &s.cfg.slots;
	uid_t *uids;
	int opt, inetd = 0, verbose = 0, dirfd;

	net_spare_stderr();
	msg_init("usercrash_s");
	slots_defaults(slots);
	s.cfg.askms = SERVE_ASK_MS;
	s.cfg.completems = SERVE_COMPLETE_MS;
	s.max = CHILDREN;
	s.cfg.uids = uids = calloc((size_t)argc + 1, sizeof(*uids));
	if (uids == NULL)
		msg_die_sys(EXIT_SYSTEM, "unable to start");
	while ((opt = getopt(argc, argv, "S:T:U:c:d:im:n:s:t:v")) != -1)
		switch (opt) {
		case 'S':
			sockpath = absolute(opt, optarg);
			break;
		case 'T':
			s.cfg.completems = count(opt, optarg, WAIT_MS_MAX);
			break;
		case 'U':
			uids[s.cfg.nuids++] =
			    (uid_t)args_option(opt, optarg, 1, (uid_t)-2);
			break;
		case 'c':
			s.max = count(opt, optarg, CHILDREN_MAX);
			break;
		case 'd':
			slots->dir = absolute(opt, optarg);
			break;
		case 'i':
			inetd = 1;
			break;
		case 'm':
			slots->minfree = args_option(opt, optarg, 0, 1 << 30)
			    << 20;
			break;
		case 'n':
			slots->n = count(opt, optarg, SLOTS_MAX);
			break;
		case 's':
			slots->share = count(opt, optarg, SLOTS_MAX);
			break;
		case 't':
			s.cfg.askms = count(opt, optarg, WAIT_MS_MAX);
			break;
		case 'v':
			msg_set_verbose(++verbose);
			break;
		default:
			msg_usage(USAGE);
		}
	if (argc != optind)
		msg_usage(USAGE);
	harden();
	serve_given(&s.cfg, inetd, &s.listenfd);
	dirfd = slots_open(slots);
	if (dirfd == -1)
		msg_die_sys(EXIT_SYSTEM, "unable to open %s", slots->dir);
	close(dirfd);
	if (pool_init(&s.pool, s.max) == -1 || chdir("/") == -1)
		msg_die_sys(EXIT_SYSTEM, "unable to start");
	if (s.listenfd == -1)
		listen_self(&s, sockpath);
	s.maxothers = s.max / 4 ? s.max / 4 : 1;
	run(&s);
	return EXIT_DONE;
}
