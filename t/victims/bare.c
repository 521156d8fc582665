/*
 * bare: built without unwind data and without frame pointers; calls go through
 * pointers, out of loops and past early returns.  What the functions push is
 * all that tells where a return address lies.
 *
 * case: - | SIGSEGV SEGV_MAPERR 0x18 | crash_here through looping early main
 * case: thread | SIGSEGV SEGV_MAPERR 0x18 | crash_here through looping early
 * worker( start __clone)?
 */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "victim.h"

typedef int fn(int, int *);

static int *volatile low = (int *)0x18;

NOINLINE static int
crash_here(int n, int *p)
{
	*p = n;
	KEEP();
	return n + 1;
}

#ifdef DIRECT /* without symbols only these calls tell where they lead */
#define pointer crash_here
#define second through
#else
static fn *volatile pointer = crash_here;
#endif

NOINLINE static int
through(int n, int *p)
{
	int r = pointer(n, p) * 3;

	KEEP();
	return r + n;
}

#ifndef DIRECT
static fn *volatile second = through;
#endif

NOINLINE static int
looping(int n, int *p)
{
	volatile char room[200];
	int sum = 0, i;

	for (i = 0; i < n; i++) {
		room[i % 200] = (char)i;
		if (i == n - 1)
			sum += second(i, p);
		else
			sum += room[(i * 7) % 200];
	}
	KEEP();
	return sum;
}

NOINLINE static int
early(int n, int *p)
{
	int r;

	if (n < 0)
		return 1;
	if (n == 1000)
		return snprintf(NULL, 0, "%d", n);
	switch (n) {
	case 3:
		r = looping(20, p) + n;
		break;
	case 4:
		r = looping(4, p) - n;
		break;
	case 5:
		r = looping(5, p) * n;
		break;
	default:
		return looping(n, p) ^ n;
	}
	KEEP();
	return r;
}

NOINLINE static void *
worker(void *p)
{
	int r = early(5, p);

	KEEP();
	return r ? p : NULL;
}

int
main(int argc, char *argv[])
{
	pthread_t t;

	if (argc > 1 && strcmp(argv[1], "thread") == 0) {
		if (pthread_create(&t, NULL, worker, low) != 0)
			return 111;
		pthread_join(t, NULL);
	}
	return early(argc + 2, low);
}
