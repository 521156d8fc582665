/*
 * smash: a buffer overrun on the stack, noticed by the stack protector, or
 * (built without it) by nothing until the return goes astray.
 *
 * case: guarded | SIGABRT SI_TKILL * | @lib crash_here( @none)?
 */
#include <string.h>

#include "victim.h"

static volatile size_t much = 96;

NOINLINE static int
crash_here(void)
{
	char small[16];

	memset(small, 'A', much);
	KEEP();
	return small[3];
}

NOINLINE static int
outer(void)
{
	volatile char room[128];
	int r;

	room[0] = 1;
	r = crash_here();
	KEEP();
	return r + room[0];
}

int
main(int argc, char *argv[])
{
	(void)argc;
	(void)argv;
	return outer();
}
