/*
 * segv_prog: the BPF program of segv_probe, instruction by instruction.
 * Private to bpf/; the contract is in segv/segv_probe.h and segv_event.h.
 *
 * It is made for a layout (where the running kernel keeps what), options and
 * the blocks this kernel's verifier lets pass; a member the kernel has not,
 * or a block that is left out, costs only what it would have told.
 */
#ifndef SEGV_SEGV_PROG_H
#define SEGV_SEGV_PROG_H

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "bpf/btf.h"
#include "bpf/insn.h"
#include "segv/segv_event.h"
#include "segv/segv_probe.h"

/* Members of kernel structures; segv_layout.c has their names. */
enum segv_member {
	M_TASK_LEADER,
	M_TASK_START,
	M_TASK_COMM,
	M_TASK_MM,
	M_TASK_STACK,
	M_TASK_PID,    /* struct pid of the thread */
	M_TASK_SIGNAL, /* struct signal_struct */
	M_TASK_ERROR,
	M_TASK_TRAP, /* x86 */
	M_TASK_FAULT,
	M_TASK_FSBASE, /* x86, to M_TASK_GS */
	M_TASK_GSBASE,
	M_TASK_DS,
	M_TASK_ES,
	M_TASK_FS,
	M_TASK_GS,
	M_SIGNAL_TGID,
	M_PID_LEVEL,
	M_PID_NR,
	M_PID_NS,
	M_PIDNS_INUM,
	M_MM_EXE,
	M_MM_STACK,
	M_FILE_DENTRY,
	M_FILE_INODE,
	M_DENTRY_LEN,
	M_DENTRY_NAME,
	M_INODE_INO,
	M_INODE_SB,
	M_SB_DEV,
	M_VMA_START,
	M_VMA_END,
	M_VMA_FLAGS,
	M_VMA_PGOFF,
	M_VMA_FILE,
	M_SA_HANDLER,
	M_SA_FLAGS,
	SEGV_MEMBERS
};

struct segv_member_at {
	int off; /* -1: not there */
	unsigned size;
};

struct segv_layout {
	int machine; /* EM_* */
	struct segv_member_at m[SEGV_MEMBERS];
	unsigned upid;	     /* sizeof(struct upid) */
	unsigned ptregs;     /* sizeof(struct pt_regs) */
	unsigned userregs;   /* how many bytes of it are registers */
	unsigned threadsize; /* of a kernel stack */
};

/*
 * b NULL: what needs no BTF.  -1 ENOTSUP for a machine without a table.  The
 * names of members that are missing are appended to lacks, blanks between
 * (at most n bytes with the NUL).
 */
int segv_layout(struct segv_layout *, int machine, const struct btf *b,
    char *lacks, size_t n);
/* Is all there that BLOCK_VMA needs? */
int segv_layout_has_vma(const struct segv_layout *);

/* Blocks that not every kernel takes; tried from all to none. */
enum {
	BLOCK_CGROUP = 1, /* bpf_get_current_cgroup_id */
	BLOCK_VMA = 2,	  /* bpf_find_vma, with BTF of our own; 5.17 */
	BLOCK_PTREGS = 4, /* bpf_task_pt_regs, else by arithmetic; 5.15 */
	BLOCKS = 8
};

struct segv_prog_maps {
	int ring, counts, rate;
};

struct segv_prog {
	struct insns insns;
	int vma;       /* label of the callback, -1 none */
	unsigned have; /* SEGV_HAVE_* that it can set */
};

/* -1 EINVAL for options that make no sense. */
int segv_prog_check(const struct segv_probe_opts *);

/*
 * Makes the program for options with all defaults filled in.  -1: errno of
 * insns_finish() or segv_prog_check().  The caller frees insns in any case.
 */
int segv_prog_make(struct segv_prog *, const struct segv_layout *,
    const struct segv_probe_opts *, unsigned blocks,
    const struct segv_prog_maps *);
/* BTF that func_info of a program with BLOCK_VMA needs: main is type
 * *main_type, the callback *vma_type. */
const void *segv_prog_btf(size_t *len, uint32_t *main_type, uint32_t *vma_type);

/* --- between segv_prog.c and segv_blocks.c ---------------------------------
 */

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
	S_COMM = -56,	  /* 16 bytes */
	S_VMA = -96,	  /* 5 words: start end flags pgoff file */
	S_SCRATCH = -160, /* SPAN_MAX bytes */
	SPAN_MAX = 64
};

/* Behind the counts of each CPU: the name that the name filter looks at. */
enum { SEGV_EXE_SCRATCH = 256 };

enum { HELPER_READ_USER = 112, HELPER_READ_KERNEL = 113 };

#define I(insn, mean) insn_add(g->p, insn, mean)
#define J(insn, label, mean) insn_jump(g->p, insn, label, mean)

/* helper(to + tooff, size, from + fromoff); jumps to fail if it fails. */
void gen_read(struct gen *, int helper, int to, int tooff, unsigned size,
    int from, int fromoff, int fail, const char *mean);
/* to = *(pointer *)(from + offset of m); NULL fails too. */
void gen_follow(struct gen *, int to, int from, enum segv_member m, int fail,
    const char *mean);
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

/* Are all of them there, and of a size that can be loaded? */
int gen_has_words(const struct gen *, const struct gen_word *, size_t n);
/*
 * *to gets several members of the structure at from.  One read if they lie
 * together, as they do on every kernel seen, else one for each.
 */
void gen_words(struct gen *, const struct gen_word *, size_t n, int from,
    int to, int fail, const char *mean);
/* r6 is a struct file: its name goes to rec + name, its length to rec + len. */
void gen_file_name(struct gen *, int len, int name, int fail);
int gen_has_file_name(const struct gen *);

/* All that fills the record, from what r6 to r9 say; r6 and r8 are lost. */
void gen_blocks(struct gen *);
/* Parts of it, in segv_memory.c: the mapping of the fault address (r6 lost),
 * registers (jumps to none without them), the stack (r6, r8 lost). */
void gen_vma(struct gen *);
void gen_regs(struct gen *, int none);
void gen_stack(struct gen *);
/* The callback of bpf_find_vma. */
void gen_vma_callback(struct gen *);

#define REC(member) ((int)offsetof(struct segv_rec_event, member))
#define READ(to, tooff, size, from, fromoff, fail, mean) \
	gen_read(                                        \
	    g, HELPER_READ_KERNEL, to, tooff, size, from, fromoff, fail, mean)
#define COUNT(member) \
	gen_count(    \
	    g, offsetof(struct segv_counts, member), "counts->" #member "++")
#define WORDS(a) a, NELEM(a)

#endif
