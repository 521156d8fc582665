/*
 * segfault_analyzer: every segmentation fault of the system, as it happens.
 *
 * segfault_analyzer [-rtv] [-d seconds] [-p pid] ... [-n name] ... [-o file]
 *     [long options]
 *
 * - follows which files every process maps (track/maptrack), since a process
 *   has usually gone when its event is read;
 * - attaches a BPF program to signal_deliver (probe/segv_probe), which filters,
 *   limits what one process and all may write, and copies registers and stack
 *   into a ring buffer: one for what ends a process, one for the rest;
 * - gives up all rights but those of looking;
 * - sleeps until the ring has something, then 2 ms longer: under load a
 *   wake-up brings hundreds of events, and the crashing CPU pays for none;
 * - SIGINT, SIGTERM, SIGHUP, the end of -d: detaches, then reads all that is
 *   in the ring and writes it.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/args.h"
#include "base/bytes.h"
#include "base/child.h"
#include "base/deadline.h"
#include "base/io.h"
#include "base/msg.h"
#include "base/privdrop.h"
#include "report/signals.h"
#include "segv/segv_watch.h"

#define SYNOPSIS                                                    \
	"[-rtv] [-d seconds] [-p pid ...] [-n name ...]\n"          \
	"\t[-o file] [--append] [--fatal | --handled]\n"            \
	"\t[--format text | json]\n"                                \
	"\t[--max-stack-depth frames] [--not-name name ...]\n"      \
	"\t[--not-pid pid ...] [--rate events] [--redact]\n"        \
	"\t[--ring-size bytes] [--share events] [--signals list]\n" \
	"\t[--stats[=seconds]]"

enum { RING_MIN = 4096, SECONDS_MAX = 1 << 30, WAIT_MS = 100 };

struct options {
	struct segv_watch_opts watch;
	struct segv_teller_opts tell; /* path NULL: stdout */
	size_t names;		      /* bytes of all of them */
	int append;
	int stats;
};

static volatile sig_atomic_t stops;

static void
on_stop(int sig)
{
	(void)sig;
	stops++;
}

/* --- options ---------------------------------------------------------------
 */

enum {
	OPT_APPEND = 256,
	OPT_DEPTH,
	OPT_FATAL,
	OPT_FORMAT,
	OPT_HANDLED,
	OPT_NOT_NAME,
	OPT_NOT_PID,
	OPT_RATE,
	OPT_REDACT,
	OPT_RING,
	OPT_SHARE,
	OPT_SIGNALS,
	OPT_STATS
};

static const struct option longopts[] = {
    {"append", no_argument, NULL, OPT_APPEND},
    {"duration", required_argument, NULL, 'd'},
    {"fatal", no_argument, NULL, OPT_FATAL},
    {"format", required_argument, NULL, OPT_FORMAT},
    {"handled", no_argument, NULL, OPT_HANDLED},
    {"max-stack-depth", required_argument, NULL, OPT_DEPTH},
    {"not-name", required_argument, NULL, OPT_NOT_NAME},
    {"not-pid", required_argument, NULL, OPT_NOT_PID},
    {"output", required_argument, NULL, 'o'},
    {"pid", required_argument, NULL, 'p'},
    {"process-name", required_argument, NULL, 'n'},
    {"rate", required_argument, NULL, OPT_RATE},
    {"redact", no_argument, NULL, OPT_REDACT},
    {"registers", no_argument, NULL, 'r'},
    {"ring-size", required_argument, NULL, OPT_RING},
    {"share", required_argument, NULL, OPT_SHARE},
    {"signals", required_argument, NULL, OPT_SIGNALS},
    {"stack-trace", no_argument, NULL, 't'},
    {"stats", optional_argument, NULL, OPT_STATS},
    {"verbose", no_argument, NULL, 'v'}, {NULL, 0, NULL, 0}};

static uint64_t
parse_signals(const char *list)
{
	uint64_t set = 0;
	const char *p = list;
	size_t len;
	int n;

	for (;; p += len + 1) {
		len = strcspn(p, ",");
		n = signal_number(p, len);
		if (n == -1)
			msg_die(EXIT_USAGE,
			    "option --signals wants names as SEGV,BUS, not "
			    "\"%.*s\"",
			    (int)(len < 64 ? len : 64), p);
		set |= UINT64_C(1) << (n - 1);
		if (p[len] == '\0')
			return set;
	}
}

/* The kernel wants a power of two. */
static size_t
ring_size(uint64_t wanted)
{
	size_t n = (size_t)sysconf(_SC_PAGESIZE);

	while (n < wanted)
		n *= 2;
	return n;
}

static void
add_name(struct options *o, struct segv_names *l, const char *option)
{
	if (l->n == SEGV_LIST_MAX)
		msg_die(EXIT_USAGE, "option %s is there more than %d times",
		    option, SEGV_LIST_MAX);
	if (strlen(optarg) > SEGV_FILTER_MAX)
		msg_die(EXIT_USAGE, "option %s wants at most %d bytes", option,
		    SEGV_FILTER_MAX);
	o->names += strlen(optarg);
	if (o->names > SEGV_NAMES_MAX)
		msg_die(EXIT_USAGE,
		    "all names together have more than %d bytes",
		    SEGV_NAMES_MAX);
	if (*optarg != '\0')
		l->of[l->n++] = optarg;
}

static void
add_pid(struct segv_pids *l, const char *option)
{
	char what[32];

	if (l->n == SEGV_LIST_MAX)
		msg_die(EXIT_USAGE, "option %s is there more than %d times",
		    option, SEGV_LIST_MAX);
	snprintf(what, sizeof(what), "option %s", option);
	l->of[l->n++] = (pid_t)args_number(what, optarg, 1, INT_MAX);
}

static void
only(struct options *o, int which)
{
	if (o->watch.probe.only != SEGV_ONLY_NONE &&
	    (int)o->watch.probe.only != which)
		msg_die(EXIT_USAGE,
		    "options --fatal and --handled exclude each other");
	o->watch.probe.only = which;
}

/* Who, and which signals: 1 when it was such an option. */
static int
parse_filter(struct options *o, int c)
{
	struct segv_probe_opts *p = &o->watch.probe;

	switch (c) {
	case 'n':
		add_name(o, &p->names, "-n");
		break;
	case 'p':
		add_pid(&p->pids, "-p");
		break;
	case OPT_NOT_NAME:
		add_name(o, &p->not_names, "--not-name");
		break;
	case OPT_NOT_PID:
		add_pid(&p->not_pids, "--not-pid");
		break;
	case OPT_FATAL:
		only(o, SEGV_ONLY_FATAL);
		break;
	case OPT_HANDLED:
		only(o, SEGV_ONLY_HANDLED);
		break;
	case OPT_SIGNALS:
		p->signals = parse_signals(optarg);
		break;
	default:
		return 0;
	}
	return 1;
}

/* What is more than a number, a text or a switch. */
static void
parse_option(struct options *o, int c)
{
	if (parse_filter(o, c))
		return;
	switch (c) {
	case OPT_FORMAT:
		o->tell.format = args_either("format", optarg, "text", "json")
		    ? OUT_JSON
		    : OUT_TEXT;
		break;
	case OPT_DEPTH:
		o->tell.show.depth = args_number(
		    "option --max-stack-depth", optarg, 1, SEGV_DEPTH_MAX);
		break;
	case OPT_RATE:
		o->watch.probe.rate =
		    args_number("option --rate", optarg, 0, SEGV_RATE_MAX);
		break;
	case OPT_RING:
		o->watch.probe.ring_size = ring_size(args_number(
		    "option --ring-size", optarg, RING_MIN, SEGV_RING_MAX));
		break;
	case OPT_SHARE:
		o->watch.probe.share =
		    args_number("option --share", optarg, 0, SEGV_RATE_MAX);
		break;
	case OPT_STATS:
		o->stats = 1;
		if (optarg != NULL)
			o->watch.stats_ms =
			    (int64_t)args_number(
				"option --stats", optarg, 1, SECONDS_MAX) *
			    1000;
		break;
	default:
		msg_usage(SYNOPSIS);
	}
}

static void
parse_options(struct options *o, int argc, char **argv)
{
	const struct args_row rows[] = {{OPT_APPEND, .flag = &o->append},
	    {OPT_REDACT, .flag = &o->tell.show.redact},
	    {'d', .seconds = &o->watch.duration_ms, .max = SECONDS_MAX},
	    {'o', .text = &o->tell.path},
	    {'r', .flag = &o->tell.show.registers},
	    {'t', .flag = &o->tell.show.stack}};
	int c;

	memset(o, 0, sizeof(*o));
	o->watch.duration_ms = o->watch.stats_ms = -1;
	o->tell.show.depth = SEGV_DEPTH;
	o->watch.probe.share = SEGV_SHARE_DEFAULT;
	while (
	    (c = getopt_long(argc, argv, "d:n:o:p:rtv", longopts, NULL)) != -1)
		if (!args_take(rows, NELEM(rows), c, optarg))
			parse_option(o, c);
	if (optind != argc)
		msg_usage(SYNOPSIS);
	if (o->watch.duration_ms == 0)
		o->watch.duration_ms = -1;
	o->tell.show.detail = msg_verbose() > 0;
	o->watch.cmdline = o->tell.show.detail && !o->tell.show.redact;
	if (o->append && o->tell.path == NULL)
		msg_die(EXIT_USAGE, "option --append wants option -o");
	/* what is not shown is not asked for: each part costs the crasher */
	o->watch.probe.want = SEGV_WANT_IDS;
	if (o->tell.show.stack)
		o->watch.probe.want |= SEGV_WANT_STACK | SEGV_WANT_VMA;
	if (o->tell.show.detail || o->tell.format == OUT_JSON)
		o->watch.probe.want |= SEGV_WANT_VMA | SEGV_WANT_EXE;
}

/* --- run -------------------------------------------------------------------
 */

static void
catch_signals(struct segv_watch *w)
{
	static const int ends[] = {SIGINT, SIGTERM, SIGHUP};
	struct sigaction sa = {.sa_handler = on_stop}, was;
	sigset_t set;
	size_t i;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	for (i = 0; i < NELEM(ends); i++) {
		/* nohup(1) */
		if (ends[i] == SIGHUP && sigaction(SIGHUP, NULL, &was) == 0 &&
		    was.sa_handler == SIG_IGN)
			continue;
		sigaction(ends[i], &sa, NULL);
		sigaddset(&set, ends[i]);
	}
	sigprocmask(SIG_BLOCK, &set, &w->unblocked);
	for (i = 0; i < NELEM(ends); i++)
		sigdelset(&w->unblocked, ends[i]);
	w->stops = &stops;
}

static void
attach(struct segv_watch *w, const struct options *o)
{
	int err;

	if (segv_watch_open(w, &o->watch) == -1) {
		err = errno;
		if (*w->probe.why == '\0')
			msg_die_sys(EXIT_SYSTEM, "unable to begin");
		if (msg_verbose() > 1 && w->probe.log != NULL)
			io_write_full(
			    STDERR_FILENO, w->probe.log, strlen(w->probe.log));
		if (err == EINVAL && w->probe.log == NULL)
			msg_die(EXIT_USAGE, "%s", w->probe.why);
		msg_die(EXIT_SYSTEM,
		    "unable to watch signals: %s; without BPF, usercrash_c in "
		    "core_pattern reports crashes",
		    w->probe.why);
	}
	if (w->maps_why != NULL)
		msg_warn("%s; of processes that end at once names and stacks "
			 "will be missing",
		    w->maps_why);
	if (*w->probe.lacks != '\0')
		msg_warn("not to be had here: %s", w->probe.lacks);
}

/* Called once attached: a run that cannot begin leaves an older file alone. */
static void
open_output(struct segv_watch *w, const struct options *o)
{
	int flags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY;
	int outfd = STDOUT_FILENO;

	if (o->tell.path != NULL)
		outfd =
		    open(o->tell.path, flags | (o->append ? 0 : O_TRUNC), 0640);
	if (outfd == -1)
		msg_die_sys(EXIT_USAGE, "unable to open %s", o->tell.path);
	if (segv_wire_output(&w->wire, outfd) == -1)
		msg_die_sys(EXIT_SYSTEM, "unable to begin");
	close(outfd);
	if (outfd == STDOUT_FILENO)
		open("/dev/null", O_RDWR);
}

static void
print_stats(const struct segv_watch *w)
{
	char line[MSG_MAX];
	unsigned i;

	segv_watch_stats(w, line, sizeof(line));
	msg_info("stats: %s", line);
	for (i = 0; msg_verbose() > 0 && i < w->probe.ncpus; i++) {
		segv_watch_cpu(w, i, line, sizeof(line));
		if (*line != '\0')
			msg_info("stats: %s", line);
	}
}

/* The end of the other process: it has written all, or ended before. */
static void
wait_teller(struct segv_watch *w)
{
	char why[MSG_MAX];
	int wait_status = 0, status, r, told = stops;

	while ((r = child_wait(
		    w->teller->pid, deadline_in(WAIT_MS), &wait_status)) == 0) {
		sigprocmask(SIG_SETMASK, &w->unblocked, NULL);
		if (stops > told + 1)
			kill(w->teller->pid, SIGKILL);
	}
	if (r == -1)
		msg_die_sys(EXIT_SYSTEM, "unable to wait");
	if (segv_teller_ended(wait_status, &status, why, sizeof(why)) == 0)
		return;
	if (*why != '\0')
		msg_die(status, "%s", why);
	exit(status);
}

static void
run(struct segv_watch *w)
{
	if (segv_watch_run(w) == 0) {
		wait_teller(w);
		return;
	}
	if (errno == EPIPE)
		wait_teller(w);
	if (errno == EBADMSG)
		msg_die(EXIT_SYSTEM, "the ring buffer makes no sense");
	if (errno != EINTR)
		msg_die_sys(EXIT_SYSTEM, "unable to go on");
}

/* What was not written, and why; how many that nobody wanted left out. */
static uint64_t
print_sum(const struct segv_watch *w, int asked)
{
	struct segv_sum s = segv_watch_sum(w);

	if (asked || s.dropped > 0 || s.limited > 0)
		msg_info("%" PRIu64 " seen = %" PRIu64 " written + %" PRIu64
			 " limited + %" PRIu64 " dropped",
		    s.seen, s.written, s.limited, s.dropped);
	if (s.dropped > 0)
		msg_warn("%" PRIu64
			 " events were lost, as --stats tells; a larger "
			 "--ring-size, or a --rate or --share may help",
		    s.dropped);
	return s.dropped;
}

int
main(int argc, char **argv)
{
	static struct segv_watch w = {.on_stats = print_stats};
	struct segv_teller teller;
	struct options o;
	uint64_t missing;

	msg_init("segfault_analyzer");
	args_help(argv, SYNOPSIS);
	parse_options(&o, argc, argv);
	if (segv_teller_start(&teller, &o.tell) == -1) {
		if (errno == EPROTO)
			return EXIT_SYSTEM;
		msg_die_sys(EXIT_SYSTEM, "unable to begin");
	}
	w.teller = &teller;
	catch_signals(&w);
	attach(&w, &o);
	open_output(&w, &o);
	if (privdrop_but(NOBODY, NOBODY, segv_watch_caps()) == -1)
		msg_die_sys(EXIT_SYSTEM, "unable to drop privileges");
	msg_debug(1, "attached");
	run(&w);
	if (o.stats)
		print_stats(&w);
	missing = print_sum(&w, o.stats || msg_verbose() > 0);
	segv_watch_close(&w);
	return missing > 0 ? EXIT_PARTIAL : EXIT_DONE;
}
