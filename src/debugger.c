/*
 * debugger [options] pid ... | core [exe]
 *
 * The report of each live process or of a core file, on stdout.
 *
 *  pid   gather /proc, seize all threads, copy registers and stacks, let them
 *        run on, drop privileges, unwind from the copies; of several, each
 *        in a child that gives its privileges up for itself
 *  core  open it, drop privileges but for reading files, decode its head, open
 *        the files it names, drop the rest, unwind
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <limits.h>
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
#include "base/num.h"
#include "base/sandbox.h"
#include "core/coreextent.h"
#include "core/corekind.h"
#include "proc/procdir.h"
#include "report/crash_dump.h"
#include "report/door.h"
#include "target/target_core.h"
#include "target/target_live.h"
#include "target/target_notes.h"
#include "target/untraceable.h"

#define SYNOPSIS                                                         \
	"[-ev] [-f text | json] [-t tid] [-w seconds] pid ...\n"         \
	"       debugger [-ev] [-f text | json] [-t tid] [-w seconds]\n" \
	"\t[--libdir dir[:dir]] [--sysroot dir] core [exe]"

enum { UNWIND_S = 60, LIBDIRS_MAX = 64, K_SYSROOT = 256, K_LIBDIR };

struct options {
	enum out_format format;
	int want_environ;
	pid_t tid;
	int wait_s;
	pid_t self; /* who was started, not its children */
	const char *sysroot;
	const char *libdirs[LIBDIRS_MAX];
	size_t nlibdirs;
};

static const struct option longopts[] = {{"environ", no_argument, NULL, 'e'},
    {"format", required_argument, NULL, 'f'},
    {"libdir", required_argument, NULL, K_LIBDIR},
    {"sysroot", required_argument, NULL, K_SYSROOT},
    {"tid", required_argument, NULL, 't'}, {"verbose", no_argument, NULL, 'v'},
    {NULL, 0, NULL, 0}};

/* Directories between colons. */
static void
add_libdirs(struct options *o, char *list)
{
	char *dir;

	while ((dir = strsep(&list, ":")) != NULL) {
		if (*dir == '\0')
			continue;
		if (o->nlibdirs == LIBDIRS_MAX)
			msg_die(EXIT_USAGE, "more than %d directories",
			    LIBDIRS_MAX);
		o->libdirs[o->nlibdirs++] = dir;
	}
}

static int
parse_options(struct options *o, int argc, char **argv)
{
	const struct args_row rows[] = {{'e', .flag = &o->want_environ},
	    {'t', .integer = &o->tid, .min = 1, .max = INT_MAX},
	    {'w', .integer = &o->wait_s, .min = 1, .max = 86400},
	    {K_SYSROOT, .text = &o->sysroot}};
	int c;

	memset(o, 0, sizeof(*o));
	o->wait_s = UNWIND_S;
	o->self = getpid();
	while (
	    (c = getopt_long(argc, argv, "+ef:t:vw:", longopts, NULL)) != -1) {
		if (args_take(rows, NELEM(rows), c, optarg))
			continue;
		if (c == 'f')
			o->format =
			    args_either("format", optarg, "text", "json")
			    ? OUT_JSON
			    : OUT_TEXT;
		else if (c == K_LIBDIR)
			add_libdirs(o, optarg);
		else
			msg_usage(SYNOPSIS);
	}
	return optind;
}

/* What was opened is all there is from here on, and separate debug files. */
static void
shut_door(const struct options *o, const struct procinfo *pi)
{
	static struct opener opener; /* for debug files, to the end */
	const struct report_outside out = {.parent = o->self, .pi = pi};
	struct sandbox_bounds b = {0};
	const char *why;

	if (report_door(&out, &b, &opener, &why) == -1)
		msg_die_sys(EXIT_SYSTEM, "unable to drop privileges");
	if (why != NULL)
		msg_debug(1, "no sandbox: %s", why);
}

/* Writes the report; the exit code. */
static int
dump(struct crash *c, const struct options *o)
{
	struct out *out = out_new(STDOUT_FILENO, o->format);

	if (out == NULL || crash_dump(c, out) == -1)
		msg_die_sys(EXIT_SYSTEM, "unable to make the report");
	if (out_finish(out) == -1)
		msg_die_sys(EXIT_SYSTEM, "unable to write the report");
	return c->partial ? EXIT_PARTIAL : EXIT_DONE;
}

/* The process or, when its leader has exited, a thread that still has the
 * memory. */
static int
open_live(pid_t pid)
{
	int fd = proc_open_thread(pid);

	if (fd == -1)
		msg_die(EXIT_PARTIAL, "no process %d", (int)pid);
	return fd;
}

_Noreturn static void
die_untraceable(pid_t pid, const struct procinfo *pi, int err)
{
	char text[160];

	if (untraceable(pi, pid, err, text, sizeof(text)))
		msg_die(EXIT_PARTIAL, "%s", text);
	errno = err;
	msg_die_sys(EXIT_SYSTEM, "%s", text);
}

static int
debug_live(pid_t pid, const struct options *o)
{
	struct procinfo pi;
	struct live lt = {.first = o->tid > 0 ? o->tid : pid, .only = o->tid};
	struct target t;
	struct crash c = {.t = &t,
	    .pi = &pi,
	    .pid = pid,
	    .uid = -1,
	    .gid = -1,
	    .dumpmode = -1,
	    .rlimit = -1,
	    .want_environ = o->want_environ};
	int procfd, r;

	if (pid == o->self)
		msg_die(EXIT_USAGE, "unable to trace myself");
	procfd = open_live(pid);
	if (procinfo_gather(procfd, o->want_environ ? PROC_WANT_ENVIRON : 0,
		NULL, &pi) == -1)
		msg_die_sys(EXIT_SYSTEM, "unable to read /proc/%d", (int)pid);
	c.pid = (pid_t)procinfo_number(&pi, "Tgid");
	if (o->tid > 0 && !procinfo_has(&pi, o->tid))
		msg_die(EXIT_PARTIAL, "process %d has no thread %d", (int)pid,
		    (int)o->tid);
	/* an interrupt would abort the dump and truncate its core */
	if (procinfo_number(&pi, "CoreDumping") == 1)
		msg_die(EXIT_PARTIAL,
		    "process %d is dumping core: leave it to usercrash_c",
		    (int)pid);
	target_init(&t);
	if (target_live_open(procfd, &pi, &lt, &t) == -1)
		die_untraceable(pid, &pi, errno);
	shut_door(o, &pi);
	if (lt.late > 0)
		msg_warn("%zu threads of %d did not stop in time", lt.late,
		    (int)pid);
	msg_debug(1, "process %d stood still for %llu us", (int)pid,
	    (unsigned long long)lt.pause_ns / 1000);
	c.pause_ns = lt.pause_ns;
	c.live = 1;
	c.deadline = deadline_in((int64_t)o->wait_s * 1000);
	r = dump(&c, o);
	target_free(&t);
	procinfo_free(&pi);
	close(procfd);
	return r;
}

static int
is_native(const struct core_kind *k)
{
	return !k->swapped && k->elfclass == ELFCLASS64 &&
	    k->machine == arch_native->machine;
}

static void
check_kind(const char *path, int corefd)
{
	struct core_kind k;
	char text[96];

	if (core_kind(corefd, &k) == -1) {
		if (errno == ENOEXEC)
			msg_die(EXIT_USAGE, "%s is not an ELF core", path);
		msg_die_sys(EXIT_SYSTEM, "unable to read %s", path);
	}
	if (is_native(&k) && k.system == NULL)
		return;
	core_kind_text(&k, text, sizeof(text));
	msg_die(EXIT_USAGE, "%s is a core of another %s: %s", path,
	    is_native(&k) ? "system" : "architecture", text);
}

static void
check_head(const char *path, const struct core_head *h, int r)
{
	int err = errno;

	if (r == -1 && err == ENOEXEC)
		msg_die(EXIT_USAGE, "%s is not an ELF core", path);
	if (r == -1 && (err != ENODATA || h->nthreads == 0)) {
		errno = err;
		if (err == ENODATA)
			msg_die(
			    EXIT_USAGE, "%s ends before its notes do", path);
		msg_die_sys(EXIT_SYSTEM, "unable to read %s", path);
	}
	if (r == -1)
		msg_warn("%s ends before its notes do", path);
}

/* A wrong program file would only show in names that are missing. */
static void
check_exe(const char *exe)
{
	unsigned char e[CORE_KIND_IDENT];
	struct core_kind k;
	char text[96];
	ssize_t n;
	int fd;

	fd = io_open_regular(AT_FDCWD, exe);
	if (fd == -1 && errno != ENODEV)
		msg_die_sys(EXIT_USAGE, "unable to open %s", exe);
	n = fd != -1 ? io_pread_full(fd, e, sizeof(e), 0) : 0;
	if (!core_kind_ident(e, n > 0 ? (size_t)n : 0, ET_NONE, &k))
		msg_die(EXIT_USAGE, "%s is not an ELF program", exe);
	if (!is_native(&k)) {
		core_kind_text(&k, text, sizeof(text));
		msg_die(EXIT_USAGE, "%s is for another machine: %s", exe, text);
	}
	close(fd);
}

static void
warn_mismatch(const struct target *t, const char *exe)
{
	size_t i;

	for (i = 0; i < t->nmods; i++)
		if (t->mods[i].isexec && t->mods[i].fdwhy != NULL)
			msg_warn("%s was not used: it has another build-id "
				 "than the program of the core",
			    exe);
}

/* 1 when the core was cut: its segments promise more than there is. */
static int
check_size(const char *path, const struct core_head *h, uint64_t size)
{
	uint64_t want = core_memory_end(h);

	if (want <= size)
		return 0;
	msg_warn("%s is truncated: %" PRIu64 " of %" PRIu64 " bytes", path,
	    size, want);
	return 1;
}

/* The root of the core's machine, or -1: ours. */
static int
open_sysroot(const struct options *o)
{
	const char *dir = o->sysroot;
	int fd = -1;

	dir = dir != NULL ? dir : getenv("DEBUGGER_SYSROOT");
	if (dir != NULL && *dir != '\0' &&
	    (fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC)) == -1)
		msg_die_sys(EXIT_USAGE, "unable to open %s", dir);
	return fd;
}

static int
debug_core(const char *path, const char *exe, const struct options *o)
{
	struct core_head h;
	struct target t;
	struct crash c = {.t = &t,
	    .head = &h,
	    .uid = -1,
	    .gid = -1,
	    .dumpmode = -1,
	    .rlimit = -1,
	    .offline = 1,
	    .proc_why = "not recorded in a core file"};
	struct core_paths where = {.exe = exe,
	    .rootfd = open_sysroot(o),
	    .libdirs = o->libdirs,
	    .nlibdirs = o->nlibdirs};
	struct stat st;
	int corefd, r;

	corefd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (corefd == -1 && errno == ENOENT && strchr(path, '/') == NULL)
		msg_die(EXIT_USAGE,
		    "there is no file %s; of processes the number is "
		    "wanted, as $(pidof %s)",
		    path, path);
	if (corefd == -1 || fstat(corefd, &st) == -1)
		msg_die_sys(errno == ENOENT || errno == ENOTDIR ? EXIT_USAGE
								: EXIT_SYSTEM,
		    "unable to open %s", path);
	if (!S_ISREG(st.st_mode))
		msg_die(EXIT_USAGE, "%s is not a regular file", path);
	if (sandbox_approach(1) == -1)
		msg_die_sys(EXIT_SYSTEM, "unable to drop privileges");
	check_kind(path, corefd);
	if (exe != NULL)
		check_exe(exe);
	r = core_head_pread(corefd, &h);
	check_head(path, &h, r);
	c.partial = check_size(path, &h, (uint64_t)st.st_size) || r == -1;
	target_init(&t);
	if (target_take_notes(&t, &h, NULL, 0) == -1)
		msg_die_sys(EXIT_SYSTEM, "unable to read %s", path);
	if (target_core_open(corefd, &h, &where, &t) == -1)
		msg_die_sys(errno == ENOMEM ? EXIT_SYSTEM : EXIT_USAGE,
		    "unable to open %s", exe != NULL ? exe : path);
	shut_door(o, NULL);
	if (o->tid > 0 && target_keep_thread(&t, o->tid) == -1)
		msg_die(EXIT_PARTIAL, "%s has no thread %d", path, (int)o->tid);
	c.pid = h.have_psinfo ? h.pspid : h.nthreads > 0 ? h.threads[0].pid : 0;
	c.time = st.st_mtime;
	c.deadline = deadline_in((int64_t)o->wait_s * 1000);
	r = dump(&c, o);
	if (exe != NULL)
		warn_mismatch(&t, exe);
	target_free(&t);
	core_head_free(&h);
	close(corefd);
	return r;
}

/* The child's exit code.  Who reads the reports no more wants none of the
 * others either: it ends of SIGPIPE, and so do we. */
static int
await_child(pid_t child, const char *pid)
{
	int status;

	while (waitpid(child, &status, 0) == -1)
		if (errno != EINTR)
			msg_die_sys(EXIT_SYSTEM, "unable to wait");
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	if (WTERMSIG(status) == SIGPIPE)
		raise(SIGPIPE);
	if (sandbox_violation(status) != NULL)
		msg_warn("the report of %s is not complete: its writer: %s",
		    pid, sandbox_violation(status));
	else
		msg_warn("the report of %s is not complete: its writer died of "
			 "signal %d",
		    pid, WTERMSIG(status));
	return EXIT_SYSTEM;
}

/* One report, by a child that may come to harm. */
static int
debug_apart(
    const char *what, const char *exe, pid_t pid, const struct options *o)
{
	pid_t child = fork();

	if (child == -1)
		msg_die_sys(EXIT_SYSTEM, "unable to fork");
	if (child == 0)
		_exit(pid > 0 ? debug_live(pid, o) : debug_core(what, exe, o));
	return await_child(child, what);
}

/* A report of each; the code they all ended with, EXIT_PARTIAL where they
 * differ. */
static int
debug_each(char *const *pids, int n, const struct options *o)
{
	int i, code, all = EXIT_DONE;

	for (i = 0; i < n; i++) {
		code = debug_apart(pids[i], NULL, (pid_t)atoi(pids[i]), o);
		all = i == 0 || code == all ? code : EXIT_PARTIAL;
	}
	return all;
}

/* How many operands are process ids, from the first; a number that can be
 * none is wrong usage. */
static int
count_pids(char *const *args, int n)
{
	uint64_t pid;
	int i;

	for (i = 0; i < n && num_u64(args[i], 10, 0, UINT64_MAX, &pid) == 0;
	     i++)
		if (pid < 1 || pid > INT_MAX)
			msg_die(EXIT_USAGE, "pid is out of range: %s", args[i]);
	return i;
}

int
main(int argc, char **argv)
{
	struct options o;
	int first, pids;

	msg_init("debugger");
	args_help(argv, SYNOPSIS);
	child_heap();
	/* also below who ignores it: a reader that has enough is no error */
	signal(SIGPIPE, SIG_DFL);
	signal(SIGCHLD, SIG_DFL);
	first = parse_options(&o, argc, argv);
	argc -= first;
	argv += first;
	/* a file whose name is a number can be said as ./123 */
	pids = count_pids(argv, argc);
	if (argc < 1 || (pids != argc && (pids > 0 || argc > 2)) ||
	    (pids > 1 && o.tid > 0) ||
	    (pids > 0 && (o.sysroot != NULL || o.nlibdirs > 0)))
		msg_usage(SYNOPSIS);
	/* nothing was opened here, and nothing is to be undone */
	_exit(pids > 0
		? debug_each(argv, argc, &o)
		: debug_apart(argv[0], argc == 2 ? argv[1] : NULL, 0, &o));
}
