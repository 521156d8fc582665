/*
 * handler: crashes inside signal handlers.
 *
 * case: raised | SIGSEGV SEGV_MAPERR 0x0 | crash_here on_signal @lib outer main
 * case: fault | SIGABRT SI_TKILL * | @lib on_fault @lib first_insn outer main
 * case: twice | SIGSEGV SEGV_MAPERR 0x0 | crash_here on_signal @lib first_insn
 * outer main
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "victim.h"

void first_insn(int *);

static int *volatile nowhere;

NOINLINE static void
crash_here(void)
{
	*nowhere = 1;
	KEEP();
}

static void
on_signal(int sig)
{
	(void)sig;
	crash_here();
	KEEP();
}

static void
on_fault(int sig)
{
	(void)sig;
	abort();
}

NOINLINE static void
outer(const char *how)
{
	struct sigaction sa;

	memset(&sa, 0, sizeof(sa));
	if (strcmp(how, "raised") == 0) {
		sa.sa_handler = on_signal;
		sigaction(SIGUSR1, &sa, NULL);
		raise(SIGUSR1);
	} else {
		sa.sa_handler = strcmp(how, "twice") ? on_fault : on_signal;
		sigaction(SIGSEGV, &sa, NULL);
		first_insn(nowhere);
	}
	KEEP();
}

int
main(int argc, char *argv[])
{
	if (argc < 2)
		return 100;
	outer(argv[1]);
	return 0;
}
