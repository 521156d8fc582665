#include "probe/segv_probe.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/io.h"
#include "core/arch.h"
#include "probe/segv_prog.h"
#include "proc/cpus.h"

static int
fail(struct segv_probe *p, enum bpf_step step)
{
	struct bpf_rights r;
	int e = errno;

	bpf_rights_read(&r);
	bpf_reason(&r, step, e, p->log, p->why);
	/* EINVAL is the caller's fault only where the caller is checked */
	errno = e == EINVAL ? ENOTSUP : e;
	return -1;
}

/* A kind that is not asked for has the least there is. */
static size_t
ring_size(const struct segv_probe_opts *o, enum segv_kind kind)
{
	if ((o->only == SEGV_ONLY_FATAL && kind != SEGV_FATAL) ||
	    (o->only == SEGV_ONLY_HANDLED && kind == SEGV_FATAL))
		return (size_t)sysconf(_SC_PAGESIZE);
	return o->ring_size;
}

static int
maps(struct segv_probe *p, const struct segv_probe_opts *o)
{
	int i;

	p->countsfd = bpfsys_map(BPF_MAP_TYPE_PERCPU_ARRAY, 4,
	    sizeof(struct segv_counts) + SEGV_SCRATCH, 1, "segv_counts");
	if (p->countsfd == -1)
		return fail(p, BPF_STEP_MAP);
	p->ratefd =
	    bpfsys_map(BPF_MAP_TYPE_ARRAY, 4, 8, SEGV_KINDS, "segv_rate");
	if (p->ratefd == -1)
		return fail(p, BPF_STEP_MAP);
	if (o->share > 0)
		p->sharefd = bpfsys_map(BPF_MAP_TYPE_LRU_HASH, 4,
		    sizeof(struct segv_share), SEGV_SHARES, "segv_share");
	if (o->share > 0 && p->sharefd == -1)
		return fail(p, BPF_STEP_MAP);
	for (i = 0; i < SEGV_KINDS; i++) {
		p->ringfd[i] = bpfsys_map(BPF_MAP_TYPE_RINGBUF, 0, 0,
		    (unsigned)ring_size(o, i), "segv_ring");
		if (p->ringfd[i] == -1)
			return fail(p, BPF_STEP_RING);
	}
	return 0;
}

/* One try; -1 with errno and p->log. */
static int
try(struct segv_probe *p, const struct segv_probe_opts *o,
    const struct segv_layout *l, unsigned blocks)
{
	struct segv_prog_maps m = {
	    {p->ringfd[SEGV_LIVES], p->ringfd[SEGV_FATAL]}, p->countsfd,
	    p->ratefd, p->sharefd};
	struct bpfsys_func func[2] = {{0, 0}, {0, 0}};
	struct segv_prog prog;
	struct bpfsys_prog load = {&prog.insns, "segv", -1, func, 0};
	const void *btf;
	size_t len;
	int e;

	free(p->log);
	p->log = NULL;
	if (segv_prog_make(&prog, l, o, blocks, &m) == -1)
		goto out;
	if (prog.vma != -1) {
		btf = segv_prog_btf(&len, &func[0].type, &func[1].type);
		if ((load.btffd = bpfsys_load_btf(btf, len)) == -1)
			goto out;
		func[1].insn = (uint32_t)prog.insns.label[prog.vma];
		load.nfuncs = 2;
	}
	p->progfd = bpfsys_load(&load, &p->log);
	p->insns = (unsigned)prog.insns.n;
	p->have = prog.have;
out:
	e = errno;
	io_close(&load.btffd);
	insns_free(&prog.insns);
	errno = e;
	return p->progfd == -1 ? -1 : 0;
}

/*
 * What a kernel can do is what it loads: from all that is wanted down to the
 * program that every kernel with a ring buffer takes.  A right that is missing
 * is missing for each, so it ends the search.
 */
static int
load(struct segv_probe *p, const struct segv_probe_opts *o,
    const struct segv_layout *l)
{
	unsigned want = BLOCK_PTREGS, b;
	char *first = NULL;
	int e = 0;

	if (o->want & SEGV_WANT_VMA && segv_layout_has_vma(l))
		want |= BLOCK_VMA;
	if (o->want & SEGV_WANT_IDS)
		want |= BLOCK_CGROUP;
	for (b = BLOCKS; b-- > 0;) {
		if ((b & want) != b)
			continue;
		if (try(p, o, l, b) == 0) {
			free(first);
			return 0;
		}
		e = errno;
		/* what the kernel said of the whole program says most */
		if (first == NULL) {
			first = p->log;
			p->log = NULL;
		}
		if (e == EPERM || e == ENOSYS || e == ENOMEM)
			break;
	}
	if (first != NULL) {
		free(p->log);
		p->log = first;
	}
	errno = e;
	return fail(p, BPF_STEP_LOAD);
}

/* What was asked for and cannot be had, by name; then why. */
static void
tell_lacks(struct segv_probe *p, const struct segv_probe_opts *o, int btferr,
    const char *members)
{
	static const struct {
		unsigned have, want;
		const char *name;
	} parts[] = {{SEGV_HAVE_REGS, 0, "registers"},
	    {SEGV_HAVE_FAULT, 0, "page fault error codes"},
	    {SEGV_HAVE_ACTION, 0, "signal handlers"},
	    {SEGV_HAVE_STACK, SEGV_WANT_STACK, "stacks"},
	    {SEGV_HAVE_VMA, SEGV_WANT_VMA, "the mapping from the kernel"},
	    {SEGV_HAVE_EXE, SEGV_WANT_EXE, "executable names"},
	    {SEGV_HAVE_LEADER, SEGV_WANT_IDS, "names of thread leaders"},
	    {SEGV_HAVE_NS, SEGV_WANT_IDS, "pid namespaces"},
	    {SEGV_HAVE_CGROUP, SEGV_WANT_IDS, "cgroups"}};
	size_t i, n = 0, size = sizeof(p->lacks);

	for (i = 0; i < NELEM(parts); i++)
		if (!(p->have & parts[i].have) &&
		    (o->want & parts[i].want) == parts[i].want && n < size)
			n += (size_t)snprintf(p->lacks + n, size - n, "%s%s",
			    n > 0 ? ", " : "", parts[i].name);
	if (n == 0 || n >= size)
		return;
	if (btferr != 0)
		snprintf(p->lacks + n, size - n, ": no kernel BTF: %s: %s",
		    o->btf, strerror(btferr));
	else if (*members != '\0')
		snprintf(p->lacks + n, size - n,
		    ": not in this kernel's BTF: %s", members);
	else
		snprintf(p->lacks + n, size - n,
		    ": this kernel has no BPF helper for it");
}

static int
set_defaults(struct segv_probe_opts *o)
{
	size_t most;

	if (o->signals == 0)
		o->signals = 1ull << (SIGSEGV - 1);
	if (o->stack_pages == 0)
		o->stack_pages = SEGV_PAGES_DEFAULT;
	if (o->ring_size == 0)
		o->ring_size = SEGV_RING_DEFAULT;
	if (o->btf == NULL)
		o->btf = BTF_KERNEL;
	if ((o->ring_size & (o->ring_size - 1)) != 0 ||
	    o->ring_size % (size_t)sysconf(_SC_PAGESIZE) != 0 ||
	    o->ring_size > SEGV_RING_MAX)
		return -1;
	most = sizeof(struct segv_rec_event);
	if (o->want & SEGV_WANT_STACK)
		most += o->stack_pages * sizeof(struct segv_rec_page);
	if (o->burst == 0) {
		o->burst = o->ring_size / 2 / most;
		if (o->burst > o->rate)
			o->burst = o->rate;
		if (o->burst == 0)
			o->burst = 1;
	}
	return segv_prog_check(o);
}

static int
open_rings(struct segv_probe *p, const struct segv_probe_opts *o)
{
	struct epoll_event ev = {.events = EPOLLIN};
	int i;

	if ((p->pollfd = epoll_create1(EPOLL_CLOEXEC)) == -1)
		return -1;
	for (i = 0; i < SEGV_KINDS; i++)
		if (bpf_ring_open(&p->ring[i], p->ringfd[i], ring_size(o, i)) ==
			-1 ||
		    epoll_ctl(p->pollfd, EPOLL_CTL_ADD, p->ringfd[i], &ev) ==
			-1)
			return -1;
	return 0;
}

int
segv_probe_open(struct segv_probe *p, const struct segv_probe_opts *opts)
{
	struct segv_probe_opts o = *opts;
	struct segv_layout l;
	char members[256] = "";
	struct btf *btf;
	int r, btferr = 0;

	memset(p, 0, sizeof(*p));
	p->countsfd = p->ratefd = p->sharefd = p->progfd = p->linkfd = -1;
	p->pollfd = -1;
	for (r = 0; r < SEGV_KINDS; r++)
		p->ringfd[r] = p->ring[r].fd = -1;
	if (set_defaults(&o) == -1) {
		snprintf(p->why, sizeof(p->why), "options out of range");
		return fails(EINVAL);
	}
	p->ncpus = cpus_possible();
	if (maps(p, &o) == -1)
		return -1;
	if ((btf = btf_open(o.btf)) == NULL)
		btferr = errno;
	r = segv_layout(
	    &l, arch_native->machine, btf, members, sizeof(members));
	btf_free(btf);
	if (r == -1) {
		snprintf(p->why, sizeof(p->why),
		    "registers of this machine are not known");
		return fails(ENOTSUP);
	}
	if (load(p, &o, &l) == -1)
		return -1;
	tell_lacks(p, &o, btferr, members);
	if (open_rings(p, &o) == -1)
		return fail(p, BPF_STEP_MMAP);
	if ((p->linkfd = bpfsys_attach("signal_deliver", p->progfd)) == -1)
		return fail(p, BPF_STEP_ATTACH);
	return 0;
}

void
segv_probe_close(struct segv_probe *p)
{
	int *fd[] = {&p->linkfd, &p->pollfd, &p->progfd, &p->ringfd[SEGV_LIVES],
	    &p->ringfd[SEGV_FATAL], &p->countsfd, &p->ratefd, &p->sharefd};
	size_t i;

	segv_probe_detach(p);
	for (i = 0; i < SEGV_KINDS; i++)
		bpf_ring_close(&p->ring[i]);
	for (i = 0; i < NELEM(fd); i++)
		io_close(fd[i]);
	free(p->log);
	p->log = NULL;
}

void
segv_probe_detach(struct segv_probe *p)
{
	io_close(&p->linkfd);
}

/* Looks at the next record of a ring without taking it; as bpf_ring_next(). */
static int
peek(struct segv_probe *p, enum segv_kind kind)
{
	struct segv_ahead *a = &p->ahead[kind];
	int r = 1;

	if (a->rec == NULL)
		r = bpf_ring_next(&p->ring[kind], &a->rec, &a->len);
	if (r != 1)
		a->rec = NULL;
	return r;
}

static uint64_t
time_of(const struct segv_ahead *a)
{
	struct segv_rec r;

	if (a->len < sizeof(r))
		return 0;
	memcpy(&r, a->rec, sizeof(r));
	return r.time;
}

int
segv_probe_next(
    struct segv_probe *p, const void **rec, size_t *len, enum segv_kind *kind)
{
	struct segv_ahead *fatal = &p->ahead[SEGV_FATAL];
	struct segv_ahead *lives = &p->ahead[SEGV_LIVES];
	const struct bpf_ring *r = &p->ring[SEGV_LIVES];

	/* who ends first: what it may come after is there already */
	if (peek(p, SEGV_FATAL) == -1 || peek(p, SEGV_LIVES) == -1)
		return -1;
	if (fatal->rec == NULL && lives->rec == NULL)
		return 0;
	*kind = SEGV_LIVES;
	if (lives->rec == NULL ||
	    (fatal->rec != NULL &&
		(time_of(fatal) <= time_of(lives) ||
		    bpf_ring_waiting(r) > SEGV_PATIENCE)))
		*kind = SEGV_FATAL;
	*rec = p->ahead[*kind].rec;
	*len = p->ahead[*kind].len;
	p->ahead[*kind].rec = NULL;
	return 1;
}

int
segv_probe_shares(const struct segv_probe *p,
    void (*told)(void *ctx, pid_t, const struct segv_share *), void *ctx)
{
	uint32_t key, *at = NULL;
	struct segv_share s;
	unsigned i;

	if (p->sharefd == -1)
		return 0;
	/* bounded: one that is taken out meanwhile begins it anew */
	for (i = 0; i < 2 * SEGV_SHARES; i++) {
		if (bpfsys_next(p->sharefd, at, &key) == -1)
			return errno == ENOENT ? 0 : -1;
		at = &key;
		if (bpfsys_lookup(p->sharefd, &key, &s) == 0)
			told(ctx, (pid_t)key, &s);
	}
	return 0;
}

int
segv_probe_counts(const struct segv_probe *p, struct segv_counts *sum,
    struct segv_counts *percpu)
{
	size_t each = (sizeof(*sum) + SEGV_SCRATCH + 7) & ~(size_t)7, i, k;
	uint64_t *to = (uint64_t *)(void *)sum;
	const uint64_t *from;
	uint32_t key = 0;
	unsigned char *b;
	int e;

	memset(sum, 0, sizeof(*sum));
	if ((b = calloc(p->ncpus, each)) == NULL)
		return -1;
	if (bpfsys_lookup(p->countsfd, &key, b) == -1) {
		e = errno;
		free(b);
		return fails(e);
	}
	for (i = 0; i < p->ncpus; i++) {
		from = (const uint64_t *)(void *)(b + i * each);
		if (percpu != NULL)
			memcpy(&percpu[i], from, sizeof(*sum));
		for (k = 0; k < sizeof(*sum) / 8; k++)
			to[k] += from[k];
	}
	free(b);
	sum->missed = bpfsys_misses(p->progfd);
	return 0;
}
