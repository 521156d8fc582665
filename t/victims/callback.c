/*
 * callback: a crash in a function that libc called.
 *
 * case: - | SIGSEGV SEGV_MAPERR 0x0 | crash_here compare @lib outer main
 */
#include <stdlib.h>

#include "victim.h"

static int *volatile nowhere;
static int numbers[100];

NOINLINE static int
crash_here(void)
{
	*nowhere = 1;
	return 1;
}

static int
compare(const void *a, const void *b)
{
	int r = crash_here();

	KEEP();
	return r + *(const int *)a - *(const int *)b;
}

NOINLINE static void
outer(void)
{
	qsort(numbers, 100, sizeof(numbers[0]), compare);
	KEEP();
}

int
main(void)
{
	outer();
	return 0;
}
