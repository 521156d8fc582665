#include "segv/segv_probe.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/io.h"
#include "core/arch.h"
#include "proc/cpus.h"
#include "segv/segv_prog.h"

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

static int
maps(struct segv_probe *p, const struct segv_probe_opts *o)
{
	p->countsfd = bpfsys_map(BPF_MAP_TYPE_PERCPU_ARRAY, 4,
	    sizeof(struct segv_counts) + SEGV_EXE_SCRATCH, 1, "segv_counts");
	if (p->countsfd == -1)
		return fail(p, BPF_STEP_MAP);
	p->ratefd = bpfsys_map(BPF_MAP_TYPE_ARRAY, 4, 8, 1, "segv_rate");
	if (p->ratefd == -1)
		return fail(p, BPF_STEP_MAP);
	p->ringfd = bpfsys_map(
	    BPF_MAP_TYPE_RINGBUF, 0, 0, (unsigned)o->ring_size, "segv_ring");
	if (p->ringfd == -1)
		return fail(p, BPF_STEP_RING);
	return 0;
}

/* One try; -1 with errno and p->log. */
static int
try(struct segv_probe *p, const struct segv_probe_opts *o,
    const struct segv_layout *l, unsigned blocks)
{
	struct segv_prog_maps m = {p->ringfd, p->countsfd, p->ratefd};
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

int
segv_probe_open(struct segv_probe *p, const struct segv_probe_opts *opts)
{
	struct segv_probe_opts o = *opts;
	struct segv_layout l;
	char members[256] = "";
	struct btf *btf;
	int r, btferr = 0;

	memset(p, 0, sizeof(*p));
	p->ringfd = p->countsfd = p->ratefd = p->progfd = p->linkfd = -1;
	p->ring.fd = -1;
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
	if (bpf_ring_open(&p->ring, p->ringfd, o.ring_size) == -1)
		return fail(p, BPF_STEP_MMAP);
	if ((p->linkfd = bpfsys_attach("signal_deliver", p->progfd)) == -1)
		return fail(p, BPF_STEP_ATTACH);
	return 0;
}

void
segv_probe_close(struct segv_probe *p)
{
	int *fd[] = {
	    &p->linkfd, &p->progfd, &p->ringfd, &p->countsfd, &p->ratefd};
	size_t i;

	segv_probe_detach(p);
	bpf_ring_close(&p->ring);
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

int
segv_probe_counts(const struct segv_probe *p, struct segv_counts *sum,
    struct segv_counts *percpu)
{
	size_t each = (sizeof(*sum) + SEGV_EXE_SCRATCH + 7) & ~(size_t)7, i, k;
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
