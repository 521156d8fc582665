#include "segv/segv_prog.h"

#include <errno.h>
#include <linux/btf.h>
#include <string.h>

#include "base/bytes.h"

_Static_assert(S_SCRATCH + SPAN_MAX <= S_VMA, "the stack overlaps");
_Static_assert(sizeof(struct segv_counts) % 8 == 0, "counts are words");

/* Which signals, which process: what most runs end with, so it comes first. */
static void
filter_signal(struct gen *g, int out)
{
	uint64_t set = g->o->signals;

	I(LD64(R1, R6, 0), "sig = ctx[0]");
	if ((set & (set - 1)) == 0) {
		J(JNEI(R1, __builtin_ctzll(set) + 1), out,
		    "if (sig != the signal) goto out");
	} else {
		I(ADDI(R1, -1), "sig--");
		J(JGTI(R1, 63), out, "if (sig > 63) goto out");
		insn_imm64(g->p, R2, set, "set = signals");
		I(RSH(R2, R1), "set >>= sig");
		I(ANDI(R2, 1), "set &= 1");
		J(JEQI(R2, 0), out, "if (set == 0) goto out");
	}
	if (g->o->pid == 0)
		return;
	I(CALL(BPF_FUNC_get_current_pid_tgid), "id = tgid << 32 | pid");
	I(RSHI(R0, 32), "id >>= 32");
	J(JNEI(R0, g->o->pid), out, "if (id != the pid) goto out");
}

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

/* goto found if the name is in the 16 bytes at S_COMM: every place it can
 * begin at, written out. */
static void
search_comm(struct gen *g, int found)
{
	size_t n = strlen(g->o->name), at, k;
	int next;

	for (at = 0; at + n < SEGV_COMM; at++) {
		next = insn_label(g->p);
		for (k = 0; k < n; k++) {
			I(LD8(R1, FP, S_COMM + at + k), "c = comm[at + k]");
			J(JNEI(R1, (unsigned char)g->o->name[k]), next,
			    "if (c != name[k]) goto the next place");
		}
		J(JA(), found, "goto found");
		insn_here(g->p, next);
	}
}

/* The same in the name of the executable, up to 256 bytes in counts' map. */
static void
search_exe(struct gen *g, int found, int none)
{
	size_t n = strlen(g->o->name), k;
	int loop = insn_label(g->p), next = insn_label(g->p);

	gen_follow(g, R7, MEMBER(R8, M_TASK_MM), none, "mm = task->mm");
	gen_follow(g, R7, MEMBER(R7, M_MM_EXE), none, "file = mm->exe_file");
	gen_follow(g, R7, MEMBER(R7, M_FILE_DENTRY), none,
	    "dentry = file->f_path.dentry");
	gen_follow(
	    g, R7, MEMBER(R7, M_DENTRY_NAME), none, "s = dentry->d_name.name");
	I(MOV(R1, R9), "r1 = counts");
	I(ADDI(R1, sizeof(struct segv_counts)), "r1 = what lies behind");
	I(MOVI(R2, SEGV_EXE_SCRATCH), "r2 = its size");
	I(MOV(R3, R7), "r3 = s");
	I(CALL(BPF_FUNC_probe_read_kernel_str), "copy the string");
	J(JSLEI(R0, 0), none, "if (not copied) goto none");
	I(MOVI(R2, 0), "at = 0");
	insn_here(g->p, loop);
	I(MOV(R3, R9), "s = counts");
	I(ADD(R3, R2), "s += at");
	I(LD8(R4, R3, sizeof(struct segv_counts)), "c = s[0]");
	J(JEQI(R4, 0), none, "if (c == 0) goto none");
	/* one branch for what follows the first byte: the verifier keeps
	 * in mind every branch of every turn, and gives up at 8192 */
	J(JNEI(R4, (unsigned char)g->o->name[0]), next,
	    "if (c != name[0]) goto next");
	I(MOVI(R4, 0), "differ = 0");
	for (k = 1; k < n; k++) {
		I(LD8(R1, R3, sizeof(struct segv_counts) + k), "c = s[k]");
		I(XORI(R1, (unsigned char)g->o->name[k]), "c ^= name[k]");
		I(OR(R4, R1), "differ |= c");
	}
	J(JNEI(R4, 0), next, "if (differ != 0) goto next");
	J(JA(), found, "goto found");
	insn_here(g->p, next);
	I(ADDI(R2, 1), "at++");
	J(JGTI(R2, SEGV_EXE_SCRATCH - n), none,
	    "if (at > the last place) goto none");
	J(JA(), loop, "goto loop");
}

/* The thread's name, its leader's, the executable's: any will do. */
static void
filter_name(struct gen *g, int out)
{
	int found = insn_label(g->p), exe = insn_label(g->p);
	int none = insn_label(g->p);

	I(MOV(R1, FP), "r1 = the stack");
	I(ADDI(R1, S_COMM), "r1 = comm");
	I(MOVI(R2, SEGV_COMM), "r2 = its size");
	I(CALL(BPF_FUNC_get_current_comm), "comm = current->comm");
	search_comm(g, found);
	if (gen_has(g, M_TASK_LEADER) && gen_has(g, M_TASK_COMM)) {
		gen_follow(g, R7, MEMBER(R8, M_TASK_LEADER), exe,
		    "leader = task->group_leader");
		READ(AT(FP, S_COMM), SEGV_COMM, MEMBER(R7, M_TASK_COMM), exe,
		    "comm = leader->comm");
		search_comm(g, found);
	}
	insn_here(g->p, exe);
	if (gen_has(g, M_TASK_MM) && gen_has(g, M_MM_EXE) &&
	    gen_has(g, M_FILE_DENTRY) && gen_has(g, M_DENTRY_NAME))
		search_exe(g, found, none);
	insn_here(g->p, none);
	COUNT(named);
	J(JA(), out, "goto out");
	insn_here(g->p, found);
}

/*
 * One number for all CPUs: when the events let through so far would all have
 * come at the rate (GCRA).  The addition is atomic, the rest is not: CPUs
 * that look at the same moment may let through one event more each, but what
 * they let through is counted, so the rate holds.
 */
static void
limit(struct gen *g, int out)
{
	uint64_t each = (SEGV_RATE_MAX + g->o->rate - 1) / g->o->rate;
	int late = insn_label(g->p), over = insn_label(g->p);
	int pass = insn_label(g->p);

	insn_map(g->p, R1, g->maps->rate, "r1 = the map of the rate");
	I(MOV(R2, FP), "r2 = the stack");
	I(ADDI(R2, S_KEY), "r2 = &key");
	I(CALL(BPF_FUNC_map_lookup_elem), "due = map[key]");
	J(JEQI(R0, 0), out, "if (due == NULL) goto out");
	I(LD64(R2, FP, S_TIME), "now = time");
	I(LD64(R1, R0, 0), "ahead = *due");
	insn_imm64(g->p, R3, each, "each = ns of an event at that rate");
	J(JGT(R1, R2), late, "if (ahead > now) goto late");
	I(ADD(R3, R2), "each += now");
	I(ST64(R0, 0, R3), "*due = now + each");
	J(JA(), pass, "goto pass");
	insn_here(g->p, late);
	I(SUB(R1, R2), "ahead -= now");
	insn_imm64(
	    g->p, R2, each * (g->o->burst - 1), "most = each * (burst - 1)");
	J(JGT(R1, R2), over, "if (ahead > most) goto over");
	I(XADD64(R0, 0, R3), "*due += each");
	J(JA(), pass, "goto pass");
	insn_here(g->p, over);
	COUNT(limited);
	J(JA(), out, "goto out");
	insn_here(g->p, pass);
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

	insn_map(g->p, R1, g->maps->ring, "r1 = the ring buffer");
	I(MOVI(R2, record_size(g)), "r2 = its size");
	I(MOVI(R3, 0), "r3 = 0");
	I(CALL(BPF_FUNC_ringbuf_reserve), "rec = reserve(r1, r2, r3)");
	J(JNEI(R0, 0), there, "if (rec != NULL) goto there");
	COUNT(dropped);
	J(JA(), out, "goto out");
	insn_here(g->p, there);
	I(MOV(R7, R0), "r7 = rec");
}

int
segv_prog_check(const struct segv_probe_opts *o)
{
	if (o->signals != 0 && o->pid >= 0 && o->rate <= SEGV_RATE_MAX &&
	    o->burst <= UINT32_MAX && o->stack_pages <= SEGV_PAGES_MAX &&
	    (o->name == NULL || strlen(o->name) <= SEGV_FILTER_MAX))
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
	filter_signal(g, out);
	setup(g, out);
	if (o->name != NULL && *o->name != '\0')
		filter_name(g, out);
	COUNT(seen);
	I(CALL(BPF_FUNC_ktime_get_ns), "time = CLOCK_MONOTONIC");
	I(ST64(FP, S_TIME, R0), "keep time");
	if (o->rate > 0)
		limit(g, out);
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
