/*
 * coroutine: a null pointer in a context of makecontext(3), whose function
 * nobody called: its return address is where __start_context begins.
 *
 * case: - | SIGSEGV SEGV_MAPERR 0x0 | crash_here routine @lib
 */
#include <stdlib.h>
#include <ucontext.h>

#include "victim.h"

enum { STACK = 65536 };

static ucontext_t outside, inside;
static int *volatile nothing;

NOINLINE static void
crash_here(int v)
{
	*nothing = v;
	KEEP();
}

static void
routine(int a, int b)
{
	swapcontext(&inside, &outside);
	crash_here(a + b);
	KEEP();
}

int
main(void)
{
	if (getcontext(&inside) == -1)
		return 1;
	inside.uc_stack.ss_sp = malloc(STACK);
	inside.uc_stack.ss_size = STACK;
	inside.uc_link = &outside;
	makecontext(&inside, (void (*)(void))routine, 2, 3, 4);
	swapcontext(&outside, &inside);
	swapcontext(&outside, &inside);
	return 0;
}
