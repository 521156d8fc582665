/*
 * unit_memop: memop against the processor that runs it.
 *
 * Each instruction meets a page it may not touch: the page fault's address and
 * error code say what it would have done, memop must say the same.  Then a
 * page it may only read (a write must fault, a read must not), an operand that
 * just fits before such a page and one that does not (the size), a misaligned
 * one (the alignment), and a non-canonical address (no fault address at all).
 * The other machine's encodings are checked against a table.
 */
#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "memop_check.h"
#include "memop_run.h"

/* Whatever the bytes: an answer within bounds, the same one twice. */
static void
check_hostile(void)
{
	uint64_t regs[40] = {0}, seed = 88172645463325252u;
	unsigned char code[16];
	struct memop a, b;
	size_t i, n;
	int k, machine;

	for (i = 0; i < 400000; i++) {
		for (k = 0; k < 16; k++) {
			seed ^= seed << 13;
			seed ^= seed >> 7;
			seed ^= seed << 17;
			code[k] = (unsigned char)(seed >> 32);
		}
		if (i & 1) /* more of the long encodings */
			code[0] = "\x0f\x62\xc4\xc5\x66\xf2\x48\x8f"[seed & 7];
		n = seed >> 8 & 15;
		machine = i & 2 ? EM_X86_64 : EM_AARCH64;
		for (k = 0; k < 40; k++)
			regs[k] = seed * (uint64_t)k;
		if (decode(machine, code, n, regs, seed, i & 4, &a) == 0) {
			CHECK_OF("hostile", (a.access & ~7) == 0);
			CHECK_OF("hostile", a.have_ea == 0 || a.have_ea == 1);
			CHECK_OF("hostile", a.have_ea == 0 || a.access != 0);
		} else {
			CHECK_OF("hostile", errno == EINVAL || errno == ERANGE);
			CHECK_OF("hostile", a.access == 0 && !a.have_ea);
		}
		decode(machine, code, n, regs, seed, i & 4, &b);
		CHECK_OF("hostile", memcmp(&a, &b, sizeof(a)) == 0);
	}
	CHECK_OF("machine",
	    decode(EM_386, code, 16, regs, 0, 0, &a) == -1 && errno == EINVAL);
}

int
main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	check_hostile();
	run_init();
	check_a64();
	check_x86();
	printf("%u instructions unknown to this processor\n", absent);
	return check_report();
}
