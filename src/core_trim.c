/*
 * core_trim [options] <core >small
 *
 * A core with what tells why the process ended, and without the rest.
 *
 * - a core that comes by a pipe is kept in a file without a name first, as what
 *   is wanted of it is known only when all of it is there; but for that of a
 *   process that is being dumped (-p): its head comes by the pipe, and what
 *   memory is wanted is read from the process;
 * - a worker behind the door makes the report of it, as debugger does, and
 *   throws it away: the memory that this has read is kept, and what the rules
 *   of trim/rules.h name for other readers;
 * - should that fail before a byte has left, the core leaves as it is: one that
 *   is too large is better than none.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/args.h"
#include "base/bytes.h"
#include "base/child.h"
#include "base/deadline.h"
#include "base/io.h"
#include "base/msg.h"
#include "base/sandbox.h"
#include "core/corekind.h"
#include "crash/crashproc.h"
#include "report/door.h"
#include "report/dying.h"
#include "trim/rules.h"
#include "trim/smallcore.h"

#define SYNOPSIS                                                            \
	"[-dv] [-m KiB] [-p pid] [-s KiB] [-w seconds] [--key=value ...]\n" \
	"\t<core >small"

enum {
	STACK_KIB = 64,
	AROUND_KIB = 1,
	KIB_MAX = 1 << 20,
	WAIT_S = 60, /* until it is known what is wanted */
	BLOCK = 4096,
	CHUNK = 256 << 10
};

struct options {
	struct crash_id id;
	struct trim_rules rules;
	unsigned stack, around;
	int wait_s;
	int procfd; /* the process that is being dumped, or -1 */
	int corefd;
	int isfile;
	int nullfd; /* where the report goes */
	pid_t self;
};

/* What the worker tells; hostile once it parses. */
struct told {
	int began; /* a byte may have left */
	int cut;
	int err; /* why it has not been done, an errno */
	uint64_t size;
};

static struct option longopts[1 + CRASH_OPTIONS + 1] = {
    {"data", no_argument, NULL, 'd'}};

static void
parse_options(struct options *o, int argc, char **argv)
{
	const struct args_row rows[] = {{'d', .flag = &o->rules.data},
	    {'m', .number = &o->around, .max = KIB_MAX},
	    {'s', .number = &o->stack, .min = 1, .max = KIB_MAX},
	    {'w', .integer = &o->wait_s, .min = 1, .max = 86400}};
	int c;

	memset(o, 0, sizeof(*o));
	crash_id_init(&o->id);
	crash_id_options(longopts + 1);
	o->stack = STACK_KIB;
	o->around = AROUND_KIB;
	o->wait_s = WAIT_S;
	o->self = getpid();
	while (
	    (c = getopt_long(argc, argv, "dm:p:s:vw:", longopts, NULL)) != -1) {
		if (args_take(rows, NELEM(rows), c, optarg))
			continue;
		if (c == 'p')
			o->id.pid =
			    (int64_t)args_number("pid", optarg, 1, INT32_MAX);
		else if (c >= CRASH_OPTION && c < CRASH_OPTION_END)
			crash_id_try(&o->id, c, optarg);
		else
			msg_usage(SYNOPSIS);
	}
	if (optind != argc)
		msg_usage(SYNOPSIS);
	o->rules.stack = (uint64_t)o->stack << 10;
	o->rules.around = (uint64_t)o->around << 10;
}

/* --- the core --------------------------------------------------------------
 */

/* Its bytes in a file without a name, holes for zeros; the descriptor. */
static int
keep_pipe(void)
{
	static const char zero[BLOCK];
	const char *dir = getenv("TMPDIR");
	char *room = malloc(CHUNK);
	uint64_t at = 0, i, len;
	ssize_t n;
	int fd;

	dir = dir != NULL && *dir == '/' ? dir : "/var/tmp";
	fd = open(dir, O_TMPFILE | O_RDWR | O_EXCL | O_CLOEXEC, 0600);
	if (room == NULL || fd == -1)
		msg_die_sys(EXIT_SYSTEM, "unable to keep the core in %s", dir);
	while ((n = io_read_full(STDIN_FILENO, room, CHUNK)) > 0) {
		for (i = 0; i < (uint64_t)n; i += len) {
			len = (uint64_t)n - i < BLOCK ? (uint64_t)n - i : BLOCK;
			if (memcmp(room + i, zero, len) != 0 &&
			    pwrite(fd, room + i, len, (off_t)(at + i)) !=
				(ssize_t)len)
				msg_die_sys(EXIT_SYSTEM,
				    "unable to keep the core in %s", dir);
		}
		at += (uint64_t)n;
	}
	if (n == -1 || ftruncate(fd, (off_t)at) == -1)
		msg_die_sys(EXIT_SYSTEM, "unable to read the core");
	free(room);
	return fd;
}

/* Where the core is to be had. */
static void
open_core(struct options *o)
{
	const char *why = NULL;
	struct stat st;

	if (fstat(STDIN_FILENO, &st) == -1)
		msg_die_sys(EXIT_SYSTEM, "unable to read the core");
	o->corefd = STDIN_FILENO;
	o->procfd = -1;
	o->isfile = S_ISREG(st.st_mode) && lseek(0, 0, SEEK_CUR) == 0;
	if (o->isfile)
		return;
	if (o->id.pid > 0)
		o->procfd = crashproc_open(&o->id, STDIN_FILENO, NULL, &why);
	if (o->procfd != -1)
		return;
	if (why != NULL)
		msg_warn(
		    "process %" PRId64 " cannot be read: %s", o->id.pid, why);
	o->corefd = keep_pipe();
	o->isfile = 1;
}

/* A core of this machine; whether it has its end. */
static void
check_file(const struct options *o)
{
	struct core_kind k;
	char text[96];

	if (core_kind(o->corefd, &k) == -1) {
		if (errno == ENOEXEC)
			msg_die(EXIT_USAGE, "standard input is no ELF core");
		msg_die_sys(EXIT_SYSTEM, "unable to read the core");
	}
	if (!k.swapped && k.elfclass == ELFCLASS64 && k.system == NULL &&
	    k.machine == arch_native->machine)
		return;
	core_kind_text(&k, text, sizeof(text));
	msg_die(
	    EXIT_USAGE, "it is a core of another machine or system: %s", text);
}

/* --- the worker ------------------------------------------------------------
 */

static ssize_t
read_target(void *arg, uint64_t addr, void *p, size_t len)
{
	struct target *t = arg;

	return t->read(t, addr, p, len);
}

static void
seen(void *arg, uint64_t addr, size_t len)
{
	pageset_add(arg, addr, len);
}

static int
shut_door(const struct options *o, struct dying *d)
{
	struct sandbox_bounds b = {0};
	const struct report_outside out = {o->self, !d->readable, d->c->pi};
	const char *why;

	if (report_door(&out, &b, &d->opener, &why) == -1)
		return -1;
	if (why != NULL)
		msg_debug(1, "no sandbox: %s", why);
	return 0;
}

/* What the report reads is kept, and what others look for. */
static int
choose(const struct options *o, struct dying *d, struct pageset *keep)
{
	target_watch(&d->t, seen, keep);
	if (dying_report(d, o->corefd, o->nullfd, OUT_TEXT) == -1 &&
	    d->head.nthreads == 0)
		return -1;
	target_watch(&d->t, NULL, NULL);
	if (d->t.nthreads == 0 || d->head.nsegs == 0)
		return fails(ENODATA);
	trim_apply(&d->t, &d->head, &o->rules, keep);
	return pageset_settle(keep);
}

/* Of a file nothing is wanted that is behind its end; whether something was. */
static int
fit(struct core_head *h, uint64_t end)
{
	struct core_seg *s;
	int cut = 0;
	size_t i;

	for (i = 0; i < h->nsegs; i++) {
		s = &h->segs[i];
		if (s->filesz == 0 ||
		    (s->off <= end && s->filesz <= end - s->off))
			continue;
		s->filesz = s->off < end ? end - s->off : 0;
		cut = 1;
	}
	return cut;
}

/* Of its memory; no more than there is, however often it is said to be there.
 */
static uint64_t
bytes_of(const struct core_head *h, uint64_t most)
{
	uint64_t sum = 0;
	size_t i;

	for (i = 0; i < h->nsegs; i++)
		if (__builtin_add_overflow(sum, h->segs[i].filesz, &sum))
			return most;
	return sum < most ? sum : most;
}

static int
work(const struct options *o, struct told *told)
{
	struct crash c = {.pid = o->id.pid > 0 ? (pid_t)o->id.pid : 0,
	    .tid = o->id.tid > 0 ? (pid_t)o->id.tid : 0,
	    .host = "",
	    .uid = -1,
	    .gid = -1,
	    .dumpmode = -1,
	    .rlimit = -1,
	    .offline = o->procfd == -1,
	    .proc_why = "not looked at",
	    .sure = o->id.pidfd != -1,
	    .deadline = deadline_in((int64_t)o->wait_s * 500)};
	struct pageset keep = {0};
	struct smallcore small = {.keep = &keep, .read = read_target};
	struct dying d;
	struct stat st = {.st_size = INT64_MAX};
	int r = -1;

	if (o->isfile && fstat(o->corefd, &st) == -1)
		msg_die_sys(EXIT_SYSTEM, "unable to read the core");
	if (dying_open(&d, &c, o->procfd, NULL) == 0 && shut_door(o, &d) == 0 &&
	    choose(o, &d, &keep) == 0 && smallcore_from(&small, &d.head) == 0) {
		small.arg = &d.t;
		told->cut = fit(&d.head, (uint64_t)st.st_size);
		small.max = bytes_of(&d.head, (uint64_t)st.st_size);
		told->began = 1;
		r = smallcore_write(STDOUT_FILENO, &small);
		told->began = small.began;
		told->size = small.size;
	}
	told->err = r == -1 ? errno : 0;
	return r == -1 ? EXIT_SYSTEM : EXIT_DONE;
}

/* --- its parent ------------------------------------------------------------
 */

static int
ended(const struct options *o, const struct told *told, int status, int late)
{
	char text[64] = "";
	const char *why = sandbox_violation(status);

	if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
		msg_debug(1, "%" PRIu64 " bytes", told->size);
		if (told->cut)
			msg_warn("the core was cut before its end");
		return told->cut ? EXIT_PARTIAL : EXIT_DONE;
	}
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE)
		raise(SIGPIPE);
	if (late)
		why = "it took too long";
	else if (why == NULL && WIFEXITED(status))
		why = strerror(told->err);
	else if (why == NULL && child_told(status, text, sizeof(text)))
		why = text;
	if (told->began || !o->isfile)
		msg_die(EXIT_SYSTEM, "unable to trim the core: %s", why);
	msg_warn("unable to trim the core: %s: it is passed on whole", why);
	if (smallcore_pass_on(o->corefd, STDOUT_FILENO) == -1)
		msg_die_sys(EXIT_SYSTEM, "unable to pass on the core");
	return EXIT_PARTIAL;
}

int
main(int argc, char **argv)
{
	struct told *told;
	struct options o;
	int status = 0, r;
	pid_t pid;

	msg_init("core_trim");
	args_help(argv, SYNOPSIS);
	child_heap();
	signal(SIGPIPE, SIG_DFL);
	parse_options(&o, argc, argv);
	if (isatty(STDOUT_FILENO) || isatty(STDIN_FILENO))
		msg_die(EXIT_USAGE,
		    "a core comes in and a core goes out: "
		    "neither is for a terminal");
	open_core(&o);
	if (o.isfile)
		check_file(&o);
	o.nullfd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	told = child_shared(sizeof(*told));
	pid = o.nullfd == -1 || told == NULL ? -1 : child_fork();
	if (pid == -1)
		msg_die_sys(EXIT_SYSTEM, "unable to begin");
	if (pid == 0)
		_exit(work(&o, told));
	/* the process waits for who reads the pipe, and for nobody else */
	if (!o.isfile)
		fd_to_null(STDIN_FILENO);
	r = child_wait(pid, deadline_in((int64_t)o.wait_s * 1000), &status);
	if (r == 0 && told->began)
		r = child_wait(pid, deadline_in(-1), &status);
	if (r == 0)
		r = child_end(pid, deadline_in(0), &status) == -1 ? -1 : 2;
	if (r == -1)
		msg_die(EXIT_SYSTEM,
		    "unable to trim the core: its worker "
		    "cannot be ended");
	_exit(ended(&o, told, status, r == 2));
}
