/*
 * vdso: a crash in code that is in no file.  The coarse clock is read there
 * whatever the clock source.
 *
 * case: - | SIGSEGV SEGV_MAPERR 0x10 | @lib crash_here outer main
 */
#include <time.h>

#include "victim.h"

static struct timespec *volatile nowhere = (struct timespec *)0x10;

NOINLINE static int
crash_here(void)
{
	int r = clock_gettime(CLOCK_MONOTONIC_COARSE, nowhere);

	KEEP();
	return r;
}

NOINLINE static int
outer(void)
{
	int r = crash_here();

	KEEP();
	return r;
}

int
main(void)
{
	return outer();
}
