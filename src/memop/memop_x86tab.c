/*
 * x86 instructions by opcode map, prefix and opcode: which operand is memory,
 * what is done to it, how wide, whether it must be aligned.
 */
#include <string.h>

#include "base/bytes.h"
#include "memop/memop_impl.h"

#define LEG X86_LEG
#define VEX X86_VEX
#define EVX X86_EVX
#define AVX (X86_VEX | X86_EVX)
#define ALL (X86_LEG | X86_VEX | X86_EVX)
#define NP X86_NP
#define P66 X86_66
#define F3 X86_F3
#define F2 X86_F2
#define PS (X86_NP | X86_66)
#define ANY (X86_NP | X86_66 | X86_F3 | X86_F2)
/* Without a ModRM byte: nothing explicit. */
#define BARE NULL, NULL, '0'

/*
 * The first row that fits counts.  Far calls, jumps, returns and segment
 * loads have none; 00-3F of map 0 follow one pattern and stand in
 * x86_lookup().
 */
/* clang-format off */
static const struct x86_row rows[] = {
    /* --- one byte --- */
    {0, LEG, ANY, 0x50, 0x57, BARE, X_PUSH},
    {0, LEG, ANY, 0x58, 0x5f, BARE, X_POP},
    {0, LEG, ANY, 0x63, 0x63, "r", "d", '0', 0},	/* movsxd */
    {0, LEG, ANY, 0x68, 0x68, BARE, X_PUSH},
    {0, LEG, ANY, 0x69, 0x69, "r", "v", 'z', 0},	/* imul */
    {0, LEG, ANY, 0x6a, 0x6a, BARE, X_PUSH},
    {0, LEG, ANY, 0x6b, 0x6b, "r", "v", 'b', 0},
    {0, LEG, ANY, 0x6c, 0x7f, BARE, X_NONE},		/* ins outs jcc */
    {0, LEG, ANY, 0x80, 0x80, "mmmmmmmr", "b", 'b', 0},	/* add .. cmp */
    {0, LEG, ANY, 0x81, 0x81, "mmmmmmmr", "v", 'z', 0},
    {0, LEG, ANY, 0x83, 0x83, "mmmmmmmr", "v", 'b', 0},
    {0, LEG, ANY, 0x84, 0x85, "r", "i", '0', 0},	/* test */
    {0, LEG, ANY, 0x86, 0x87, "m", "i", '0', 0},	/* xchg */
    {0, LEG, ANY, 0x88, 0x89, "w", "i", '0', 0},	/* mov */
    {0, LEG, ANY, 0x8a, 0x8b, "r", "i", '0', 0},
    {0, LEG, ANY, 0x8c, 0x8c, "w", "w", '0', 0},	/* mov sreg */
    {0, LEG, ANY, 0x8d, 0x8d, "-", "0", '0', 0},	/* lea */
    {0, LEG, ANY, 0x8e, 0x8e, "r", "w", '0', 0},
    {0, LEG, ANY, 0x8f, 0x8f, "w.......", "p", '0', X_POP},
    {0, LEG, ANY, 0x90, 0x99, BARE, X_NONE},		/* nop xchg cwd */
    {0, LEG, ANY, 0x9b, 0x9b, BARE, X_NONE},		/* fwait */
    {0, LEG, ANY, 0x9c, 0x9c, BARE, X_PUSH},
    {0, LEG, ANY, 0x9d, 0x9d, BARE, X_POP},
    {0, LEG, ANY, 0x9e, 0x9f, BARE, X_NONE},
    {0, LEG, ANY, 0xa0, 0xa1, NULL, "i", '0', X_MOFFSR},
    {0, LEG, ANY, 0xa2, 0xa3, NULL, "i", '0', X_MOFFSW},
    {0, LEG, ANY, 0xa4, 0xa5, NULL, "i", '0', X_MOVS},
    {0, LEG, ANY, 0xa6, 0xa7, NULL, "i", '0', X_CMPS},
    {0, LEG, ANY, 0xa8, 0xa9, BARE, X_NONE},		/* test imm */
    {0, LEG, ANY, 0xaa, 0xab, NULL, "i", '0', X_STOS},
    {0, LEG, ANY, 0xac, 0xad, NULL, "i", '0', X_LODS},
    {0, LEG, ANY, 0xae, 0xaf, NULL, "i", '0', X_SCAS},
    {0, LEG, ANY, 0xb0, 0xbf, BARE, X_NONE},		/* mov imm */
    {0, LEG, ANY, 0xc0, 0xc1, "m", "i", 'b', 0},	/* shifts */
    {0, LEG, ANY, 0xc2, 0xc3, BARE, X_RET},
    {0, LEG, ANY, 0xc6, 0xc6, "w......-", "b", 'b', 0},	/* mov imm */
    {0, LEG, ANY, 0xc7, 0xc7, "w......-", "v", 'z', 0},
    {0, LEG, ANY, 0xc8, 0xc8, BARE, X_ENTER},
    {0, LEG, ANY, 0xc9, 0xc9, BARE, X_LEAVE},
    {0, LEG, ANY, 0xcc, 0xcd, BARE, X_NONE},		/* int3 int */
    {0, LEG, ANY, 0xd0, 0xd3, "m", "i", '0', 0},	/* shifts */
    {0, LEG, ANY, 0xd7, 0xd7, BARE, X_XLAT},
    {0, LEG, ANY, 0xd8, 0xd8, "r", "d", '0', 0},	/* x87 */
    {0, LEG, ANY, 0xd9, 0xd9, "r.wwrrww", "d0ddewew", '0', 0},
    {0, LEG, ANY, 0xda, 0xda, "r", "d", '0', 0},
    {0, LEG, ANY, 0xdb, 0xdb, "rwww.r.w", "dddd0t0t", '0', 0},
    {0, LEG, ANY, 0xdc, 0xdc, "r", "q", '0', 0},
    {0, LEG, ANY, 0xdd, 0xdd, "rwwwr.ww", "qqqqn0nw", '0', 0},
    {0, LEG, ANY, 0xde, 0xde, "r", "w", '0', 0},
    {0, LEG, ANY, 0xdf, 0xdf, "rwwwrrww", "wwwwtqtq", '0', 0},
    {0, LEG, ANY, 0xe0, 0xe7, BARE, X_NONE},		/* loop in out */
    {0, LEG, ANY, 0xe8, 0xe8, BARE, X_CALL},
    {0, LEG, ANY, 0xe9, 0xe9, BARE, X_NONE},		/* jmp */
    {0, LEG, ANY, 0xeb, 0xef, BARE, X_NONE},		/* jmp in out */
    {0, LEG, ANY, 0xf1, 0xf1, BARE, X_NONE},		/* int1 */
    {0, LEG, ANY, 0xf4, 0xf5, BARE, X_NONE},		/* hlt cmc */
    {0, LEG, ANY, 0xf6, 0xf7, "rrmmrrrr", "i", 'g', 0},	/* test .. idiv */
    {0, LEG, ANY, 0xf8, 0xfd, BARE, X_NONE},		/* flags */
    {0, LEG, ANY, 0xfe, 0xfe, "mm......", "b", '0', 0},	/* inc dec */
    {0, LEG, ANY, 0xff, 0xff, "mmr.r.r.", "vvq0q0p0", '0', X_GROUP5},

    /* --- 0F: system, integer --- */
    {1, LEG, ANY, 0x00, 0x00, "wwrrrr..", "w", '0', 0},	/* sldt .. verw */
    {1, LEG, ANY, 0x01, 0x01, "wwrrw.r-", "ttttw0w0", '0', 0},
    {1, LEG, ANY, 0x02, 0x03, "r", "w", '0', 0},	/* lar lsl */
    {1, LEG, ANY, 0x05, 0x09, BARE, X_NONE},		/* syscall .. */
    {1, LEG, ANY, 0x0b, 0x0b, BARE, X_NONE},		/* ud2 */
    {1, LEG, ANY, 0x0d, 0x0d, "-", "0", '0', 0},	/* prefetchw */
    {1, LEG, ANY, 0x18, 0x23, "-", "0", '0', 0},	/* nop, mov cr */
    {1, LEG, ANY, 0x30, 0x35, BARE, X_NONE},		/* msr tsc */
    {1, LEG, ANY, 0x40, 0x4f, "r", "v", '0', 0},	/* cmov */
    {1, LEG, ANY, 0x80, 0x8f, BARE, X_NONE},		/* jcc */
    {1, LEG, ANY, 0x90, 0x9f, "w", "b", '0', 0},	/* setcc */
    {1, LEG, ANY, 0xa0, 0xa0, BARE, X_PUSH},		/* fs gs */
    {1, LEG, ANY, 0xa1, 0xa1, BARE, X_POP},
    {1, LEG, ANY, 0xa8, 0xa8, BARE, X_PUSH},
    {1, LEG, ANY, 0xa9, 0xa9, BARE, X_POP},
    {1, LEG, ANY, 0xa2, 0xa2, BARE, X_NONE},		/* cpuid */
    {1, LEG, ANY, 0xa3, 0xa3, "r", "v", '0', X_BIT},	/* bt */
    {1, LEG, ANY, 0xab, 0xab, "m", "v", '0', X_BIT},	/* bts */
    {1, LEG, ANY, 0xb3, 0xb3, "m", "v", '0', X_BIT},	/* btr */
    {1, LEG, ANY, 0xbb, 0xbb, "m", "v", '0', X_BIT},	/* btc */
    {1, LEG, ANY, 0xba, 0xba, "....rmmm", "v", 'b', 0},
    {1, LEG, ANY, 0xa4, 0xa4, "m", "v", 'b', 0},	/* shld */
    {1, LEG, ANY, 0xa5, 0xa5, "m", "v", '0', 0},
    {1, LEG, ANY, 0xac, 0xac, "m", "v", 'b', 0},	/* shrd */
    {1, LEG, ANY, 0xad, 0xad, "m", "v", '0', 0},
    {1, LEG, NP, 0xae, 0xae, "wrrwwrwr", "FFdd0000", '0', 0}, /* fxsave .. */
    {1, LEG, P66, 0xae, 0xae, "......rr", "0", '0', 0}, /* clwb clflushopt */
    {1, LEG, F3, 0xae, 0xae, "....--m-", "q", '0', 0},	/* clrssbsy */
    {1, VEX, NP, 0xae, 0xae, "..rw....", "d", '0', 0},	/* vldmxcsr */
    {1, LEG, ANY, 0xaf, 0xaf, "r", "v", '0', 0},	/* imul */
    {1, LEG, ANY, 0xb0, 0xb1, "m", "i", '0', 0},	/* cmpxchg */
    {1, LEG, ANY, 0xb6, 0xb6, "r", "b", '0', 0},	/* movzx */
    {1, LEG, ANY, 0xb7, 0xb7, "r", "w", '0', 0},
    {1, LEG, F3, 0xb8, 0xb8, "r", "v", '0', 0},		/* popcnt */
    {1, LEG, ANY, 0xb9, 0xb9, "-", "0", '0', 0},	/* ud1 */
    {1, LEG, ANY, 0xbc, 0xbd, "r", "v", '0', 0},	/* bsf tzcnt */
    {1, LEG, ANY, 0xbe, 0xbe, "r", "b", '0', 0},	/* movsx */
    {1, LEG, ANY, 0xbf, 0xbf, "r", "w", '0', 0},
    {1, LEG, ANY, 0xc0, 0xc1, "m", "i", '0', 0},	/* xadd */
    {1, LEG, NP, 0xc3, 0xc3, "w", "Y", '0', 0},		/* movnti */
    {1, LEG, ANY, 0xc7, 0xc7, ".m.rwwrw", "0c0000qq", '0', 0},
    {1, LEG, ANY, 0xc8, 0xcf, BARE, X_NONE},		/* bswap */
    {1, LEG, ANY, 0xff, 0xff, "-", "0", '0', 0},	/* ud0 */

    /* --- 0F: MMX, SSE, AVX, AVX-512 --- */
    {1, ALL, ANY, 0x10, 0x10, "r", "s", '0', 0},	/* movups movss */
    {1, ALL, ANY, 0x11, 0x11, "w", "s", '0', 0},
    {1, ALL, PS, 0x12, 0x12, "r", "q", '0', 0},		/* movlps */
    {1, ALL, F3, 0x12, 0x12, "r", "X", '0', 0},		/* movsldup */
    {1, ALL, F2, 0x12, 0x12, "r", "D", '0', 0},		/* movddup */
    {1, ALL, PS, 0x13, 0x13, "w", "q", '0', 0},
    {1, ALL, PS, 0x14, 0x15, "r", "X", '0', 0},		/* unpck */
    {1, ALL, PS, 0x16, 0x16, "r", "q", '0', 0},		/* movhps */
    {1, ALL, F3, 0x16, 0x16, "r", "X", '0', 0},		/* movshdup */
    {1, ALL, PS, 0x17, 0x17, "w", "q", '0', 0},
    {1, ALL, PS, 0x28, 0x28, "r", "A", '0', 0},		/* movaps */
    {1, ALL, PS, 0x29, 0x29, "w", "A", '0', 0},
    {1, LEG, PS, 0x2a, 0x2a, "r", "q", '0', 0},		/* cvtpi2ps */
    {1, ALL, F3 | F2, 0x2a, 0x2a, "r", "Y", '0', 0},	/* cvtsi2ss */
    {1, ALL, PS, 0x2b, 0x2b, "w", "A", '0', 0},		/* movntps */
    {1, LEG, NP, 0x2c, 0x2d, "r", "q", '0', 0},		/* cvtps2pi */
    {1, ALL, P66 | F3 | F2, 0x2c, 0x2d, "r", "S", '0', 0},
    {1, ALL, NP, 0x2e, 0x2f, "r", "d", '0', 0},		/* comiss */
    {1, ALL, P66, 0x2e, 0x2f, "r", "q", '0', 0},
    {1, VEX, ANY, 0x41, 0x4b, "-", "0", '0', 0},	/* mask registers */
    {1, ALL, ANY, 0x50, 0x50, "-", "0", '0', 0},	/* movmskps */
    {1, ALL, ANY, 0x51, 0x59, "r", "S", '0', 0},	/* sqrt .. mul */
    {1, ALL, NP, 0x5a, 0x5a, "r", "H", '0', 0},		/* cvtps2pd */
    {1, ALL, P66 | F3 | F2, 0x5a, 0x5a, "r", "S", '0', 0},
    {1, ALL, ANY, 0x5b, 0x5b, "r", "X", '0', 0},	/* cvtdq2ps */
    {1, ALL, ANY, 0x5c, 0x5f, "r", "S", '0', 0},	/* sub .. max */
    {1, LEG, NP, 0x60, 0x62, "r", "d", '0', 0},		/* punpckl */
    {1, ALL, PS, 0x60, 0x6d, "r", "M", '0', 0},
    {1, ALL, PS, 0x6e, 0x6e, "r", "Y", '0', 0},		/* movd */
    {1, LEG, NP, 0x6f, 0x6f, "r", "q", '0', 0},		/* movq */
    {1, ALL, P66, 0x6f, 0x6f, "r", "A", '0', 0},	/* movdqa */
    {1, ALL, F3 | F2, 0x6f, 0x6f, "r", "U", '0', 0},	/* movdqu */
    {1, ALL, ANY, 0x70, 0x70, "r", "M", 'b', 0},	/* pshuf */
    {1, ALL, PS, 0x71, 0x73, "r", "X", 'b', 0},		/* shifts by imm */
    {1, ALL, PS, 0x74, 0x76, "r", "M", '0', 0},		/* pcmpeq */
    {1, LEG | VEX, ANY, 0x77, 0x77, BARE, X_NONE},	/* emms vzero */
    {1, LEG, ANY, 0x78, 0x79, "-", "0", '0', 0},	/* vmread */
    {1, EVX, NP | F3 | F2, 0x78, 0x79, "r", "S", '0', 0}, /* vcvt to u */
    {1, EVX, P66, 0x78, 0x7b, "r", "W", '0', 0},
    {1, EVX, F3, 0x7a, 0x7a, "r", "W", '0', 0},
    {1, EVX, F2, 0x7a, 0x7a, "r", "X", '0', 0},
    {1, EVX, F3 | F2, 0x7b, 0x7b, "r", "Y", '0', 0},
    {1, ALL, P66 | F2, 0x7c, 0x7d, "r", "X", '0', 0},	/* hadd */
    {1, ALL, F3, 0x7e, 0x7e, "r", "q", '0', 0},		/* movq */
    {1, ALL, PS, 0x7e, 0x7e, "w", "Y", '0', 0},		/* movd */
    {1, LEG, NP, 0x7f, 0x7f, "w", "q", '0', 0},
    {1, ALL, P66, 0x7f, 0x7f, "w", "A", '0', 0},
    {1, ALL, F3 | F2, 0x7f, 0x7f, "w", "U", '0', 0},
    {1, VEX, PS, 0x90, 0x90, "r", "k", '0', 0},		/* kmov */
    {1, VEX, PS, 0x91, 0x91, "w", "k", '0', 0},
    {1, VEX, ANY, 0x92, 0x99, "-", "0", '0', 0},
    {1, ALL, ANY, 0xc2, 0xc2, "r", "S", 'b', 0},	/* cmpps */
    {1, ALL, PS, 0xc4, 0xc4, "r", "w", 'b', 0},		/* pinsrw */
    {1, ALL, PS, 0xc5, 0xc5, "-", "0", 'b', 0},
    {1, ALL, PS, 0xc6, 0xc6, "r", "X", 'b', 0},		/* shufps */
    {1, ALL, P66 | F2, 0xd0, 0xd0, "r", "X", '0', 0},	/* addsub */
    {1, ALL, PS, 0xd1, 0xd3, "r", "z", '0', 0},		/* shifts by m128 */
    {1, ALL, P66, 0xd6, 0xd6, "w", "q", '0', 0},	/* movq */
    {1, ALL, ANY, 0xd6, 0xd7, "-", "0", '0', 0},
    {1, ALL, PS, 0xe1, 0xe2, "r", "z", '0', 0},
    {1, ALL, F3, 0xe6, 0xe6, "r", "W", '0', 0},		/* cvtdq2pd */
    {1, ALL, P66 | F2, 0xe6, 0xe6, "r", "X", '0', 0},
    {1, LEG, NP, 0xe7, 0xe7, "w", "q", '0', 0},		/* movntq */
    {1, ALL, P66, 0xe7, 0xe7, "w", "A", '0', 0},	/* movntdq */
    {1, LEG | VEX, F2, 0xf0, 0xf0, "r", "U", '0', 0},	/* lddqu */
    {1, ALL, PS, 0xf1, 0xf3, "r", "z", '0', 0},
    {1, LEG | VEX, PS, 0xf7, 0xf7, "-", "z", '0', X_MASKMOV},
    {1, ALL, PS, 0xd4, 0xfe, "r", "M", '0', 0},

    /* --- 0F38 --- */
    {2, ALL, PS, 0x00, 0x0b, "r", "M", '0', 0},		/* pshufb .. */
    {2, AVX, P66, 0x0c, 0x0f, "r", "X", '0', 0},	/* vpermilps vtest */
    {2, AVX, P66, 0x13, 0x13, "r", "H", '0', 0},	/* vcvtph2ps */
    {2, ALL, P66, 0x10, 0x17, "r", "X", '0', 0},	/* blendv ptest */
    {2, EVX, F3, 0x10, 0x15, "w", "P", '0', 0},		/* vpmovus */
    {2, AVX, P66, 0x18, 0x18, "r", "d", '0', 0},	/* broadcast */
    {2, AVX, P66, 0x19, 0x19, "r", "q", '0', 0},
    {2, AVX, P66, 0x1a, 0x1a, "r", "o", '0', 0},
    {2, EVX, P66, 0x1b, 0x1b, "r", "T", '0', 0},
    {2, ALL, PS, 0x1c, 0x1e, "r", "M", '0', 0},		/* pabs */
    {2, EVX, P66, 0x1f, 0x1f, "r", "X", '0', 0},
    {2, ALL, P66, 0x20, 0x25, "r", "P", '0', 0},	/* pmovsx */
    {2, EVX, F3, 0x20, 0x25, "w", "P", '0', 0},		/* vpmovs */
    {2, EVX, P66 | F3, 0x26, 0x27, "r", "X", '0', 0},	/* vptestm */
    {2, ALL, P66, 0x28, 0x29, "r", "X", '0', 0},	/* pmuldq */
    {2, EVX, F3, 0x28, 0x2a, "-", "0", '0', 0},
    {2, ALL, P66, 0x2a, 0x2a, "r", "A", '0', 0},	/* movntdqa */
    {2, ALL, P66, 0x2b, 0x2b, "r", "X", '0', 0},
    {2, VEX, P66, 0x2c, 0x2d, "r", "U", '0', 0},	/* vmaskmov */
    {2, VEX, P66, 0x2e, 0x2f, "w", "U", '0', 0},
    {2, EVX, P66, 0x2c, 0x2c, "r", "X", '0', 0},	/* vscalef */
    {2, EVX, P66, 0x2d, 0x2d, "r", "f", '0', 0},
    {2, ALL, P66, 0x30, 0x35, "r", "P", '0', 0},	/* pmovzx */
    {2, EVX, F3, 0x30, 0x35, "w", "P", '0', 0},		/* vpmov */
    {2, ALL, P66, 0x36, 0x42, "r", "X", '0', 0},	/* pmin .. */
    {2, EVX, F3, 0x38, 0x3a, "-", "0", '0', 0},
    {2, EVX, P66, 0x43, 0x43, "r", "f", '0', 0},	/* vgetexp */
    {2, AVX, P66, 0x44, 0x47, "r", "X", '0', 0},	/* vpsrlv */
    {2, EVX, P66, 0x4c, 0x4c, "r", "X", '0', 0},	/* vrcp14 */
    {2, EVX, P66, 0x4d, 0x4d, "r", "f", '0', 0},
    {2, EVX, P66, 0x4e, 0x4e, "r", "X", '0', 0},
    {2, EVX, P66, 0x4f, 0x4f, "r", "f", '0', 0},
    {2, AVX, P66 | F3, 0x50, 0x55, "r", "X", '0', 0},	/* vpdpbusd */
    {2, AVX, P66, 0x58, 0x58, "r", "d", '0', 0},	/* vpbroadcast */
    {2, AVX, P66, 0x59, 0x59, "r", "q", '0', 0},
    {2, AVX, P66, 0x5a, 0x5a, "r", "o", '0', 0},
    {2, EVX, P66, 0x5b, 0x5b, "r", "T", '0', 0},
    {2, EVX, P66, 0x62, 0x62, "r", "g", '0', 0},	/* vpexpandb */
    {2, EVX, P66, 0x63, 0x63, "w", "g", '0', 0},	/* vpcompressb */
    {2, EVX, P66, 0x64, 0x66, "r", "X", '0', 0},	/* vpblendm */
    {2, EVX, F2, 0x68, 0x68, "r", "X", '0', 0},
    {2, EVX, ANY, 0x70, 0x77, "r", "X", '0', 0},	/* vpshldv */
    {2, AVX, P66, 0x78, 0x78, "r", "b", '0', 0},
    {2, AVX, P66, 0x79, 0x79, "r", "w", '0', 0},
    {2, EVX, P66, 0x7a, 0x7c, "-", "0", '0', 0},
    {2, EVX, P66, 0x7d, 0x7f, "r", "X", '0', 0},	/* vpermt2 */
    {2, LEG, P66, 0x80, 0x82, "-", "0", '0', 0},	/* invept */
    {2, EVX, P66, 0x83, 0x83, "r", "X", '0', 0},
    {2, EVX, P66, 0x88, 0x89, "r", "f", '0', 0},	/* vexpand */
    {2, EVX, P66, 0x8a, 0x8b, "w", "f", '0', 0},	/* vcompress */
    {2, VEX, P66, 0x8c, 0x8c, "r", "U", '0', 0},	/* vpmaskmov */
    {2, VEX, P66, 0x8e, 0x8e, "w", "U", '0', 0},
    {2, EVX, P66, 0x8d, 0x8f, "r", "X", '0', 0},
    {2, AVX, P66, 0x90, 0x93, "r", "f", '0', X_VSIB},	/* gather */
    {2, AVX, P66, 0x96, 0x9f, "r", "G", '0', 0},	/* fma */
    {2, EVX, P66, 0xa0, 0xa3, "w", "f", '0', X_VSIB},	/* scatter */
    {2, AVX, P66, 0xa6, 0xaf, "r", "G", '0', 0},
    {2, AVX, P66, 0xb4, 0xbf, "r", "G", '0', 0},
    {2, EVX, P66, 0xc4, 0xc4, "r", "X", '0', 0},	/* vpconflict */
    {2, LEG, NP, 0xc8, 0xcd, "r", "X", '0', 0},		/* sha */
    {2, ALL, P66, 0xcf, 0xcf, "r", "X", '0', 0},	/* gf2p8mul */
    {2, ALL, P66, 0xdb, 0xdf, "r", "X", '0', 0},	/* aes */
    {2, VEX, P66, 0xe0, 0xef, "m", "Y", '0', 0},	/* cmpccxadd */
    {2, LEG, PS, 0xf0, 0xf0, "r", "v", '0', 0},		/* movbe */
    {2, LEG, PS, 0xf1, 0xf1, "w", "v", '0', 0},
    {2, LEG, F2, 0xf0, 0xf0, "r", "b", '0', 0},		/* crc32 */
    {2, LEG, F2, 0xf1, 0xf1, "r", "v", '0', 0},
    {2, VEX, ANY, 0xf2, 0xf7, "r", "Y", '0', 0},	/* bmi */
    {2, LEG, P66, 0xf5, 0xf5, "w", "Y", '0', 0},	/* wruss */
    {2, LEG, NP, 0xf6, 0xf6, "w", "Y", '0', 0},		/* wrss */
    {2, LEG, P66 | F3, 0xf6, 0xf6, "r", "Y", '0', 0},	/* adcx adox */
    {2, LEG, P66 | F3 | F2, 0xf8, 0xf8, "r", "B", '0', X_DIR64},
    {2, LEG, NP, 0xf9, 0xf9, "w", "Y", '0', 0},		/* movdiri */

    /* --- 0F3A: each ends in an immediate byte --- */
    {3, ALL, P66, 0x00, 0x09, "r", "X", 'b', 0},	/* vpermq round */
    {3, ALL, P66, 0x0a, 0x0a, "r", "d", 'b', 0},
    {3, ALL, P66, 0x0b, 0x0b, "r", "q", 'b', 0},
    {3, ALL, PS, 0x0c, 0x0f, "r", "M", 'b', 0},		/* blend palignr */
    {3, ALL, P66, 0x14, 0x14, "w", "b", 'b', 0},	/* pextr */
    {3, ALL, P66, 0x15, 0x15, "w", "w", 'b', 0},
    {3, ALL, P66, 0x16, 0x16, "w", "Y", 'b', 0},
    {3, ALL, P66, 0x17, 0x17, "w", "d", 'b', 0},	/* extractps */
    {3, AVX, P66, 0x18, 0x18, "r", "o", 'b', 0},	/* vinsert */
    {3, AVX, P66, 0x19, 0x19, "w", "o", 'b', 0},	/* vextract */
    {3, EVX, P66, 0x1a, 0x1a, "r", "T", 'b', 0},
    {3, EVX, P66, 0x1b, 0x1b, "w", "T", 'b', 0},
    {3, AVX, P66, 0x1d, 0x1d, "w", "H", 'b', 0},	/* vcvtps2ph */
    {3, EVX, P66, 0x1e, 0x1f, "r", "X", 'b', 0},	/* vpcmp */
    {3, ALL, P66, 0x20, 0x20, "r", "b", 'b', 0},	/* pinsr */
    {3, ALL, P66, 0x21, 0x21, "r", "d", 'b', 0},
    {3, ALL, P66, 0x22, 0x22, "r", "Y", 'b', 0},
    {3, EVX, P66, 0x23, 0x26, "r", "X", 'b', 0},	/* vpternlog */
    {3, EVX, P66, 0x27, 0x27, "r", "f", 'b', 0},	/* vgetmant */
    {3, VEX, P66, 0x30, 0x33, "-", "0", 'b', 0},	/* kshift */
    {3, AVX, P66, 0x38, 0x38, "r", "o", 'b', 0},
    {3, AVX, P66, 0x39, 0x39, "w", "o", 'b', 0},
    {3, EVX, P66, 0x3a, 0x3a, "r", "T", 'b', 0},
    {3, EVX, P66, 0x3b, 0x3b, "w", "T", 'b', 0},
    {3, EVX, P66, 0x3e, 0x3f, "r", "X", 'b', 0},
    {3, ALL, P66, 0x40, 0x4c, "r", "X", 'b', 0},	/* dpps pclmul */
    {3, EVX, P66, 0x50, 0x50, "r", "X", 'b', 0},	/* vrange */
    {3, EVX, P66, 0x51, 0x51, "r", "f", 'b', 0},
    {3, EVX, P66, 0x54, 0x54, "r", "X", 'b', 0},	/* vfixupimm */
    {3, EVX, P66, 0x55, 0x55, "r", "f", 'b', 0},
    {3, EVX, P66, 0x56, 0x56, "r", "X", 'b', 0},	/* vreduce */
    {3, EVX, P66, 0x57, 0x57, "r", "f", 'b', 0},
    {3, VEX, P66, 0x5c, 0x5f, "r", "X", 'b', 0},	/* AMD fma4 */
    {3, LEG | VEX, P66, 0x60, 0x63, "r", "U", 'b', 0},	/* pcmpstr */
    {3, EVX, P66, 0x66, 0x66, "r", "X", 'b', 0},	/* vfpclass */
    {3, EVX, P66, 0x67, 0x67, "r", "f", 'b', 0},
    {3, VEX, P66, 0x68, 0x69, "r", "X", 'b', 0},
    {3, VEX, P66, 0x6a, 0x6a, "r", "d", 'b', 0},
    {3, VEX, P66, 0x6b, 0x6b, "r", "q", 'b', 0},
    {3, VEX, P66, 0x6c, 0x6d, "r", "X", 'b', 0},
    {3, VEX, P66, 0x6e, 0x6e, "r", "d", 'b', 0},
    {3, VEX, P66, 0x6f, 0x6f, "r", "q", 'b', 0},
    {3, VEX, P66, 0x78, 0x79, "r", "X", 'b', 0},
    {3, VEX, P66, 0x7a, 0x7a, "r", "d", 'b', 0},
    {3, VEX, P66, 0x7b, 0x7b, "r", "q", 'b', 0},
    {3, VEX, P66, 0x7c, 0x7d, "r", "X", 'b', 0},
    {3, VEX, P66, 0x7e, 0x7e, "r", "d", 'b', 0},
    {3, VEX, P66, 0x7f, 0x7f, "r", "q", 'b', 0},
    {3, EVX, P66, 0x70, 0x73, "r", "X", 'b', 0},	/* vpshld */
    {3, LEG, NP, 0xcc, 0xcc, "r", "X", 'b', 0},		/* sha1rnds4 */
    {3, ALL, P66, 0xce, 0xcf, "r", "X", 'b', 0},	/* gf2p8affine */
    {3, LEG | VEX, P66, 0xdf, 0xdf, "r", "X", 'b', 0},	/* aeskeygen */
    {3, VEX, F2, 0xf0, 0xf0, "r", "Y", 'b', 0},		/* rorx */

    /* --- EVEX maps 5 and 6: half precision (conversions are left out) --- */
    {5, EVX, F3, 0x10, 0x10, "r", "f", '0', 0},		/* vmovsh */
    {5, EVX, F3, 0x11, 0x11, "w", "f", '0', 0},
    {5, EVX, NP, 0x2e, 0x2f, "r", "f", '0', 0},		/* vcomish */
    {5, EVX, NP | F3, 0x51, 0x51, "r", "S", '0', 0},	/* vsqrtph */
    {5, EVX, NP | F3, 0x58, 0x59, "r", "S", '0', 0},	/* vaddph */
    {5, EVX, NP | F3, 0x5c, 0x5f, "r", "S", '0', 0},
    {5, EVX, P66, 0x6e, 0x6e, "r", "f", '0', 0},	/* vmovw */
    {5, EVX, P66, 0x7e, 0x7e, "w", "f", '0', 0},
    {6, EVX, P66, 0x13, 0x13, "r", "H", '0', 0},	/* vcvtph2psx */
    {6, EVX, P66, 0x96, 0x9f, "r", "G", '0', 0},	/* fma */
    {6, EVX, P66, 0xa6, 0xaf, "r", "G", '0', 0},
    {6, EVX, P66, 0xb6, 0xbf, "r", "G", '0', 0},
};

/* add or adc sbb and sub xor cmp, by opcode bits 5..3; the form by 2..0. */
static const struct x86_row alu[] = {
    {0, LEG, ANY, 0, 1, "m", "i", '0', 0},
    {0, LEG, ANY, 2, 3, "r", "i", '0', 0},
    {0, LEG, ANY, 4, 5, BARE, X_NONE},
};
static const struct x86_row alu_cmp =
    {0, LEG, ANY, 0, 1, "r", "i", '0', 0};
/* clang-format on */

const struct x86_row *
x86_lookup(const struct x86_enc *e)
{
	const struct x86_row *r;
	size_t i;

	if (e->map == 0 && e->op < 0x40) {
		if ((e->op & 7) > 5)
			return NULL;
		if (e->op == 0x38 || e->op == 0x39)
			return &alu_cmp;
		return &alu[(e->op & 7) / 2];
	}
	for (i = 0; i < NELEM(rows); i++) {
		r = &rows[i];
		if (r->map == e->map && (r->enc & e->enc) &&
		    (r->pfx & e->pfx) && e->op >= r->lo && e->op <= r->hi)
			return r;
	}
	return NULL;
}

/* The letters that stand for others, by encoding. */
static char
x86_letter(const struct x86_enc *e, char letter)
{
	int mmx = e->enc == X86_LEG && e->pfx == X86_NP;

	if (letter == 'M')
		return mmx ? 'q' : 'X';
	if (letter == 'z')
		return mmx ? 'q' : 'z';
	if (letter == 'G')
		return (e->op & 1) && (e->op & 15) >= 9 ? 'f' : 'X';
	if (letter == 'P')
		return "HREHRHHH"[e->op & 7];
	if (letter != 'S' && letter != 's')
		return letter;
	if (e->pfx == X86_F3)
		return e->map >= 5 ? 'f' : 'd';
	if (e->pfx == X86_F2)
		return 'q';
	return letter == 'S' ? 'X' : 'U';
}

/* A vector, or a part of one. */
static unsigned
x86_vector(const struct x86_enc *e, char letter, unsigned *align)
{
	switch (letter) {
	case 'X':
		*align = e->enc == X86_LEG ? e->vl : 0;
		return e->vl;
	case 'U':
		return e->vl;
	case 'A':
		*align = e->vl;
		return e->vl;
	case 'H':
		return e->vl / 2;
	case 'R':
		return e->vl / 4;
	case 'E':
		return e->vl / 8;
	case 'W':
		return e->enc == X86_EVX && e->w ? e->vl : e->vl / 2;
	case 'D':
		return e->vl == 16 ? 8 : e->vl;
	default:
		return 0;
	}
}

unsigned
x86_opsize(const struct x86_enc *e, char letter, unsigned *align)
{
	static const char letters[] = "bwdqtoTBen";
	static const unsigned char size[] = {
	    1, 2, 4, 8, 10, 16, 32, 64, 28, 108};
	const char *p;
	unsigned elt = e->map >= 5 ? 2 : e->w ? 8 : 4, n;

	*align = 0;
	letter = x86_letter(e, letter);
	/* One element repeated: only where a vector of them could stand. */
	if (e->bcast && strchr("XHRW", letter) != NULL)
		return elt;
	p = strchr(letters, letter);
	if (p != NULL && *p != '\0')
		return size[p - letters];
	switch (letter) {
	case 'F':
		*align = 16;
		return 512;
	case 'i':
		if (!(e->op & 1))
			return 1;
		/* FALLTHROUGH */
	case 'v':
		return e->w ? 8 : e->opsz ? 2 : 4;
	case 'p':
		return e->opsz ? 2 : 8;
	case 'Y':
		return e->w ? 8 : 4;
	case 'f':
		return elt;
	case 'g':
		return e->w ? 2 : 1;
	case 'k':
		n = e->opsz ? 1 : 2;
		return e->w ? n * 4 : n;
	case 'c':
		*align = e->w ? 16 : 0;
		return e->w ? 16 : 8;
	case 'z':
		*align = e->enc == X86_LEG ? 16 : 0;
		return 16;
	default:
		return x86_vector(e, letter, align);
	}
}
