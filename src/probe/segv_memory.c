/* The program's blocks about registers and memory; see segv_prog.h. */
#include <elf.h>

#include "core/arch.h"
#include "probe/segv_gen.h"

/* --- the mapping of the fault address ---------------------------------------
 */

/* long vma(struct task_struct *r1, struct vm_area_struct *r2, u64 *r3) */
void
gen_vma_callback(struct gen *g)
{
	static const struct gen_word w[] = {{M_VMA_START, 0, 8},
	    {M_VMA_END, 8, 8}, {M_VMA_FLAGS, 16, 8}, {M_VMA_PGOFF, 24, 8},
	    {M_VMA_FILE, 32, 8}};
	const struct gen_words all = WORDS(R6, R7, w);
	int done = insn_label(g->p);

	I(MOV(R6, R3), "r6 = the words of the caller");
	I(MOV(R7, R2), "r7 = vma");
	gen_words(g, &all, done,
	    "*vma: vm_start, vm_end, vm_flags, vm_pgoff, vm_file");
	insn_here(g->p, done);
	I(MOVI(R0, 0), "r0 = 0");
	I(EXIT(), "return r0");
}

/* r6 = vma->vm_file: which file it is. */
static void
vma_file(struct gen *g)
{
	int name = insn_label(g->p), none = insn_label(g->p);

	if (gen_has(g, M_FILE_INODE) && gen_has(g, M_INODE_INO) &&
	    gen_has(g, M_INODE_SB) && gen_has(g, M_SB_DEV)) {
		gen_follow(g, R6, MEMBER(R6, M_FILE_INODE), name,
		    "inode = file->f_inode");
		READ(AT(R7, REC(vma.ino)), 8, MEMBER(R6, M_INODE_INO), name,
		    "rec->vma.ino = inode->i_ino");
		gen_follow(
		    g, R6, MEMBER(R6, M_INODE_SB), name, "sb = inode->i_sb");
		READ(AT(R7, REC(vma.dev)), 4, MEMBER(R6, M_SB_DEV), name,
		    "rec->vma.dev = sb->s_dev");
	}
	insn_here(g->p, name);
	if (gen_has_file_name(g)) {
		I(LD64(R6, FP, S_VMA + 32), "file = vma->vm_file");
		gen_file_name(g, REC(vma.len), REC(vma.name), none);
	}
	insn_here(g->p, none);
}

/*
 * Only for a fault: else si_addr is no address.  And only when there is no
 * handler: interrupts are off, so the release of mmap_lock is left to irq_work,
 * an interrupt of its own that costs more than the signal (20 us in a virtual
 * machine).  Who dies can bear that, a storm of handled signals could not; and
 * it lives, so its mappings can be read.  A second operation under mmap_lock
 * would fail until that interrupt has come.
 */
void
gen_vma(struct gen *g)
{
	int none = insn_label(g->p), there = insn_label(g->p), i;
	int busy = insn_label(g->p);
	static const int to[4] = {
	    REC(vma.start), REC(vma.end), REC(vma.flags), REC(vma.pgoff)};

	I(LD32(R1, R7, REC(have)), "r1 = rec->have");
	I(ANDI(R1, SEGV_HAVE_INFO), "r1 &= SEGV_HAVE_INFO");
	J(JEQI(R1, 0), none, "if (r1 == 0) skip");
	if (g->have & SEGV_HAVE_ACTION) {
		I(LD64(R1, FP, S_HANDLER), "r1 = handler");
		J(JGTI(R1, 1), none, "if (r1 is a handler) skip");
	}
	I(LD32(R1, R7, REC(info) + 8), "code = rec->info.si_code");
	I(ADDI(R1, -1), "code--");
	J(JGTI(R1, 0x7e), none, "if (code is not of 1 ... 127) skip");
	for (i = 0; i < 5; i++)
		I(ST64I(FP, S_VMA + 8 * i, 0), "words[i] = 0");
	I(CALL(BPF_FUNC_get_current_task_btf), "task = current");
	I(MOV(R1, R0), "r1 = task");
	I(LD64(R2, R7, REC(info) + 16), "r2 = rec->info.si_addr");
	insn_func(g->p, R3, g->vma, "r3 = the callback");
	I(MOV(R4, FP), "r4 = the stack");
	I(ADDI(R4, S_VMA), "r4 = words");
	I(MOVI(R5, 0), "r5 = 0");
	I(CALL(BPF_FUNC_find_vma), "r0 = find_vma(task, addr, r3, words, 0)");
	I(ST64(R7, REC(vma.err), R0), "rec->vma.err = r0");
	I(MOV(R6, R0), "r6 = r0");
	gen_have(g, SEGV_HAVE_VMA_ERR);
	J(JEQI(R6, 0), there, "if (r6 == 0) goto there");
	J(JEQI(R6, -16), busy, "if (r6 == -EBUSY) goto busy");
	J(JA(), none, "skip");
	insn_here(g->p, busy);
	COUNT(no_vma);
	J(JA(), none, "skip");

	insn_here(g->p, there);
	for (i = 0; i < 4; i++) {
		I(LD64(R1, FP, S_VMA + 8 * i), "r1 = words[i]");
		I(ST64(R7, to[i], R1), "rec->vma.start ... = r1");
	}
	I(ST64I(R7, REC(vma.ino), 0), "rec->vma.ino = 0");
	I(ST64I(R7, REC(vma.dev), 0), "rec->vma.dev = 0");
	I(ST32I(R7, REC(vma.len), 0), "rec->vma.len = 0");
	gen_have(g, SEGV_HAVE_VMA);
	I(LD64(R6, FP, S_VMA + 32), "file = vma->vm_file");
	J(JEQI(R6, 0), none, "if (file == NULL) skip");
	vma_file(g);
	insn_here(g->p, none);
}

/* --- registers ---------------------------------------------------------------
 */

enum { X86_CS = 17, A64_PSTATE = 33 };

static void
bases(struct gen *g)
{
	static const struct gen_word w[] = {{M_TASK_FSBASE, REC(regs[21]), 8},
	    {M_TASK_GSBASE, REC(regs[22]), 8}, {M_TASK_DS, REC(regs[23]), 8},
	    {M_TASK_ES, REC(regs[24]), 8}, {M_TASK_FS, REC(regs[25]), 8},
	    {M_TASK_GS, REC(regs[26]), 8}};
	const struct gen_words all = WORDS(R7, R8, w);
	int none = insn_label(g->p);

	if (gen_has_words(g, &all)) {
		gen_words(g, &all, none, "task->thread: segments and bases");
		gen_have(g, SEGV_HAVE_BASES);
	}
	insn_here(g->p, none);
}

/* The frame the thread entered the kernel with is at the top of its kernel
 * stack; that it is one of user mode is checked, whichever way it was found. */
void
gen_regs(struct gen *g, int none)
{
	int bad = insn_label(g->p), good = insn_label(g->p);

	if (!(g->blocks & BLOCK_PTREGS) && !gen_has(g, M_TASK_STACK)) {
		COUNT(no_regs);
		return;
	}
	if (g->blocks & BLOCK_PTREGS) {
		I(CALL(BPF_FUNC_get_current_task_btf), "task = current");
		I(MOV(R1, R0), "r1 = task");
		I(CALL(BPF_FUNC_task_pt_regs), "regs = task_pt_regs(task)");
		I(MOV(R6, R0), "r6 = regs");
	} else {
		gen_follow(
		    g, R6, MEMBER(R8, M_TASK_STACK), bad, "regs = task->stack");
		I(ADDI(R6, g->l->threadsize - g->l->ptregs),
		    "regs += THREAD_SIZE - sizeof(struct pt_regs)");
	}
	READ(AT(R7, REC(regs)), g->l->userregs, AT(R6, 0), bad,
	    "rec->regs = *regs");
	if (g->l->machine == EM_X86_64) {
		I(LD32(R1, R7, REC(regs[X86_CS])), "r1 = cs");
		I(ANDI(R1, 3), "r1 &= the privilege level");
		J(JEQI(R1, 3), good, "if (r1 is user) goto good");
	} else {
		I(LD32(R1, R7, REC(regs[A64_PSTATE])), "r1 = pstate");
		I(ANDI(R1, 15), "r1 &= PSR_MODE_MASK, less 32-bit");
		J(JEQI(R1, 0), good, "if (r1 == EL0t) goto good");
	}
	insn_here(g->p, bad);
	COUNT(no_regs);
	J(JA(), none, "goto none");
	insn_here(g->p, good);
	gen_have(g, SEGV_HAVE_REGS);
	bases(g);
}

/* --- the stack ---------------------------------------------------------------
 */

/*
 * r8 = the first page, S_PAGES = how many.  The main thread's stack begins at
 * mm->start_stack: what lies above are arguments and environment, which are
 * nobody's business and no frame.
 */
static void
window(struct gen *g, unsigned pages)
{
	int unknown = insn_label(g->p), full = insn_label(g->p);
	int sp = arch_find(g->l->machine)->sp;

	I(ST64I(R7, REC(stack.top), 0), "rec->stack.top = 0");
	I(ST64I(R7, REC(stack.have), 0), "rec->stack.have = 0");
	I(ST64I(R7, REC(stack.lost), 0), "rec->stack.lost = 0");
	if (gen_has(g, M_TASK_MM) && gen_has(g, M_MM_STACK)) {
		gen_follow(
		    g, R6, MEMBER(R8, M_TASK_MM), unknown, "mm = task->mm");
		READ(AT(R7, REC(stack.top)), 8, MEMBER(R6, M_MM_STACK), unknown,
		    "rec->stack.top = mm->start_stack");
	}
	insn_here(g->p, unknown);
	I(LD64(R8, R7, REC(regs[sp])), "addr = sp");
	I(ADDI(R8, -SEGV_REDZONE), "addr -= the red zone");
	I(ANDI(R8, -SEGV_PAGE), "addr &= ~4095");
	I(ST64(R7, REC(stack.addr), R8), "rec->stack.addr = addr");
	I(ST64I(FP, S_PAGES, pages), "pages = as many as asked for");
	I(LD64(R1, R7, REC(stack.top)), "top = rec->stack.top");
	J(JGT(R8, R1), full, "if (addr > top) goto full: another stack");
	I(SUB(R1, R8), "top -= addr");
	I(RSHI(R1, 12), "top /= 4096");
	I(ADDI(R1, 1), "top++");
	J(JGTI(R1, pages), full, "if (top > pages) goto full");
	I(ST64(FP, S_PAGES, R1), "pages = top");
	insn_here(g->p, full);
	I(LD64(R1, FP, S_PAGES), "r1 = pages");
	I(ST64(R7, REC(stack.want), R1), "rec->stack.want = pages");
}

/* Sets bit i, r6, of a word of the record. */
static void
mark(struct gen *g, int word, const char *mean)
{
	I(MOVI(R1, 1), "r1 = 1");
	I(LSH(R1, R6), "r1 <<= i");
	I(LD64(R2, R7, word), "r2 = the pages so far");
	I(OR(R2, R1), "r2 |= r1");
	I(ST64(R7, word, R2), mean);
}

static void
page(struct gen *g, int next)
{
	struct segv_rec r = {
	    SEGV_MAGIC, SEGV_REC_PAGE, (uint16_t)g->l->machine, 0, 0};
	int lost = insn_label(g->p), drop = insn_label(g->p);
	union {
		struct segv_rec r;
		uint64_t w;
	} head = {r};

	/* a page that is not there must cost no room in the ring */
	READ_USER(AT(FP, S_PTR), 8, AT(R8, 0), next, "can the page be read?");
	I(LD64(R1, FP, S_RING), "r1 = ring");
	I(MOVI(R2, sizeof(struct segv_rec_page)), "r2 = sizeof(*page)");
	I(MOVI(R3, 0), "r3 = 0");
	I(CALL(BPF_FUNC_ringbuf_reserve), "page = reserve(r1, r2, r3)");
	J(JEQI(R0, 0), lost, "if (page == NULL) goto lost");
	I(ST64(FP, S_PAGE, R0), "keep page");
	insn_imm64(g->p, R1, head.w, "r1 = magic, type, machine");
	I(ST64(R0, 0, R1), "page->rec.magic ... = r1");
	I(LD64(R1, FP, S_TIME), "r1 = time");
	I(ST64(R0, offsetof(struct segv_rec, time), R1), "page->rec.time = r1");
	I(LD64(R1, R7, REC(rec.pid_tgid)), "r1 = rec->rec.pid_tgid");
	I(ST64(R0, offsetof(struct segv_rec, pid_tgid), R1),
	    "page->rec.pid_tgid = r1");
	I(ST64(R0, offsetof(struct segv_rec_page, addr), R8),
	    "page->addr = addr");
	READ_USER(AT(R0, offsetof(struct segv_rec_page, data)), SEGV_PAGE,
	    AT(R8, 0), drop, "page->data = *addr");
	I(LD64(R1, FP, S_PAGE), "r1 = page");
	I(MOVI(R2, BPF_RB_NO_WAKEUP), "r2 = BPF_RB_NO_WAKEUP");
	I(CALL(BPF_FUNC_ringbuf_submit), "submit(page)");
	mark(g, REC(stack.have), "rec->stack.have = r2");
	COUNT(pages);
	J(JA(), next, "goto next");

	insn_here(g->p, drop);
	I(LD64(R1, FP, S_PAGE), "r1 = page");
	I(MOVI(R2, BPF_RB_NO_WAKEUP), "r2 = BPF_RB_NO_WAKEUP");
	I(CALL(BPF_FUNC_ringbuf_discard), "discard(page)");
	J(JA(), next, "goto next");

	insn_here(g->p, lost);
	mark(g, REC(stack.lost), "rec->stack.lost = r2");
	COUNT(pages_lost);
	J(JA(), next, "goto next");
}

void
gen_stack(struct gen *g)
{
	unsigned pages = g->o->stack_pages;
	int loop = insn_label(g->p), next = insn_label(g->p);
	int done = insn_label(g->p);

	window(g, pages);
	gen_have(g, SEGV_HAVE_STACK);
	I(MOVI(R6, 0), "i = 0");
	insn_here(g->p, loop);
	J(JGEI(R6, pages), done, "if (i >= most) goto done");
	I(LD64(R1, FP, S_PAGES), "r1 = pages");
	J(JGE(R6, R1), done, "if (i >= pages) goto done");
	page(g, next);
	insn_here(g->p, next);
	I(ADDI(R6, 1), "i++");
	I(ADDI(R8, SEGV_PAGE), "addr += 4096");
	J(JA(), loop, "goto loop");
	insn_here(g->p, done);
}
