/*
 * core_live [options] pid >core
 *
 * A core of a process that goes on.
 *
 * - all threads are stopped (target/seizure), their registers read, and the
 *   mappings listed;
 * - a worker behind the door copies memory, through a descriptor of
 *   /proc/PID/mem that was opened before: to standard output where that is a
 *   file, else to memory of ours where it fits, since a pipe may take as long
 * as it likes; with -S only what trim/rules.h names;
 * - the threads run on as soon as it has; should anything of this die, the
 *   kernel lets them go.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
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
#include "proc/memroom.h"
#include "proc/procdir.h"
#include "target/seizure.h"
#include "target/target.h"
#include "target/untraceable.h"
#include "trim/livemaps.h"
#include "trim/livenotes.h"
#include "trim/rules.h"
#include "trim/smallcore.h"

#define SYNOPSIS "[-dnSv] [-m KiB] [-s KiB] pid >core"

enum {
	STACK_KIB = 64,
	AROUND_KIB = 1,
	KIB_MAX = 1 << 20,
	STOP_MS = 2000,
	PROBE = 32 << 20, /* bytes that are read to see how long they take */
	CHUNK = 1 << 20
};

struct options {
	struct trim_rules rules;
	unsigned stack, around;
	int small, dry;
	pid_t pid, self;
};

/* The process, and what of it was opened. */
struct subject {
	int procfd, memfd;
	struct procinfo pi;
	struct seizure z;
	struct livemaps maps;
	struct buf notes;
};

static const struct option longopts[] = {{"data", no_argument, NULL, 'd'},
    {"dry-run", no_argument, NULL, 'n'}, {"small", no_argument, NULL, 'S'},
    {"verbose", no_argument, NULL, 'v'}, {NULL, 0, NULL, 0}};

static void
parse_options(struct options *o, int argc, char **argv)
{
	const struct args_row rows[] = {{'d', .flag = &o->rules.data},
	    {'n', .flag = &o->dry}, {'S', .flag = &o->small},
	    {'m', .number = &o->around, .max = KIB_MAX},
	    {'s', .number = &o->stack, .min = 1, .max = KIB_MAX}};
	int c;

	memset(o, 0, sizeof(*o));
	o->stack = STACK_KIB;
	o->around = AROUND_KIB;
	o->self = getpid();
	while ((c = getopt_long(argc, argv, "dm:nSs:v", longopts, NULL)) != -1)
		if (!args_take(rows, NELEM(rows), c, optarg))
			msg_usage(SYNOPSIS);
	if (argc - optind != 1)
		msg_usage(SYNOPSIS);
	o->pid = (pid_t)args_number("pid", argv[optind], 1, INT_MAX);
	o->rules.stack = (uint64_t)o->stack << 10;
	o->rules.around = (uint64_t)o->around << 10;
	if (o->pid == o->self)
		msg_die(EXIT_USAGE, "unable to stop myself");
}

/* --- the process -----------------------------------------------------------
 */

_Noreturn static void
die_untraceable(const struct options *o, const struct subject *s, int err)
{
	char text[160];

	if (untraceable(&s->pi, o->pid, err, text, sizeof(text)))
		msg_die(EXIT_PARTIAL, "%s", text);
	errno = err;
	msg_die_sys(EXIT_SYSTEM, "%s", text);
}

static void
open_subject(const struct options *o, struct subject *s)
{
	memset(s, 0, sizeof(*s));
	s->procfd = proc_open_thread(o->pid);
	if (s->procfd == -1)
		msg_die(EXIT_PARTIAL, "no process %d", (int)o->pid);
	if (procinfo_gather(s->procfd, 0, NULL, &s->pi) == -1)
		msg_die_sys(
		    EXIT_SYSTEM, "unable to read /proc/%d", (int)o->pid);
	if (procinfo_number(&s->pi, "CoreDumping") == 1)
		msg_die(EXIT_PARTIAL, "process %d is dumping core already",
		    (int)o->pid);
	s->memfd = openat(s->procfd, "mem", O_RDONLY | O_CLOEXEC);
	if (s->memfd == -1)
		die_untraceable(o, s, errno);
	s->z.procfd = s->procfd;
}

/* A thread that runs on makes a core that nobody can believe. */
static void
check_stopped(const struct options *o, const struct subject *s)
{
	size_t i;

	for (i = 0; i < s->z.n; i++)
		if (s->z.th[i].state == LOST && s->z.th[i].err != ESRCH)
			die_untraceable(o, s, s->z.th[i].err);
}

static void
stop(const struct options *o, struct subject *s)
{
	if (seizure_begin(&s->z, 0) == -1 ||
	    seizure_stop(&s->z, 0, deadline_in(STOP_MS)) == -1)
		die_untraceable(o, s, errno);
	check_stopped(o, s);
	if (livemaps_read(s->procfd, &s->maps) == -1)
		msg_die_sys(EXIT_SYSTEM, "unable to read the mappings of %d",
		    (int)o->pid);
	if (livenotes_make(&s->pi, &s->z, &s->maps, &s->notes) == -1)
		die_untraceable(o, s, errno);
}

static ssize_t
read_mem(void *arg, uint64_t addr, void *p, size_t len)
{
	return pread(*(const int *)arg, p, len, (off_t)addr);
}

/* --- how long it would take ------------------------------------------------
 */

/* Nanoseconds that reading so many bytes took, at most PROBE. */
static uint64_t
probe(const struct subject *s, uint64_t *bytes)
{
	char *room = malloc(CHUNK);
	uint64_t from = deadline_ns(), at, n;
	size_t i;

	*bytes = 0;
	for (i = 0; room != NULL && i < s->maps.present.n; i++)
		for (at = s->maps.present.run[i].start;
		     at < s->maps.present.run[i].end && *bytes < PROBE;
		     at += n) {
			n = s->maps.present.run[i].end - at;
			n = n < CHUNK ? n : CHUNK;
			if (pread(s->memfd, room, (size_t)n, (off_t)at) > 0)
				*bytes += n;
		}
	free(room);
	return deadline_ns() - from;
}

static int
tell(const struct options *o, struct subject *s)
{
	uint64_t bytes, ns, size = 0;
	size_t i;

	if (livemaps_read(s->procfd, &s->maps) == -1)
		msg_die_sys(EXIT_SYSTEM, "unable to read the mappings of %d",
		    (int)o->pid);
	for (i = 0; i < s->maps.nmaps; i++)
		size += s->maps.segs[i].filesz;
	ns = probe(s, &bytes);
	ns = bytes > 0
	    ? (uint64_t)((double)ns / (double)bytes * (double)s->maps.bytes)
	    : 0;
	if (printf("process %d: %zu threads, a core of %" PRIu64
		   " MiB, %" PRIu64 " MiB of it not zeros; to read that takes "
		   "%" PRIu64 " ms\n",
		(int)o->pid, s->pi.ntasks, size >> 20, s->maps.bytes >> 20,
		ns / 1000000) < 0 ||
	    fflush(stdout) != 0)
		msg_die_sys(EXIT_SYSTEM, "unable to write");
	return EXIT_DONE;
}

/* --- the worker ------------------------------------------------------------
 */

/* How much from at on, n bytes at most, is one piece: *zeros, or to be read. */
static size_t
piece(struct target *t, const struct subject *s, uint64_t at, size_t n,
    int *zeros)
{
	const struct map *m = target_map(t, at);
	uint64_t from = at, to;

	*zeros = 0;
	if (m == NULL)
		return n;
	if (m->end - at < n)
		n = (size_t)(m->end - at);
	if (!map_begins_empty(m) || s->maps.segs[m - t->maps].filesz == 0)
		return n;
	if (!pageset_next(&s->maps.present, &from, at + n, &to))
		from = at + n;
	*zeros = from > at;
	return (size_t)(*zeros ? from - at : to - at);
}

/* What was never touched is zeros, and is not read: it would be there then. */
static ssize_t
target_mem(struct target *t, uint64_t addr, void *p, size_t len)
{
	struct subject *s = t->src;
	size_t done, n;
	ssize_t r;
	int zeros;

	for (done = 0; done < len; done += n) {
		n = piece(t, s, addr + done, len - done, &zeros);
		if (zeros) {
			memset((char *)p + done, 0, n);
			continue;
		}
		r = read_mem(&s->memfd, addr + done, (char *)p + done, n);
		if (r <= 0)
			return done > 0 ? (ssize_t)done : r;
		n = (size_t)r;
	}
	return (ssize_t)done;
}

/* The process as the rules look at it. */
static int
make_target(struct subject *s, struct target *t)
{
	const struct buf *auxv = &s->pi.item[PROC_AUXV].b;
	size_t i;

	target_init(t);
	t->read = target_mem;
	t->src = s;
	t->arch = arch_native;
	t->machine = arch_native->machine;
	t->elfclass = ELFCLASS64;
	t->maps = s->maps.maps;
	t->nmaps = s->maps.nmaps;
	t->auxv = (unsigned char *)auxv->p;
	t->auxvlen = auxv->len;
	t->threads = calloc(s->z.n + 1, sizeof(*t->threads));
	if (t->threads == NULL)
		return -1;
	for (i = 0; i < s->z.n; i++) {
		if (s->z.th[i].state != STOPPED)
			continue;
		t->threads[t->nthreads].tid = s->z.th[i].tid;
		t->threads[t->nthreads++].regs = s->z.th[i].regs;
	}
	if (modules_find(t) == -1)
		return -1;
	modules_load(t);
	return 0;
}

static int
choose(const struct options *o, struct subject *s, struct pageset *keep)
{
	struct target t;

	if (!o->small) {
		pageset_add(keep, 0, UINT64_C(1) << 63);
		return pageset_settle(keep);
	}
	if (make_target(s, &t) == -1)
		return -1;
	trim_apply(&t, NULL, &o->rules, keep);
	return pageset_settle(keep);
}

static void
head_of(Elf64_Ehdr *e)
{
	const unsigned one = 1;

	memcpy(e->e_ident, ELFMAG, SELFMAG);
	e->e_ident[EI_CLASS] = ELFCLASS64;
	e->e_ident[EI_DATA] =
	    *(const unsigned char *)&one == 1 ? ELFDATA2LSB : ELFDATA2MSB;
	e->e_ident[EI_VERSION] = EV_CURRENT;
	e->e_machine = (Elf64_Half)arch_native->machine;
}

/* Writes the core to fd; the exit code.  Nothing is freed: it ends here. */
static int
work(const struct options *o, struct subject *s, int fd)
{
	const struct sandbox_bounds b = {.treefd = -1};
	struct pageset keep = {0};
	struct smallcore c = {.keep = &keep,
	    .present = &s->maps.present,
	    .segs = s->maps.segs,
	    .nsegs = s->maps.nmaps,
	    .trimmed = !o->small,
	    .nnotes = 1,
	    .read = read_mem,
	    .arg = &s->memfd,
	    .max = UINT64_MAX};
	const char *why = NULL;

	if (sandbox_enter(SANDBOX_REPORT, &b, o->self, &why) == -1)
		msg_die_sys(EXIT_SYSTEM, "unable to drop privileges");
	if (why != NULL)
		msg_debug(1, "no sandbox: %s", why);
	head_of(&c.head);
	c.note[0].p = s->notes.p;
	c.note[0].len = s->notes.len;
	c.note[0].align = 4;
	if (choose(o, s, &keep) == -1 || smallcore_write(fd, &c) == -1)
		msg_die_sys(EXIT_SYSTEM, "unable to write the core");
	msg_debug(1, "%" PRIu64 " bytes", c.size);
	return EXIT_DONE;
}

/* --- its parent ------------------------------------------------------------
 */

/* Where it is written while the process stands still. */
static int
open_output(const struct options *o, const struct subject *s)
{
	struct stat st;
	int fd;

	if (fstat(STDOUT_FILENO, &st) == 0 && S_ISREG(st.st_mode))
		return STDOUT_FILENO;
	if (o->small || s->maps.bytes <= memroom()) {
		fd = memfd_create("core", MFD_CLOEXEC);
		if (fd != -1)
			return fd;
	}
	msg_warn("process %d stands still until all of its core is read: "
		 "there is no room to keep it",
	    (int)o->pid);
	return STDOUT_FILENO;
}

static int
is_there(const struct options *o)
{
	return kill(o->pid, 0) == 0 || errno == EPERM;
}

/* Lets the process go; what became of the worker as an exit code. */
static int
finish(const struct options *o, struct subject *s, pid_t worker, uint64_t since)
{
	char text[64] = "";
	int status = 0, r;

	r = child_wait(worker, deadline_in(-1), &status);
	seizure_release(&s->z);
	msg_debug(1, "process %d stood still for %" PRIu64 " us", (int)o->pid,
	    (deadline_ns() - since) / 1000);
	if (r != 1)
		msg_die_sys(EXIT_SYSTEM, "unable to wait");
	if (WIFEXITED(status) && WEXITSTATUS(status) != 0)
		_exit(WEXITSTATUS(status)); /* it has said why */
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE)
		raise(SIGPIPE);
	if (sandbox_violation(status) != NULL ||
	    child_told(status, text, sizeof(text)))
		msg_die(EXIT_SYSTEM, "unable to make the core: its worker: %s",
		    sandbox_violation(status) != NULL
			? sandbox_violation(status)
			: text);
	if (!is_there(o)) {
		msg_warn("process %d ended while it was copied", (int)o->pid);
		return EXIT_PARTIAL;
	}
	return EXIT_DONE;
}

static int
copy(const struct options *o, struct subject *s)
{
	uint64_t since = deadline_ns();
	pid_t worker;
	int fd, r;

	stop(o, s);
	fd = open_output(o, s);
	worker = child_fork();
	if (worker == -1)
		msg_die_sys(EXIT_SYSTEM, "unable to fork");
	if (worker == 0)
		_exit(work(o, s, fd));
	r = finish(o, s, worker, since);
	if (fd != STDOUT_FILENO && smallcore_pass_on(fd, STDOUT_FILENO) == -1)
		msg_die_sys(EXIT_SYSTEM, "unable to write the core");
	return r;
}

int
main(int argc, char **argv)
{
	struct options o;
	struct subject s;

	msg_init("core_live");
	args_help(argv, SYNOPSIS);
	child_heap();
	signal(SIGPIPE, SIG_DFL);
	parse_options(&o, argc, argv);
	if (!o.dry && isatty(STDOUT_FILENO))
		msg_die(EXIT_USAGE,
		    "a core is nothing for a terminal: "
		    "core_live %d >core",
		    (int)o.pid);
	open_subject(&o, &s);
	_exit(o.dry ? tell(&o, &s) : copy(&o, &s));
}
