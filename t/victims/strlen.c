/*
 * strlen: a null pointer handed to libc.
 *
 * case: - | SIGSEGV SEGV_MAPERR 0x0 | (@lib|strlen) crash_here outer main
 */
#include <string.h>

#include "victim.h"

static const char *volatile nothing;

NOINLINE static size_t
crash_here(void)
{
	size_t n = strlen(nothing);

	KEEP();
	return n;
}

NOINLINE static size_t
outer(void)
{
	size_t n = crash_here();

	KEEP();
	return n + 1;
}

int
main(void)
{
	return (int)outer();
}
