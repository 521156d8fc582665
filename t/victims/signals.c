/*
 * signals: the fatal signals that are not SIGSEGV.
 *
 * case: fpe | SIGFPE FPE_INTDIV * | crash_here outer main
 * case: ill | SIGILL ILL_ILLOPN * | crash_here outer main
 * case: bus | SIGBUS BUS_ADRERR * | crash_here outer main
 * case: trap | SIGTRAP * * | crash_here outer main
 * case: kill | SIGSEGV SI_USER * | @lib crash_here outer main
 * case: quit | SIGQUIT SI_USER * | @lib crash_here outer main
 */
#include <sys/mman.h>

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "victim.h"

static volatile int zero;

static volatile char *
cut_mapping(void)
{
	FILE *f = tmpfile();
	char *p;

	if (f == NULL || ftruncate(fileno(f), 4096) < 0)
		return NULL;
	p = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fileno(f), 0);
	if (p == MAP_FAILED || ftruncate(fileno(f), 0) < 0)
		return NULL;
	return p;
}

NOINLINE static int
crash_here(const char *how)
{
	volatile char *p;

	switch (how[0]) {
	case 'f':
#if defined(__x86_64__)
		return 4711 / zero;
#else
		return raise(SIGFPE); /* the others divide by zero happily */
#endif
	case 'i':
#if defined(__x86_64__)
		__asm__ volatile("ud2");
#elif defined(__aarch64__)
		__asm__ volatile("udf #0");
#endif
		return 1;
	case 'b':
		p = cut_mapping();
		return p == NULL ? 0 : *p;
	case 't':
#if defined(__x86_64__)
		__asm__ volatile("int3");
#elif defined(__aarch64__)
		__asm__ volatile("brk #0");
#endif
		return 1;
	case 'k':
		return kill(getpid(), SIGSEGV);
	default:
		signal(SIGQUIT, SIG_DFL); /* as a background job has it not */
		return kill(getpid(), SIGQUIT);
	}
}

NOINLINE static int
outer(const char *how)
{
	int r = crash_here(how);

	KEEP();
	return r;
}

int
main(int argc, char *argv[])
{
	return argc < 2 ? 100 : outer(argv[1]);
}
