#include "probe/segv_prog.h"

#include <errno.h>
#include <linux/btf.h>
#include <string.h>

#include "base/bytes.h"

_Static_assert(S_SCRATCH + SPAN_MAX <= S_VMA, "the stack overlaps");
_Static_assert(sizeof(struct segv_share) <= SPAN_MAX, "a share is too large");
_Static_assert(sizeof(struct segv_counts) % 8 == 0, "counts are words");

/* r9 = counts, r8 = task */
static void
setup(struct gen *g, int out)
{
	I(ST32I(FP, S_KEY, 0), "key = 0");
	insn_map(g->p, R1, g->maps->counts, "r1 = the map of counts");
	I(MOV(R2, FP), "r2 = the stack");
	I(ADDI(R2, S_KEY), "r2 = &key");
	I(CALL(BPF_FUNC_map_lookup_elem), "counts = map[key], of this CPU");
	J(JEQI(R0, 0), out, "if (counts == NULL) goto out");
	I(MOV(R9, R0), "r9 = counts");
	I(CALL(BPF_FUNC_get_current_task), "task = current");
	I(MOV(R8, R0), "r8 = task");
}

/* Up to the last part that is wanted. */
static size_t
record_size(const struct gen *g)
{
	if (g->vma != -1)
		return sizeof(struct segv_rec_event);
	if (g->o->want & SEGV_WANT_STACK)
		return offsetof(struct segv_rec_event, vma);
	if (g->o->want & SEGV_WANT_EXE)
		return offsetof(struct segv_rec_event, stack);
	if (g->o->want & SEGV_WANT_IDS)
		return offsetof(struct segv_rec_event, exe);
	return offsetof(struct segv_rec_event, ids);
}

/* r7 = the record */
static void
reserve(struct gen *g, int out)
{
	int there = insn_label(g->p);

	I(LD64(R1, FP, S_RING), "r1 = ring");
	I(MOVI(R2, record_size(g)), "r2 = its size");
	I(MOVI(R3, 0), "r3 = 0");
	I(CALL(BPF_FUNC_ringbuf_reserve), "rec = reserve(r1, r2, r3)");
	J(JNEI(R0, 0), there, "if (rec != NULL) goto there");
	COUNT(dropped);
	J(JA(), out, "goto out");
	insn_here(g->p, there);
	I(MOV(R7, R0), "r7 = rec");
}

static int
names_are_good(const struct segv_names *l, size_t *all)
{
	unsigned i;
	size_t len;

	if (l->n > SEGV_LIST_MAX)
		return 0;
	for (i = 0; i < l->n; i++) {
		len = strlen(l->of[i]);
		if (len == 0 || len > SEGV_FILTER_MAX)
			return 0;
		*all += len;
	}
	return *all <= SEGV_NAMES_MAX;
}

static int
pids_are_good(const struct segv_pids *l)
{
	unsigned i;

	for (i = 0; i < l->n && i < SEGV_LIST_MAX; i++)
		if (l->of[i] <= 0)
			return 0;
	return l->n <= SEGV_LIST_MAX;
}

int
segv_prog_check(const struct segv_probe_opts *o)
{
	size_t all = 0;

	if (o->signals != 0 && o->rate <= SEGV_RATE_MAX &&
	    o->share <= SEGV_RATE_MAX && o->burst <= UINT32_MAX &&
	    o->stack_pages <= SEGV_PAGES_MAX &&
	    names_are_good(&o->names, &all) &&
	    names_are_good(&o->not_names, &all) && pids_are_good(&o->pids) &&
	    pids_are_good(&o->not_pids))
		return 0;
	return fails(EINVAL);
}

int
segv_prog_make(struct segv_prog *prog, const struct segv_layout *l,
    const struct segv_probe_opts *o, unsigned blocks,
    const struct segv_prog_maps *maps)
{
	struct gen gen = {&prog->insns, l, o, maps, blocks, -1, 0}, *g = &gen;
	int out;

	insns_init(g->p);
	if (segv_prog_check(o) == -1)
		return -1;
	out = insn_label(g->p);
	if (blocks & BLOCK_VMA)
		g->vma = insn_label(g->p);
	I(MOV(R6, R1), "r6 = ctx");
	gen_filter_signal(g, out);
	gen_filter_pid(g, out);
	gen_kind(g, out);
	setup(g, out);
	if (o->names.n + o->not_names.n > 0)
		gen_filter_name(g, out);
	COUNT(seen);
	I(CALL(BPF_FUNC_ktime_get_ns), "time = CLOCK_MONOTONIC");
	I(ST64(FP, S_TIME, R0), "keep time");
	if (o->share > 0 && o->only != SEGV_ONLY_FATAL)
		gen_share(g, out);
	if (o->rate > 0)
		gen_rate(g, out);
	reserve(g, out);
	gen_blocks(g);
	I(MOV(R1, R7), "r1 = rec");
	I(MOVI(R2, 0), "r2 = 0: wake the reader if it has read all");
	I(CALL(BPF_FUNC_ringbuf_submit), "submit(rec)");
	COUNT(sent);
	insn_here(g->p, out);
	I(MOVI(R0, 0), "r0 = 0");
	I(EXIT(), "return r0");
	if (g->vma != -1) {
		insn_here(g->p, g->vma);
		gen_vma_callback(g);
	}
	prog->vma = g->vma;
	prog->have = g->have;
	return insns_finish(g->p);
}

/*
 * INT long; FUNC_PROTO long (long ctx); FUNC_PROTO long (long task, long vma,
 * long ctx); FUNC main of the first, FUNC vma of the second, both static.
 */
const void *
segv_prog_btf(size_t *len, uint32_t *main_type, uint32_t *vma_type)
{
#define INFO(kind, vlen) ((uint32_t)(kind) << 24 | (vlen))
	enum { LONG = 1, CTX = 6, TASK = 10, VMA = 15, MAIN = 19, LEN = 24 };
	static const struct {
		struct btf_head h;
		uint32_t types[4 + 3 + 2 + 3 + 6 + 3 + 3];
		char strings[LEN];
	} blob = {{BTF_MAGIC, BTF_VERSION, 0, sizeof(struct btf_head), 0,
		      sizeof(blob.types), sizeof(blob.types), LEN},
	    {LONG, INFO(BTF_KIND_INT, 0), 8, BTF_INT_SIGNED << 24 | 64, 0,
		INFO(BTF_KIND_FUNC_PROTO, 1), 1, CTX, 1, 0,
		INFO(BTF_KIND_FUNC_PROTO, 3), 1, TASK, 1, VMA, 1, CTX, 1, MAIN,
		INFO(BTF_KIND_FUNC, BTF_FUNC_STATIC), 2, VMA,
		INFO(BTF_KIND_FUNC, BTF_FUNC_STATIC), 3},
	    "\0long\0ctx\0task\0vma\0main"};
#undef INFO

	*len = sizeof(blob);
	*main_type = 4;
	*vma_type = 5;
	return &blob;
}
