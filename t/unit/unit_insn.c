/*
 * unit_insn: bpf/insn.  Prints one line per failed check; exits 0 when there
 * was none.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bpf/insn.h"

#include "check.h"

/* Bytes as the standard of the instruction set has them (little-endian
 * hosts: the first register is the low half of the second byte). */
static int
is(struct bpf_insn i, const char *bytes)
{
	return memcmp(&i, bytes, 8) == 0;
}

static void
test_encodings(void)
{
	CHECK(sizeof(struct bpf_insn) == 8);
	CHECK(is(MOV(R6, R1), "\xbf\x16\0\0\0\0\0\0"));
	CHECK(is(MOVI(R0, -1), "\xb7\x00\0\0\xff\xff\xff\xff"));
	CHECK(is(ADD(R1, R2), "\x0f\x21\0\0\0\0\0\0"));
	CHECK(is(ADDI(R2, -8), "\x07\x02\0\0\xf8\xff\xff\xff"));
	CHECK(is(SUB(R1, R8), "\x1f\x81\0\0\0\0\0\0"));
	CHECK(is(ANDI(R8, -4096), "\x57\x08\0\0\x00\xf0\xff\xff"));
	CHECK(is(OR(R2, R1), "\x4f\x12\0\0\0\0\0\0"));
	CHECK(is(ORI(R1, 16), "\x47\x01\0\0\x10\0\0\0"));
	CHECK(is(XORI(R1, 0x2d), "\xa7\x01\0\0\x2d\0\0\0"));
	CHECK(is(MULI(R1, 16), "\x27\x01\0\0\x10\0\0\0"));
	CHECK(is(LSH(R1, R6), "\x6f\x61\0\0\0\0\0\0"));
	CHECK(is(RSH(R2, R1), "\x7f\x12\0\0\0\0\0\0"));
	CHECK(is(LSHI(R1, 32), "\x67\x01\0\0\x20\0\0\0"));
	CHECK(is(RSHI(R0, 32), "\x77\x00\0\0\x20\0\0\0"));
	CHECK(is(LD8(R1, R3, 5), "\x71\x31\x05\0\0\0\0\0"));
	CHECK(is(LD16(R1, FP, -2), "\x69\xa1\xfe\xff\0\0\0\0"));
	CHECK(is(LD32(R1, R7, 24), "\x61\x71\x18\0\0\0\0\0"));
	CHECK(is(LD64(R1, R6, 8), "\x79\x61\x08\0\0\0\0\0"));
	CHECK(is(ST32(R7, 4, R1), "\x63\x17\x04\0\0\0\0\0"));
	CHECK(is(ST64(FP, -16, R0), "\x7b\x0a\xf0\xff\0\0\0\0"));
	CHECK(is(ST32I(FP, -8, 0), "\x62\x0a\xf8\xff\0\0\0\0"));
	CHECK(is(ST64I(R7, 8, -95), "\x7a\x07\x08\0\xa1\xff\xff\xff"));
	CHECK(is(XADD64(R0, 0, R3), "\xdb\x30\0\0\0\0\0\0"));
	CHECK(is(CALL(113), "\x85\0\0\0\x71\0\0\0"));
	CHECK(is(EXIT(), "\x95\0\0\0\0\0\0\0"));
	CHECK(is(JA(), "\x05\0\0\0\0\0\0\0"));
	CHECK(is(JEQI(R1, 3), "\x15\x01\0\0\x03\0\0\0"));
	CHECK(is(JNEI(R0, 0), "\x55\x00\0\0\0\0\0\0"));
	CHECK(is(JGTI(R1, 63), "\x25\x01\0\0\x3f\0\0\0"));
	CHECK(is(JGEI(R6, 17), "\x35\x06\0\0\x11\0\0\0"));
	CHECK(is(JSLEI(R0, 0), "\xd5\x00\0\0\0\0\0\0"));
	CHECK(is(JGT(R1, R2), "\x2d\x21\0\0\0\0\0\0"));
	CHECK(is(JGE(R6, R1), "\x3d\x16\0\0\0\0\0\0"));
}

static void
test_labels(void)
{
	struct insns p;
	int back, fore, func;

	insns_init(&p);
	back = insn_label(&p);
	fore = insn_label(&p);
	func = insn_label(&p);
	insn_here(&p, back);
	insn_jump(&p, JEQI(R1, 1), fore, "a");	     /* 0 */
	insn_imm64(&p, R2, 0x123456789abcdef0, "b"); /* 1, 2 */
	insn_map(&p, R3, 77, "c");		     /* 3, 4 */
	insn_func(&p, R4, func, "d");		     /* 5, 6 */
	insn_jump(&p, JA(), back, "e");		     /* 7 */
	insn_here(&p, fore);
	insn_add(&p, EXIT(), "f"); /* 8 */
	insn_here(&p, func);
	insn_add(&p, EXIT(), "g"); /* 9 */
	CHECK(insns_finish(&p) == 0 && p.n == 10);
	CHECK(p.insn[0].off == 7);
	CHECK(is(p.insn[1], "\x18\x02\0\0\xf0\xde\xbc\x9a"));
	CHECK(is(p.insn[2], "\0\0\0\0\x78\x56\x34\x12"));
	CHECK(is(p.insn[3], "\x18\x13\0\0\x4d\0\0\0"));
	CHECK(is(p.insn[5], "\x18\x44\0\0\x03\0\0\0"));
	CHECK(p.insn[7].off == -8);
	CHECK(strcmp(p.mean[7], "e") == 0 && *p.mean[2] == '\0');
	insns_free(&p);
}

static void
test_errors(void)
{
	struct insns p;
	int l, i;

	insns_init(&p);
	l = insn_label(&p);
	insn_jump(&p, JA(), l, "");
	CHECK(insns_finish(&p) == -1 && errno == EINVAL);
	insns_free(&p);

	insns_init(&p);
	l = insn_label(&p);
	insn_here(&p, l);
	insn_here(&p, l);
	CHECK(insns_finish(&p) == -1 && errno == EINVAL);
	insns_free(&p);

	insns_init(&p);
	insn_here(&p, 3);
	CHECK(insns_finish(&p) == -1 && errno == EINVAL);
	insns_free(&p);

	/* the furthest jump there is, and one too far */
	for (i = 32767; i <= 32768; i++) {
		insns_init(&p);
		l = insn_label(&p);
		insn_jump(&p, JA(), l, "");
		while (p.n <= (size_t)i)
			insn_add(&p, EXIT(), "");
		insn_here(&p, l);
		insn_add(&p, EXIT(), "");
		if (i == 32767)
			CHECK(insns_finish(&p) == 0 && p.insn[0].off == 32767);
		else
			CHECK(insns_finish(&p) == -1 && errno == ERANGE);
		insns_free(&p);
	}

	insns_init(&p);
	for (i = 0; i <= INSN_MAX; i++)
		insn_add(&p, EXIT(), "");
	CHECK(insns_finish(&p) == -1 && errno == E2BIG);
	insns_free(&p);

	insns_init(&p);
	for (i = 0; i <= INSN_LABELS; i++)
		insn_label(&p);
	CHECK(insns_finish(&p) == -1 && errno == E2BIG);
	insns_free(&p);
}

int
main(void)
{
	test_encodings();
	test_labels();
	test_errors();
	return failed != 0;
}
