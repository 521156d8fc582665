/*
 * live [N]: does not crash: threads that stay where the truth puts them, for
 * whoever looks at a running process.  Says "ready" when they are there.  With
 * N, besides main so many sleepers and nobody else.
 *
 * thread: live | (@lib )?in_main main
 * thread: sleeper | @lib in_pause pauses
 * thread: spinner | spins
 * thread: reader | @lib in_read reads
 */
#include <sys/prctl.h>

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rest.h"
#include "victim.h"

static int never[2];
static volatile unsigned long turns;
static volatile int at_rest;

NOINLINE static int
in_pause(void)
{
	int r;

	__atomic_add_fetch(&at_rest, 1, __ATOMIC_SEQ_CST);
	r = pause();
	KEEP();
	return r;
}

static void *
pauses(void *arg)
{
	int r;

	(void)arg;
	prctl(PR_SET_NAME, "sleeper");
	r = in_pause();
	KEEP();
	return (void *)(intptr_t)r;
}

static void *
spins(void *arg)
{
	(void)arg;
	prctl(PR_SET_NAME, "spinner");
	for (;;)
		turns++;
	return NULL;
}

NOINLINE static ssize_t
in_read(void)
{
	char c;
	ssize_t n;

	__atomic_add_fetch(&at_rest, 1, __ATOMIC_SEQ_CST);
	n = read(never[0], &c, 1);
	KEEP();
	return n;
}

static void *
reads(void *arg)
{
	ssize_t n;

	(void)arg;
	prctl(PR_SET_NAME, "reader");
	n = in_read();
	KEEP();
	return (void *)(intptr_t)n;
}

NOINLINE static int
in_main(int sleepers)
{
	while (sleepers == -1 && turns == 0)
		usleep(1000);
	sleepers = sleepers == -1 ? 2 : sleepers;
	wait_for_rest(&at_rest, sleepers, sleepers);
	puts("ready");
	fflush(stdout);
	for (;;)
		pause();
	return 0;
}

int
main(int argc, char *argv[])
{
	void *(*const jobs[])(void *) = {pauses, spins, reads};
	int sleepers = argc > 1 ? atoi(argv[1]) : -1, i;
	pthread_t t;

	prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0);
	if (pipe(never) < 0)
		return 111;
	for (i = 0; i < (sleepers == -1 ? 3 : sleepers); i++)
		if (pthread_create(
			&t, NULL, sleepers == -1 ? jobs[i] : pauses, NULL) != 0)
			return 111;
	return in_main(sleepers);
}
