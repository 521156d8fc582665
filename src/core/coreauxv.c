/* The auxiliary vector of a process, as NT_AUXV has it (getauxval(3)). */
#include <elf.h>
#include <string.h>

#include "core/corehead.h"

uint64_t
core_auxv(const unsigned char *auxv, size_t len, uint64_t type, uint64_t dflt)
{
	uint64_t v[2];

	for (; len >= sizeof(v); auxv += sizeof(v), len -= sizeof(v)) {
		memcpy(v, auxv, sizeof(v));
		if (v[0] == type)
			return v[1];
		if (v[0] == AT_NULL)
			break;
	}
	return dflt;
}

/* Entry i of an auxv; 0 when it is not all there. */
static int
auxv_entry(
    const unsigned char *p, size_t len, size_t i, size_t wordlen, uint64_t v[2])
{
	uint32_t narrow[2];

	if (i >= len / (2 * wordlen))
		return 0;
	if (wordlen == 8) {
		memcpy(v, p + i * 16, 16);
		return 1;
	}
	memcpy(narrow, p + i * 8, 8);
	v[0] = narrow[0];
	v[1] = narrow[1];
	return 1;
}

int
core_auxv_same(const unsigned char *a, size_t alen, const unsigned char *b,
    size_t blen, size_t wordlen)
{
	uint64_t x[2], y[2];
	int random = 0;
	size_t i;

	for (i = 0; auxv_entry(a, alen, i, wordlen, x) &&
	     auxv_entry(b, blen, i, wordlen, y);
	     i++) {
		if (x[0] != y[0] || x[1] != y[1])
			return 0;
		if (x[0] == AT_NULL)
			return random;
		random |= x[0] == AT_RANDOM;
	}
	return 0;
}
