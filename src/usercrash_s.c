/*
 * usercrash_s: hands out report files and gives them their slot.
 *
 * usercrash_s [-iOv] [-S socket] [-d dir] [-n slots] [-s share] [-m minfree]
 *     [-M MiB] [-R MiB] [-c children] [-t seconds] [-T seconds] [-U uid]...
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
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/args.h"
#include "base/bytes.h"
#include "base/deadline.h"
#include "base/msg.h"
#include "base/privdrop.h"
#include "net/server.h"
#include "slots/reader.h"
#include "slots/serve.h"

#define SYNOPSIS                                                        \
	"[-iOv] [-S socket] [-d dir] [-n slots] [-s share]\n"           \
	"\t[-m minfree] [-M MiB] [-R MiB] [-c children] [-t seconds]\n" \
	"\t[-T seconds] [-U uid ...]"

enum {
	CHILDREN = 64,
	CHILDREN_MAX = 4096,
	LOCK_MS = 2000,	  /* a server that is just leaving */
	FINISH_MS = 5000, /* for children, beyond what askers may take */
	ASK_MAX = 60,	  /* seconds */
	COMPLETE_MAX = 600,
	WAIT_MS_MAX = 3600000
};

struct spool {
	struct serve_cfg cfg;
	struct server net;
	const char *sockpath;
	unsigned max, maxothers;
	int inetd;
};

static int
report_outcome(const struct serve_outcome *o)
{
	const struct spool_request *r = &o->req;

	if (o->result == SERVE_PUBLISHED) {
		/* usercrash_c says how many of them there were */
		if (o->entry.tell != SLOTS_COUNTED || msg_verbose() > 0)
			msg_info("%s: pid %u signal %u comm %.16s",
			    o->entry.name, r->pid, r->signal, r->comm);
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

/* --- what the accept loop calls ------------------------------------------ */

static void
refuse(void *arg, int connfd, const char *step)
{
	struct ucred peer = {0, (uid_t)-1, (gid_t)-1};
	int error = errno;

	(void)arg;
	net_peer(connfd, &peer);
	msg_warn("unable to %s: asker pid %d uid %u: %s", step, (int)peer.pid,
	    (unsigned)peer.uid, strerror(error));
	spool_send_reply(connfd, error, -1, deadline_in(0));
}

/* Two kinds: root or ourselves, and others, whose crowd must not use up the
 * children root needs. */
static int
admit(void *arg, int connfd, uint64_t *kin)
{
	const struct spool *s = arg;
	struct ucred peer;

	if (net_peer(connfd, &peer) == -1 || !serve_allows(&s->cfg, peer.uid)) {
		errno = EACCES;
		refuse(arg, connfd, "let this user ask");
		return -1;
	}
	*kin = peer.uid != 0 && peer.uid != geteuid();
	if (*kin && pool_count(&s->net.acceptor.pool, *kin) >= s->maxothers) {
		errno = EAGAIN;
		refuse(arg, connfd, "serve more of this kind");
		return -1;
	}
	return 0;
}

static int
serve_child(void *arg, int connfd)
{
	struct spool *s = arg;
	struct ucred peer = {0, (uid_t)-1, (gid_t)-1};

	server_forget(&s->net);
	net_peer(connfd, &peer);
	msg_debug(1, "asker pid %d uid %u: child %d", (int)peer.pid,
	    (unsigned)peer.uid, (int)getpid());
	return serve_one(connfd, &s->cfg);
}

static void
trouble(const char *what)
{
	msg_warn_sys("unable to %s", what);
}

/* --- the start ------------------------------------------------------------ */

/*
 * Seconds, "400ms", or the milliseconds that a number alone was once: those
 * who wrote them have more than anybody means in seconds.
 */
static int64_t
duration(int opt, const char *arg, unsigned most)
{
	size_t len = strlen(arg);
	char number[16] = "";
	int64_t n;

	if (len > 2 && len - 2 < sizeof(number) &&
	    strcmp(arg + len - 2, "ms") == 0) {
		memcpy(number, arg, len - 2);
		return (int64_t)args_option(opt, number, 1, WAIT_MS_MAX);
	}
	n = (int64_t)args_option(opt, arg, 1, WAIT_MS_MAX);
	if (n <= most)
		return n * 1000;
	msg_warn("option -%c takes %s as milliseconds, as it once did: more "
		 "than %u seconds; better written %sms",
	    opt, arg, most, arg);
	return n;
}

static const char *
absolute(int opt, const char *arg)
{
	if (*arg != '/')
		msg_die(EXIT_USAGE,
		    "option -%c wants an absolute path, not \"%s\"", opt, arg);
	return arg;
}

static void
parse_options(int argc, char *argv[], struct spool *s)
{
	struct slots_cfg *slots = &s->cfg.slots;
	const struct args_row rows[] = {{'i', .flag = &s->inetd},
	    {'c', .number = &s->max, .min = 1, .max = CHILDREN_MAX},
	    {'O', .flag = &slots->owner},
	    {'n', .number = &slots->n, .min = 1, .max = SLOTS_MAX},
	    {'s', .number = &slots->share, .min = 1, .max = SLOTS_MAX},
	    {'M', .mib = &slots->total, .max = ARGS_MIB_MAX},
	    {'m', .mib = &slots->minfree, .max = ARGS_MIB_MAX},
	    {'R', .mib = &slots->reportmax, .min = 1, .max = 1024}};
	uid_t *uids;
	int opt;

	slots_defaults(slots);
	s->cfg.uids = uids = calloc((size_t)argc + 1, sizeof(*uids));
	if (uids == NULL)
		msg_die_sys(EXIT_SYSTEM, "unable to start");
	while ((opt = getopt(argc, argv, "M:OR:S:T:U:c:d:im:n:s:t:v")) != -1)
		switch (opt) {
		case 'S':
			s->sockpath = absolute(opt, optarg);
			break;
		case 'T':
			s->cfg.completems = duration(opt, optarg, COMPLETE_MAX);
			break;
		case 'U':
			uids[s->cfg.nuids++] =
			    (uid_t)args_option(opt, optarg, 1, (uid_t)-2);
			break;
		case 'd':
			slots->dir = absolute(opt, optarg);
			break;
		case 't':
			s->cfg.askms = duration(opt, optarg, ASK_MAX);
			break;
		default:
			if (!args_take(rows, NELEM(rows), opt, optarg))
				msg_usage(SYNOPSIS);
		}
	if (argc != optind)
		msg_usage(SYNOPSIS);
	slots->writers = s->max;
}

static void
acquire(struct spool *s)
{
	struct acceptor *a = &s->net.acceptor;
	int dirfd;

	/* We would connect to ourselves, and hold report descriptors. */
	if (priv_harden() == -1)
		msg_warn_sys("unable to become non-dumpable");
	umask(077);
	if (server_given(&s->net, s->inetd) == -1)
		msg_die(EXIT_USAGE, "%s", s->net.why);
	if (s->net.connfd != -1)
		return;
	dirfd = slots_open(&s->cfg.slots);
	if (dirfd == -1)
		msg_die_sys(EXIT_SYSTEM, "unable to open %s", s->cfg.slots.dir);
	if (s->cfg.slots.owner && reader_known(dirfd) == -1)
		msg_warn_sys("%s: reports stay root's: no ACL can be set",
		    s->cfg.slots.dir);
	close(dirfd);
	if (acceptor_init(a, s->max, NULL) == -1 || chdir("/") == -1)
		msg_die_sys(EXIT_SYSTEM, "unable to start");
	if (a->listenfd != -1)
		return;
	/* With others let in by -U, the mode cannot tell them apart. */
	if (server_listen(&s->net, s->sockpath, s->cfg.nuids ? 0666 : 0600,
		deadline_in(LOCK_MS)) == -1)
		msg_die_sys(EXIT_SYSTEM, "unable to listen on %s", s->sockpath);
	msg_debug(1, "listening on %s", s->sockpath);
}

static void
run(struct spool *s)
{
	unsigned left;

	s->maxothers = s->max / 4 ? s->max / 4 : 1;
	left = server_run(&s->net,
	    s->cfg.askms + s->cfg.completems + SLOTS_LOCK_MS + FINISH_MS);
	if (left > 0)
		msg_warn("leaving %u children behind", left);
}

int
main(int argc, char *argv[])
{
	static struct spool s = {
	    .cfg = {.askms = SERVE_ASK_MS, .completems = SERVE_COMPLETE_MS},
	    .net = {.local = 1,
		.acceptor = {.arg = &s,
		    .admit = admit,
		    .serve = serve_child,
		    .refuse = refuse,
		    .trouble = trouble}},
	    .sockpath = SPOOL_SOCKET,
	    .max = CHILDREN};

	net_spare_stderr();
	msg_init("usercrash_s");
	args_help(argv, SYNOPSIS);
	parse_options(argc, argv, &s);
	acquire(&s);
	if (s.net.connfd != -1)
		return serve_one(s.net.connfd, &s.cfg);
	run(&s);
	return EXIT_DONE;
}
