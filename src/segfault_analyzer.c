/*
 * segfault_analyzer: every segmentation fault of the system, as it happens.
 *
 * segfault_analyzer [-rtv] [-d seconds] [-p pid] [-n name] [-o file]
 *     [long options]
 *
 * - follows which files every process maps (track/maptrack), since a process
 *   has usually gone when its event is read;
 * - attaches a BPF program to signal_deliver (segv/segv_probe), which filters,
 *   limits the rate and copies registers and stack into a ring buffer;
 * - gives up all rights but those of looking;
 * - sleeps until the ring has something, then 2 ms longer: under load a
 *   wake-up brings hundreds of events, and the crashing CPU pays for none;
 * - SIGINT, SIGTERM, SIGHUP, the end of -d: detaches, then reads all that is
 *   in the ring and writes it.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/args.h"
#include "base/bytes.h"
#include "base/io.h"
#include "base/msg.h"
#include "base/privdrop.h"
#include "report/signals.h"
#include "segv/segv_watch.h"

#define SYNOPSIS                                                           \
	"[-rtv] [-d seconds] [-p pid] [-n name] [-o file]\n"               \
	"\t[--append] [--format text | json] [--max-stack-depth frames]\n" \
	"\t[--rate events] [--redact] [--ring-size bytes]\n"               \
	"\t[--signals list] [--stats[=seconds]]"

enum { RING_MIN = 4096, SECONDS_MAX = 1 << 30 };

struct options {
	struct segv_watch_opts watch;
	enum out_format format;
	const char *path; /* NULL: stdout */
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
	OPT_FORMAT,
	OPT_DEPTH,
	OPT_RATE,
	OPT_REDACT,
	OPT_RING,
	OPT_SIGNALS,
	OPT_STATS
};

static const struct option longopts[] = {
    {"append", no_argument, NULL, OPT_APPEND},
    {"duration", required_argument, NULL, 'd'},
    {"format", required_argument, NULL, OPT_FORMAT},
    {"max-stack-depth", required_argument, NULL, OPT_DEPTH},
    {"output", required_argument, NULL, 'o'},
    {"pid", required_argument, NULL, 'p'},
    {"process-name", required_argument, NULL, 'n'},
    {"rate", required_argument, NULL, OPT_RATE},
    {"redact", no_argument, NULL, OPT_REDACT},
    {"registers", no_argument, NULL, 'r'},
    {"ring-size", required_argument, NULL, OPT_RING},
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

/* What is more than a number, a text or a switch. */
static void
parse_option(struct options *o, int c)
{
	switch (c) {
	case 'n':
		o->watch.probe.name = optarg;
		if (strlen(optarg) > SEGV_FILTER_MAX)
			msg_die(EXIT_USAGE, "option -n wants at most %d bytes",
			    SEGV_FILTER_MAX);
		break;
	case OPT_FORMAT:
		o->format = args_either("format", optarg, "text", "json")
		    ? OUT_JSON
		    : OUT_TEXT;
		break;
	case OPT_DEPTH:
		o->watch.show.depth = args_number(
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
	case OPT_SIGNALS:
		o->watch.probe.signals = parse_signals(optarg);
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
	    {OPT_REDACT, .flag = &o->watch.show.redact},
	    {'d', .seconds = &o->watch.duration_ms, .max = SECONDS_MAX},
	    {'o', .text = &o->path},
	    {'p', .integer = &o->watch.probe.pid, .min = 1, .max = INT_MAX},
	    {'r', .flag = &o->watch.show.registers},
	    {'t', .flag = &o->watch.show.stack}};
	int c;

	memset(o, 0, sizeof(*o));
	o->watch.duration_ms = o->watch.stats_ms = -1;
	o->watch.show.depth = SEGV_DEPTH;
	while (
	    (c = getopt_long(argc, argv, "d:n:o:p:rtv", longopts, NULL)) != -1)
		if (!args_take(rows, NELEM(rows), c, optarg))
			parse_option(o, c);
	if (optind != argc)
		msg_usage(SYNOPSIS);
	if (o->watch.duration_ms == 0)
		o->watch.duration_ms = -1;
	o->watch.show.detail = msg_verbose() > 0;
	if (o->append && o->path == NULL)
		msg_die(EXIT_USAGE, "option --append wants option -o");
	/* what is not shown is not asked for: each part costs the crasher */
	o->watch.probe.want = SEGV_WANT_IDS;
	if (o->watch.show.stack)
		o->watch.probe.want |= SEGV_WANT_STACK | SEGV_WANT_VMA;
	if (o->watch.show.detail || o->format == OUT_JSON)
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
static struct out *
open_output(const struct options *o)
{
	int flags = O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY;
	int outfd = STDOUT_FILENO;
	struct out *out;

	if (o->path != NULL)
		outfd = open(
		    o->path, flags | (o->append ? O_APPEND : O_TRUNC), 0640);
	if (outfd == -1)
		msg_die_sys(EXIT_USAGE, "unable to open %s", o->path);
	out = out_new(outfd, o->format);
	if (out == NULL)
		msg_die_sys(EXIT_SYSTEM, "unable to begin");
	out_feed(out);
	return out;
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

_Noreturn static void
die_running(const struct options *o)
{
	if (errno == EBADMSG)
		msg_die(EXIT_SYSTEM, "the ring buffer makes no sense");
	if (errno == ENOMEM)
		msg_die_sys(EXIT_SYSTEM, "unable to go on");
	msg_die_sys(EXIT_SYSTEM, "unable to write %s",
	    o->path != NULL ? o->path : "to standard output");
}

int
main(int argc, char **argv)
{
	struct segv_watch w = {.on_stats = print_stats};
	struct options o;
	struct out *out;
	uint64_t missing;

	msg_init("segfault_analyzer");
	args_help(argv, SYNOPSIS);
	parse_options(&o, argc, argv);
	catch_signals(&w);
	attach(&w, &o);
	out = open_output(&o);
	if (privdrop_but(NOBODY, NOBODY, segv_watch_caps()) == -1)
		msg_die_sys(EXIT_SYSTEM, "unable to drop privileges");
	msg_debug(1, "attached");
	if (segv_watch_run(&w, out) == -1 || out_finish(out) == -1)
		die_running(&o);
	if (o.stats)
		print_stats(&w);
	missing = segv_watch_missing(&w);
	if (missing > 0)
		msg_warn("%llu events were lost, as --stats tells; a larger "
			 "--ring-size or a --rate may help",
		    (unsigned long long)missing);
	segv_watch_close(&w);
	return missing > 0 ? EXIT_PARTIAL : EXIT_DONE;
}
