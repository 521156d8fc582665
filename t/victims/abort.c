/*
 * abort: abort(3) and a failed assert(3).  abort does not return, so at -O2
 * the call is the last instruction of give_up and the return address belongs
 * to the next function: only a look-up at the address before it is right.
 *
 * case: - | SIGABRT SI_TKILL * | @lib give_up outer main
 * case: assert | SIGABRT SI_TKILL * | @lib check outer main
 */
#undef NDEBUG
#include <assert.h>
#include <stdlib.h>

#include "victim.h"

static volatile int zero;

NOINLINE static void
give_up(void)
{
	abort();
}

NOINLINE static void
check(void)
{
	assert(zero == 1);
	KEEP();
}

NOINLINE static int
outer(int argc)
{
	if (argc > 1)
		check();
	else
		give_up();
	KEEP();
	return zero;
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
