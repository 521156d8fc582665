/*
 * causes: faults whose cause is easily told wrong.
 *
 * case: table | SIGSEGV SI_KERNEL * | crash_here outer main
 * case: small | SIGSEGV SEGV_MAPERR 0x1234 | @none crash_here outer main
 * case: handler | SIGABRT SI_TKILL * | @lib on_abort @lib crash_here outer main
 * case: plain | SIGABRT SI_TKILL * | @lib plain_abort @lib crash_here outer
 * main case: raise | SIGSEGV SI_TKILL * | @lib on_raise @lib crash_here outer
 * main case: blocked | SIGSEGV SI_TKILL * | crash_here outer main case: stale |
 * SIGABRT SI_TKILL * | @lib on_usr @lib outer main
 *
 * What the report is to say, as an extended regular expression:
 * cause table: execution at non-canonical address 0x4141414141414141 in .*
 * cause small: jump to null pointer at offset 0x1234 called from crash_here
 * cause handler: aborted by its handler of SIGSEGV: null pointer write at
 *  offset 0x18 in crash_here
 * cause plain: aborted by its handler of SIGSEGV: null pointer write at offset
 *  0x18 in crash_here
 * cause raise: null pointer write at offset 0x18 in crash_here, raised again
 *  by its handler
 * cause blocked: null pointer write at offset 0x18 in crash_here, raised again
 *  by its handler
 * cause stale: aborted
 */
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "victim.h"

static uintptr_t table[4] = {0, 0, 0x1234, 0x4141414141414141};
static int *volatile low = (int *)0x18;

static void
on_abort(int sig, siginfo_t *si, void *context)
{
	(void)sig;
	(void)si;
	(void)context;
	abort();
}

static void
plain_abort(int sig)
{
	(void)sig;
	abort();
}

/* As gfortran's: raised while it is blocked, it comes when this returns. */
static void
on_blocked(int sig)
{
	signal(sig, SIG_DFL);
	raise(sig);
}

static void
on_raise(int sig)
{
	sigset_t set;

	signal(sig, SIG_DFL);
	sigemptyset(&set);
	sigaddset(&set, sig);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	raise(sig);
}

/* No fault before: nothing may be made of what its frame holds. */
static void
on_usr(int sig)
{
	(void)sig;
	abort();
}

NOINLINE static void
crash_here(const char *how)
{
	void (**f)(void) = (void (**)(void))table;

	if (strcmp(how, "table") == 0)
		f[3]();
	else if (strcmp(how, "small") == 0)
		f[2]();
	else
		*low = 1;
	KEEP();
}

NOINLINE static void
outer(const char *how)
{
	struct sigaction sa;

	memset(&sa, 0, sizeof(sa));
	if (strcmp(how, "handler") == 0) {
		sa.sa_sigaction = on_abort;
		sa.sa_flags = SA_SIGINFO;
		sigaction(SIGSEGV, &sa, NULL);
	} else if (strcmp(how, "plain") == 0) {
		signal(SIGSEGV, plain_abort);
	} else if (strcmp(how, "raise") == 0) {
		signal(SIGSEGV, on_raise);
	} else if (strcmp(how, "blocked") == 0) {
		signal(SIGSEGV, on_blocked);
	} else if (strcmp(how, "stale") == 0) {
		signal(SIGUSR1, on_usr);
		raise(SIGUSR1);
	}
	crash_here(how);
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
