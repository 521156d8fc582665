/*
 * document: the test program of segfault_analyzer's interface document.
 * "both" gets over the first fault by a handler, "second" begins there.
 *
 * case: first | SIGSEGV SEGV_MAPERR 0x0 | main
 * case: second | SIGSEGV SEGV_ACCERR * | main
 * case: both | SIGSEGV SEGV_ACCERR * | main
 */
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "victim.h"

static sigjmp_buf next;

static void
on_signal(int sig)
{
	(void)sig;
	siglongjmp(next, 1);
}

int
main(int argc, char *argv[])
{
	const char *how = argc > 1 ? argv[1] : "first";
	const char *text = "test";
	/* volatile: it is the fault that is wanted */
	int *volatile p = NULL;
	char *volatile readonly;

	memcpy((void *)&readonly, &text, sizeof(readonly));
	printf("readonly %p\n", (void *)readonly);
	fflush(stdout);
	if (strcmp(how, "both") == 0)
		signal(SIGSEGV, on_signal);
	if (strcmp(how, "second") != 0 && sigsetjmp(next, 1) == 0)
		*p = 42; /* SEGV_MAPERR */
	signal(SIGSEGV, SIG_DFL);
	readonly[0] = 'x'; /* SEGV_ACCERR */
	return 0;
}
