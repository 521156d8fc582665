/*
 * recv_core: receives cores and keeps them.
 *
 * recv_core [-aiPvz] [-d dir] [-u user] [-p port] [-b max] [-T total]
 *     [-m minfree] [-k keep] [-t idle] [-l life] [-c children]
 *     [-C per-host] [-R seconds] [bind-address] [-r command [arg ...]]
 *
 * - listens on a TCP port, or on a socket that socket activation passes;
 * - forks per connection; the child runs corerecv_serve() and exits; -i runs
 *   it on fd 0, and so does an activated descriptor that is a connection;
 * - bounded children, in all and for one host: the next ones wait a while;
 * - becomes the owner of the directory before it listens to anybody;
 * - who parses is a child, in a sandbox with nothing but the directory
 *   (storehome); with -r and -i there is another process, which waits for it
 *   and runs the command, as the same user;
 * - one line in the log for each connection, and in none of them an exit;
 * - SIGTERM, SIGINT: listens no more, lets the children finish, exits 0.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/args.h"
#include "base/bytes.h"
#include "base/child.h"
#include "base/deadline.h"
#include "base/floor.h"
#include "base/msg.h"
#include "base/privdrop.h"
#include "base/sandbox.h"
#include "net/server.h"
#include "net/tcp.h"
#include "store/corehook.h"
#include "store/corerecv.h"
#include "store/storehome.h"
#include "store/storeparts.h"

#define SYNOPSIS                                                       \
	"[-aiPvz] [-d dir] [-u user] [-p port] [-b max] [-T total]\n"  \
	"\t[-m minfree] [-k keep] [-t idle] [-l life] [-c children]\n" \
	"\t[-C per-host] [-R seconds] [bind-address] [-r command [arg ...]]"

enum {
	CHILDREN = 64,
	CHILDREN_MAX = 4096,
	PER_HOST = 8,
	FINISH_MS = 60000,
	REFUSED_MS = 10000, /* in this time */
	REFUSED_LINES = 20  /* so many lines in the log */
};

struct connection {
	int infd, outfd; /* the same, but for a pipe */
};

struct receiver {
	struct corerecv_cfg cfg;
	struct storehome home;
	char **hook; /* NULL none */
	int64_t hookms;
	const char *dir, *user, *address;
	unsigned port, max, perhost;
	int inetd;
	struct server net;
};

static int
report_outcome(const struct corerecv_outcome *o)
{
	char line[2 * MSG_MAX];

	if (o->result == RECV_EMPTY) {
		msg_debug(1, "%s: nothing came", o->peer);
		return EXIT_PARTIAL;
	}
	corerecv_line(o, line, sizeof(line));
	if (o->result == RECV_STORED || o->result == RECV_AGAIN) {
		msg_info("%s", line);
		return EXIT_DONE;
	}
	msg_warn("%s", line);
	return o->result == RECV_FAILED ? EXIT_SYSTEM : EXIT_PARTIAL;
}

/* The parsing end: the facts of a core that is new go to factsfd.  parent: who
 * waits for it alone, or 0. */
static int
receive(const struct receiver *s, const struct connection *c, int factsfd,
    pid_t parent)
{
	static struct corerecv_outcome o;
	struct buf facts = {0};
	const char *why;
	int rc;

	corerecv_meet(c->infd, &o);
	if (storehome_confine(&s->home, parent, &why) == -1)
		msg_die_sys(EXIT_SYSTEM, "unable to give up privileges");
	if (why != NULL)
		msg_debug(1, "no sandbox: %s", why);
	corerecv_serve(c->infd, c->outfd, &s->cfg, &o);
	rc = report_outcome(&o);
	if (factsfd != -1 && o.result == RECV_STORED &&
	    (hook_facts(&o, s->home.path, &facts) == -1 ||
		io_write_full(factsfd, facts.p, facts.len) == -1))
		msg_warn_sys("unable to tell -r about %s", o.name);
	buf_free(&facts);
	return rc;
}

/* Lets go of the connection: who sent the core need not wait for -r. */
static void
let_go(int connfd)
{
	/* tcpserver(1) puts it on fd 1 too */
	if (fd_to_null(STDIN_FILENO) == -1 || fd_to_null(STDOUT_FILENO) == -1)
		msg_warn_sys("unable to let go of the connection");
	if (connfd > 2)
		close(connfd);
}

/* The other end: waits for the facts, then runs the command. */
static void
run_hook(const struct receiver *s, int factsfd)
{
	struct buf facts = {0};
	char why[128];
	int r;

	r = hook_take(factsfd, s->home.path, &facts);
	if (r == -1)
		msg_warn_sys("unable to run %s", s->hook[0]);
	else if (r == 1 && hook_run(s->hook, &facts, s->hookms, why) == -1)
		msg_warn("unable to run %s for %s: %s", s->hook[0],
		    hook_file(&facts), why);
	else if (r == 1)
		msg_debug(1, "%s: done for %s", s->hook[0], hook_file(&facts));
	buf_free(&facts);
}

static void
killed(pid_t pid, int sig)
{
	/* a signal is the status of who died of it */
	const char *violation = sandbox_violation(sig);

	if (violation != NULL)
		msg_warn("receiving process %d: %s", (int)pid, violation);
	else
		msg_warn("receiving process %d: signal %d", (int)pid, sig);
}

/* One connection to its end, by a child: the exit code. */
static int
serve_one(const struct receiver *s, const struct connection *c)
{
	pid_t self = getpid(), pid;
	int fds[2], status;

	if (pipe2(fds, O_CLOEXEC) == -1 || (pid = child_fork()) == -1) {
		msg_warn_sys("unable to start");
		return EXIT_SYSTEM;
	}
	if (pid == 0) {
		close(fds[0]);
		_exit(receive(s, c, s->hook != NULL ? fds[1] : -1, self));
	}
	close(fds[1]);
	let_go(c->infd);
	if (storehome_become(&s->home) == -1)
		msg_die_sys(EXIT_SYSTEM, "unable to give up privileges");
	if (s->hook != NULL)
		run_hook(s, fds[0]);
	while (waitpid(pid, &status, 0) == -1)
		if (errno != EINTR)
			return EXIT_SYSTEM;
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	killed(pid, WTERMSIG(status));
	return EXIT_SYSTEM;
}

/* --- what the accept loop calls ------------------------------------------ */

static int
serve_child(void *arg, int connfd)
{
	const struct receiver *s = arg;
	struct connection c = {connfd, connfd};

	tcp_watch(connfd, s->cfg.idlems);
	/* a restart of the server must not cost a transfer under way */
	return s->hook != NULL ? serve_one(s, &c) : receive(s, &c, -1, 0);
}

static int
admit(void *arg, int connfd, uint64_t *kin)
{
	char host[TCP_NAME_MAX], peer[TCP_TEXT_MAX];

	(void)arg;
	tcp_peer(connfd, host, peer);
	msg_debug(1, "%s: connected", peer);
	*kin = tcp_kin(host);
	return 0;
}

/* Those who come again and again have not the whole log. */
static void
log_refused(const char *peer, const char *reason)
{
	static int64_t until;
	static unsigned lines, quiet;

	if (deadline_left(until) == 0) {
		until = deadline_in(REFUSED_MS);
		lines = 0;
	}
	if (lines == REFUSED_LINES) {
		quiet++;
		return;
	}
	lines++;
	if (quiet > 0)
		msg_warn("%s: refused: %s; before it %u were only counted",
		    peer, reason, quiet);
	else
		msg_warn("%s: refused: %s%s", peer, reason,
		    lines == REFUSED_LINES ? "; the next ones are only counted"
					   : "");
	quiet = 0;
}

static void
refuse(void *arg, int connfd, const char *reason)
{
	char host[TCP_NAME_MAX], peer[TCP_TEXT_MAX], line[256];

	(void)arg;
	tcp_peer(connfd, host, peer);
	log_refused(peer, reason);
	/* Nothing was sent there before: it has room, and does not wait. */
	snprintf(line, sizeof(line), "ERR the receiver has %s\n", reason);
	(void)!send(connfd, line, strlen(line), MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void
trouble(const char *what)
{
	msg_warn_sys("unable to %s", what);
}

static void
removed(const char *host, const char *name, uint64_t bytes, const char *why)
{
	msg_info(
	    "removed %s/%s, %" PRIu64 " bytes, %s", host, name, bytes, why);
}

static void
trace(size_t wr, uint64_t tw, uint64_t n)
{
	msg_debug(2, " wr=%zu tw=%" PRIu64 " (n=%" PRIu64 ")", wr, tw, n);
}

/* --- the start ------------------------------------------------------------ */

static void
parse_place(const char *address, unsigned port, struct tcp_place *place)
{
	memset(place, 0, sizeof(*place));
	if (address == NULL)
		snprintf(place->port, sizeof(place->port), "%u", port);
	else if (tcp_place_parse(address, strlen(address), port, place) == -1)
		msg_die(EXIT_USAGE, "\"%s\" is no address", address);
}

static void
listen_self(struct receiver *s, const struct tcp_place *place)
{
	const char *host = *place->host ? place->host : "every address";
	const char *why = NULL;
	int fd;

	fd = tcp_listen(place, NET_BACKLOG, &why);
	if (fd == -1)
		msg_die(EXIT_SYSTEM, "unable to listen on %s port %s: %s", host,
		    place->port, why != NULL ? why : strerror(errno));
	msg_debug(1, "listening on %s port %s", host, place->port);
	s->net.acceptor.listenfd = fd;
}

/* A command of -r is looked for where root sees it. */
static int
lose_root(struct receiver *s)
{
	if (s->hook == NULL)
		return storehome_settle(&s->home);
	return s->home.uid == 0 ? 0 : storehome_become(&s->home);
}

static void
acquire(struct receiver *s)
{
	struct tcp_place place;
	const char *why;

	parse_place(s->address, s->port, &place);
	if (priv_harden() == -1)
		msg_warn_sys("unable to become non-dumpable");
	/* of directories; files have their modes whatever it is */
	umask(027);
	if (server_given(&s->net, s->inetd) == -1)
		msg_die(EXIT_USAGE, "%s", s->net.why);
	if (storehome_open(s->dir, s->user, &s->home, &why) == -1)
		msg_die(EXIT_SYSTEM, "unable to keep cores in %s: %s", s->dir,
		    why != NULL ? why : strerror(errno));
	s->cfg.store.dirfd = s->home.dirfd;
	if (s->net.connfd == -1 && s->net.acceptor.listenfd == -1)
		listen_self(s, &place);
	/* one connection alone, or a store of root's: each child for itself */
	if (s->net.connfd == -1 && lose_root(s) == -1)
		msg_die_sys(EXIT_SYSTEM, "unable to give up privileges");
}

static int
serve_given(const struct receiver *s)
{
	struct connection c = {s->net.connfd, s->net.connfd};
	int type;

	tcp_watch(c.infd, s->cfg.idlems);
	/* a pipe's answer goes the other way */
	if (net_kind(c.infd, NULL, &type, NULL) == -1)
		c.outfd = STDOUT_FILENO;
	return serve_one(s, &c);
}

static void
run(struct receiver *s)
{
	struct acceptor *a = &s->net.acceptor;
	unsigned left;

	a->waitms = s->cfg.idlems;
	a->arg = s;
	a->admit = admit;
	a->serve = serve_child;
	a->refuse = refuse;
	a->trouble = trouble;
	/* Behind a proxy all of them come from one host. */
	a->perkin = s->cfg.proxy ? s->max : s->perhost;
	if (acceptor_init(a, s->max, killed) == -1 || chdir("/") == -1)
		msg_die_sys(EXIT_SYSTEM, "unable to start");
	left = server_run(&s->net, FINISH_MS);
	if (left > 0)
		msg_warn("leaving %u children behind", left);
}

static void
parse_options(int argc, char *argv[], struct receiver *s)
{
	struct corestore *store = &s->cfg.store;
	const struct args_row rows[] = {{'P', .flag = &s->cfg.proxy},
	    {'a', .flag = &s->cfg.byaddress}, {'i', .flag = &s->inetd},
	    {'z', .flag = &store->pack}, {'d', .text = &s->dir},
	    {'u', .text = &s->user},
	    {'C', .number = &s->perhost, .min = 1, .max = CHILDREN_MAX},
	    {'c', .number = &s->max, .min = 1, .max = CHILDREN_MAX},
	    {'p', .number = &s->port, .min = 1, .max = 65535},
	    {'T', .mib = &store->total, .max = ARGS_MIB_MAX},
	    {'b', .mib = &store->maxcore, .max = ARGS_MIB_MAX},
	    {'m', .mib = &store->minfree, .max = ARGS_MIB_MAX},
	    {'R', .seconds = &s->hookms, .min = 1, .max = ARGS_SECONDS_MAX},
	    {'k', .seconds = &store->keepms, .max = ARGS_SECONDS_MAX},
	    {'l', .seconds = &s->cfg.lifems, .min = 1, .max = ARGS_SECONDS_MAX},
	    {'t', .seconds = &s->cfg.idlems, .min = 1,
		.max = ARGS_SECONDS_MAX}};
	int opt;

	/* the first '-': operands come as option 1, and -r ends it all */
	while (s->hook == NULL &&
	    (opt = getopt(argc, argv, "-C:PR:T:ab:c:d:ik:l:m:p:r:t:u:vz")) !=
		-1)
		if (opt == 1 && s->address == NULL)
			s->address = optarg;
		else if (opt == 'r')
			s->hook = argv + optind - 1;
		else if (!args_take(rows, NELEM(rows), opt, optarg))
			msg_usage(SYNOPSIS);
	if (s->hook != NULL)
		s->hook[0] = optarg;
	else if (argc - optind + (s->address != NULL) > 1)
		msg_usage(SYNOPSIS);
	else if (optind < argc)
		s->address = argv[optind];
	if (s->inetd && s->address != NULL)
		msg_usage(SYNOPSIS);
}

int
main(int argc, char *argv[])
{
	static struct receiver s = {.cfg = {.idlems = RECV_IDLE_MS,
					.lifems = RECV_LIFE_MS,
					.trace = trace},
	    .cfg.store = {.minfree = FLOOR_SHARE,
		.keepms = PARTS_KEEP_MS,
		.removed = removed},
	    .hookms = HOOK_MS,
	    .dir = STORE_DIR,
	    .port = STREAM_PORT,
	    .max = CHILDREN,
	    .perhost = PER_HOST};

	net_spare_stderr();
	msg_init("recv_core");
	args_help(argv, SYNOPSIS);
	msg_syslog();
	parse_options(argc, argv, &s);
	acquire(&s);
	if (s.net.connfd != -1)
		return serve_given(&s);
	run(&s);
	return EXIT_DONE;
}
