/*
 * comm NAME: takes that name and crashes.
 *
 * case: name | SIGSEGV SEGV_MAPERR 0x0 | crash_here main
 */
#include <sys/prctl.h>

#include "victim.h"

static int *volatile nowhere;

NOINLINE static void
crash_here(void)
{
	*nowhere = 1;
	KEEP();
}

int
main(int argc, char *argv[])
{
	if (argc > 1)
		prctl(PR_SET_NAME, argv[1]);
	crash_here();
	return 0;
}
