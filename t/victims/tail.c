/*
 * tail: built with -O2 -g: "middle" is left by a jump and "folded" is
 * inlined.  Neither has a frame; a debugger shows both as if they had.
 *
 * case: - | SIGSEGV SEGV_MAPERR 0x0 | crash_here outer main
 */
#include "victim.h"

static int *volatile nowhere;

NOINLINE static int
crash_here(int n)
{
	*nowhere = n;
	return n + 1;
}

NOINLINE static int
middle(int n)
{
	return crash_here(n * 3);
}

static inline __attribute__((always_inline)) int
folded(int n)
{
	int r = middle(n + 7);

	KEEP();
	return r + 1;
}

NOINLINE static int
outer(int n)
{
	int r = folded(n);

	KEEP();
	return r;
}

int
main(int argc, char *argv[])
{
	int r;

	(void)argv;
	r = outer(argc);
	KEEP();
	return r;
}
