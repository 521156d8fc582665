#include "segv/segv_args.h"

#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/args.h"
#include "base/bytes.h"
#include "base/msg.h"
#include "base/num.h"
#include "report/signals.h"

#define SYNOPSIS                                                     \
	"[-rtv] [-d seconds] [-p pid ...] [-n name ...]\n"           \
	"\t[-o file] [--append] [--fatal | --handled]\n"             \
	"\t[--format text | json] [--max-stack-depth frames]\n"      \
	"\t[--not-name name ...] [--not-pid pid ...]\n"              \
	"\t[--rate events] [--redact] [--ring-size bytes]\n"         \
	"\t[--rotate size,count] [--share events]\n"                 \
	"\t[--signals list] [--stats[=seconds]] [--top[=seconds]]\n" \
	"\t[--exec command [arg ...]]"

enum { RING_MIN = 4096, FILE_MIN = 4096, SECONDS_MAX = 1 << 30, TOP_MS = 2000 };

enum {
	OPT_APPEND = 256,
	OPT_DEPTH,
	OPT_EXEC,
	OPT_FATAL,
	OPT_FORMAT,
	OPT_HANDLED,
	OPT_NOT_NAME,
	OPT_NOT_PID,
	OPT_RATE,
	OPT_REDACT,
	OPT_RING,
	OPT_ROTATE,
	OPT_SHARE,
	OPT_SIGNALS,
	OPT_STATS,
	OPT_TOP
};

static const struct option longopts[] = {
    {"append", no_argument, NULL, OPT_APPEND},
    {"duration", required_argument, NULL, 'd'},
    {"exec", required_argument, NULL, OPT_EXEC},
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
    {"rotate", required_argument, NULL, OPT_ROTATE},
    {"share", required_argument, NULL, OPT_SHARE},
    {"signals", required_argument, NULL, OPT_SIGNALS},
    {"stack-trace", no_argument, NULL, 't'},
    {"stats", optional_argument, NULL, OPT_STATS},
    {"top", optional_argument, NULL, OPT_TOP},
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

/* "10M,5": a file's size and how many stay. */
static void
parse_rotate(struct segv_keeper_opts *k)
{
	static const char units[] = "kMG";
	const char *end = strchr(optarg, ','), *rest, *unit;
	uint64_t n = 0, count = 0;
	unsigned shift = 0;
	int bad = end == NULL || num_scan(optarg, end, 10, &n, &rest) == -1;

	if (!bad && rest < end) {
		unit = strchr(units, *rest);
		bad = unit == NULL || rest + 1 != end;
		shift = unit != NULL ? 10 * (unsigned)(unit - units + 1) : 0;
	}
	if (bad || n > UINT32_MAX || n << shift < FILE_MIN ||
	    num_u64(end + 1, 10, 1, KEEPER_COUNT_MAX, &count) == -1)
		msg_die(EXIT_USAGE,
		    "option --rotate wants SIZE,COUNT as 10M,5: at least %d "
		    "bytes (or k, M, G), and 1 to %d files, not \"%.64s\"",
		    FILE_MIN, KEEPER_COUNT_MAX, optarg);
	k->size = n << shift;
	k->count = (unsigned)count;
}

/* Seconds that an option may have: as milliseconds. */
static int64_t
seconds(const char *what, int64_t otherwise)
{
	if (optarg == NULL)
		return otherwise;
	return (int64_t)args_number(what, optarg, 1, SECONDS_MAX) * 1000;
}

static void
add_name(struct segv_args *o, struct segv_names *l, const char *option)
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
only(struct segv_args *o, int which)
{
	if (o->watch.probe.only != SEGV_ONLY_NONE &&
	    (int)o->watch.probe.only != which)
		msg_die(EXIT_USAGE,
		    "options --fatal and --handled exclude each other");
	o->watch.probe.only = which;
}

/* Who, and which signals: 1 when it was such an option. */
static int
parse_filter(struct segv_args *o, int c)
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
parse_option(struct segv_args *o, int c)
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
		o->watch.stats_ms = seconds("option --stats", -1);
		break;
	case OPT_ROTATE:
		parse_rotate(&o->keep);
		break;
	case OPT_TOP:
		o->watch.top_ms = seconds("option --top", TOP_MS);
		break;
	default:
		msg_usage(SYNOPSIS);
	}
}

/* What is not shown is not asked for: each part costs the crasher. */
static void
want(struct segv_args *o)
{
	struct segv_teller_opts *t = &o->tell;
	unsigned wanted = SEGV_WANT_IDS;

	t->top = o->watch.top_ms != -1;
	t->show.sign = t->top ? 2 : o->command != NULL;
	t->show.detail = msg_verbose() > 0;
	o->watch.cmdline = t->show.detail && !t->show.redact && !t->top;
	if (t->show.stack || t->show.sign)
		wanted |= SEGV_WANT_STACK | SEGV_WANT_VMA;
	if (t->show.detail || t->show.sign || t->format == OUT_JSON)
		wanted |= SEGV_WANT_VMA | SEGV_WANT_EXE;
	o->watch.probe.want = wanted;
}

static void
check(struct segv_args *o)
{
	if (o->watch.duration_ms == 0)
		o->watch.duration_ms = -1;
	if (o->append && o->tell.path == NULL)
		msg_die(EXIT_USAGE, "option --append wants option -o");
	if (o->keep.size > 0 && o->tell.path == NULL)
		msg_die(EXIT_USAGE, "option --rotate wants option -o");
	o->keep.path = o->tell.path;
	o->tell.full = o->keep.size;
	want(o);
}

void
segv_args_parse(struct segv_args *o, int argc, char **argv)
{
	const struct args_row rows[] = {{OPT_APPEND, .flag = &o->append},
	    {OPT_REDACT, .flag = &o->tell.show.redact},
	    {'d', .seconds = &o->watch.duration_ms, .max = SECONDS_MAX},
	    {'o', .text = &o->tell.path},
	    {'r', .flag = &o->tell.show.registers},
	    {'t', .flag = &o->tell.show.stack}};
	int c;

	args_help(argv, SYNOPSIS);
	memset(o, 0, sizeof(*o));
	o->watch.duration_ms = o->watch.stats_ms = o->watch.top_ms = -1;
	o->tell.show.depth = SEGV_DEPTH;
	o->tell.keepfd = o->tell.runfd = -1;
	o->watch.probe.share = SEGV_SHARE_DEFAULT;
	while (o->command == NULL &&
	    (c = getopt_long(argc, argv, "d:n:o:p:rtv", longopts, NULL)) != -1)
		if (c == OPT_EXEC)
			o->command = argv + optind - 1;
		else if (!args_take(rows, NELEM(rows), c, optarg))
			parse_option(o, c);
	/* all that follows is the command's */
	if (o->command != NULL)
		o->command[0] = optarg;
	else if (optind != argc)
		msg_usage(SYNOPSIS);
	check(o);
}
