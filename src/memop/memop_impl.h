/* memop_impl: what the two decoders of memop share; not for others. */
#ifndef MEMOP_MEMOP_IMPL_H
#define MEMOP_MEMOP_IMPL_H

#include "memop/memop.h"

/* As memop_decode(), for one machine each. */
int memop_x86(const struct memop_in *, struct memop *out);
int memop_a64(const struct memop_in *, struct memop *out);

/* How an x86 opcode was encoded, and its mandatory prefix. */
enum { X86_LEG = 1, X86_VEX = 2, X86_EVX = 4 };
enum { X86_NP = 1, X86_66 = 2, X86_F3 = 4, X86_F2 = 8 };

/* Opcode maps: 0 one byte, 1 0F, 2 0F38, 3 0F3A, 5 and 6 EVEX only. */

/* Operands that are not in the ModRM byte. */
enum x86_special {
	X_NONE, /* there are none */
	X_PUSH,
	X_POP,
	X_CALL,
	X_RET,
	X_LEAVE,
	X_ENTER,
	X_MOVS,
	X_CMPS,
	X_STOS,
	X_LODS,
	X_SCAS,
	X_XLAT,
	X_MOFFSR,
	X_MOFFSW,
	X_GROUP5,  /* call, jmp, push through r/m */
	X_BIT,	   /* bit number in a register: reaches beyond r/m */
	X_MASKMOV, /* stores at rdi */
	X_DIR64,   /* stores 64 bytes where reg points */
	X_VSIB	   /* one address per vector element */
};

/*
 * One row of the opcode table, for the opcodes lo..hi of a map in any of the
 * encodings enc with any of the prefixes pfx.  acc and size hold one letter,
 * or eight: one for each value of ModRM.reg.
 *
 * acc: r reads r/m, w writes, m both, - neither, . not understood; NULL: no
 * ModRM byte.
 * size, in bytes (w is REX.W/VEX.W/EVEX.W, vl the vector length):
 *   b 1  w 2  d 4  q 8  t 10  o 16  T 32  B 64  e 28  n 108  F 512  0 unknown
 *   v operand size (2, 4, 8)    i 1 in even opcodes, v in odd
 *   Y w ? 8 : 4                 p 8 (2 with prefix 66)
 *   X vl, aligned when legacy   U vl, not aligned   A vl, always aligned
 *   H vl/2                      P vl/2, 4 or 8 by opcode (pmovsx)
 *   M 8 when MMX, else X        z 8 when MMX, else 16 (aligned when legacy)
 *   S 4 (F3), 8 (F2), else X    s the same, else U
 *   W EVEX and w ? vl : vl/2    D 8 when vl is 16, else vl
 *   f one element w ? 8 : 4 (2 in maps 5 and 6)
 *   g one element w ? 2 : 1     G f in odd opcodes from x9 on, else X
 *   k mask register             c w ? 16 aligned : 8
 * imm, what follows: 0 nothing, b a byte, z 4 (2 with 66), g as test does in
 * F6/F7 (only for reg 0 and 1).
 */
struct x86_row {
	uint8_t map, enc, pfx, lo, hi;
	const char *acc, *size;
	char imm;
	uint8_t special;
};

/* What the bytes before ModRM say. */
struct x86_enc {
	unsigned enc, map, pfx, op;
	int opsz;	    /* prefix 66 */
	unsigned w;	    /* REX.W, VEX.W or EVEX.W, 0 or 1 */
	unsigned vl, bcast; /* vector length in bytes; EVEX.b */
};

/* The row for an opcode, NULL when there is none. */
const struct x86_row *x86_lookup(const struct x86_enc *);
/* Bytes a size letter stands for; *align as in struct memop. */
unsigned x86_opsize(const struct x86_enc *, char letter, unsigned *align);
/* Length of the immediate behind an opcode without ModRM. */
unsigned x86_immediate(const struct x86_enc *);

#endif
