/*
 * sample_crash [-adefi] [-b BYTES] [-c COUNT] [-g FILE] [-l | -L] [-n RUNS]
 *	[-s KIB] [-x COMMAND] PROGRAM ARG...
 *
 * Stands in for the BPF program: runs PROGRAM under ptrace until a signal is
 * about to kill it (or a child of it), copies the registers and KIB (64) of
 * the stack, kills it, so that no core handler comes to see it, and only then,
 * with nothing but the copy and the tracked mappings, unwinds.  Prints a
 * backtrace as reports have it and the verdict; with -n, for RUNS processes,
 * how many had the stack of the first, and by how many KiB this program has
 * grown since a quarter of them.  The last line counts what was tracked.
 *
 *   -a  tracks all mappings, not just code
 *   -c  the COUNT'th such signal is meant: it handles those before
 *   -d  lets it die by the signal; the last copy counts
 *   -e  drains whenever the program stops: files are opened while it lives
 *   -f  no program: a child of ours crashes without calling exec
 *   -g  lets go of it first, stopped, for another tracer: writes its id to
 *       FILE, and goes on when that is gone
 *   -b  rings of that many bytes
 *   -i  files by device and inode, as older kernels report them
 *   -x  runs COMMAND after it was killed, before anybody looks
 *   -L  has records lost after the exec
 *   -l  the same, and /proc is read again before the process dies
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/deadline.h"
#include "base/io.h"
#include "proc/procdir.h"
#include "target/target_sample.h"
#include "track/maptrack.h"
#include "unwind/symbols.h"
#include "unwind/unwind.h"

enum { PAGES_MAX = 64 };

struct copy {
	pid_t pid, tid;
	int sig;
	uint64_t time;
	struct regs regs;
	struct sample_page page[PAGES_MAX];
	unsigned char data[PAGES_MAX][TARGET_PAGE];
	size_t npages;
	uint64_t lo, hi;
};

static size_t window = 64 << 10;
static unsigned nth = 1, seen;
static int dump, eager, forked, lose, rescan;
static const char *handover, *meanwhile;
static struct modcache *cache;
static struct maptrack *mt;

static void
die(const char *what)
{
	perror(what);
	exit(111);
}

static uint64_t
now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static int
is_deadly(int sig)
{
	return sig == SIGSEGV || sig == SIGABRT || sig == SIGBUS ||
	    sig == SIGILL || sig == SIGFPE;
}

static void
take_copy(struct copy *c)
{
	struct iovec iov = {c->regs.r, sizeof(c->regs.r)};
	char path[64];
	uint64_t sp, at;
	int fd;

	c->time = now();
	if (ptrace(PTRACE_GETREGSET, c->tid, (void *)NT_PRSTATUS, &iov) == -1)
		die("registers");
	c->regs.n = iov.iov_len / sizeof(uint64_t);
	sp = c->regs.r[arch_native->sp];
	snprintf(path, sizeof(path), "/proc/%d/mem", (int)c->tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		die(path);
	c->lo = (sp - 128) & ~(uint64_t)(TARGET_PAGE - 1);
	c->hi = c->lo + window;
	c->npages = 0;
	for (at = c->lo; at < c->hi && c->npages < PAGES_MAX && at <= INT64_MAX;
	     at += TARGET_PAGE) {
		if (pread(fd, c->data[c->npages], TARGET_PAGE, (off_t)at) !=
		    TARGET_PAGE)
			continue;
		c->page[c->npages].addr = at;
		c->page[c->npages].p = c->data[c->npages];
		c->npages++;
	}
	close(fd);
}

static volatile uintptr_t nowhere = 64;

__attribute__((noinline)) static int
crash_here(void)
{
	*(volatile int *)nowhere = 1;
	return 2 + (int)nowhere;
}

/* The child: waits until the parent has seized it. */
static int
run(char *argv[], const int fd[2])
{
	char c;

	close(fd[1]);
	if (read(fd[0], &c, 1) == -1)
		_exit(111);
	if (forked)
		return crash_here() + 1;
	execv(argv[0], argv);
	_exit(111);
}

/* As many programs as overflow a ring. */
static void
overflow_rings(void)
{
	static char *const argv[] = {(char *)"/bin/true", NULL};
	int i;
	pid_t pid;

	for (i = 0; i < 200; i++) {
		pid = fork();
		if (pid == 0) {
			execv(argv[0], argv);
			_exit(111);
		}
		waitpid(pid, NULL, 0);
	}
}

static void
finish_rescan(void)
{
	struct maptrack_stats st;
	int64_t end = deadline_in(20000);
	int i;

	do { /* once it has begun each call does a part of it */
		maptrack_idle(mt);
		maptrack_get_stats(mt, &st);
	} while (st.rescans == 0 && deadline_left(end) > 0);
	for (i = 0; i < 100; i++)
		maptrack_idle(mt);
}

/* For gdb, which finds it as it was. */
static void
hand_over(pid_t tid)
{
	const struct timespec nap = {.tv_nsec = 10000000};
	int64_t end = deadline_in(120000);
	FILE *f = fopen(handover, "w");

	if (f == NULL)
		die(handover);
	ptrace(PTRACE_DETACH, tid, NULL, (void *)SIGSTOP);
	fprintf(f, "%d\n", (int)tid);
	fclose(f);
	while (access(handover, F_OK) == 0 && deadline_left(end) > 0) {
		maptrack_drain(mt);
		nanosleep(&nap, NULL);
	}
}

/* At a stop: what is to be done, and the signal to go on with. */
static int
at_stop(pid_t tid, int status, struct copy *c)
{
	int sig = WSTOPSIG(status), event = status >> 16;

	if (eager)
		maptrack_idle(mt);
	if (event == PTRACE_EVENT_EXEC && lose) {
		maptrack_drain(mt);
		overflow_rings();
	}
	if (event != 0)
		return 0;
	if (!is_deadly(sig) || ++seen < nth)
		return sig;
	c->tid = tid;
	c->sig = sig;
	take_copy(c);
	if (rescan)
		finish_rescan();
	if (handover != NULL)
		hand_over(tid);
	if (!dump)
		kill(c->pid, SIGKILL);
	return sig;
}

/* The process a thread is of. */
static pid_t
leader(pid_t tid)
{
	struct buf b = {0};
	char path[32];
	long tgid = -1;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)tid);
	if (io_slurp(AT_FDCWD, path, 65536, &b, NULL) == 0)
		tgid = proc_status_number(b.p, b.len, "Tgid", 0);
	buf_free(&b);
	return (pid_t)tgid;
}

static void
crash(char *argv[], struct copy *c)
{
	int fd[2], status;
	pid_t first, tid;

	if (pipe2(fd, O_CLOEXEC) == -1)
		die("pipe");
	first = fork();
	if (first == -1)
		die("fork");
	if (first == 0)
		_exit(run(argv, fd));
	if (ptrace(PTRACE_SEIZE, first, NULL,
		(void *)(PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC |
		    PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
		    PTRACE_O_EXITKILL)) == -1)
		die("seize");
	close(fd[0]);
	close(fd[1]);
	c->tid = 0;
	seen = 0;
	while ((tid = waitpid(-1, &status, __WALL)) > 0) {
		if (WIFSTOPPED(status)) {
			if (status >> 16 == 0 && is_deadly(WSTOPSIG(status)))
				c->pid = leader(tid);
			status = at_stop(tid, status, c);
			ptrace(PTRACE_CONT, tid, NULL, (void *)(long)status);
		} else if (tid == c->pid || tid == first)
			break;
	}
	if (meanwhile != NULL && system(meanwhile) != 0)
		die(meanwhile);
	if (c->tid == 0) {
		fprintf(stderr, "%s did not crash\n", argv[0]);
		exit(1);
	}
}

static void
print_frames(struct target *t, FILE *to)
{
	struct trace *tr = &t->threads[0].trace;
	struct symbols *s = symbols_new(t);
	struct symbol sym;
	size_t i;

	if (s == NULL)
		die("symbols");
	for (i = 0; i < tr->n; i++)
		symbols_add(s, tr->f[i].pc, tr->f[i].flags & FRAME_EXACT);
	symbols_run(s);
	for (i = 0; i < tr->n; i++) {
		symbols_get(s, tr->f[i].pc, tr->f[i].flags & FRAME_EXACT, &sym);
		fprintf(to, "  #%" PRIu64 " pc %016" PRIx64, tr->f[i].n,
		    tr->f[i].pc);
		if (sym.name != NULL)
			fprintf(to, " %s+0x%" PRIx64, sym.name, sym.off);
		if (sym.mod != NULL)
			fprintf(to, " (%.*s+0x%" PRIx64 ")",
			    (int)sym.mod->baselen, sym.mod->base, sym.vaddr);
		putc('\n', to);
	}
	symbols_free(s);
}

/* The names alone, one after the other: the same for the same crash. */
static void
judge(const struct copy *c, FILE *to, struct sample_verdict *v)
{
	struct unwind_limits lim = {.head = 256,
	    .tail = 64,
	    .frames = 100000,
	    .deadline = deadline_in(10000)};
	struct maptrack_view view;
	struct sample s = {.pid = c->pid,
	    .tid = c->tid,
	    .machine = arch_native->machine,
	    .regs = &c->regs,
	    .pages = c->page,
	    .npages = c->npages,
	    .stack_lo = c->lo,
	    .stack_hi = c->hi};
	struct unwinder *u;
	struct target t;

	maptrack_at(mt, c->pid, c->time, &view);
	s.maps = view.maps;
	s.nmaps = view.n;
	s.files = view.files;
	s.roots = view.roots;
	s.nroots = view.nroots;
	s.exe = view.exe;
	s.doubt = view.doubt;
	target_init(&t);
	if (target_sample_open(cache, &s, &t) == -1)
		die("target");
	u = unwind_new(&t);
	if (u == NULL)
		die("unwinder");
	if (unwind_thread(u, &t.threads[0], &lim) == -1)
		die("unwind");
	print_frames(&t, to);
	sample_judge(&t, v);
	unwind_free(u);
	target_free(&t);
}

static const char *const quality[] = {"reliable", "truncated", "doubtful"};

/* A line of a trace without what ASLR changes. */
static void
strip(char *text)
{
	char *in = text, *out = text;

	while (*in != '\0') {
		if (strncmp(in, " pc ", 4) == 0)
			in += 4 + strspn(in + 4, "0123456789abcdef");
		else
			*out++ = *in++;
	}
	*out = '\0';
}

/* KiB in memory. */
static long
resident(void)
{
	struct buf b = {0};
	long kib = 0;

	if (io_slurp(AT_FDCWD, "/proc/self/status", 65536, &b, NULL) == 0)
		kib = proc_status_number(b.p, b.len, "VmRSS", 0);
	buf_free(&b);
	return kib;
}

static void
many(char *argv[], unsigned runs)
{
	long kib = 0;
	static struct copy c;
	struct sample_verdict v;
	unsigned i, same = 0, reliable = 0;
	char *text, *first = NULL;
	uint64_t began, spent = 0;
	size_t len;
	FILE *f;

	for (i = 0; i < runs; i++) {
		crash(argv, &c);
		f = open_memstream(&text, &len);
		if (f == NULL)
			die("memory");
		began = now();
		judge(&c, f, &v);
		if (i > 0)
			spent += now() - began;
		fclose(f);
		strip(text);
		reliable += v.quality == SAMPLE_RELIABLE;
		if (first == NULL)
			first = text;
		same += strcmp(first, text) == 0;
		if (strcmp(first, text) != 0)
			printf("run %u:\n%s", i, text);
		if (text != first)
			free(text);
		if (i % 64 == 0)
			maptrack_idle(mt);
		if (i == runs / 4)
			kib = resident();
	}
	printf("%s%u of %u the same, %u reliable, %" PRIu64
	       " us each, grown %ld KiB\n",
	    first, same, runs, reliable,
	    runs > 1 ? spent / 1000 / (runs - 1) : 0, resident() - kib);
	free(first);
}

static void
once(char *argv[])
{
	static struct copy c;
	struct sample_verdict v;

	crash(argv, &c);
	printf("pid: %d\ntid: %d\nsignal: %d\nbacktrace:\n", (int)c.pid,
	    (int)c.tid, c.sig);
	judge(&c, stdout, &v);
	printf("\nverdict: %s%s%s\n", quality[v.quality],
	    *v.why != '\0' ? ": " : "", v.why);
}

int
main(int argc, char *argv[])
{
	struct maptrack_opts o = {0};
	struct modcache_limits lim = {0};
	struct maptrack_stats st;
	size_t fds, files, syms, bytes;
	unsigned runs = 0;
	const char *why = NULL;
	int opt;

	while ((opt = getopt(argc, argv, "+ab:c:defg:iLln:s:x:")) != -1)
		switch (opt) {
		case 'c':
			nth = (unsigned)atoi(optarg);
			break;
		case 'd':
			dump = 1;
			break;
		case 'g':
			handover = optarg;
			break;
		case 'n':
			runs = (unsigned)atoi(optarg);
			break;
		case 'a':
			o.flags |= MAPTRACK_DATA;
			break;
		case 'b':
			o.ring = (size_t)atoi(optarg);
			break;
		case 'e':
			eager = 1;
			break;
		case 'f':
			forked = 1;
			break;
		case 'i':
			o.flags |= MAPTRACK_INODES;
			break;
		case 'l':
			rescan = 1;
			/* FALLTHROUGH */
		case 'L':
			lose = 1;
			break;
		case 's':
			window = (size_t)atoi(optarg) << 10;
			break;
		case 'x':
			meanwhile = optarg;
			break;
		default:
			return 100;
		}
	if (optind == argc && !forked)
		return 100;
	cache = modcache_new(&lim);
	o.cache = cache;
	if (cache == NULL || (mt = maptrack_open(&o, &why)) == NULL)
		die("tracker");
	if (why != NULL)
		printf("%s\n", why);
	if (runs > 0)
		many(argv + optind, runs);
	else
		once(argv + optind);
	maptrack_get_stats(mt, &st);
	modcache_count(cache, &fds, &files);
	symcache_count(modcache_symbols(cache), &syms, &bytes);
	printf("tracked: %" PRIu64 " records, %" PRIu64
	       " lost, %u cpus, %zu procs, %zu mapped files, %zu bytes, "
	       "%zu fds, %zu files, %zu symbols\n",
	    st.records, st.lost, st.cpus, st.procs, st.files, st.bytes, fds,
	    files, syms);
	maptrack_close(mt);
	modcache_free(cache);
	return 0;
}
