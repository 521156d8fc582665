/*
 * null: a write through a null pointer, four calls deep.  Built in many ways
 * (victims.mk): the truth is the same for all of them.
 *
 * case: - | SIGSEGV SEGV_MAPERR 0x0 | crash_here inner outer main
 */
#include <stdio.h>

#include "victim.h"

static int *volatile nowhere;

NOINLINE static int
crash_here(int n)
{
	*nowhere = n;
	return n + 1;
}

NOINLINE static int
inner(int n)
{
	int r = crash_here(n + 1);

	KEEP();
	return r + 2;
}

NOINLINE static int
outer(int n)
{
	char text[64];

	snprintf(text, sizeof(text), "%d", inner(n + 1));
	KEEP();
	return text[0];
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
