/*
 * usercrash_c [options] pid comm sig  <core
 * usercrash_c [options] --listen path
 *
 * The kernel's core_pattern client: a crash becomes a report.  Standing by at a
 * coredump socket it forks for each crash (accept/accepting) and goes on as if
 * the kernel had run it.
 *
 *  1. msg_init() makes fds 0-2 safe; /proc/<tid> is opened and checked.
 *  2. It waits for its turn (base/turn), for memory's sake.
 *  3. usercrash_s is asked for a descriptor; where no server answers, a slot
 *     is taken with the same module.  -o writes to a file instead.
 *  4. A worker is forked.  It gathers /proc and opens memory and files, drops
 *     every privilege, and only then parses: the notes on stdin, ELF, DWARF.
 *     The parent parses nothing.
 *  5. The parent gives its stdin away, so that the crashed process waits for
 *     the worker alone, and waits with a deadline.  A worker that hangs is
 *     killed; one that dies leaves a report that says so.
 *  6. Completion: the report gets its name.  One log line, whatever happened;
 *     of a loop of crashes a line for some, and how many the others were.
 */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "accept/accepting.h"
#include "base/args.h"
#include "base/bytes.h"
#include "base/child.h"
#include "base/deadline.h"
#include "base/io.h"
#include "base/msg.h"
#include "base/sandbox.h"
#include "base/turn.h"
#include "crash/crashid.h"
#include "crash/crashproc.h"
#include "out/out.h"
#include "proc/procdir.h"
#include "report/door.h"
#include "report/dying.h"
#include "slots/sink.h"

#define SYNOPSIS                                                      \
	"[-eOpv] [-d dir] [-f text | json] [-M MiB] [-m minfree]\n"   \
	"\t[-n slots] [-o file] [-R MiB] [-S socket] [-s share] [-w " \
	"seconds]\n"                                                  \
	"\t[--key=value ...] [pid comm sig]\n"                        \
	"       usercrash_c [option ...] --listen path"

enum {
	WORKER_S = 20,	  /* for the whole report */
	WORKER_MEM = 256, /* MiB the worker may map */
	SLACK_S = 60,	  /* beyond all that waits, where we stand by */
};

struct options {
	struct crash_id id;
	int procfd; /* the process, or -1 and why not */
	const char *proc_why;
	enum out_format format;
	int want_environ;
	int print;
	int wait_s;
	pid_t self;
	const char *listen; /* where to stand by; NULL: there is one crash */
	char exe[PATH_MAX]; /* "" unknown */
	struct buf status;  /* "" unknown */
	struct sink_cfg sink;
};

/* What the worker tells its parent; hostile once the worker parses. */
struct told {
	char summary[CRASH_SUMMARY];
	char signature[17];
	int partial;
	int err; /* the report could not be written, an errno */
};

enum { OWN = 2 };

static struct option longopts[OWN + CRASH_OPTIONS + 1] = {
    {"format", required_argument, NULL, 'f'},
    {"listen", required_argument, NULL, 'L'}};

/*
 * pid comm sig, as good as --pid, --comm and --signal; kernels before 5.3
 * split a comm at its blanks, and may lose an empty one.
 */
static void
parse_operands(struct options *o, int argc, char **argv)
{
	struct crash_id *id = &o->id;

	if (*id->comm != '\0' && argc > 0) {
		crash_id_words(id, argc + 1, argv);
		return;
	}
	if (argc < 1) {
		if (id->pid == -1 && id->signal == -1 && *id->comm == '\0')
			msg_usage(SYNOPSIS);
		return;
	}
	if (*argv[0] != '\0')
		id->pid = (int64_t)args_number("pid", argv[0], 0, INT_MAX);
	if (argc < 2) {
		if (id->signal == -1)
			msg_warn("no comm and no signal given");
		return;
	}
	crash_id_try(&o->id, CRASH_SIGNAL, argv[argc - 1]);
	if (argc < 3)
		return;
	crash_id_try(&o->id, CRASH_COMM, argv[1]);
	crash_id_words(id, argc - 2, argv + 2);
}

static void
parse_options(struct options *o, int argc, char **argv)
{
	struct slots_cfg *slots = &o->sink.slots;
	const struct args_row rows[] = {{'e', .flag = &o->want_environ},
	    {'O', .flag = &slots->owner}, {'p', .flag = &o->print},
	    {'d', .text = &slots->dir}, {'o', .text = &o->sink.output},
	    {'S', .text = &o->sink.socket}, {'L', .text = &o->listen},
	    {'M', .mib = &slots->total, .max = ARGS_MIB_MAX},
	    {'m', .mib = &slots->minfree, .max = ARGS_MIB_MAX},
	    {'n', .number = &slots->n, .min = 1, .max = SLOTS_MAX},
	    {'R', .mib = &slots->reportmax, .min = 1, .max = 1024},
	    {'s', .number = &slots->share, .min = 1, .max = SLOTS_MAX},
	    {'w', .integer = &o->wait_s, .min = 1, .max = 3600}};
	int c;

	memset(o, 0, sizeof(*o));
	sink_defaults(&o->sink);
	crash_id_init(&o->id);
	crash_id_options(longopts + OWN);
	o->wait_s = WORKER_S;
	o->self = getpid();
	/* "+": a comm that begins with '-' is no option.  Unknown ones are
	 * passed over: a pattern newer than this program costs no report */
	opterr = 0;
	while ((c = getopt_long(argc, argv,
		    "+:d:ef:M:m:n:Oo:pR:S:s:vw:", longopts, NULL)) != -1) {
		if (args_take(rows, NELEM(rows), c, optarg))
			continue;
		if (c == 'f')
			o->format =
			    args_either("format", optarg, "text", "json")
			    ? OUT_JSON
			    : OUT_TEXT;
		else if (c == '?')
			msg_warn("unknown option %s ignored", argv[optind - 1]);
		else if (c == ':')
			msg_usage(SYNOPSIS);
		else
			crash_id_try(&o->id, c, optarg);
	}
	if (o->print && o->sink.output != NULL &&
	    strcmp(o->sink.output, "-") == 0)
		msg_die(EXIT_USAGE, "both -p and -o - want standard output");
	if (o->listen == NULL)
		parse_operands(o, argc - optind, argv + optind);
	else if (optind < argc || o->print || o->sink.output != NULL)
		msg_usage(SYNOPSIS);
}

static void
open_process(struct options *o)
{
	int64_t told = o->id.pid;

	o->procfd =
	    crashproc_open(&o->id, STDIN_FILENO, &o->status, &o->proc_why);
	if (told != o->id.pid)
		msg_warn("pid %d is %d here: use %%P in core_pattern",
		    (int)told, (int)o->id.pid);
	/* the last byte stays 0 */
	if (o->procfd != -1 &&
	    readlinkat(o->procfd, "exe", o->exe, sizeof(o->exe) - 1) == -1)
		*o->exe = '\0';
}

static int
known(int64_t number)
{
	return number > 0 ? (int)number : 0;
}

/* What was opened is all there is from here on, and separate debug files; or
 * where the process cannot be read, the files that its core names. */
static int
shut_door(const struct options *o, struct dying *d)
{
	struct sandbox_bounds b = {.memory = (uint64_t)WORKER_MEM << 20,
	    .file = o->sink.slots.reportmax,
	    .cpu_s = (unsigned)o->wait_s};
	const struct report_outside out = {o->self, !d->readable, d->c->pi};
	const char *why;

	if (report_door(&out, &b, &d->opener, &why) == -1)
		return -1;
	if (why != NULL)
		msg_debug(1, "no sandbox: %s", why);
	return 0;
}

/* What the kernel said. */
static void
told_of(const struct options *o, struct crash *c)
{
	const struct crash_id *id = &o->id;

	*c = (struct crash){.pid = known(id->pid),
	    .tid = known(id->tid),
	    .comm = *id->comm != '\0' ? id->comm : NULL,
	    .exe = *id->exe != '\0' ? id->exe : o->exe,
	    .host = id->host,
	    .time = id->time,
	    .uid = (long)id->uid,
	    .gid = (long)id->gid,
	    .signo = known(id->signal),
	    .dumpmode = (int)id->dumpmode,
	    .rlimit = id->rlimit};
}

/* The worker's part, in the child: what parses.  Its exit code. */
static int
work(const struct options *o, int reportfd, struct told *told)
{
	const struct procinfo_seen seen = {&o->status, o->exe};
	struct crash c;
	struct dying d;
	int r;

	told_of(o, &c);
	c.want_environ = o->want_environ;
	c.sure = o->id.pidfd != -1;
	c.report_max = o->sink.slots.reportmax;
	c.deadline = deadline_in((int64_t)o->wait_s * 750);
	c.proc_why = o->proc_why;
	r = dying_open(&d, &c, o->procfd, &seen);
	io_later(0);
	if (r == 0)
		r = shut_door(o, &d);
	if (r == 0)
		r = dying_report(&d, STDIN_FILENO, reportfd, o->format);
	memcpy(told->summary, c.summary, sizeof(told->summary));
	memcpy(told->signature, c.signature, sizeof(told->signature));
	told->partial = c.partial;
	told->err = r == -1 && c.written ? errno : 0;
	return r == -1 ? EXIT_SYSTEM : EXIT_DONE;
}

/* For whoever goes on.  The worker cannot make the signature anything else. */
static void
print(struct told *told, const char *where)
{
	told->signature[sizeof(told->signature) - 1] = '\0';
	if (strspn(told->signature, "0123456789abcdef") != 16)
		strcpy(told->signature, "none");
	dprintf(STDOUT_FILENO, "%s %s\n", told->signature, where);
}

/* A report whose worker died, or that came to its bound, ends well; one that
 * had not even begun, or not as one does, gets what the kernel said. */
static void
mend(const struct options *o, int fd, const char *trouble)
{
	struct crash c;
	struct stat st;

	if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode))
		return;
	if (!crash_has_head(fd, o->format)) {
		told_of(o, &c);
		c.proc_why = trouble;
		if (crash_head(&c, fd, o->format) == -1)
			msg_warn_sys("unable to begin the report");
	}
	if (out_mend(fd, o->format, trouble) == -1)
		msg_warn_sys("unable to mend the report");
}

/* All that is known, for there is no report to say it.  Exit code. */
static int
no_report(
    const struct options *o, const char *summary, const char *what, int err)
{
	msg_warn("%s[%d] %s: no report: %s%s%s: %s; tid %d, uid %ld, exe %s",
	    *o->id.comm != '\0' ? o->id.comm : "?", known(o->id.pid), summary,
	    what, o->sink.output != NULL ? " " : " in ",
	    o->sink.output != NULL ? o->sink.output : o->sink.slots.dir,
	    strerror(err), known(o->id.tid), (long)o->id.uid,
	    *o->exe ? o->exe : "?");
	return EXIT_SYSTEM;
}

/* The line of a crash; of so many that they would take the whole log, it says
 * how many there were.  Exit code. */
static int
finish(const struct options *o, struct sink *s, struct told *told,
    const char *trouble)
{
	const char *comm = *o->id.comm != '\0' ? o->id.comm : "?";
	char where[PATH_MAX + SPOOL_NAME_MAX], cut[64], share[128];
	int code;

	told->summary[sizeof(told->summary) - 1] = '\0';
	if (*told->summary == '\0')
		snprintf(told->summary, sizeof(told->summary), "signal %d",
		    known(o->id.signal));
	if (s->fd == -1)
		return no_report(
		    o, told->summary, "unable to create it", s->err);
	if (told->err == EFBIG) {
		snprintf(cut, sizeof(cut), "cut at %llu bytes",
		    (unsigned long long)o->sink.slots.reportmax);
		trouble = cut;
	} else if (told->err > 0) {
		sink_abandon(s, told->err);
		return no_report(
		    o, told->summary, "unable to write it", told->err);
	}
	if (trouble != NULL)
		mend(o, s->fd, trouble);
	if (sink_publish(&o->sink, s) == -1)
		return no_report(
		    o, told->summary, "unable to publish it", errno);
	if (o->sink.output != NULL)
		snprintf(where, sizeof(where), "%s", o->sink.output);
	else
		snprintf(where, sizeof(where), "%s/%s", o->sink.slots.dir,
		    s->entry.name);
	if (o->print)
		print(told, where);
	code = trouble != NULL || told->partial ? EXIT_PARTIAL : EXIT_DONE;
	if (s->entry.tell == SLOTS_COUNTED) {
		msg_debug(1, "%s[%d] report %s: counted", comm,
		    known(o->id.pid), where);
		return code;
	}
	slots_told(&s->entry, (long)o->id.uid, share);
	msg_info("%s[%d] %s, report %s%s%s%s", comm, known(o->id.pid),
	    told->summary, where, trouble != NULL ? ", incomplete: " : "",
	    trouble != NULL ? trouble : "", share);
	return code;
}

/* What the server, and the ring, is asked with. */
static void
ask(const struct options *o, struct spool_request *req)
{
	const struct crash_id *id = &o->id;

	*req = (struct spool_request){.key = sink_key(o->exe, id->comm),
	    .pid = (uint32_t)known(id->pid),
	    .signal = (uint32_t)known(id->signal),
	    .uid = id->uid >= 0 ? (uint32_t)id->uid : SLOTS_UID_UNKNOWN};
	memcpy(req->comm, id->comm, strnlen(id->comm, sizeof(req->comm)));
}

static void
open_sink(const struct options *o, struct sink *s)
{
	struct spool_request req;

	ask(o, &req);
	if (sink_open(&o->sink, &req, s) == -1)
		s->err = errno;
	if (s->connfd == -1 && o->sink.output == NULL)
		msg_debug(1, "no server at %s: %s", o->sink.socket,
		    strerror(s->ask_err));
	if (s->fd != -1 && (s->tmp != NULL || o->sink.output == NULL) &&
	    (o->id.dumpmode >= 0 ? o->id.dumpmode != 1
				 : proc_is_secret(o->procfd)))
		fchmod(s->fd, 0600);
}

/* The worker is there all the same: what it may still write to is no report.
 * Another file is, with what the kernel said. */
static void
open_another(const struct options *o, struct sink *s, struct told *told)
{
	memset(told, 0, sizeof(*told));
	if (s->tmp == NULL && o->sink.output != NULL)
		return;
	sink_abandon(s, ETIMEDOUT);
	io_close(&s->fd);
	io_close(&s->connfd);
	io_close(&s->dirfd);
	sink_init(s);
	open_sink(o, s);
}

/* Forks the worker and waits for it; NULL, or what became of it. */
static const char *
make_report(const struct options *o, struct sink *s, struct told *told,
    char *text, size_t len)
{
	struct told *shared = child_shared(sizeof(*shared));
	pid_t worker = shared != NULL ? child_fork() : -1;
	const char *trouble;
	int there;

	if (worker == 0) {
		/* the worker is to fill the report, not to publish it */
		io_close(&s->connfd);
		if (s->dirfd != -1)
			io_done(s->dirfd);
		if (o->print) /* its end is to mean that it is published */
			fd_to_null(STDOUT_FILENO);
		_exit(work(o, s->fd, shared));
	}
	if (worker == -1)
		snprintf(text, len, "unable to fork: %s", strerror(errno));
	/* the crashed process is to wait for the worker only; whatever is there
	 * then nobody reads */
	if (dup2(STDERR_FILENO, STDIN_FILENO) == -1)
		fd_to_null(STDIN_FILENO);
	if (worker == -1)
		return text;
	trouble = sandbox_await(worker, o->wait_s, text, len, &there);
	*told = *shared;
	if (there)
		open_another(o, s, told);
	return trouble;
}

/* The crash whose core is on stdin.  Exit code. */
static int
report(struct options *o)
{
	const char *trouble = NULL;
	struct told told = {.err = 0};
	struct sink s;
	char text[128];

	io_later(1); /* mostly, to the end */
	open_process(o);
	sink_init(&s);
	if (sink_turn(&o->sink, &s, (uint64_t)WORKER_MEM << 20, o->id.uid != 0,
		deadline_in(TURN_WAITS * o->wait_s * INT64_C(1000))) == -1) {
		snprintf(text, sizeof(text),
		    "no turn for a worker in %d seconds",
		    TURN_WAITS * o->wait_s);
		trouble = text;
	}
	open_sink(o, &s);
	if (s.fd != -1 && trouble == NULL)
		trouble = make_report(o, &s, &told, text, sizeof(text));
	return finish(o, &s, &told, trouble);
}

static int
report_dumped(void *arg, struct dumped *d)
{
	struct options *o = arg;

	o->self = getpid();
	dumped_id(d, &o->id);
	alarm((unsigned)((TURN_WAITS + 2) * o->wait_s) + SLACK_S);
	signal(SIGPIPE, SIG_IGN);
	return report(o);
}

static int
stand_by(struct options *o)
{
	struct accepting a = {.path = o->listen,
	    .max = ACCEPTING_CHILDREN,
	    .wait_s = ACCEPTING_WAIT_S,
	    .crash = report_dumped,
	    .arg = o};
	accepting_path(o->listen);
	accepting_open(&a, 0, SYNOPSIS);
	return accepting_run(&a);
}

int
main(int argc, char **argv)
{
	struct options o;

	msg_init("usercrash_c");
	args_help(argv, SYNOPSIS);
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	signal(SIGPIPE, SIG_IGN);
	child_heap();
	parse_options(&o, argc, argv);
	if (o.listen != NULL)
		return stand_by(&o);
	_exit(report(&o)); /* nothing is buffered, or waits for it */
}
