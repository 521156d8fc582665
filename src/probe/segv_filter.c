/*
 * The program's blocks that say which signals are told, and how many: by
 * number, process, what becomes of the process, name, share and rate; see
 * segv_prog.h.
 */
#include <signal.h>
#include <string.h>

#include "base/bytes.h"
#include "probe/segv_gen.h"

#define BIT(sig) (UINT64_C(1) << ((sig)-1))

/* Those that end nothing by default (signal(7)). */
#define HARMLESS                                                     \
	(BIT(SIGCHLD) | BIT(SIGCONT) | BIT(SIGURG) | BIT(SIGWINCH) | \
	    BIT(SIGSTOP) | BIT(SIGTSTP) | BIT(SIGTTIN) | BIT(SIGTTOU))

/* goto to if sig is one of the set, or if it is none. */
static void
in_set(struct gen *g, uint64_t set, int is_in, int to)
{
	int none = insn_label(g->p);

	I(LD64(R1, R6, 0), "sig = ctx[0]");
	I(ADDI(R1, -1), "sig--");
	J(JGTI(R1, 63), is_in ? none : to, "if (sig > 63) it is none");
	insn_imm64(g->p, R2, set, "set = signals");
	I(RSH(R2, R1), "set >>= sig");
	I(ANDI(R2, 1), "set &= 1");
	if (is_in)
		J(JNEI(R2, 0), to, "if (set != 0) goto to");
	else
		J(JEQI(R2, 0), to, "if (set == 0) goto to");
	insn_here(g->p, none);
}

void
gen_filter_signal(struct gen *g, int out)
{
	uint64_t set = g->o->signals;

	if ((set & (set - 1)) != 0) {
		in_set(g, set, 0, out);
		return;
	}
	I(LD64(R1, R6, 0), "sig = ctx[0]");
	J(JNEI(R1, __builtin_ctzll(set) + 1), out,
	    "if (sig != the signal) goto out");
}

void
gen_filter_pid(struct gen *g, int out)
{
	const struct segv_pids *only = &g->o->pids, *not = &g->o->not_pids;
	int found = insn_label(g->p);
	unsigned i;

	if (only->n + not ->n > 0) {
		I(CALL(BPF_FUNC_get_current_pid_tgid), "id = tgid << 32 | pid");
		I(RSHI(R0, 32), "id >>= 32");
	}
	for (i = 0; i < not ->n; i++)
		J(JEQI(R0, not ->of[i]), out, "if (id == that pid) goto out");
	for (i = 0; i < only->n; i++)
		J(JEQI(R0, only->of[i]), found,
		    "if (id == that pid) goto found");
	if (only->n > 0)
		J(JA(), out, "goto out");
	insn_here(g->p, found);
}

static void
is_of(struct gen *g, enum segv_kind kind)
{
	I(ST64I(FP, S_KIND, kind), "kind = which");
	insn_map(g->p, R1, g->maps->ring[kind], "r1 = the ring of these");
	I(ST64(FP, S_RING, R1), "ring = r1");
}

/*
 * What becomes of the process.  A signal that is blocked or ignored and forced,
 * as that of a fault, has been given its default action by now; so has one
 * whose handler could not be called, and one that comes again in its own
 * handler (force_sig_info_to_task() of kernel/signal.c).
 */
void
gen_kind(struct gen *g, int out)
{
	static const struct gen_word w[] = {
	    {M_SA_HANDLER, S_HANDLER, 8}, {M_SA_FLAGS, S_FLAGS, 8}};
	const struct gen_words act = WORDS(FP, R7, w);
	int none = insn_label(g->p), lives = insn_label(g->p);
	int done = insn_label(g->p);

	I(ST64I(FP, S_HAVE, 0), "have = 0");
	I(ST64I(FP, S_HANDLER, 0), "handler = SIG_DFL");
	I(LD64(R7, R6, 16), "ka = ctx[2]");
	if (gen_has_words(g, &act)) {
		gen_words(g, &act, none, "*ka: sa_handler, sa_flags");
		I(ST64I(FP, S_HAVE, SEGV_HAVE_ACTION), "have = HAVE_ACTION");
		g->have |= SEGV_HAVE_ACTION;
	}
	insn_here(g->p, none);
	I(LD64(R1, FP, S_HANDLER), "r1 = handler");
	J(JNEI(R1, 0), lives, "if (r1 != SIG_DFL) goto lives");
	if (g->o->signals & HARMLESS)
		in_set(g, HARMLESS, 1, lives);
	if (g->o->only == SEGV_ONLY_HANDLED) {
		J(JA(), out, "goto out");
	} else {
		I(LD64(R1, FP, S_HAVE), "r1 = have");
		I(ORI(R1, SEGV_IS_FATAL), "r1 |= IS_FATAL");
		I(ST64(FP, S_HAVE, R1), "have = r1");
		is_of(g, SEGV_FATAL);
		J(JA(), done, "goto done");
	}
	insn_here(g->p, lives);
	if (g->o->only == SEGV_ONLY_FATAL)
		J(JA(), out, "goto out");
	else
		is_of(g, SEGV_LIVES);
	insn_here(g->p, done);
}

/* --- names -----------------------------------------------------------------
 */

/* r4 = 0 where one of the names begins at r3. */
static void
compare(struct gen *g, const struct segv_names *names, int hits)
{
	unsigned i;
	size_t k;

	for (i = 0; i < names->n; i++) {
		I(MOVI(R4, 0), "differ = 0");
		for (k = 0; names->of[i][k] != '\0'; k++) {
			I(LD8(R1, R3, (int)k), "c = s[k]");
			I(XORI(R1, (unsigned char)names->of[i][k]),
			    "c ^= name[k]");
			I(OR(R4, R1), "differ |= c");
		}
		I(ADDI(R4, -1), "differ--");
		I(RSHI(R4, 63), "differ >>= 63: 1 where it was 0");
		I(OR(hits, R4), "hits |= differ");
	}
}

/*
 * The string at that place behind the counts, from each of its bytes on; what
 * was found goes to S_HITS and S_BARS.  No branch for a name: the verifier
 * keeps in mind every branch of every turn, and gives up at 8192.
 */
static void
search(struct gen *g, unsigned place, unsigned size)
{
	int loop = insn_label(g->p), done = insn_label(g->p);
	int at = (int)(sizeof(struct segv_counts) + place);

	I(LD64(R0, FP, S_HITS), "hits = what was found");
	I(LD64(R5, FP, S_BARS), "bars = what was found of the other list");
	I(MOVI(R2, 0), "at = 0");
	insn_here(g->p, loop);
	I(MOV(R3, R9), "s = counts");
	I(ADDI(R3, at), "s += the place");
	I(ADD(R3, R2), "s += at");
	I(LD8(R1, R3, 0), "c = s[0]");
	J(JEQI(R1, 0), done, "if (c == 0) goto done");
	compare(g, &g->o->names, R0);
	compare(g, &g->o->not_names, R5);
	I(ADDI(R2, 1), "at++");
	J(JGTI(R2, size - 2), done, "if (at > the last place) goto done");
	J(JA(), loop, "goto loop");
	insn_here(g->p, done);
	I(ST64(FP, S_HITS, R0), "keep hits");
	I(ST64(FP, S_BARS, R5), "keep bars");
}

/* s = the string at from, at most size bytes with the NUL. */
static void
fetch(
    struct gen *g, unsigned place, unsigned size, struct gen_at from, int fail)
{
	I(MOV(R1, R9), "r1 = counts");
	I(ADDI(R1, sizeof(struct segv_counts) + place), "r1 += the place");
	I(MOVI(R2, size), "r2 = its size");
	I(MOV(R3, from.reg), "r3 = from");
	if (from.off != 0)
		I(ADDI(R3, from.off), "r3 += where the member is");
	I(CALL(BPF_FUNC_probe_read_kernel_str), "copy the string");
	J(JSLEI(R0, 0), fail, "if (not copied) skip");
	search(g, place, size);
}

enum { AT_COMM = 0, AT_LEADER = SEGV_COMM, AT_EXE = 2 * SEGV_COMM };
_Static_assert(AT_EXE + SEGV_EXE_MAX + SEGV_FILTER_MAX <= SEGV_SCRATCH,
    "no room for the names");

/* The thread's name, its leader's, the executable's: any will do. */
void
gen_filter_name(struct gen *g, int out)
{
	int exe = insn_label(g->p), none = insn_label(g->p);
	int bad = insn_label(g->p), good = insn_label(g->p);

	I(ST64I(FP, S_HITS, 0), "hits = 0");
	I(ST64I(FP, S_BARS, 0), "bars = 0");
	I(MOV(R1, R9), "r1 = counts");
	I(ADDI(R1, sizeof(struct segv_counts) + AT_COMM), "r1 += the place");
	I(MOVI(R2, SEGV_COMM), "r2 = its size");
	I(CALL(BPF_FUNC_get_current_comm), "comm = current->comm");
	search(g, AT_COMM, SEGV_COMM);
	if (gen_has(g, M_TASK_LEADER) && gen_has(g, M_TASK_COMM)) {
		gen_follow(g, R7, MEMBER(R8, M_TASK_LEADER), exe,
		    "leader = task->group_leader");
		fetch(g, AT_LEADER, SEGV_COMM, MEMBER(R7, M_TASK_COMM), exe);
	}
	insn_here(g->p, exe);
	if (gen_has(g, M_TASK_MM) && gen_has(g, M_MM_EXE) &&
	    gen_has(g, M_FILE_DENTRY) && gen_has(g, M_DENTRY_NAME)) {
		gen_follow(g, R7, MEMBER(R8, M_TASK_MM), none, "mm = task->mm");
		gen_follow(
		    g, R7, MEMBER(R7, M_MM_EXE), none, "file = mm->exe_file");
		gen_follow(g, R7, MEMBER(R7, M_FILE_DENTRY), none,
		    "dentry = file->f_path.dentry");
		gen_follow(g, R7, MEMBER(R7, M_DENTRY_NAME), none,
		    "s = dentry->d_name.name");
		fetch(g, AT_EXE, SEGV_EXE_MAX, AT(R7, 0), none);
	}
	insn_here(g->p, none);
	I(LD64(R1, FP, S_BARS), "r1 = bars");
	J(JNEI(R1, 0), bad, "if (r1 != 0) goto bad");
	/* nothing may stand where nobody comes: the verifier refuses it */
	if (g->o->names.n == 0) {
		J(JA(), good, "goto good");
	} else {
		I(LD64(R1, FP, S_HITS), "r1 = hits");
		J(JNEI(R1, 0), good, "if (r1 != 0) goto good");
	}
	insn_here(g->p, bad);
	COUNT(named);
	J(JA(), out, "goto out");
	insn_here(g->p, good);
}

/* --- how many --------------------------------------------------------------
 */

/*
 * r0 points to one number: when the events let through so far would all have
 * come at the rate (GCRA).  The addition is atomic, the rest is not: CPUs that
 * look at the same moment may let through one event more each, but what they
 * let through is counted, so the rate holds.
 */
static void
bucket(struct gen *g, uint64_t rate, uint64_t burst, int over)
{
	uint64_t each = (SEGV_RATE_MAX + rate - 1) / rate;
	int late = insn_label(g->p), pass = insn_label(g->p);

	I(LD64(R2, FP, S_TIME), "now = time");
	I(LD64(R1, R0, 0), "ahead = *due");
	insn_imm64(g->p, R3, each, "each = ns of an event at that rate");
	J(JGT(R1, R2), late, "if (ahead > now) goto late");
	I(ADD(R3, R2), "each += now");
	I(ST64(R0, 0, R3), "*due = now + each");
	J(JA(), pass, "goto pass");
	insn_here(g->p, late);
	I(SUB(R1, R2), "ahead -= now");
	insn_imm64(g->p, R2, each * (burst - 1), "most = each * (burst - 1)");
	J(JGT(R1, R2), over, "if (ahead > most) goto over");
	I(XADD64(R0, 0, R3), "*due += each");
	insn_here(g->p, pass);
}

/* r0 = the value of S_KEY in a map, goto none without. */
static void
lookup(struct gen *g, int map, int none, const char *mean)
{
	insn_map(g->p, R1, map, mean);
	I(MOV(R2, FP), "r2 = the stack");
	I(ADDI(R2, S_KEY), "r2 = &key");
	I(CALL(BPF_FUNC_map_lookup_elem), "v = map[key]");
	J(JEQI(R0, 0), none, "if (v == NULL) goto none");
}

/* A process that is new in the map of shares: what begins as due 0, none left
 * out, and the name of its leader. */
static void
new_share(struct gen *g)
{
	int none = insn_label(g->p), put = insn_label(g->p);
	int comm = S_SCRATCH + (int)offsetof(struct segv_share, comm);

	I(ST64I(FP, S_SCRATCH, 0), "new.due = 0");
	I(ST64I(FP, S_SCRATCH + 8, 0), "new.limited = 0");
	if (gen_has(g, M_TASK_LEADER) && gen_has(g, M_TASK_COMM)) {
		gen_follow(g, R7, MEMBER(R8, M_TASK_LEADER), none,
		    "leader = task->group_leader");
		READ(AT(FP, comm), SEGV_COMM, MEMBER(R7, M_TASK_COMM), none,
		    "new.comm = leader->comm");
		J(JA(), put, "goto put");
	}
	insn_here(g->p, none);
	I(MOV(R1, FP), "r1 = the stack");
	I(ADDI(R1, comm), "r1 = new.comm");
	I(MOVI(R2, SEGV_COMM), "r2 = its size");
	I(CALL(BPF_FUNC_get_current_comm), "new.comm = current->comm");
	insn_here(g->p, put);
	insn_map(g->p, R1, g->maps->share, "r1 = the map of shares");
	I(MOV(R2, FP), "r2 = the stack");
	I(ADDI(R2, S_KEY), "r2 = &key");
	I(MOV(R3, FP), "r3 = the stack");
	I(ADDI(R3, S_SCRATCH), "r3 = &new");
	I(MOVI(R4, BPF_NOEXIST), "r4 = BPF_NOEXIST");
	I(CALL(BPF_FUNC_map_update_elem), "map[key] = new");
}

/* Each process, among those whom the signal does not end, has as many. */
void
gen_share(struct gen *g, int out)
{
	int there = insn_label(g->p), over = insn_label(g->p);
	int pass = insn_label(g->p), none = insn_label(g->p);

	I(LD64(R1, FP, S_KIND), "r1 = kind");
	J(JNEI(R1, SEGV_LIVES), pass, "if (r1 != LIVES) goto pass");
	I(CALL(BPF_FUNC_get_current_pid_tgid), "id = tgid << 32 | pid");
	I(RSHI(R0, 32), "id >>= 32");
	I(ST32(FP, S_KEY, R0), "key = id");
	lookup(g, g->maps->share, none, "r1 = the map of shares");
	J(JA(), there, "goto there");
	insn_here(g->p, none);
	new_share(g);
	/* no room for it: then it is let pass, and the rate holds it */
	lookup(g, g->maps->share, pass, "r1 = the map of shares");
	insn_here(g->p, there);
	bucket(g, g->o->share, g->o->share, over);
	J(JA(), pass, "goto pass");
	insn_here(g->p, over);
	I(MOVI(R1, 1), "r1 = 1");
	I(XADD64(R0, offsetof(struct segv_share, limited), R1), "v->limited++");
	COUNT(shared);
	J(JA(), out, "goto out");
	insn_here(g->p, pass);
}

/* Two numbers for all CPUs: of those that end a process, and of the others. */
void
gen_rate(struct gen *g, int out)
{
	int over = insn_label(g->p), pass = insn_label(g->p);

	I(LD64(R1, FP, S_KIND), "r1 = kind");
	I(ST32(FP, S_KEY, R1), "key = r1");
	lookup(g, g->maps->rate, pass, "r1 = the map of the rate");
	bucket(g, g->o->rate, g->o->burst, over);
	J(JA(), pass, "goto pass");
	insn_here(g->p, over);
	COUNT(limited);
	J(JA(), out, "goto out");
	insn_here(g->p, pass);
}
