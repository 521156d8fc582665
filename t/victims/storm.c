/*
 * storm N: N processes that crash at the same moment.  Waits for all of
 * them; the process ids go to stdout first, one a line.
 *
 * case: 100 | SIGSEGV SEGV_MAPERR 0x0 | crash_here main
 */
#include <sys/wait.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

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
	int i, n = argc > 1 ? atoi(argv[1]) : 100, gate[2];
	char c;

	if (pipe(gate) < 0)
		return 111;
	for (i = 0; i < n; i++) {
		pid_t pid = fork();

		if (pid < 0)
			return 111;
		if (pid == 0) {
			close(gate[1]);
			if (read(gate[0], &c, 1) == 0)
				crash_here();
			_exit(1);
		}
		printf("%d\n", (int)pid);
	}
	fflush(stdout);
	close(gate[1]);
	while (wait(NULL) > 0)
		continue;
	return 0;
}
