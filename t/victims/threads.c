/*
 * threads N: N threads at rest in a place that is known, and one that
 * crashes once they are.
 *
 * case: 1 | SIGSEGV SEGV_MAPERR 0x0 | crash_here crasher
 * case: 200 | SIGSEGV SEGV_MAPERR 0x0 | crash_here crasher
 * case: 2000 | SIGSEGV SEGV_MAPERR 0x0 | crash_here crasher
 * thread: threads | (@lib )?main
 * thread: rest-[0-9]+ | (@lib )?at_rest sleeper
 */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "rest.h"
#include "victim.h"

static int *volatile nowhere;
static volatile int at_rest_now;

NOINLINE static int
at_rest(void)
{
	int r;

	__atomic_add_fetch(&at_rest_now, 1, __ATOMIC_SEQ_CST);
	r = pause();
	KEEP();
	return r;
}

static void *
sleeper(void *arg)
{
	char name[16];
	int r;

	snprintf(name, sizeof(name), "rest-%d", (int)(intptr_t)arg);
	prctl(PR_SET_NAME, name);
	r = at_rest();
	KEEP();
	return (void *)(intptr_t)r;
}

NOINLINE static void
crash_here(void)
{
	*nowhere = 1;
	KEEP();
}

static void *
crasher(void *arg)
{
	int n = (int)(intptr_t)arg;

	prctl(PR_SET_NAME, "crasher");
	wait_for_rest(&at_rest_now, n, n + 1);
	crash_here();
	KEEP();
	return NULL;
}

int
main(int argc, char *argv[])
{
	pthread_attr_t attr;
	pthread_t t;
	intptr_t i, n = argc > 1 ? atoi(argv[1]) : 1;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 64 << 10);
	for (i = 0; i < n; i++)
		if (pthread_create(&t, &attr, sleeper, (void *)i) != 0)
			return 111;
	if (pthread_create(&t, &attr, crasher, (void *)n) != 0)
		return 111;
	pthread_join(t, NULL);
	return 0;
}
