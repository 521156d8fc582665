/*
 * insn: a list of BPF instructions, each with its meaning in C.
 *
 * The macros below are instructions; insn_add() appends one together with the
 * text of what it means, so a program can be read, printed and checked line by
 * line.  Jumps name a label that may be placed later.  Errors stick: only
 * insns_finish() tells.  Source: Documentation/bpf/standardization/
 * instruction-set.rst of the kernel.
 */
#ifndef BPF_INSN_H
#define BPF_INSN_H

#include <linux/bpf.h>
#include <stddef.h>
#include <stdint.h>

enum { R0, R1, R2, R3, R4, R5, R6, R7, R8, R9, FP };

#define INSN(c, d, s, o, i)             \
	((struct bpf_insn){.code = (c), \
	    .dst_reg = (d),             \
	    .src_reg = (s),             \
	    .off = (int16_t)(o),        \
	    .imm = (int32_t)(i)})
#define ALU_R(op, d, s) INSN(BPF_ALU64 | BPF_X | (op), d, s, 0, 0)
#define ALU_I(op, d, i) INSN(BPF_ALU64 | BPF_K | (op), d, 0, 0, i)

#define MOV(d, s) ALU_R(BPF_MOV, d, s)	/* d = s */
#define MOVI(d, i) ALU_I(BPF_MOV, d, i) /* d = i, sign-extended */
#define ADD(d, s) ALU_R(BPF_ADD, d, s)
#define ADDI(d, i) ALU_I(BPF_ADD, d, i)
#define SUB(d, s) ALU_R(BPF_SUB, d, s)
#define ANDI(d, i) ALU_I(BPF_AND, d, i)
#define OR(d, s) ALU_R(BPF_OR, d, s)
#define ORI(d, i) ALU_I(BPF_OR, d, i)
#define XORI(d, i) ALU_I(BPF_XOR, d, i)
#define MULI(d, i) ALU_I(BPF_MUL, d, i)
#define LSH(d, s) ALU_R(BPF_LSH, d, s)
#define RSH(d, s) ALU_R(BPF_RSH, d, s)
#define LSHI(d, i) ALU_I(BPF_LSH, d, i)
#define RSHI(d, i) ALU_I(BPF_RSH, d, i)

/* d = *(uN *)(s + o), zero-extended */
#define LD8(d, s, o) INSN(BPF_LDX | BPF_MEM | BPF_B, d, s, o, 0)
#define LD16(d, s, o) INSN(BPF_LDX | BPF_MEM | BPF_H, d, s, o, 0)
#define LD32(d, s, o) INSN(BPF_LDX | BPF_MEM | BPF_W, d, s, o, 0)
#define LD64(d, s, o) INSN(BPF_LDX | BPF_MEM | BPF_DW, d, s, o, 0)
/* *(uN *)(d + o) = s */
#define ST32(d, o, s) INSN(BPF_STX | BPF_MEM | BPF_W, d, s, o, 0)
#define ST64(d, o, s) INSN(BPF_STX | BPF_MEM | BPF_DW, d, s, o, 0)
/* *(uN *)(d + o) = i, sign-extended */
#define ST32I(d, o, i) INSN(BPF_ST | BPF_MEM | BPF_W, d, 0, o, i)
#define ST64I(d, o, i) INSN(BPF_ST | BPF_MEM | BPF_DW, d, 0, o, i)
/* *(u64 *)(d + o) += s, atomically; there since the first BPF */
#define XADD64(d, o, s) INSN(BPF_STX | BPF_ATOMIC | BPF_DW, d, s, o, BPF_ADD)

/* r0 = helper(r1 ... r5), which destroys r1 to r5 */
#define CALL(fn) INSN(BPF_JMP | BPF_CALL, 0, 0, 0, fn)
#define EXIT() INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)

/* for insn_jump(); numbers compare unsigned but for JS* */
#define JA() INSN(BPF_JMP | BPF_JA, 0, 0, 0, 0)
#define JEQI(d, i) INSN(BPF_JMP | BPF_K | BPF_JEQ, d, 0, 0, i)
#define JNEI(d, i) INSN(BPF_JMP | BPF_K | BPF_JNE, d, 0, 0, i)
#define JGTI(d, i) INSN(BPF_JMP | BPF_K | BPF_JGT, d, 0, 0, i)
#define JGEI(d, i) INSN(BPF_JMP | BPF_K | BPF_JGE, d, 0, 0, i)
#define JSLEI(d, i) INSN(BPF_JMP | BPF_K | BPF_JSLE, d, 0, 0, i)
#define JEQ(d, s) INSN(BPF_JMP | BPF_X | BPF_JEQ, d, s, 0, 0)
#define JGT(d, s) INSN(BPF_JMP | BPF_X | BPF_JGT, d, s, 0, 0)
#define JGE(d, s) INSN(BPF_JMP | BPF_X | BPF_JGE, d, s, 0, 0)

enum { INSN_LABELS = 1024, INSN_MAX = 65536 };

struct insns {
	struct bpf_insn *insn;
	const char **mean; /* of each; "" for the second half of a pair */
	int *jump;	   /* label of each that names one, else -1 */
	size_t n, cap;
	int label[INSN_LABELS]; /* where it is, -1 not placed yet */
	int nlabels;
	int err; /* sticky */
};

void insns_init(struct insns *);
void insns_free(struct insns *);
/* mean is kept as the pointer it is: a literal, or something that lives as
 * long. */
void insn_add(struct insns *, struct bpf_insn, const char *mean);
void insn_jump(struct insns *, struct bpf_insn, int label, const char *mean);
/* d = the 64-bit number v; two slots. */
void insn_imm64(struct insns *, int d, uint64_t v, const char *mean);
/* d = the map of that descriptor. */
void insn_map(struct insns *, int d, int fd, const char *mean);
/* d = the function that begins at the label. */
void insn_func(struct insns *, int d, int label, const char *mean);
/* A new label, and the place of one. */
int insn_label(struct insns *);
void insn_here(struct insns *, int label);
/*
 * Puts in the distances.  -1: ENOMEM, EINVAL a label that was never placed, or
 * was twice, ERANGE a jump too far, E2BIG.
 */
int insns_finish(struct insns *);

#endif
