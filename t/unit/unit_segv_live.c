/*
 * unit_segv_live: the probe on the kernel that runs, and children that crash.
 *
 *	unit_segv_live		all checks; one line for each that failed
 *	unit_segv_live rights	what is said when a right is missing
 *
 * Exits 0 when none failed, 77 with a reason when this machine cannot run BPF
 * programs.  Needs root.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/deadline.h"
#include "probe/segv_event.h"
#include "probe/segv_probe.h"
#include "proc/maps.h"
#include "segv_children.h"

#include "check.h"

#if defined(__x86_64__)
#define X86 1
#else
#define X86 0
#endif

enum { WAIT_MS = 20000, EVENTS = 8 };

static struct segv_probe probe;
static struct segv_feed *feed;

static int
begin(const struct segv_probe_opts *o)
{
	if (segv_probe_open(&probe, o) == -1) {
		printf("%s\n%s\n", probe.why, probe.log ? probe.log : "");
		segv_probe_close(&probe);
		return -1;
	}
	feed = segv_feed_new(64);
	return 0;
}

static void
end(void)
{
	segv_feed_free(feed);
	segv_probe_close(&probe);
}

/* A child that does act once it is told to; its id. */
static int go[2];

static pid_t
child(void (*act)(void))
{
	struct rlimit none = {1, 1}; /* nor a handler: core(5) */
	pid_t pid;
	char c;

	if (pipe(go) == -1 || (pid = fork()) == -1)
		exit(111);
	if (pid == 0) {
		close(go[1]);
		setrlimit(RLIMIT_CORE, &none);
		prctl(PR_SET_NAME, "a child");
		/* a sanitizer has handlers of its own */
		signal(SIGSEGV, SIG_DFL);
		signal(SIGBUS, SIG_DFL);
		signal(SIGABRT, SIG_DFL);
		if (read(go[0], &c, 1) == 1)
			act();
		_exit(98);
	}
	close(go[0]);
	return pid;
}

static void
let_go(void)
{
	CHECK(write(go[1], "x", 1) == 1);
	close(go[1]);
}

static int
wait_status(pid_t pid)
{
	int st = -1;

	CHECK(waitpid(pid, &st, 0) == pid);
	return st;
}

/* The events of one process until there are n; how many came. */
static size_t
events(pid_t pid, struct segv_event *e[EVENTS], size_t n)
{
	int64_t deadline = deadline_in(WAIT_MS);
	enum segv_kind kind;
	const void *rec;
	struct segv_event *one;
	size_t len, got = 0;
	int r;

	while (got < n && deadline_left(deadline) > 0) {
		r = segv_probe_next(&probe, &rec, &len, &kind);
		CHECK(r != -1);
		if (r == 1)
			CHECK(segv_feed_put(feed, rec, len) == 0);
		while (got < n && (one = segv_feed_get(feed)) != NULL) {
			if (one->pid == pid)
				e[got++] = one;
			else
				segv_feed_release(feed, one);
		}
		if (r == 0 && got < n)
			deadline_poll(probe.pollfd, POLLIN, deadline);
	}
	return got;
}

static void
release(struct segv_event **e, size_t n)
{
	while (n-- > 0)
		segv_feed_release(feed, e[n]);
}

/* One child, n events of it in e; 0 when they came. */
static int
crash(void (*act)(void), struct segv_event *e[EVENTS], size_t n, int *status)
{
	size_t got;
	pid_t pid;
	int st;

	memset((void *)(uintptr_t)told, 0, sizeof(*told));
	pid = child(act);
	let_go();
	st = wait_status(pid);
	if (status != NULL)
		*status = st;
	got = events(pid, e, n);
	CHECK(got == n);
	if (got == n)
		return 0;
	release(e, got);
	return -1;
}

static int
died_of(int st, int signo)
{
	return WIFSIGNALED(st) && WTERMSIG(st) == signo;
}

static void
test_write(void)
{
	struct segv_event *e[EVENTS];
	unsigned long long start = 0;
	char path[64], line[1024], *s, b[600];
	struct timespec now;
	struct stat st;
	pid_t pid;
	FILE *f;
	size_t i;

	memset((void *)(uintptr_t)told, 0, sizeof(*told));
	pid = child(act_write);
	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	if ((f = fopen(path, "r")) != NULL) {
		if (fgets(line, sizeof(line), f) != NULL &&
		    (s = strrchr(line, ')')) != NULL)
			for (i = 0; i < 20 && s != NULL; i++)
				if ((s = strchr(s + 1, ' ')) != NULL)
					start = strtoull(s, NULL, 10);
		fclose(f);
	}
	let_go();
	CHECK(died_of(wait_status(pid), SIGSEGV));
	clock_gettime(CLOCK_MONOTONIC, &now);
	CHECK(events(pid, e, 1) == 1);
	if (failed)
		return;
	CHECK(
	    e[0]->tid == pid && e[0]->uid == getuid() && e[0]->gid == getgid());
	CHECK(strcmp(e[0]->comm, "a child") == 0 &&
	    strcmp(e[0]->leader, "a child") == 0);
	CHECK(strncmp(e[0]->exe, "unit_segv_live", 14) == 0);
	CHECK(e[0]->nslevel != 0 || (e[0]->nspid == pid && e[0]->nstid == pid));
	CHECK(stat("/proc/self/ns/pid", &st) == 0 &&
	    e[0]->pidns == (uint32_t)st.st_ino);
	CHECK(e[0]->start / (1000000000 / (uint64_t)sysconf(_SC_CLK_TCK)) ==
	    start);
	CHECK(e[0]->time / 1000000000 + 60 > (uint64_t)now.tv_sec &&
	    e[0]->time / 1000000000 <= (uint64_t)now.tv_sec);
	CHECK(e[0]->signo == SIGSEGV && e[0]->code == 1 && e[0]->addr == 0 &&
	    e[0]->has_addr && e[0]->origin == SEGV_FROM_FAULT);
	CHECK(!e[0]->handled && e[0]->handler == 0);
	CHECK(e[0]->fault_valid && e[0]->access == SEGV_WRITE);
	CHECK(!X86 || (e[0]->error_code == 6 && e[0]->trap_nr == 14));
	CHECK(e[0]->pc >= told->code && e[0]->pc < told->code + 256);
	CHECK(e[0]->regs.n == (X86 ? 27 : 34) && !e[0]->compat);
	CHECK(!X86 || (e[0]->regs.r[17] & 3) == 3);
	CHECK(e[0]->vma_err == (probe.have & SEGV_HAVE_VMA ? ENOENT : ENOTSUP));
	/* the stack: from below sp to its beginning, and it is the child's */
	CHECK(e[0]->stack_whole && e[0]->npages > 0 &&
	    e[0]->stack_lo <= e[0]->sp && e[0]->pages_lost == 0);
	CHECK(told->stack >= e[0]->sp && told->stack < e[0]->stack_hi);
	CHECK(segv_event_read(e[0], told->stack, b, sizeof(b)) == sizeof(b) &&
	    b[0] == PATTERN && b[599] == PATTERN);
	/* what the C library keeps at the thread pointer is its own address */
	CHECK(!X86 || e[0]->regs.r[21] == (uint64_t)pthread_self());
	release(e, 1);
}

static void
test_kinds(void)
{
	struct segv_event *e[EVENTS];
	int st;

	if (crash(act_handled, e, 1, &st) == 0) {
		CHECK(WIFEXITED(st) && WEXITSTATUS(st) == 0);
		CHECK(e[0]->handled && e[0]->handler == told->handler &&
		    e[0]->sa_flags & SA_RESTART && e[0]->code == 1);
		release(e, 1);
	}
	if (crash(act_jump, e, 1, &st) == 0) {
		CHECK(died_of(st, SIGSEGV));
		CHECK(e[0]->code == 2 && e[0]->addr == told->addr &&
		    e[0]->pc == told->addr);
		CHECK(e[0]->access == (SEGV_EXEC | SEGV_PRESENT));
		CHECK(!(probe.have & SEGV_HAVE_VMA) ||
		    (e[0]->vma.start <= told->addr &&
			e[0]->vma.end > told->addr &&
			e[0]->vma.prot == (MAP_R | MAP_W) &&
			*e[0]->vma.name == '\0'));
		release(e, 1);
	}
	if (X86 && crash(act_wild, e, 1, &st) == 0) {
		CHECK(e[0]->code == 128 && e[0]->origin == SEGV_FROM_KERNEL &&
		    !e[0]->has_addr && e[0]->addr == 0);
		CHECK(e[0]->fault_valid && e[0]->trap_nr == 13 &&
		    e[0]->access == 0 && e[0]->vma_err == ENOTSUP);
		release(e, 1);
	}
	if (crash(act_overflow, e, 1, &st) == 0) {
		CHECK(died_of(st, SIGSEGV));
		CHECK(e[0]->code == 1 && e[0]->addr < e[0]->sp + 4096 &&
		    e[0]->addr + 65536 > e[0]->sp);
		CHECK(!e[0]->stack_whole && e[0]->npages > 10 &&
		    e[0]->pages_none >= 1);
		CHECK(segv_event_page(e[0], e[0]->addr) == SEGV_PAGE_NONE);
		release(e, 1);
	}
	/* no room for the handler's frame: the kernel's own SIGSEGV follows */
	if (crash(act_overflow_handled, e, 2, &st) == 0) {
		CHECK(died_of(st, SIGSEGV));
		CHECK(e[0]->handled && e[0]->code == 1 &&
		    e[0]->kind == SEGV_LIVES);
		CHECK(!e[1]->handled && e[1]->code == 128 &&
		    e[1]->kind == SEGV_FATAL &&
		    e[1]->origin == SEGV_FROM_KERNEL && !e[1]->has_addr &&
		    e[1]->time > e[0]->time);
		release(e, 2);
	}
	if (crash(act_thread, e, 1, &st) == 0) {
		CHECK(died_of(st, SIGSEGV));
		CHECK(e[0]->tid == told->tid && e[0]->tid != e[0]->pid &&
		    strcmp(e[0]->comm, "second") == 0 &&
		    strcmp(e[0]->leader, "first") == 0);
		CHECK(e[0]->nslevel != 0 ||
		    (e[0]->nspid == e[0]->pid && e[0]->nstid == e[0]->tid));
		CHECK(!e[0]->stack_whole && e[0]->npages > 0);
		release(e, 1);
	}
	/* forced: the kernel has made them default before we see them */
	if (crash(act_blocked, e, 1, &st) == 0) {
		CHECK(died_of(st, SIGSEGV));
		CHECK(!e[0]->handled && e[0]->handler == 0 && e[0]->code == 1);
		release(e, 1);
	}
	if (crash(act_ignored, e, 1, &st) == 0) {
		CHECK(died_of(st, SIGSEGV));
		CHECK(!e[0]->handled && e[0]->handler == 0);
		release(e, 1);
	}
	if (crash(act_readonly, e, 1, &st) == 0) {
		CHECK(e[0]->code == 2 && e[0]->addr == told->addr &&
		    e[0]->access & SEGV_WRITE);
		if (probe.have & SEGV_HAVE_VMA)
			CHECK(e[0]->vma.start == told->map &&
			    e[0]->vma.end == told->map + told->maplen &&
			    e[0]->vma.off == 1 << 16 &&
			    e[0]->vma.prot == MAP_R && e[0]->vma.ino > 0 &&
			    strncmp(e[0]->vma.name, "unit_segv_live.", 15) ==
				0);
		release(e, 1);
	}
}

static void
test_sent(void)
{
	struct segv_event *e[EVENTS];
	int64_t deadline = deadline_in(WAIT_MS);
	pid_t pid;

	told->tid = 0;
	pid = child(act_pause);
	let_go();
	while (told->tid != pid && deadline_left(deadline) > 0)
		sched_yield();
	kill(pid, SIGSEGV);
	CHECK(died_of(wait_status(pid), SIGSEGV));
	CHECK(events(pid, e, 1) == 1);
	if (failed)
		return;
	CHECK(e[0]->code == 0 && e[0]->origin == SEGV_FROM_USER &&
	    e[0]->sender_pid == getpid() && e[0]->sender_uid == getuid() &&
	    !e[0]->has_addr && !e[0]->fault_valid && e[0]->access == 0);
	CHECK(e[0]->vma_err == ENOTSUP);
	release(e, 1);
}

static void
test_pidns(void)
{
	struct segv_event *e[EVENTS];
	int back = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC);
	char path[64];
	struct stat st;
	pid_t pid;

	CHECK(back != -1 && unshare(CLONE_NEWPID) == 0);
	memset((void *)(uintptr_t)told, 0, sizeof(*told));
	pid = child(act_thread);
	CHECK(setns(back, CLONE_NEWPID) == 0);
	close(back);
	snprintf(path, sizeof(path), "/proc/%d/ns/pid", (int)pid);
	CHECK(stat(path, &st) == 0);
	let_go();
	/* init of a namespace: SIGSEGV of its own kills it all the same */
	CHECK(died_of(wait_status(pid), SIGSEGV));
	CHECK(events(pid, e, 1) == 1);
	if (failed)
		return;
	CHECK(e[0]->nspid == 1 && e[0]->nstid == 2 && e[0]->nslevel >= 1);
	CHECK(e[0]->pidns == (uint32_t)st.st_ino);
	CHECK(e[0]->pid == pid && e[0]->tid != pid);
	release(e, 1);
}

/* Only those that are asked for come; all of a process are counted. */
static void
test_filters(void)
{
	struct segv_probe_opts o = {.names = {{"a chi"}, 1}};
	struct segv_event *e[EVENTS];
	static const char *const names[] = {
	    "a child", "second", "econ", "irst", "t_segv_li", "no such name"};
	struct segv_counts c;
	pid_t pid;
	size_t i, n;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		o.names.of[0] = names[i];
		if (begin(&o) == -1) {
			failed++;
			return;
		}
		pid = child(act_thread);
		let_go();
		wait_status(pid);
		CHECK(segv_probe_counts(&probe, &c, NULL) == 0);
		if (i == 0 || i == 5) {
			/* thread "second", leader "first" by then */
			CHECK(c.seen == 0 && c.named >= 1);
		} else {
			CHECK(c.seen >= 1);
			n = c.seen >= 1 ? events(pid, e, 1) : 0;
			CHECK(n == 1);
			release(e, n);
		}
		end();
	}
	memset(&o, 0, sizeof(o));
	o.pids.n = 1;
	o.pids.of[0] = child(act_write);
	CHECK(begin(&o) == 0);
	let_go();
	wait_status(o.pids.of[0]);
	pid = child(act_write);
	let_go();
	wait_status(pid);
	CHECK(segv_probe_counts(&probe, &c, NULL) == 0);
	CHECK(c.seen == 1 && c.sent == 1);
	end();

	memset(&o, 0, sizeof(o));
	o.signals = 1ull << (SIGBUS - 1) | 1ull << (SIGABRT - 1) |
	    1ull << (SIGKILL - 1);
	CHECK(begin(&o) == 0);
	if (crash(act_bus, e, 1, NULL) == 0) {
		CHECK(e[0]->signo == SIGBUS && e[0]->code == 2 &&
		    e[0]->addr == told->addr && e[0]->has_addr);
		release(e, 1);
	}
	if (crash(act_abort, e, 1, NULL) == 0) {
		CHECK(e[0]->signo == SIGABRT && e[0]->code == -6 &&
		    e[0]->origin == SEGV_FROM_USER &&
		    e[0]->sender_pid == e[0]->pid);
		release(e, 1);
	}
	/* the sibling of a thread that crashed is killed without siginfo */
	if (crash(act_thread, e, 1, NULL) == 0) {
		CHECK(e[0]->signo == SIGKILL && e[0]->tid == e[0]->pid &&
		    e[0]->origin == SEGV_FROM_UNKNOWN && !e[0]->has_addr);
		release(e, 1);
	}
	end();
}

/* A process with many handled faults, counted to the last. */
static void
storm(struct segv_probe_opts *o, int n, struct segv_counts *c)
{
	act_rounds = n;
	o->pids.n = 1;
	o->pids.of[0] = child(act_handled);
	CHECK(begin(o) == 0);
	let_go();
	CHECK(WIFEXITED(wait_status(o->pids.of[0])));
	CHECK(segv_probe_counts(&probe, c, NULL) == 0);
	CHECK(c->seen == (uint64_t)n && c->missed == 0);
	CHECK(c->seen == c->sent + c->dropped + c->limited);
	act_rounds = 1;
}

static void
test_counts(void)
{
	struct segv_probe_opts o = {.rate = 10, .burst = 5};
	struct segv_counts c, sum = {0}, *percpu;
	struct segv_event *e;
	struct segv_feed_stats st;
	uint64_t lost = 0, n = 0;
	enum segv_kind kind;
	const void *rec;
	size_t len;
	unsigned i;

	/* it takes less than a second, and then at most ten more */
	storm(&o, 2000, &c);
	CHECK(c.dropped == 0 && c.sent >= 5 && c.sent <= 5 + 10 * 20 &&
	    c.limited > 1000);
	percpu = calloc(probe.ncpus, sizeof(*percpu));
	CHECK(segv_probe_counts(&probe, &c, percpu) == 0);
	for (i = 0; i < probe.ncpus; i++) {
		sum.seen += percpu[i].seen;
		sum.limited += percpu[i].limited;
	}
	CHECK(sum.seen == c.seen && sum.limited == c.limited);
	free(percpu);
	end();

	/* nobody reads, and the ring holds few */
	memset(&o, 0, sizeof(o));
	o.ring_size = (size_t)sysconf(_SC_PAGESIZE);
	storm(&o, 2000, &c);
	CHECK(c.dropped > 1900 && c.sent > 0);
	segv_probe_detach(&probe);
	while (segv_probe_next(&probe, &rec, &len, &kind) == 1) {
		CHECK(segv_feed_put(feed, rec, len) == 0);
		while ((e = segv_feed_get(feed)) != NULL) {
			n++;
			segv_feed_release(feed, e);
		}
	}
	CHECK(n == c.sent);
	end();

	memset(&o, 0, sizeof(o));
	o.ring_size = (size_t)sysconf(_SC_PAGESIZE) * 8;
	o.want = SEGV_WANT_STACK;
	storm(&o, 500, &c);
	CHECK(c.pages_lost > 0 && c.pages > 0);
	n = 0;
	segv_probe_detach(&probe);
	while (segv_probe_next(&probe, &rec, &len, &kind) == 1) {
		CHECK(segv_feed_put(feed, rec, len) == 0);
		while ((e = segv_feed_get(feed)) != NULL) {
			lost += e->pages_lost;
			n += e->npages;
			segv_feed_release(feed, e);
		}
	}
	segv_feed_get_stats(feed, &st);
	CHECK(lost == c.pages_lost && n == c.pages && st.orphans == 0 &&
	    st.bad == 0);
	end();
}

/* After kill -9 of who attached it the program is gone. */
static void
test_kill(void)
{
	struct segv_probe_opts o = {.want = SEGV_WANT_STACK};
	int64_t deadline = deadline_in(WAIT_MS);
	struct bpf_prog_info info;
	union bpf_attr a;
	int p[2], fd;
	uint32_t id = 0;
	pid_t pid;

	CHECK(pipe(p) == 0);
	if ((pid = fork()) == 0) {
		if (begin(&o) == -1)
			_exit(1);
		memset(&a, 0, sizeof(a));
		memset(&info, 0, sizeof(info));
		a.info.bpf_fd = (uint32_t)probe.progfd;
		a.info.info_len = sizeof(info);
		a.info.info = (uintptr_t)&info;
		if (syscall(SYS_bpf, BPF_OBJ_GET_INFO_BY_FD, &a, sizeof(a)) ==
			-1 ||
		    write(p[1], &info.id, 4) != 4)
			_exit(1);
		act_pause();
	}
	CHECK(read(p[0], &id, 4) == 4);
	memset(&a, 0, sizeof(a));
	a.prog_id = id;
	fd = (int)syscall(SYS_bpf, BPF_PROG_GET_FD_BY_ID, &a, sizeof(a));
	CHECK(fd != -1);
	close(fd);
	kill(pid, SIGKILL);
	wait_status(pid);
	for (;;) {
		fd =
		    (int)syscall(SYS_bpf, BPF_PROG_GET_FD_BY_ID, &a, sizeof(a));
		if (fd == -1 || deadline_left(deadline) == 0)
			break;
		close(fd);
		sched_yield();
	}
	CHECK(fd == -1 && errno == ENOENT);
	close(p[0]);
	close(p[1]);
}

/* --- rights
 * ---------------------------------------------------------------------- */

static void
keep_caps(uint64_t keep)
{
	struct __user_cap_header_struct h = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct d[2];

	memset(d, 0, sizeof(d));
	d[0].effective = d[0].permitted = (uint32_t)keep;
	d[1].effective = d[1].permitted = (uint32_t)(keep >> 32);
	if (syscall(SYS_capset, &h, d) == -1)
		_exit(97);
}

static void
no_caps(void)
{
	keep_caps(0);
}

static void
bpf_alone(void)
{
	keep_caps(1ull << 39);
}

static void
perfmon_alone(void)
{
	keep_caps(1ull << 38);
}

static void
both_caps(void)
{
	keep_caps(1ull << 38 | 1ull << 39);
}

static void
other_user(void)
{
	if (setresgid(65534, 65534, 65534) == -1 ||
	    setresuid(65534, 65534, 65534) == -1)
		_exit(97);
}

static void
userns(void)
{
	if (unshare(CLONE_NEWUSER) == -1)
		_exit(96);
}

static void
little_memory(void)
{
	struct rlimit r = {0, 0};

	if (setrlimit(RLIMIT_MEMLOCK, &r) == -1)
		_exit(97);
	both_caps();
}

static void
seccomp_with(int err)
{
	struct sock_filter f[] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
				      offsetof(struct seccomp_data, nr)),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_bpf, 0, 1),
	    BPF_STMT(
		BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)(err & 0xffff)),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
	struct sock_fprog p = {4, f};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &p) == -1)
		_exit(97);
}

static void
no_syscall(void)
{
	seccomp_with(ENOSYS);
}

static void
refused(void)
{
	seccomp_with(EPERM);
}

/* Opens in a child that has been through drop; the line it would say, "" when
 * it opened. */
static void
line_after(void (*drop)(void), const char *btf, char *out, size_t n)
{
	struct segv_probe_opts o = {.want = SEGV_WANT_ALL, .btf = btf};
	int p[2], st;
	ssize_t len;
	pid_t pid;

	CHECK(pipe(p) == 0);
	if ((pid = fork()) == 0) {
		close(p[0]);
		if (drop != NULL)
			drop();
		if (segv_probe_open(&probe, &o) == -1)
			dprintf(p[1], "%s", probe.why);
		else
			dprintf(p[1], "%s", probe.lacks);
		segv_probe_close(&probe);
		_exit(0);
	}
	close(p[1]);
	len = read(p[0], out, n - 1);
	out[len > 0 ? len : 0] = '\0';
	close(p[0]);
	st = wait_status(pid);
	if (WEXITSTATUS(st) == 96)
		snprintf(out, n, "cannot be tried here");
	else
		CHECK(st == 0);
}

static void
test_rights(void)
{
	static const struct {
		const char *what;
		void (*drop)(void);
		const char *btf, *says;
	} cases[] = {{"all rights", NULL, NULL, ""},
	    {"no capability", no_caps, NULL,
		"CAP_BPF and CAP_PERFMON are missing"},
	    {"another user", other_user, NULL,
		"CAP_BPF and CAP_PERFMON are missing"},
	    {"CAP_BPF alone", bpf_alone, NULL, "CAP_PERFMON is missing"},
	    {"CAP_PERFMON alone", perfmon_alone, NULL, "CAP_BPF is missing"},
	    {"a user namespace", userns, NULL, "initial user namespace"},
	    {"seccomp, ENOSYS", no_syscall, NULL, "no bpf(2)"},
	    {"seccomp, EPERM", refused, NULL, "seccomp filter"},
	    {"no BTF", NULL, "/nonexistent",
		"no kernel BTF: /nonexistent: No such file"}};
	char line[512];
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		line_after(cases[i].drop, cases[i].btf, line, sizeof(line));
		printf("%s: %s\n", cases[i].what, line);
		if (i == 0 && *line != '\0')
			continue; /* an older kernel, and it says so */
		CHECK(strcmp(line, "cannot be tried here") == 0 ||
		    (strstr(line, cases[i].says) != NULL &&
			strchr(line, '\n') == NULL));
	}
	/* these two are enough, whatever the limit since 5.11 */
	line_after(both_caps, NULL, line, sizeof(line));
	printf("CAP_BPF and CAP_PERFMON: %s\n", line);
	CHECK(strstr(line, "missing") == NULL ||
	    strstr(line, "RLIMIT_MEMLOCK") != NULL);
	line_after(little_memory, NULL, line, sizeof(line));
	printf("no memory to lock: %s\n", line);
	CHECK(strstr(line, "missing") == NULL ||
	    strstr(line, "RLIMIT_MEMLOCK") != NULL);
}

static void
test_bad_options(void)
{
	static const struct segv_probe_opts bad[] = {{.ring_size = 12345},
	    {.ring_size = 2048}, {.ring_size = 12288}, {.pids = {{-1}, 1}},
	    {.stack_pages = SEGV_PAGES_MAX + 1},
	    {.rate = SEGV_RATE_MAX + 1ull}};
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		CHECK(segv_probe_open(&probe, &bad[i]) == -1 &&
		    errno == EINVAL && *probe.why != '\0');
		segv_probe_close(&probe);
	}
}

int
main(int argc, char **argv)
{
	struct segv_probe_opts o = {.want = SEGV_WANT_ALL};

	told = mmap(NULL, sizeof(*told), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (begin(&o) == -1)
		return 77;
	if (*probe.lacks != '\0')
		printf("without %s\n", probe.lacks);
	if (argc > 1 && strcmp(argv[1], "rights") == 0) {
		end();
		test_rights();
		test_bad_options();
		return failed != 0;
	}
	test_write();
	test_kinds();
	test_sent();
	test_pidns();
	end();
	test_filters();
	test_counts();
	test_kill();
	return failed != 0;
}
