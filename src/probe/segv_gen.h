/*
 * segv_gen: what the parts of the program (probe/segv_prog.h) are made with.
 */
#ifndef SEGV_SEGV_GEN_H
#define SEGV_SEGV_GEN_H

#include <stddef.h>

#include "base/bytes.h"
#include "bpf/insn.h"
#include "probe/segv_event.h"
#include "probe/segv_layout.h"
#include "probe/segv_probe.h"

/* Blocks that not every kernel takes; tried from all to none. */
enum {
	BLOCK_CGROUP = 1, /* bpf_get_current_cgroup_id */
	BLOCK_VMA = 2,	  /* bpf_find_vma, with BTF of our own; 5.17 */
	BLOCK_PTREGS = 4, /* bpf_task_pt_regs, else by arithmetic; 5.15 */
	BLOCKS = 8
};

struct segv_prog_maps {
	int ring[SEGV_KINDS], counts, rate, share;
};

struct gen {
	struct insns *p;
	const struct segv_layout *l;
	const struct segv_probe_opts *o;
	const struct segv_prog_maps *maps;
	unsigned blocks;
	int vma; /* label */
	unsigned have;
};

/*
 * Registers of the program, throughout:
 *	r6	ctx: u64[3], the arguments of the tracepoint; once those are
 *		read, whatever pointer is being followed
 *	r7	struct segv_rec_event *rec, in the ring buffer
 *	r8	struct task_struct *task, as a number
 *	r9	struct segv_counts *counts, of this CPU
 * and its stack, offsets from r10:
 */
enum {
	S_KEY = -8,
	S_TIME = -16,
	S_PTR = -24,
	S_PAGES = -32,	  /* how many of the stack */
	S_PAGE = -40,	  /* the one being filled */
	S_VMA = -80,	  /* 5 words: start end flags pgoff file */
	S_SCRATCH = -144, /* SPAN_MAX bytes */
	SPAN_MAX = 64,
	S_HANDLER = -152, /* of k_sigaction, */
	S_FLAGS = -160,	  /* and this */
	S_HAVE = -168,	  /* of the record's have, what is known at first */
	S_KIND = -176,	  /* enum segv_kind */
	S_RING = -184,	  /* map: where the event goes */
	S_HITS = -192,	  /* names that were found: of those wanted, */
	S_BARS = -200	  /* and of the others */
};

/* Behind the counts of each CPU: the names that the filter looks at, and as
 * many bytes as a name it looks for may have. */
enum { SEGV_EXE_MAX = 256, SEGV_SCRATCH = 352 };

enum { HELPER_READ_USER = 112, HELPER_READ_KERNEL = 113 };

#define I(insn, mean) insn_add(g->p, insn, mean)
#define J(insn, label, mean) insn_jump(g->p, insn, label, mean)

/* Where something is: a register of the program, and bytes on from it. */
struct gen_at {
	int reg, off;
};

#define AT(reg, off) ((struct gen_at){reg, off})
#define MEMBER(reg, which) AT(reg, g->l->m[which].off)

/* helper(to, size, from); jumps to fail if it fails. */
struct gen_copy {
	int helper;
	struct gen_at to;
	unsigned size;
	struct gen_at from;
};

void gen_read(struct gen *, struct gen_copy, int fail, const char *mean);
/* to = *(pointer *)from; NULL fails too. */
void gen_follow(
    struct gen *, int to, struct gen_at from, int fail, const char *mean);
/* counts->member++ */
void gen_count(struct gen *, size_t off, const char *mean);
/* rec->have |= bit */
void gen_have(struct gen *, unsigned bit);
int gen_has(const struct gen *, enum segv_member);

/* A member of a structure, and where it goes: 8 bytes there, or 4. */
struct gen_word {
	enum segv_member m;
	int to;
	unsigned size;
};

/* Several members of the structure at from go to *to: registers, both. */
struct gen_words {
	int to, from;
	const struct gen_word *w;
	size_t n;
};

#define WORDS(to, from, a) ((struct gen_words){to, from, a, NELEM(a)})

/* Are all of them there, and of a size that can be loaded? */
int gen_has_words(const struct gen *, const struct gen_words *);
/* One read if they lie together, as they do on every kernel seen, else one
 * for each. */
void
gen_words(struct gen *, const struct gen_words *, int fail, const char *mean);
/* r6 is a struct file: its name goes to rec + name, its length to rec + len. */
void gen_file_name(struct gen *, int len, int name, int fail);
int gen_has_file_name(const struct gen *);

#define REC(member) ((int)offsetof(struct segv_rec_event, member))
#define READ(to, size, from, fail, mean)                                   \
	gen_read(g, (struct gen_copy){HELPER_READ_KERNEL, to, size, from}, \
	    fail, mean)
#define READ_USER(to, size, from, fail, mean)                                  \
	gen_read(g, (struct gen_copy){HELPER_READ_USER, to, size, from}, fail, \
	    mean)
#define COUNT(member) \
	gen_count(    \
	    g, offsetof(struct segv_counts, member), "counts->" #member "++")

/* --- the parts (segv_filter.c, segv_blocks.c, segv_memory.c)
 * ------------------------------
 */

/*
 * Whether it is told; each goes to out if not.  In this order: the first three
 * have r6 alone, the others r8 and r9, too; all lose r7.  gen_kind() fills
 * S_HANDLER to S_RING; the last two need S_TIME.
 */
void gen_filter_signal(struct gen *, int out);
void gen_filter_pid(struct gen *, int out);
void gen_kind(struct gen *, int out);
void gen_filter_name(struct gen *, int out);
void gen_share(struct gen *, int out);
void gen_rate(struct gen *, int out);
/* All that fills the record, from what r6 to r9 say; r6 and r8 are lost. */
void gen_blocks(struct gen *);
/* Parts of it, in segv_memory.c: the mapping of the fault address (r6 lost),
 * registers (jumps to none without them), the stack (r6, r8 lost). */
void gen_vma(struct gen *);
void gen_regs(struct gen *, int none);
void gen_stack(struct gen *);
/* The callback of bpf_find_vma. */
void gen_vma_callback(struct gen *);

#endif
