/*
 * Blocks of the program (probe/segv_prog.h) that copy members of the kernel's
 * structures: who, where from, whose file, which handler.
 */
#include <elf.h>
#include <string.h>

#include "base/bytes.h"
#include "probe/segv_gen.h"

/* What no kernel fails to tell. */
static void
base(struct gen *g)
{
	struct segv_rec r = {
	    SEGV_MAGIC, SEGV_REC_EVENT, (uint16_t)g->l->machine, 0, 0};
	uint64_t head;

	memcpy(&head, &r, sizeof(head));
	insn_imm64(g->p, R1, head, "r1 = magic, type, machine");
	I(ST64(R7, REC(rec), R1), "rec->rec.magic ... = r1");
	I(LD64(R1, FP, S_TIME), "r1 = time");
	I(ST64(R7, REC(rec.time), R1), "rec->rec.time = r1");
	I(LD64(R1, FP, S_HAVE), "r1 = have");
	I(ST32(R7, REC(have), R1), "rec->have = r1");
	I(LD64(R1, R6, 0), "r1 = ctx[0]: sig");
	I(ST32(R7, REC(sig), R1), "rec->sig = r1");
	I(CALL(BPF_FUNC_get_current_pid_tgid), "r0 = tgid << 32 | pid");
	I(ST64(R7, REC(rec.pid_tgid), R0), "rec->rec.pid_tgid = r0");
	I(CALL(BPF_FUNC_get_current_uid_gid), "r0 = gid << 32 | uid");
	I(ST64(R7, REC(uid_gid), R0), "rec->uid_gid = r0");
	I(MOV(R1, R7), "r1 = rec");
	I(ADDI(R1, REC(comm)), "r1 = rec->comm");
	I(MOVI(R2, SEGV_COMM), "r2 = its size");
	I(CALL(BPF_FUNC_get_current_comm), "rec->comm = current->comm");
}

static void
info(struct gen *g)
{
	int none = insn_label(g->p), done = insn_label(g->p);

	I(LD64(R3, R6, 8), "info = ctx[1]: NULL or 1 for some of the kernel's");
	READ(AT(R7, REC(info)), sizeof(((struct segv_rec_event *)0)->info),
	    AT(R3, 0), none, "rec->info = *info");
	gen_have(g, SEGV_HAVE_INFO);
	J(JA(), done, "goto done");
	insn_here(g->p, none);
	COUNT(no_info);
	insn_here(g->p, done);
	I(LD64(R1, FP, S_HANDLER), "r1 = handler");
	I(ST64(R7, REC(handler), R1), "rec->handler = r1");
	if (g->have & SEGV_HAVE_ACTION) {
		I(LD64(R1, FP, S_FLAGS), "r1 = its flags");
		I(ST64(R7, REC(sa_flags), R1), "rec->sa_flags = r1");
	}
}

static void
fault(struct gen *g)
{
	static const struct gen_word x86[] = {{M_TASK_ERROR, REC(fault[0]), 8},
	    {M_TASK_TRAP, REC(fault[1]), 8}, {M_TASK_FAULT, REC(fault[2]), 8}};
	static const struct gen_word a64[] = {
	    {M_TASK_ERROR, REC(fault[0]), 8}, {M_TASK_FAULT, REC(fault[2]), 8}};
	int is_x86 = g->l->machine == EM_X86_64, none = insn_label(g->p);
	const struct gen_words w =
	    is_x86 ? WORDS(R7, R8, x86) : WORDS(R7, R8, a64);

	if (gen_has_words(g, &w)) {
		if (!is_x86)
			I(ST64I(R7, REC(fault[1]), 0), "rec->fault[1] = 0");
		gen_words(g, &w, none, "task->thread: the last fault");
		gen_have(g, SEGV_HAVE_FAULT);
	}
	insn_here(g->p, none);
}

/* The numbers in the thread's own pid namespace, when that is another. */
static void
ns(struct gen *g)
{
	int none = insn_label(g->p), done = insn_label(g->p);
	static const enum segv_member need[] = {M_TASK_PID, M_TASK_SIGNAL,
	    M_SIGNAL_TGID, M_PID_LEVEL, M_PID_NR, M_PID_NS, M_PIDNS_INUM};
	size_t i;

	for (i = 0; i < NELEM(need); i++)
		if (!gen_has(g, need[i]))
			return;
	gen_follow(
	    g, R6, MEMBER(R8, M_TASK_PID), none, "pid = task->thread_pid");
	READ(AT(R7, REC(ids.nslevel)), 4, MEMBER(R6, M_PID_LEVEL), none,
	    "rec->ids.nslevel = pid->level");
	I(LD32(R1, R7, REC(ids.nslevel)), "level = rec->ids.nslevel");
	J(JEQI(R1, 0), done, "if (level == 0) goto done");
	I(MULI(R1, g->l->upid), "level *= sizeof(struct upid)");
	I(ADD(R6, R1), "pid += level: of numbers[level] what it is of [0]");
	READ(AT(R7, REC(ids.nstid)), 4, MEMBER(R6, M_PID_NR), none,
	    "rec->ids.nstid = pid->numbers[level].nr");
	gen_follow(
	    g, R6, MEMBER(R6, M_PID_NS), none, "ns = pid->numbers[level].ns");
	READ(AT(R7, REC(ids.pidns)), 4, MEMBER(R6, M_PIDNS_INUM), none,
	    "rec->ids.pidns = ns->ns.inum");
	gen_follow(
	    g, R6, MEMBER(R8, M_TASK_SIGNAL), none, "signal = task->signal");
	gen_follow(g, R6, MEMBER(R6, M_SIGNAL_TGID), none,
	    "pid = signal->pids[PIDTYPE_TGID]");
	I(LD32(R1, R7, REC(ids.nslevel)), "level = rec->ids.nslevel");
	I(MULI(R1, g->l->upid), "level *= sizeof(struct upid)");
	I(ADD(R6, R1), "pid += level");
	READ(AT(R7, REC(ids.nspid)), 4, MEMBER(R6, M_PID_NR), none,
	    "rec->ids.nspid = pid->numbers[level].nr");
	insn_here(g->p, done);
	gen_have(g, SEGV_HAVE_NS);
	insn_here(g->p, none);
}

static void
ids(struct gen *g)
{
	int none = insn_label(g->p);

	ns(g);
	if (g->blocks & BLOCK_CGROUP) {
		I(CALL(BPF_FUNC_get_current_cgroup_id), "id of the cgroup");
		I(ST64(R7, REC(ids.cgroup), R0), "rec->ids.cgroup = id");
		gen_have(g, SEGV_HAVE_CGROUP);
	}
	if (gen_has(g, M_TASK_LEADER) && gen_has(g, M_TASK_COMM) &&
	    gen_has(g, M_TASK_START)) {
		gen_follow(g, R6, MEMBER(R8, M_TASK_LEADER), none,
		    "leader = task->group_leader");
		READ(AT(R7, REC(ids.leader)), SEGV_COMM,
		    MEMBER(R6, M_TASK_COMM), none,
		    "rec->ids.leader = leader->comm");
		READ(AT(R7, REC(ids.start)), 8, MEMBER(R6, M_TASK_START), none,
		    "rec->ids.start = leader->start_boottime");
		gen_have(g, SEGV_HAVE_LEADER);
	}
	insn_here(g->p, none);
}

static void
exe(struct gen *g)
{
	int none = insn_label(g->p);

	if (gen_has(g, M_TASK_MM) && gen_has(g, M_MM_EXE) &&
	    gen_has_file_name(g)) {
		gen_follow(g, R6, MEMBER(R8, M_TASK_MM), none, "mm = task->mm");
		gen_follow(
		    g, R6, MEMBER(R6, M_MM_EXE), none, "file = mm->exe_file");
		gen_file_name(g, REC(exe.len), REC(exe.name), none);
		gen_have(g, SEGV_HAVE_EXE);
	}
	insn_here(g->p, none);
}

void
gen_blocks(struct gen *g)
{
	int none = insn_label(g->p);

	base(g);
	info(g); /* the last use of ctx: r6 is free from here on */
	fault(g);
	if (g->o->want & SEGV_WANT_IDS)
		ids(g);
	if (g->o->want & SEGV_WANT_EXE)
		exe(g);
	if (g->vma != -1)
		gen_vma(g);
	gen_regs(g, none);
	if (g->o->want & SEGV_WANT_STACK && g->have & SEGV_HAVE_REGS)
		gen_stack(g);
	insn_here(g->p, none);
}
