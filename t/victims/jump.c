/*
 * jump: a call through a bad pointer: nowhere, into the heap (which is not
 * executable), to a non-canonical address.  There the x86 faults in the call
 * itself, before anything is pushed, and reports no address.
 *
 * case: zero | SIGSEGV SEGV_MAPERR 0x0 | @none crash_here outer main
 * case: heap | SIGSEGV SEGV_ACCERR * | @none crash_here outer main
 * case: wild | SIGSEGV SI_KERNEL * | (@none )?crash_here outer main
 *
 * "at ADDRESS" jumps there.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "victim.h"

static volatile uintptr_t where;

NOINLINE static void
crash_here(void)
{
	((void (*)(void))where)();
	KEEP();
}

NOINLINE static void
outer(void)
{
	crash_here();
	KEEP();
}

int
main(int argc, char *argv[])
{
	if (argc < 2)
		return 100;
	if (strcmp(argv[1], "heap") == 0)
		where = (uintptr_t)calloc(1, 64);
	else if (strcmp(argv[1], "wild") == 0)
		where = (uintptr_t)0x4141414141414141;
	else if (strcmp(argv[1], "at") == 0 && argc > 2)
		where = (uintptr_t)strtoull(argv[2], NULL, 16);
	outer();
	return 0;
}
