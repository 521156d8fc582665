/*
 * overflow [handled]: recursion without end.  At -O2 a frame is 32 bytes or
 * less, so an ordinary 8 MiB stack holds more than 200,000 of them.  handled:
 * there is a handler, which has no room to be called either.
 *
 * case: - | SIGSEGV SEGV_MAPERR * | (recurse )+.*main
 */
#include <signal.h>

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

static void
on_signal(int sig)
{
	(void)sig;
}

int
main(int argc, char *argv[])
{
	(void)argv;
	if (argc > 1)
		signal(SIGSEGV, on_signal);
	return recurse(0);
}
