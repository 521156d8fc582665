#include "memop_check.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"

unsigned absent;

int
decode(int machine, const void *code, size_t n, const uint64_t *regs,
    uint64_t fault, int valid, struct memop *m)
{
	unsigned char *copy = malloc(n + 1);
	struct memop_in in = {machine, copy + 1, n, regs, fault, valid};
	int r;

	if (copy == NULL)
		exit(111);
	memcpy(copy + 1, code, n);
	r = memop_decode(&in, m);
	free(copy);
	return r;
}

void
check_cut(const char *text, int machine, const unsigned char *code, size_t n,
    const uint64_t *regs, const struct memop *whole)
{
	struct memop m;
	size_t i;

	for (i = 0; i < n; i++) {
		errno = 0;
		if (decode(machine, code, i, regs, 0, 0, &m) == -1)
			CHECK_OF(text, errno == ERANGE && m.access == 0);
		else if (m.have_ea)
			CHECK_OF(text, m.ea == whole->ea);
	}
}
