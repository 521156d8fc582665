/*
 * altstack: a thread's stack overflows; the handler runs on the alternate
 * stack and gives up there.  The backtrace crosses from one to the other.
 *
 * case: - | SIGABRT SI_TKILL * | @lib on_overflow @lib (recurse )+.*worker
 * thread: altstack | (@lib )?main
 */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "victim.h"

static volatile int depth;

NOINLINE static int
recurse(int n)
{
	volatile char room[512];

	room[n & 511] = 1;
	depth = n;
	if (n < 0)
		return 0;
	n = recurse(n + 1);
	KEEP();
	return n + room[depth & 511];
}

static void
on_overflow(int sig)
{
	(void)sig;
	abort();
}

static void *
worker(void *arg)
{
	struct sigaction sa;
	stack_t ss;

	(void)arg;
	memset(&ss, 0, sizeof(ss));
	ss.ss_size = 64 << 10;
	ss.ss_sp = malloc(ss.ss_size);
	sigaltstack(&ss, NULL);
	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = on_overflow;
	sa.sa_flags = SA_ONSTACK;
	sigaction(SIGSEGV, &sa, NULL);
	depth = recurse(0);
	return NULL;
}

int
main(void)
{
	pthread_attr_t attr;
	pthread_t t;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 128 << 10);
	if (pthread_create(&t, &attr, worker, NULL) != 0)
		return 111;
	pthread_join(t, NULL);
	return 0;
}
