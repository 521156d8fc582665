/*
 * overflow: recursion without end.  At -O2 a frame is 32 bytes or less, so an
 * ordinary 8 MiB stack holds more than 200,000 of them.
 *
 * case: - | SIGSEGV SEGV_MAPERR * | (recurse )+.*main
 */
#include "victim.h"

static volatile int depth;

NOINLINE static int
recurse(int n)
{
	depth = n;
	if (n < 0)
		return 0;
	n = recurse(n + 1);
	KEEP();
	return n + depth;
}

int
main(void)
{
	return recurse(0);
}
