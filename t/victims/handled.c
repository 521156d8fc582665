/*
 * handled N [DEPTH [PROCESSES [RATE]]]: that many SIGSEGV, each caught by a
 * handler that steps over it, DEPTH calls deep, in each of the processes, at
 * most RATE a second in each, a hundred at a time; then two numbers go to
 * stdout: the nanoseconds that one took, on average, of the processor's time
 * and by the clock.
 */
#include <sys/wait.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include "victim.h"

enum { BURST = 100 }; /* signals between two sleeps */

/* The fault and what comes after it, for the handler to know. */
#if defined(__x86_64__)
#define WRITE "movl $1, (%0)"
#define PC uc_mcontext.gregs[REG_RIP]
#elif defined(__aarch64__)
#define WRITE "str wzr, [%0]"
#define PC uc_mcontext.pc
#endif
#define FAULT(p)                                                    \
	__asm__ volatile(".globl fault_at, fault_end\n"             \
			 "fault_at: " WRITE "\nfault_end:" ::"r"(p) \
			 : "memory")
extern char fault_at[], fault_end[];

static void
on_signal(int sig, siginfo_t *si, void *context)
{
	ucontext_t *uc = context;

	(void)sig;
	(void)si;
	uc->PC += fault_end - fault_at;
}

static double
now(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

static long rate;

static double took[2];

/* Sleeps until the i-th is due. */
static void
pace(double start, long i)
{
	double early =
	    (double)i * 1e9 / (double)rate - (now(CLOCK_MONOTONIC) - start);
	struct timespec ts = {(time_t)(early / 1e9), (long)early % 1000000000};

	if (early > 0)
		nanosleep(&ts, NULL);
}

NOINLINE static void
fault(long n)
{
	double start = now(CLOCK_MONOTONIC);
	double cpu = now(CLOCK_THREAD_CPUTIME_ID);
	volatile long i;

	for (i = 0; i < n; i++) {
		if (rate > 0 && i % BURST == 0)
			pace(start, i);
		FAULT(NULL);
	}
	took[0] = (now(CLOCK_THREAD_CPUTIME_ID) - cpu) / (double)n;
	took[1] = (now(CLOCK_MONOTONIC) - start) / (double)n;
}

NOINLINE static void
deeper(long n, long depth)
{
	if (depth > 1)
		deeper(n, depth - 1);
	else
		fault(n);
	KEEP();
}

int
main(int argc, char *argv[])
{
	long n = argc > 1 ? atol(argv[1]) : 1000;
	long depth = argc > 2 ? atol(argv[2]) : 1;
	long procs = argc > 3 ? atol(argv[3]) : 1;
	struct sigaction sa = {
	    .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO};

	rate = argc > 4 ? atol(argv[4]) : 0;
	sigaction(SIGSEGV, &sa, NULL);
	while (--procs > 0)
		if (fork() == 0) {
			deeper(n, depth);
			return 0;
		}
	deeper(n, depth);
	while (wait(NULL) > 0)
		;
	printf("%.1f %.1f\n", took[0], took[1]);
	return 0;
}
