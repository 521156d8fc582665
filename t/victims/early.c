/*
 * early: faults before main(), below which stands nothing but the dynamic
 * loader: in a library's constructor (early.so, built of this with LIBRARY),
 * in the resolver of an indirect function.
 *
 * case: - | SIGSEGV SEGV_MAPERR 0x0 | @lib
 * case: resolver | SIGSEGV SEGV_MAPERR 0x8 | (resolve|function) @lib
 */
#include <string.h>

#include "victim.h"

#ifdef LIBRARY
static int *volatile nothing;

NOINLINE static void
crash_here(void)
{
	*nothing = 1;
	KEEP();
}

__attribute__((constructor)) static void
construct(void)
{
	crash_here();
	KEEP();
}

int
library(void)
{
	return 3;
}
#elif defined(RESOLVER)
static void
implementation(void)
{
}

/* named by a string only, which clang before 19 does not see */
__attribute__((used)) static void (*resolve(void))(void)
{
	*(volatile int *)8 = 3;
	return implementation;
}

void function(void) __attribute__((ifunc("resolve")));

int
main(void)
{
	function();
	return 0;
}
#else
int library(void);

int
main(void)
{
	return library();
}
#endif
