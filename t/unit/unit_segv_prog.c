/*
 * unit_segv_prog: the program of probe/segv_prog, run on the machine of
 * bpf_machine.h against a kernel made here, for x86-64 and aarch64, with each
 * set of blocks and wants; filters, the rate limit, a full ring, memory that
 * is not there.  Prints one line per failed check; exits 0 when there was
 * none.
 */
#include <elf.h>
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bpf_machine.h"
#include "probe/segv_event.h"
#include "probe/segv_prog.h"
#include "proc/maps.h"

#include "check.h"

/* --- a kernel ----------------------------------------------------------------
 */

enum { STRUCT = 1024, STACKPAGES = 6, TOPPAGE = 3 };

/* Members lie in their structures by their number, some far apart. */
static unsigned char kmem[16][STRUCT];
enum {
	TASK,
	LEADER,
	MM,
	EXEFILE,
	DENTRY,
	INODE,
	SB,
	SIGNAL,
	PID,
	TGID,
	PIDNS,
	VMAS,
	NAME,
	KA,
	INFO
};
static unsigned char kstack[16384];
static unsigned char ustack[(STACKPAGES + 1) * SEGV_PAGE];
static unsigned char *upage; /* the first whole page in it */
static struct segv_layout layout;
static struct segv_probe_opts opts;
static unsigned char counts[sizeof(struct segv_counts) + SEGV_SCRATCH];
static struct machine m;
static long vma_answer;

static void
set(int object, enum segv_member member, uint64_t v)
{
	memcpy(kmem[object] + layout.m[member].off, &v, layout.m[member].size);
}

static uint64_t
address(int object)
{
	return (uint64_t)(uintptr_t)kmem[object];
}

static void
place(enum segv_member member, int off, unsigned size)
{
	layout.m[member].off = off;
	layout.m[member].size = size;
}

static long
find_vma(struct machine *mm, uint64_t addr, uint64_t *vma)
{
	(void)mm;
	CHECK(addr == 0x1234);
	*vma = address(VMAS);
	return vma_answer;
}

/* far: members whose neighbours are not near, so that each is read alone. */
static void
make_layout(int machine, int far)
{
	int i, off = 16;

	memset(&layout, 0, sizeof(layout));
	layout.machine = machine;
	layout.upid = 16;
	layout.ptregs = machine == EM_X86_64 ? 168 : 336;
	layout.userregs = machine == EM_X86_64 ? 168 : 272;
	layout.threadsize = sizeof(kstack);
	for (i = 0; i < SEGV_MEMBERS; i++) {
		place(i, off, 8);
		off = far ? (off + 80) % 896 : off + 8;
	}
	place(M_TASK_COMM, 960, 16);
	place(M_TASK_LEADER, 904, 8);
	place(M_TASK_START, 912, 8);
	place(M_TASK_MM, 920, 8);
	place(M_TASK_STACK, 928, 8);
	place(M_TASK_PID, 936, 8);
	place(M_TASK_SIGNAL, 944, 8);
	place(M_PID_LEVEL, 4, 4);
	place(M_PID_NR, 96, 4);
	place(M_PID_NS, 104, 8);
	place(M_PIDNS_INUM, 40, 4);
	layout.m[M_DENTRY_LEN].size = 4;
	layout.m[M_SB_DEV].size = 4;
	layout.m[M_TASK_DS].size = layout.m[M_TASK_ES].size =
	    layout.m[M_TASK_FS].size = layout.m[M_TASK_GS].size = 2;
	if (machine != EM_X86_64)
		for (i = M_TASK_TRAP; i <= M_TASK_GS; i++)
			if (i != M_TASK_FAULT)
				place(i, -1, 0);
}

static void
make_kernel(int machine)
{
	uint64_t regs[42], sp, w;
	int i;

	memset(kmem, 0, sizeof(kmem));
	set(TASK, M_TASK_LEADER, address(LEADER));
	set(TASK, M_TASK_MM, address(MM));
	set(TASK, M_TASK_STACK, (uint64_t)(uintptr_t)kstack);
	set(TASK, M_TASK_PID, address(PID));
	set(TASK, M_TASK_SIGNAL, address(SIGNAL));
	set(LEADER, M_TASK_START, 555);
	memcpy(kmem[LEADER] + layout.m[M_TASK_COMM].off, "bigboss", 8);
	set(TASK, M_TASK_ERROR, machine == EM_X86_64 ? 6 : 0x92000046);
	set(TASK, M_TASK_FAULT, 0x1234);
	if (machine == EM_X86_64) {
		set(TASK, M_TASK_TRAP, 14);
		set(TASK, M_TASK_FSBASE, 0xf5);
		set(TASK, M_TASK_GSBASE, 0x65);
		set(TASK, M_TASK_DS, 1);
		set(TASK, M_TASK_ES, 2);
		set(TASK, M_TASK_FS, 3);
		set(TASK, M_TASK_GS, 4);
	}
	set(SIGNAL, M_SIGNAL_TGID, address(TGID));
	/* two levels down: numbers[2] */
	set(PID, M_PID_LEVEL, 2);
	for (i = 0; i < 3; i++) {
		w = (uint64_t)(i == 2 ? 22 : 900 + i);
		memcpy(kmem[PID] + 96 + 16 * i, &w, 4);
		w = i == 2 ? address(PIDNS) : 1;
		memcpy(kmem[PID] + 104 + 16 * i, &w, 8);
		w = (uint64_t)(i == 2 ? 21 : 800 + i);
		memcpy(kmem[TGID] + 96 + 16 * i, &w, 4);
	}
	set(PIDNS, M_PIDNS_INUM, 4026532222u);
	set(MM, M_MM_EXE, address(EXEFILE));
	set(EXEFILE, M_FILE_DENTRY, address(DENTRY));
	set(EXEFILE, M_FILE_INODE, address(INODE));
	set(INODE, M_INODE_INO, 4242);
	set(INODE, M_INODE_SB, address(SB));
	set(SB, M_SB_DEV, 8u << 20 | 1);
	set(DENTRY, M_DENTRY_LEN, 11);
	set(DENTRY, M_DENTRY_NAME, address(NAME));
	memcpy(kmem[NAME], "long-needle", 12);
	set(VMAS, M_VMA_START, 0x1000);
	set(VMAS, M_VMA_END, 0x2000);
	set(VMAS, M_VMA_FLAGS, 5);
	set(VMAS, M_VMA_PGOFF, 3);
	set(VMAS, M_VMA_FILE, address(EXEFILE));
	set(KA, M_SA_HANDLER, 0);
	set(KA, M_SA_FLAGS, 0x14);
	w = SIGSEGV;
	memcpy(kmem[INFO], &w, 4);
	w = 1;
	memcpy(kmem[INFO] + 8, &w, 4);
	w = 0x1234;
	memcpy(kmem[INFO] + 16, &w, 8);

	/* page 1 of the stack is not there, 3 is where it begins */
	upage = (unsigned char *)(((uintptr_t)ustack + SEGV_PAGE - 1) &
	    ~(uintptr_t)(SEGV_PAGE - 1));
	for (i = 0; i < STACKPAGES; i++)
		memset(upage + i * SEGV_PAGE, 'A' + i, SEGV_PAGE);
	sp = (uint64_t)(uintptr_t)upage + 128 + 24;
	set(MM, M_MM_STACK, (uint64_t)(uintptr_t)upage + TOPPAGE * SEGV_PAGE);
	for (i = 0; i < 42; i++)
		regs[i] = 0x100 + (uint64_t)i;
	if (machine == EM_X86_64) {
		regs[17] = 0x33;
		regs[19] = sp;
	} else {
		regs[33] = 0x80000000;
		regs[31] = sp;
	}
	memcpy(kstack + sizeof(kstack) - layout.ptregs, regs, layout.ptregs);
}

static void
reset(void)
{
	size_t i;

	for (i = 0; i < m.nrec; i++)
		free(m.rec[i].p);
	memset(&m, 0, sizeof(m));
	m.pid_tgid = 1000ull << 32 | 1001;
	m.uid_gid = 6ull << 32 | 5;
	m.ktime = 1000000;
	m.cgroup = 77;
	m.task = address(TASK);
	m.regs = (uint64_t)(uintptr_t)(kstack + sizeof(kstack) - layout.ptregs);
	memcpy(m.comm, "worker\0\0\0\0\0\0\0\0\0", 16);
	m.find_vma = find_vma;
	m.counts = counts;
	m.countslen = sizeof(counts);
	m.room = 1 << 20;
	m_area(m.may, &m.nmay, counts, sizeof(counts));
	m_area(m.may, &m.nmay, m.rate, sizeof(m.rate));
	m_area(m.kernel, &m.nkernel, kmem, sizeof(kmem));
	m_area(m.kernel, &m.nkernel, kstack, sizeof(kstack));
	m_area(m.user, &m.nuser, upage, SEGV_PAGE);
	m_area(m.user, &m.nuser, upage + 2 * SEGV_PAGE,
	    (STACKPAGES - 2) * SEGV_PAGE);
}

static const struct segv_counts *
got(void)
{
	return (const struct segv_counts *)(const void *)counts;
}

/* One signal; info 0 for none. */
static void
deliver(const struct segv_prog *p, uint64_t sig, uint64_t info)
{
	uint64_t ctx[3] = {sig, info, address(KA)};
	uint64_t r;
	size_t i;

	m.p = &p->insns;
	m_area(m.may, &m.nmay, ctx, sizeof(ctx));
	r = m_run(&m, 0, (uint64_t)(uintptr_t)ctx, 0, 0);
	m_forget(&m, ctx);
	/* counts, rate and shares: the rest is gone */
	m.nmay = 2;
	for (i = 0; i < m.nshares; i++)
		m_area(m.may, &m.nmay, m.share[i].value, 32);
	if (m.wrong != NULL) {
		printf("instruction %zu (%s) %s\n", m.wrong_at,
		    p->insns.mean[m.wrong_at], m.wrong);
		CHECK(m.wrong == NULL);
	}
	CHECK(r == 0);
	for (i = 0; i < m.nrec; i++)
		CHECK(m.rec[i].state != 1);
}

/* --- tests
 * --------------------------------------------------------------------- */

static const struct segv_prog_maps maps = {
    {M_RINGFD, M_FATALFD}, M_COUNTSFD, M_RATEFD, M_SHAREFD};

static void
make(struct segv_prog *p, unsigned blocks)
{
	size_t i;

	CHECK(segv_prog_make(p, &layout, &opts, blocks, &maps) == 0);
	for (i = 0; i < p->insns.n; i++)
		CHECK(p->insns.mean[i] != NULL &&
		    (*p->insns.mean[i] != '\0' ||
			(i > 0 && p->insns.insn[i].code == 0)));
}

static void
default_opts(unsigned want)
{
	memset(&opts, 0, sizeof(opts));
	opts.signals = 1ull << (SIGSEGV - 1);
	opts.want = want;
	opts.stack_pages = 5;
	opts.burst = 1;
	vma_answer = 0;
	memset(counts, 0, sizeof(counts));
}

/* What came, through the feed; NULL for none.  One event at a time. */
static struct segv_event *
event(struct segv_feed **f)
{
	struct segv_event *e;
	size_t i;

	*f = segv_feed_new(8);
	for (i = 0; i < m.nrec; i++)
		if (m.rec[i].state == 2)
			CHECK(segv_feed_put(*f, m.rec[i].p, m.rec[i].len) == 0);
	e = segv_feed_get(*f);
	CHECK(e == NULL || e->pages_missing == 0);
	return e;
}

static void
check_event(const struct segv_event *e, int machine, unsigned have)
{
	int x86 = machine == EM_X86_64;
	char b[32];

	CHECK(e->have == have);
	CHECK(e->pid == 1000 && e->tid == 1001 && e->uid == 5 && e->gid == 6);
	CHECK(e->time == 1000000 && strcmp(e->comm, "worker") == 0);
	CHECK(e->signo == SIGSEGV && e->code == 1 && e->addr == 0x1234);
	CHECK(e->handler == 0 && e->sa_flags == 0x14 && !e->handled);
	CHECK(e->fault_valid && e->access == SEGV_WRITE);
	CHECK(e->regs.n == (x86 ? 27u : 34u) && e->regs.r[3] == 0x103);
	CHECK(e->pc == (x86 ? 0x110u : 0x120u));
	CHECK(e->sp == (uint64_t)(uintptr_t)upage + 152);
	if (x86)
		CHECK(e->regs.r[21] == 0xf5 && e->regs.r[22] == 0x65 &&
		    e->regs.r[23] == 1 && e->regs.r[26] == 4);
	if (have & SEGV_HAVE_NS)
		CHECK(e->nspid == 21 && e->nstid == 22 && e->nslevel == 2 &&
		    e->pidns == 4026532222u);
	if (have & SEGV_HAVE_CGROUP)
		CHECK(e->cgroup == 77);
	if (have & SEGV_HAVE_LEADER)
		CHECK(strcmp(e->leader, "bigboss") == 0 && e->start == 555);
	if (have & SEGV_HAVE_EXE)
		CHECK(strcmp(e->exe, "long-needle") == 0 && !e->exe_cut);
	if (have & SEGV_HAVE_VMA)
		CHECK(e->vma.start == 0x1000 && e->vma.end == 0x2000 &&
		    e->vma.prot == (MAP_R | MAP_X) && e->vma.ino == 4242 &&
		    e->vma.off >= 3 * 4096 && e->vma.dev == (8ull << 32 | 1) &&
		    strcmp(e->vma.name, "long-needle") == 0);
	if (!(have & SEGV_HAVE_STACK))
		return;
	CHECK(e->stack_lo == (uint64_t)(uintptr_t)upage && e->stack_whole &&
	    e->stack_hi == e->stack_lo + (TOPPAGE + 1) * SEGV_PAGE);
	CHECK(e->npages == 3 && e->pages_none == 1 && e->pages_lost == 0);
	CHECK(segv_event_read(e, e->sp, b, 4) == 4 && b[3] == 'A');
	CHECK(segv_event_read(e, e->stack_lo + 3 * SEGV_PAGE, b, 4) == 4 &&
	    b[0] == 'D');
	CHECK(segv_event_page(e, e->stack_lo + SEGV_PAGE) == SEGV_PAGE_NONE);
}

static void
test_all(int machine, int far)
{
	static const unsigned always = SEGV_HAVE_INFO | SEGV_HAVE_ACTION |
	    SEGV_HAVE_FAULT | SEGV_HAVE_REGS;
	unsigned blocks, want, have;
	struct segv_prog p;
	struct segv_feed *f;
	struct segv_event *e;

	for (blocks = 0; blocks < BLOCKS; blocks++)
		for (want = 0; want <= SEGV_WANT_ALL; want++) {
			if (blocks & BLOCK_VMA && !(want & SEGV_WANT_VMA))
				continue;
			have = always;
			if (machine == EM_X86_64)
				have |= SEGV_HAVE_BASES;
			if (want & SEGV_WANT_IDS)
				have |= SEGV_HAVE_NS | SEGV_HAVE_LEADER |
				    (blocks & BLOCK_CGROUP ? SEGV_HAVE_CGROUP
							   : 0);
			if (want & SEGV_WANT_EXE)
				have |= SEGV_HAVE_EXE;
			if (want & SEGV_WANT_STACK)
				have |= SEGV_HAVE_STACK;
			if (blocks & BLOCK_VMA)
				have |= SEGV_HAVE_VMA | SEGV_HAVE_VMA_ERR;
			default_opts(want);
			make_layout(machine, far);
			make_kernel(machine);
			make(&p, blocks);
			reset();
			deliver(&p, SIGSEGV, address(INFO));
			CHECK((p.have & have) == have);
			CHECK(!m.used[BPF_FUNC_task_pt_regs] ==
			    !(blocks & BLOCK_PTREGS));
			CHECK(m.nrec > 0 && m.rec[0].flags == 0);
			CHECK(m.nrec < 2 || m.rec[1].flags == BPF_RB_NO_WAKEUP);
			CHECK((e = event(&f)) != NULL);
			if (e != NULL) {
				check_event(e, machine, have);
				segv_feed_release(f, e);
			}
			segv_feed_free(f);
			CHECK(got()->seen == 1 && got()->sent == 1);
			insns_free(&p.insns);
		}
}

/* How many events that many signals make. */
static uint64_t
sent(const struct segv_prog *p, uint64_t sig, int n)
{
	uint64_t before = got()->sent;

	while (n-- > 0)
		deliver(p, sig, address(INFO));
	return got()->sent - before;
}

static uint64_t
passes(const char *name)
{
	struct segv_prog p;
	uint64_t n;

	default_opts(0);
	opts.names.of[0] = name;
	opts.names.n = 1;
	make(&p, BLOCK_PTREGS);
	reset();
	n = sent(&p, SIGSEGV, 1);
	CHECK(got()->named == 1 - n && got()->seen == n);
	insns_free(&p.insns);
	return n;
}

static void
test_filters(void)
{
	struct segv_prog p;
	char longest[SEGV_FILTER_MAX + 2];
	int i;

	make_layout(EM_X86_64, 0);
	make_kernel(EM_X86_64);
	default_opts(0);
	make(&p, 0);
	reset();
	CHECK(sent(&p, SIGBUS, 1) == 0 && sent(&p, SIGSEGV, 2) == 2);
	insns_free(&p.insns);
	opts.signals |= 1ull << (SIGBUS - 1) | 1ull << 63;
	make(&p, 0);
	reset();
	CHECK(sent(&p, SIGBUS, 1) == 1 && sent(&p, SIGSEGV, 1) == 1 &&
	    sent(&p, 64, 1) == 1 && sent(&p, SIGILL, 1) == 0 &&
	    sent(&p, 0, 1) == 0 && sent(&p, 65, 1) == 0 &&
	    sent(&p, SIGBUS + 64, 1) == 0);
	insns_free(&p.insns);
	opts.signals = 1ull << (SIGSEGV - 1);
	for (i = 999; i <= 1001; i++) {
		opts.pids.of[0] = i;
		opts.pids.n = 1;
		make(&p, 0);
		reset();
		CHECK(sent(&p, SIGSEGV, 1) == (i == 1000));
		insns_free(&p.insns);
	}

	/* thread "worker", leader "bigboss", executable "long-needle" */
	CHECK(passes("worker") && passes("ork") && passes("r"));
	CHECK(passes("bigboss") && passes("boss") && passes("b"));
	CHECK(passes("long-needle") && passes("needle") && passes("-"));
	CHECK(!passes("workers") && !passes("needles") && !passes("x"));
	CHECK(!passes("ngl") && !passes("workerb"));
	/* names as long as they can be, and what lies at their ends */
	memset(m.comm, 0, 1);
	memset(kmem[NAME], 'n', 255);
	kmem[NAME][255] = '\0';
	memcpy(kmem[NAME] + 250, "tail!", 5);
	CHECK(passes("tail!") && passes("ntail!") && passes("!") &&
	    !passes("tail!!"));
	memset(longest, 'n', sizeof(longest));
	longest[SEGV_FILTER_MAX] = '\0';
	CHECK(passes(longest));
	longest[0] = 'm';
	CHECK(!passes(longest));
	default_opts(0);
	memset(longest, 'n', sizeof(longest) - 1);
	longest[SEGV_FILTER_MAX + 1] = '\0';
	opts.names.of[0] = longest;
	opts.names.n = 1;
	errno = 0;
	CHECK(segv_prog_make(&p, &layout, &opts, 0, &maps) == -1 &&
	    errno == EINVAL);
	insns_free(&p.insns);
}

static void
test_rate(void)
{
	struct segv_prog p;
	int i;

	make_layout(EM_X86_64, 0);
	make_kernel(EM_X86_64);
	default_opts(0);
	opts.rate = 1000; /* one each millisecond */
	opts.burst = 10;
	make(&p, 0);
	reset();
	m.ktime = 1000000000;
	CHECK(sent(&p, SIGSEGV, 100) == 10 && got()->limited == 90);
	m.ktime += 999999;
	CHECK(sent(&p, SIGSEGV, 10) == 0);
	m.ktime += 1;
	CHECK(sent(&p, SIGSEGV, 10) == 1);
	m.ktime += 5000000;
	CHECK(sent(&p, SIGSEGV, 10) == 5);
	/* a long pause gives no more than the burst */
	m.ktime += 3600ull * 1000000000;
	CHECK(sent(&p, SIGSEGV, 100) == 10);
	CHECK(got()->seen == got()->sent + got()->limited);
	insns_free(&p.insns);
	opts.burst = 1;
	opts.rate = SEGV_RATE_MAX;
	memset(counts, 0, sizeof(counts));
	make(&p, 0);
	reset();
	for (i = 0; i < 20; i++, m.ktime++)
		CHECK(sent(&p, SIGSEGV, 2) == 1);
	insns_free(&p.insns);
}

/* What becomes of the process, and where it is told. */
static void
test_kinds(int machine)
{
	static const struct {
		uint64_t sig, handler;
		enum segv_kind kind;
	} c[] = {{SIGSEGV, 0, SEGV_FATAL}, {SIGSEGV, 1, SEGV_LIVES},
	    {SIGSEGV, 0x400000, SEGV_LIVES}, {SIGABRT, 0, SEGV_FATAL},
	    {SIGCHLD, 0, SEGV_LIVES}, {SIGSTOP, 0, SEGV_LIVES},
	    {SIGKILL, 0, SEGV_FATAL}, {64, 0, SEGV_FATAL}};
	struct segv_prog p;
	struct segv_feed *f;
	struct segv_event *e;
	unsigned only, i;

	make_layout(machine, 0);
	make_kernel(machine);
	for (only = SEGV_ONLY_NONE; only <= SEGV_ONLY_HANDLED; only++) {
		default_opts(SEGV_WANT_STACK);
		opts.signals = ~0ull;
		opts.only = only;
		make(&p, BLOCK_PTREGS);
		for (i = 0; i < sizeof(c) / sizeof(c[0]); i++) {
			set(KA, M_SA_HANDLER, c[i].handler);
			reset();
			deliver(&p, c[i].sig, address(INFO));
			e = event(&f);
			CHECK((e != NULL) ==
			    (only == SEGV_ONLY_NONE ||
				(only == SEGV_ONLY_FATAL) ==
				    (c[i].kind == SEGV_FATAL)));
			if (e != NULL) {
				CHECK(e->kind == c[i].kind &&
				    e->handler == c[i].handler &&
				    e->sa_flags == 0x14);
				CHECK(m.rec[0].ring ==
					(e->kind == SEGV_FATAL ? M_FATALFD
							       : M_RINGFD) &&
				    m.nrec > 1 &&
				    m.rec[1].ring == m.rec[0].ring);
				segv_feed_release(f, e);
			}
			segv_feed_free(f);
		}
		insns_free(&p.insns);
	}
}

/* Of whom the signal does not end, each has its share; the others have none. */
static void
test_share(void)
{
	struct segv_prog p;
	const struct segv_share *s;

	make_layout(EM_X86_64, 0);
	make_kernel(EM_X86_64);
	default_opts(0);
	opts.share = 5;
	make(&p, 0);
	reset();
	m.ktime = 1000000000;
	CHECK(sent(&p, SIGSEGV, 20) == 20 && m.nshares == 0);
	reset();
	m.ktime = 1000000000;
	set(KA, M_SA_HANDLER, 0x400000);
	CHECK(sent(&p, SIGSEGV, 20) == 5 && got()->shared == 15);
	m.pid_tgid = 2000ull << 32 | 2001;
	CHECK(sent(&p, SIGSEGV, 20) == 5 && got()->shared == 30);
	m.ktime += 200000000;
	CHECK(sent(&p, SIGSEGV, 20) == 1);
	m.pid_tgid = 1000ull << 32 | 1005; /* another thread of the first */
	CHECK(sent(&p, SIGSEGV, 20) == 1);
	CHECK(m.nshares == 2);
	s = (const void *)m.share[0].value;
	CHECK(m.share[0].key == 1000 && s->limited == 15 + 19 &&
	    strcmp(s->comm, "bigboss") == 0);
	CHECK(got()->seen == got()->sent + got()->shared);
	set(KA, M_SA_HANDLER, 0);
	CHECK(sent(&p, SIGSEGV, 20) == 20);
	insns_free(&p.insns);
	/* the two kinds have a rate each */
	memset(counts, 0, sizeof(counts));
	opts.share = 0;
	opts.rate = 1000;
	opts.burst = 10;
	make(&p, 0);
	reset();
	m.ktime = 1000000000;
	set(KA, M_SA_HANDLER, 0x400000);
	CHECK(sent(&p, SIGSEGV, 20) == 10);
	set(KA, M_SA_HANDLER, 0);
	CHECK(sent(&p, SIGSEGV, 20) == 10 && got()->limited == 20);
	insns_free(&p.insns);
}

static void
test_lists(void)
{
	static const char *const names[] = {"nobody", "oss", "xyz"};
	struct segv_prog p;
	unsigned in, not ;

	/* bit i of them: names[i] is in the list */
	for (in = 0; in < 8; in++)
		for (not = 0; not < 8; not ++) {
			unsigned i;

			make_layout(EM_X86_64, 0);
			make_kernel(EM_X86_64);
			default_opts(0);
			for (i = 0; i < 3; i++) {
				if (in >> i & 1)
					opts.names.of[opts.names.n++] =
					    names[i];
				if (not >> i & 1)
					opts.not_names.of[opts.not_names.n++] =
					    names[i];
			}
			make(&p, 0);
			reset();
			CHECK(sent(&p, SIGSEGV, 1) ==
			    ((in == 0 || in & 2) && !(not &2)));
			insns_free(&p.insns);
		}
	default_opts(0);
	opts.pids = (struct segv_pids){{5, 1000, 7}, 3};
	make(&p, 0);
	reset();
	CHECK(sent(&p, SIGSEGV, 1) == 1);
	insns_free(&p.insns);
	opts.not_pids = (struct segv_pids){{8, 1000}, 2};
	make(&p, 0);
	reset();
	CHECK(sent(&p, SIGSEGV, 1) == 0);
	m.pid_tgid = 7ull << 32 | 9;
	CHECK(sent(&p, SIGSEGV, 1) == 1);
	insns_free(&p.insns);
}

static void
test_full(int machine)
{
	struct segv_prog p;
	struct segv_feed *f;
	struct segv_event *e;

	make_layout(machine, 0);
	make_kernel(machine);
	default_opts(SEGV_WANT_STACK);
	make(&p, BLOCK_PTREGS);
	reset();
	m.room = 100; /* not even for the header */
	deliver(&p, SIGSEGV, address(INFO));
	CHECK(m.nrec == 0 && got()->dropped == 1 && got()->sent == 0 &&
	    got()->seen == 1);
	/* the header and two pages of three */
	reset();
	m.room = 2 * (long)(sizeof(struct segv_rec_page) + 8) + 1024;
	deliver(&p, SIGSEGV, address(INFO));
	CHECK((e = event(&f)) != NULL && e->npages == 2 && e->pages_lost == 1 &&
	    e->pages_none == 1);
	CHECK(e != NULL &&
	    segv_event_page(e, e->stack_lo + 3 * SEGV_PAGE) == SEGV_PAGE_LOST);
	CHECK(got()->pages == 2 && got()->pages_lost == 1);
	if (e != NULL)
		segv_feed_release(f, e);
	segv_feed_free(f);
	/* a page that goes away between the look and the copy */
	reset();
	m.user[0].len = 160;
	deliver(&p, SIGSEGV, address(INFO));
	CHECK((e = event(&f)) != NULL && e->npages == 2 &&
	    e->page[0].addr == e->stack_lo + 2 * SEGV_PAGE);
	CHECK(m.rec[1].state == 3);
	if (e != NULL)
		segv_feed_release(f, e);
	segv_feed_free(f);
	/* another stack: the whole window, its end unknown */
	set(MM, M_MM_STACK, 4096);
	reset();
	deliver(&p, SIGSEGV, address(INFO));
	CHECK((e = event(&f)) != NULL && !e->stack_whole &&
	    e->stack_hi == e->stack_lo + 5 * SEGV_PAGE && e->npages == 4);
	if (e != NULL)
		segv_feed_release(f, e);
	segv_feed_free(f);
	insns_free(&p.insns);
}

/* An event with something missing: the rest is there. */
static void
test_missing(int machine)
{
	struct segv_prog p;
	struct segv_feed *f;
	struct segv_event *e;
	unsigned b = BLOCK_VMA | BLOCK_PTREGS | BLOCK_CGROUP;

	make_layout(machine, 0);
	make_kernel(machine);
	default_opts(SEGV_WANT_ALL);
	make(&p, b);

#define WITH(expr)                               \
	do {                                     \
		CHECK((e = event(&f)) != NULL);  \
		CHECK(e != NULL && (expr));      \
		if (e != NULL)                   \
			segv_feed_release(f, e); \
		segv_feed_free(f);               \
		make_kernel(machine);            \
		reset();                         \
	} while (0)

	reset();
	deliver(&p, SIGSEGV, 0); /* a SIGKILL's */
	CHECK(got()->no_info == 1);
	WITH(e->origin == SEGV_FROM_UNKNOWN && e->regs.n > 0 &&
	    e->vma_err == ENOTSUP && e->npages == 3);
	deliver(&p, SIGSEGV, 1);
	WITH(e->origin == SEGV_FROM_UNKNOWN);
	memset(kmem[INFO] + 8, 0, 4); /* SI_USER: no address to look up */
	deliver(&p, SIGSEGV, address(INFO));
	CHECK(m.used[BPF_FUNC_find_vma] == 0);
	WITH(e->origin == SEGV_FROM_USER && e->vma_err == ENOTSUP);
	kmem[INFO][8] = 128;
	deliver(&p, SIGSEGV, address(INFO));
	CHECK(m.used[BPF_FUNC_find_vma] == 0);
	WITH(e->origin == SEGV_FROM_KERNEL);
	set(KA, M_SA_HANDLER, 0x400000); /* who lives is not looked at */
	deliver(&p, SIGSEGV, address(INFO));
	CHECK(m.used[BPF_FUNC_find_vma] == 0);
	WITH(e->handled && e->vma_err == ENOTSUP);
	vma_answer = -ENOENT;
	deliver(&p, SIGSEGV, address(INFO));
	WITH(e->vma_err == ENOENT && e->vma.start == 0);
	vma_answer = -EBUSY;
	deliver(&p, SIGSEGV, address(INFO));
	CHECK(got()->no_vma == 1);
	WITH(e->vma_err == EBUSY);
	vma_answer = 0;
	set(VMAS, M_VMA_FILE, 0);
	deliver(&p, SIGSEGV, address(INFO));
	WITH(e->vma.start == 0x1000 && e->vma.ino == 0 && *e->vma.name == '\0');
	set(EXEFILE, M_FILE_INODE, 0);
	deliver(&p, SIGSEGV, address(INFO));
	WITH(e->vma.ino == 0 && strcmp(e->vma.name, "long-needle") == 0);
	set(MM, M_MM_EXE, 16);
	deliver(&p, SIGSEGV, address(INFO));
	WITH(!(e->have & SEGV_HAVE_EXE) && e->npages == 3);
	set(TASK, M_TASK_LEADER, 16);
	set(TASK, M_TASK_PID, 16);
	deliver(&p, SIGSEGV, address(INFO));
	WITH(!(e->have & (SEGV_HAVE_LEADER | SEGV_HAVE_NS)) &&
	    e->have & SEGV_HAVE_CGROUP);
	set(PID, M_PID_LEVEL, 0);
	deliver(&p, SIGSEGV, address(INFO));
	WITH(e->nslevel == 0 && e->nspid == 1000 && e->nstid == 1001);
	/* a frame of the kernel's own is no user's */
	kstack[sizeof(kstack) - layout.ptregs +
	    (machine == EM_X86_64 ? 17 : 33) * 8] =
	    machine == EM_X86_64 ? 0x10 : 5;
	deliver(&p, SIGSEGV, address(INFO));
	CHECK(got()->no_regs == 1);
	WITH(e->regs.n == 0 && e->npages == 0 && !(e->have & SEGV_HAVE_STACK) &&
	    e->fault_valid);
#undef WITH
	insns_free(&p.insns);
}

/* A kernel of which nothing is known. */
static void
test_no_btf(int machine)
{
	struct segv_prog p;
	struct segv_feed *f;
	struct segv_event *e;
	char lacks[64] = "";

	CHECK(segv_layout(&layout, machine, NULL, lacks, sizeof(lacks)) == 0);
	CHECK(*lacks == '\0' && !segv_layout_has_vma(&layout));
	/* the kernel made here is read with offsets the program has not */
	make_layout(machine, 0);
	make_kernel(machine);
	CHECK(segv_layout(&layout, machine, NULL, lacks, sizeof(lacks)) == 0);
	memcpy(kmem[KA], "\0\0\0\0\0\0\0\0\x14", 9);
	default_opts(SEGV_WANT_ALL);
	make(&p, BLOCK_PTREGS | BLOCK_CGROUP);
	reset();
	deliver(&p, SIGSEGV, address(INFO));
	CHECK((e = event(&f)) != NULL && e->regs.n > 20 && e->npages > 0 &&
	    e->cgroup == 77 && e->sa_flags == 0x14 && !e->fault_valid &&
	    e->have ==
		(SEGV_HAVE_INFO | SEGV_HAVE_ACTION | SEGV_HAVE_REGS |
		    SEGV_HAVE_CGROUP | SEGV_HAVE_STACK));
	if (e != NULL)
		segv_feed_release(f, e);
	segv_feed_free(f);
	insns_free(&p.insns);
	make(&p, 0);
	reset();
	deliver(&p, SIGSEGV, address(INFO));
	CHECK((e = event(&f)) != NULL && e->regs.n == 0 && e->code == 1);
	if (e != NULL)
		segv_feed_release(f, e);
	segv_feed_free(f);
	insns_free(&p.insns);
	errno = 0;
	CHECK(
	    segv_layout(&layout, EM_RISCV, NULL, lacks, sizeof(lacks)) == -1 &&
	    errno == ENOTSUP);
}

static void
test_options(void)
{
	struct segv_prog p;

	make_layout(EM_X86_64, 0);
#define REFUSED(member, value)                                              \
	do {                                                                \
		default_opts(0);                                            \
		opts.member = (value);                                      \
		errno = 0;                                                  \
		CHECK(segv_prog_make(&p, &layout, &opts, 0, &maps) == -1 && \
		    errno == EINVAL);                                       \
		insns_free(&p.insns);                                       \
	} while (0)
	REFUSED(signals, 0);
	REFUSED(pids.n, SEGV_LIST_MAX + 1);
	REFUSED(pids.n, 1); /* it is 0 */
	REFUSED(not_names.n, SEGV_LIST_MAX + 1);
	REFUSED(share, SEGV_RATE_MAX + 1ull);
	REFUSED(rate, SEGV_RATE_MAX + 1ull);
	REFUSED(burst, 1ull << 32);
	REFUSED(stack_pages, SEGV_PAGES_MAX + 1);
#undef REFUSED
}

int
main(void)
{
	static const int machines[] = {EM_X86_64, EM_AARCH64};
	int i;

	for (i = 0; i < 2; i++) {
		check_about = i == 0 ? "x86_64" : "aarch64";
		test_all(machines[i], 0);
		test_all(machines[i], 1);
		test_kinds(machines[i]);
		test_full(machines[i]);
		test_missing(machines[i]);
		test_no_btf(machines[i]);
	}
	check_about = "options";
	test_filters();
	test_rate();
	test_share();
	test_lists();
	test_options();
	reset();
	return failed != 0;
}
