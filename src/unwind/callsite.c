#include "unwind/callsite.h"

#include <string.h>

#if defined(__x86_64__)
/* Intel SDM volume 2: E8 CALL rel32, FF /2 CALL r/m64, FF /4 JMP r/m64, E9 and
 * EB JMP; ModRM and SIB as in table 2-2 and 2-3. */
enum { CALL_MAX = 8, MODRM_RIP = 5, MODRM_SIB = 4 };

static uint64_t
relative(const unsigned char *p, uint64_t end)
{
	int32_t rel;

	memcpy(&rel, p, sizeof(rel));
	return end + (uint64_t)(int64_t)rel;
}

/* Length of FF and its operand at p, of which n bytes are there; 0 too long. */
static size_t
operand_length(const unsigned char *p, size_t n)
{
	unsigned mod = p[1] >> 6, rm = p[1] & 7;
	size_t len = 2;

	if (mod != 3 && rm == MODRM_SIB) {
		if (n < 3)
			return 0;
		len++;
		if (mod == 0 && (p[2] & 7) == 5)
			len += 4;
	}
	if (mod == 1)
		len += 1;
	else if (mod == 2 || (mod == 0 && rm == MODRM_RIP))
		len += 4;
	return len;
}

enum callsite
callsite_find(struct target *t, uint64_t ra, uint64_t *dest)
{
	unsigned char c[CALL_MAX], *p;
	size_t i;

	if (ra < CALL_MAX ||
	    target_read(t, ra - CALL_MAX, c, CALL_MAX) != CALL_MAX)
		return CALL_UNKNOWN;
	if (c[CALL_MAX - 5] == 0xe8) {
		*dest = relative(c + CALL_MAX - 4, ra);
		if (target_code(t, *dest) != NULL)
			return CALL_DIRECT;
	}
	for (i = 2; i < CALL_MAX; i++) {
		p = c + CALL_MAX - i;
		if (p[0] != 0xff || (p[1] >> 3 & 7) != 2 ||
		    operand_length(p, i) != i)
			continue;
		if ((p[1] & 0xc7) == MODRM_RIP &&
		    target_word(t, relative(p + 2, ra), dest) == 0 &&
		    target_code(t, *dest) != NULL)
			return CALL_DIRECT;
		return CALL_INDIRECT;
	}
	return CALL_NONE;
}

int
callsite_follow(struct target *t, uint64_t *addr)
{
	static const unsigned char endbr[] = {0xf3, 0x0f, 0x1e, 0xfa};
	unsigned char c[16];
	size_t n = target_read(t, *addr, c, sizeof(c)), i = 0;

	if (n < sizeof(c))
		return 0;
	if (memcmp(c, endbr, sizeof(endbr)) == 0)
		i = sizeof(endbr);
	if (c[i] == 0xf2) /* bnd */
		i++;
	if (c[i] == 0xe9)
		*addr = relative(c + i + 1, *addr + i + 5);
	else if (c[i] == 0xeb)
		*addr += i + 2 + (uint64_t)(int64_t)(int8_t)c[i + 1];
	else if (c[i] != 0xff || c[i + 1] != 0x25 ||
	    target_word(t, relative(c + i + 2, *addr + i + 6), addr) == -1)
		return 0;
	return 1;
}

#elif defined(__aarch64__)
/* Arm ARM C4.1: B and BL imm26, BR and BLR, ADRP, LDR (immediate, 64-bit). */
static uint64_t
branch(uint32_t insn, uint64_t at)
{
	return at + (uint64_t)((int64_t)((uint64_t)insn << 38) >> 36);
}

enum callsite
callsite_find(struct target *t, uint64_t ra, uint64_t *dest)
{
	uint32_t insn;

	if (ra < sizeof(insn) ||
	    target_read(t, ra - sizeof(insn), &insn, sizeof(insn)) !=
		sizeof(insn))
		return CALL_UNKNOWN;
	if (insn >> 26 == 0x25) {
		*dest = branch(insn, ra - sizeof(insn));
		return CALL_DIRECT;
	}
	/* BLR, and with pointer authentication BLRAA and the like */
	return (insn & 0xfefff000) == 0xd63f0000 ? CALL_INDIRECT : CALL_NONE;
}

int
callsite_follow(struct target *t, uint64_t *addr)
{
	enum { BTI_C = 0xd503245f, BR_X17 = 0xd61f0220 };
	uint32_t c[5];
	uint64_t page;
	size_t i = 0;

	if (target_read(t, *addr, c, sizeof(c)) != sizeof(c))
		return 0;
	if (c[0] == BTI_C)
		i++;
	if (c[i] >> 26 == 5) {
		*addr = branch(c[i], *addr + 4 * i);
		return 1;
	}
	/* adrp x16, slot; ldr x17, [x16, slot]; add x16, ...; br x17 */
	if ((c[i] & 0x9f00001f) != 0x90000010 ||
	    (c[i + 1] & 0xffc003ff) != 0xf9400211 || c[i + 3] != BR_X17)
		return 0;
	page =
	    (uint64_t)((int64_t)((uint64_t)(c[i] >> 5 & 0x7ffff) << 45) >> 43);
	page = (page | (c[i] >> 29 & 3)) << 12;
	page += (*addr + 4 * i) & ~UINT64_C(0xfff);
	return target_word(t, page + (c[i + 1] >> 10 & 0xfff) * 8, addr) == 0;
}
#else
enum callsite
callsite_find(struct target *t, uint64_t ra, uint64_t *dest)
{
	(void)t;
	(void)ra;
	(void)dest;
	return CALL_UNKNOWN;
}

int
callsite_follow(struct target *t, uint64_t *addr)
{
	(void)t;
	(void)addr;
	return 0;
}
#endif
