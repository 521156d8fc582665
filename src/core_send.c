/*
 * core_send [options] receiver[:port][,receiver...] | - | -- command  <core
 * core_send --flush spool [options] receiver[:port][,...] | -- command
 *
 * Carries a core off this machine, or keeps it until that can be done.
 *
 *  1. msg_init() makes fds 0-2 safe; /proc/PID is opened and checked, and what
 *     is needed of it to read memory; the spool file, which has no name yet.
 *  2. A worker is forked, which drops every privilege and only then reads the
 *     head of the core.  Memory comes from the process itself, untouched pages
 *     are not even looked at; where that cannot be, all comes from stdin.
 *  3. Frames go to the first receiver that takes them and says OK to all of
 *     it; with -s they go to the spool file when none does.
 *  4. The parent, which parses nothing, kills a worker that hangs, gives the
 *     spool file its name, and logs one line, whatever happened.
 *
 * --flush does 2 to 4 for each file that waits, the oldest first, and removes
 * it when the receiver has said OK.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/args.h"
#include "base/bytes.h"
#include "base/floor.h"
#include "base/msg.h"
#include "crash/crashid.h"
#include "crash/crashproc.h"
#include "proc/procdir.h"
#include "send/corespool.h"
#include "send/sendfront.h"
#include "send/sendjob.h"
#include "send/sendtext.h"

#define SYNOPSIS                                                           \
	"[-Hvx] [-c seconds] [-e encoding] [-m MiB] [-p port]\n"           \
	"\t[-S MiB] [-s spool] [-t seconds] [-z auto | yes | no]\n"        \
	"\t[--release MiB] [--key=value ...]\n"                            \
	"\treceiver[:port][,...]\n"                                        \
	"       core_send [options] -\n"                                   \
	"       core_send [options] -- command [arg ...]\n"                \
	"       core_send --flush spool [options] receiver[:port][,...]\n" \
	"       core_send --flush spool [options] -- command [arg ...]"

enum {
	PLACES_MAX = 64,
	HOUR_S = 3600,
	CONNECT_MS = 3000,
	IDLE_MS = 30000,
	SPOOL_MIB = 4096,
	PLACE_MAX = PATH_MAX + CORESPOOL_NAME_MAX
};

struct options {
	struct sendjob job; /* what is told stands where it is wanted */
	struct crash_id id; /* job.cfg.id */
	struct tcp_place place[PLACES_MAX]; /* job.cfg.places */
	unsigned port;
	const char *spool;
	uint64_t spoolmax; /* bytes in all of it */
	int flush;
};

enum { K_FLUSH = CRASH_OPTION_END, K_RELEASE, OWN = 5 };

static struct option longopts[OWN + CRASH_OPTIONS + 1] = {
    {"flush", required_argument, NULL, K_FLUSH},
    {"port", required_argument, NULL, 'p'}, {"secret", no_argument, NULL, 'x'},
    {"held", no_argument, NULL, 'H'},
    {"release", required_argument, NULL, K_RELEASE}};

/* --- options -------------------------------------------------------------- */

static void
parse_places(struct options *o, const char *s)
{
	struct send_cfg *c = &o->job.cfg;
	size_t len;

	for (;; s += len + 1) {
		len = strcspn(s, ",");
		if (c->nplaces == PLACES_MAX)
			msg_die(EXIT_USAGE, "more than %d receivers",
			    (int)PLACES_MAX);
		if (tcp_place_parse(s, len, o->port, &o->place[c->nplaces]) ==
		    -1)
			msg_die(EXIT_USAGE, "this is no receiver: \"%.*s\"",
			    (int)len, s);
		c->nplaces++;
		if (s[len] == '\0')
			return;
	}
}

static void
parse_target(struct options *o, int argc, char **argv, int dashes)
{
	int n = dashes ? 0 : crash_id_words(&o->id, argc, argv);

	if (n > 0 && strcmp(argv[n], "--") == 0) {
		dashes = 1;
		n++;
	}
	argc -= n;
	argv += n;
	if (argc < 1 && !dashes)
		msg_die(EXIT_USAGE,
		    "no receiver is given: a host, - for standard output, "
		    "or -- and a command");
	if (argc < 1 || (!dashes && argc > 1))
		msg_usage(SYNOPSIS);
	if (dashes) {
		o->job.command = argv;
	} else if (strcmp(argv[0], "-") == 0) {
		if (o->flush)
			msg_usage(SYNOPSIS);
		if (isatty(STDOUT_FILENO))
			msg_die(EXIT_USAGE, "standard output is a terminal");
		o->job.local = 1;
	} else {
		parse_places(o, argv[0]);
	}
}

/* What holds where nothing is told. */
static void
defaults(struct options *o)
{
	struct send_cfg *cfg = &o->job.cfg;

	crash_id_init(&o->id);
	o->port = STREAM_PORT;
	o->spoolmax = (uint64_t)SPOOL_MIB << 20;
	o->job.hide[0] = o->job.hide[1] = -1;
	cfg->id = &o->id;
	cfg->places = o->place;
	cfg->corefd = cfg->spool.fd = -1;
	cfg->connect_ms = CONNECT_MS;
	cfg->out.idle_ms = IDLE_MS;
	cfg->spool.minfree = FLOOR_SHARE;
}

static enum corepack_when
parse_pack(const char *s)
{
	static const char words[][5] = {[COREPACK_AUTO] = "auto",
	    [COREPACK_YES] = "yes",
	    [COREPACK_NO] = "no"};
	size_t i;

	for (i = 0; i < NELEM(words); i++)
		if (strcmp(s, words[i]) == 0)
			return (enum corepack_when)i;
	msg_die(EXIT_USAGE, "option -z: auto, yes or no, not \"%s\"", s);
}

static void
parse_options(struct options *o, int argc, char **argv)
{
	struct send_cfg *cfg = &o->job.cfg;
	const struct args_row rows[] = {
	    {'c', .seconds = &cfg->connect_ms, .min = 1, .max = HOUR_S},
	    {'H', .flag = &cfg->held},
	    {'m', .mib = &cfg->spool.minfree, .max = UINT32_MAX},
	    {'p', .number = &o->port, .min = 1, .max = 65535},
	    {'S', .mib = &o->spoolmax, .min = 1, .max = UINT32_MAX},
	    {'s', .text = &o->spool},
	    {'t', .seconds = &cfg->out.idle_ms, .min = 1, .max = HOUR_S},
	    {'x', .flag = &cfg->secret},
	    {K_RELEASE, .mib = &cfg->release, .min = 1, .max = UINT32_MAX}};
	const char *last = NULL;
	int c, dashes;

	defaults(o);
	crash_id_options(longopts + OWN);
	/* as in usercrash_c: a pattern newer than this program costs no core */
	opterr = 0;
	while ((c = getopt_long(argc, argv, "+:c:e:Hm:p:S:s:t:vxz:", longopts,
		    NULL)) != -1) {
		last = optarg;
		if (args_take(rows, NELEM(rows), c, optarg))
			continue;
		switch (c) {
		case 'e':
			if (crash_id_encoding(&o->id, optarg) == -1)
				msg_die(EXIT_USAGE,
				    "this is no name of an encoding: \"%s\"",
				    optarg);
			break;
		case 'z':
			cfg->pack = parse_pack(optarg);
			break;
		case K_FLUSH:
			o->flush = 1;
			o->spool = optarg;
			break;
		case '?':
			msg_warn("unknown option %s ignored", argv[optind - 1]);
			break;
		case ':':
			msg_usage(SYNOPSIS);
		default:
			crash_id_try(&o->id, c, optarg);
		}
	}
	dashes = optind > 1 && argv[optind - 1] != last &&
	    strcmp(argv[optind - 1], "--") == 0;
	parse_target(o, argc - optind, argv + optind, dashes);
}

/* --- what is opened before privileges go ---------------------------------- */

/* The process of this core, or -1: then all must come from stdin. */
static int
open_process(struct options *o)
{
	int64_t told = o->id.pid;
	const char *why;
	int fd = crashproc_open(&o->id, STDIN_FILENO, NULL, &why);

	if (told != o->id.pid)
		msg_warn("pid %d is %d here: use %%P in core_pattern",
		    (int)told, (int)o->id.pid);
	return fd;
}

enum { TRACE_VERBOSE = 2 };

static void
trace(size_t rd, size_t tr, size_t n)
{
	dprintf(STDERR_FILENO, " rd=%zu tr=%zu (n=%zu)\n", rd, tr, n);
}

/* --- what is said --------------------------------------------------------- */

static struct timespec began;

static double
seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - began.tv_sec) +
	    (double)(now.tv_nsec - began.tv_nsec) / 1e9;
}

static void
progress(const struct send_result *r)
{
	char text[SENDTEXT_MAX];

	sendtext_progress(r, seconds(), text);
	dprintf(STDERR_FILENO, "\r%s  ", text);
}

static int
wants_progress(void)
{
	return msg_verbose() > 0 && msg_verbose() < TRACE_VERBOSE &&
	    isatty(STDERR_FILENO);
}

static void
progress_end(const struct send_result *r)
{
	if (!wants_progress())
		return;
	progress(r);
	dprintf(STDERR_FILENO, "\n");
}

/*
 * The line of a core; place is where in the spool it is, or NULL.  A core that
 * waits there is the only one that can stay there, and only if a receiver said
 * so may those behind it have more luck.
 */
static int
tell(const struct send_result *r, const char *place)
{
	char text[SENDTEXT_MAX];

	progress_end(r);
	sendtext(r, place, seconds(), text);
	switch (r->outcome) {
	case SEND_SENT:
		msg_info("%s", text);
		return *r->state != '\0' ? EXIT_PARTIAL : EXIT_DONE;
	case SEND_SPOOLED:
		msg_info("%s", text);
		return EXIT_PARTIAL;
	case SEND_LOST:
		msg_warn("%s", text);
		return place != NULL && r->refused ? EXIT_PARTIAL : EXIT_SYSTEM;
	case SEND_NO_CORE:
		msg_warn("%s", text);
		return EXIT_USAGE;
	default:
		msg_warn("%s", text);
		return EXIT_PARTIAL;
	}
}

/* --- one core ------------------------------------------------------------- */

/* The spool's directory, with a file in it for this core; or -1. */
static int
open_spool(struct options *o)
{
	struct coreout_keep *k = &o->job.cfg.spool;
	int dirfd;

	if (o->spool == NULL)
		return -1;
	dirfd = corespool_begin(o->spool, o->spoolmax, &k->fd, &k->max);
	if (dirfd == -1)
		msg_warn_sys("unable to use spool %s", o->spool);
	return dirfd;
}

/* Gives the spool file its name, which goes to place. */
static void
publish(const struct options *o, int dirfd, struct send_result *r,
    char place[PLACE_MAX])
{
	char name[CORESPOOL_NAME_MAX];
	size_t len = strlen(r->why);

	if (corespool_publish(
		dirfd, o->job.cfg.spool.fd, o->spoolmax, &r->id, name) == 0) {
		snprintf(place, PLACE_MAX, "%s/%s", o->spool, name);
		return;
	}
	r->outcome = SEND_LOST;
	snprintf(r->why + len, sizeof(r->why) - len, "%sspool: %s",
	    len > 0 ? "; " : "", errno == EFBIG ? "full" : strerror(errno));
}

/*
 * May it leave?  Where the kernel did not tell, /proc does; where it is not
 * even sure which process it is, it is the worker who finds out.
 */
static int
may_leave(struct options *o, int procfd)
{
	struct send_cfg *c = &o->job.cfg;
	int told = c->secret;

	c->secret = 1;
	if (told || o->job.local)
		return 1;
	if (o->id.dumpmode != -1)
		return o->id.dumpmode == 1;
	if (o->id.pid > 0)
		return !proc_is_secret(procfd);
	c->secret = 0;
	c->withhold = procfd != -1 && proc_is_secret(procfd);
	return 1;
}

/* A core that was saved is as old as its file. */
static void
take_time(struct crash_id *id, int corefd)
{
	struct stat st;

	if (id->time == -1 && fstat(corefd, &st) == 0 && S_ISREG(st.st_mode) &&
	    st.st_mtime >= 0)
		id->time = st.st_mtime;
}

static int
send_one(struct options *o)
{
	static struct send_result withheld = {.outcome = SEND_WITHHELD};
	struct sendjob *j = &o->job;
	char place[PLACE_MAX];
	int procfd, dirfd;
	struct send_result *r;
	struct coremem *mem;

	procfd = open_process(o);
	take_time(&o->id, STDIN_FILENO);
	crashproc_complete(&o->id, procfd);
	if (!may_leave(o, procfd)) {
		withheld.id = o->id;
		return tell(&withheld, NULL);
	}
	mem = procfd != -1 ? coremem_open(procfd) : NULL;
	dirfd = open_spool(o);
	j->cfg.corefd = STDIN_FILENO;
	j->cfg.mem = mem;
	j->hide[0] = procfd;
	j->hide[1] = dirfd;
	r = sendjob_run(j);
	if (r == NULL)
		msg_die_sys(EXIT_SYSTEM, "unable to start");
	coremem_close(mem);
	if (r->outcome == SEND_SPOOLED)
		publish(o, dirfd, r, place);
	return tell(r, r->outcome == SEND_SPOOLED ? place : NULL);
}

/* --- those that wait ------------------------------------------------------ */

/* The file in j, which is ours alone.  EXIT_SYSTEM: there is no receiver. */
static int
flush_one(struct sendjob *j, int dirfd, const char *name)
{
	struct send_result *r;
	int code;

	clock_gettime(CLOCK_MONOTONIC, &began);
	r = sendjob_run(j);
	if (r == NULL)
		msg_die_sys(EXIT_SYSTEM, "unable to start");
	code = tell(r, name);
	if (r->outcome == SEND_DAMAGED && corespool_damaged(dirfd, name) == -1)
		msg_warn_sys("unable to rename %s", name);
	if (r->outcome == SEND_SENT) {
		/* complete or not, the receiver has all there is */
		code = EXIT_DONE;
		if (corespool_remove(dirfd, name) == -1)
			msg_die_sys(EXIT_SYSTEM, "unable to remove %s", name);
	}
	sendjob_free(r);
	return code;
}

static int
flush_spool(struct options *o)
{
	struct sendjob *j = &o->job;
	struct corespool_entry *list;
	int dirfd, fd, code = EXIT_DONE, r;
	size_t i, n;

	dirfd = corespool_open(o->spool, 0);
	if (dirfd == -1 || corespool_list(dirfd, &list, &n) == -1)
		msg_die_sys(EXIT_SYSTEM, "unable to use spool %s", o->spool);
	j->kept = 1;
	j->hide[0] = dirfd;
	for (i = 0; i < n; i++) {
		fd = corespool_take(dirfd, list[i].name);
		if (fd == -1) {
			/* another flush has it, or has sent it */
			if (errno == EWOULDBLOCK || errno == ENOENT)
				continue;
			msg_warn_sys("unable to open %s", list[i].name);
			code = EXIT_PARTIAL;
			continue;
		}
		j->cfg.spool.fd = fd;
		r = flush_one(j, dirfd, list[i].name);
		close(fd);
		if (r != EXIT_DONE)
			code = r;
		if (r == EXIT_SYSTEM)
			break;
	}
	free(list);
	return code;
}

int
main(int argc, char **argv)
{
	static struct options o;
	int blind = fcntl(STDERR_FILENO, F_GETFD) == -1;

	msg_init("core_send");
	args_help(argv, SYNOPSIS);
	clock_gettime(CLOCK_MONOTONIC, &began);
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	signal(SIGPIPE, SIG_IGN);
	parse_options(&o, argc, argv);
	o.job.catch = blind;
	o.job.cfg.out.trace = msg_verbose() >= TRACE_VERBOSE ? trace : NULL;
	o.job.tick = wants_progress() ? progress : NULL;
	/* the kernel gives it for us alone, and without close-on-exec */
	if (o.id.pidfd > STDERR_FILENO)
		fcntl((int)o.id.pidfd, F_SETFD, FD_CLOEXEC);
	stream_key_make(o.job.cfg.key);
	sendfront_begin(&o.job.cfg.release);
	return o.flush ? flush_spool(&o) : send_one(&o);
}
