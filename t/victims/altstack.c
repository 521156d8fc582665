/*
 * altstack: a thread's stack overflows; the handler runs on the alternate
 * stack and gives up there, raises the signal again or faults itself.  The
 * backtrace crosses from one to the other.
 *
 * case: - | SIGABRT SI_TKILL * | @lib on_overflow @lib (recurse )+.*worker
 * thread: altstack | (@lib )?main
 *
 * What the report is to say, as an extended regular expression:
 * cause abort: aborted by its handler of SIGSEGV: stack overflow in recurse
 * cause raise: stack overflow in recurse, raised again by its handler
 * cause blocked: stack overflow in recurse, raised again by its handler
 * cause guard: stack overflow in recurse, raised again by its handler
 * cause guard_return: stack overflow in recurse
 * cause return: stack overflow in recurse
 * cause fault: null pointer write at offset 0x18 in on_overflow, in its
 *  handler of SIGSEGV: stack overflow in recurse
 */
#include <sys/mman.h>

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

static const char *how;
static int *volatile low = (int *)0x18;

static void
on_overflow(int sig)
{
	sigset_t set;

	signal(sig, SIG_DFL);
	if (strstr(how, "return") != NULL)
		return;
	if (strcmp(how, "fault") == 0)
		*low = 1;
	sigemptyset(&set);
	sigaddset(&set, sig);
	if (strcmp(how, "raise") == 0)
		pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	if (strcmp(how, "abort") == 0)
		abort();
	raise(sig); /* while it is blocked: when this returns */
	KEEP();
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

/* A stack that ends at a guard, which is no mapping of its own where Linux is
 * 6.13 or newer: what glibc 2.42 makes, with any. */
static int
guarded(pthread_attr_t *attr)
{
	enum { SIZE = 128 << 10, GUARD = 64 << 10, GUARD_INSTALL = 102 };
	char *p = mmap(NULL, 2 * GUARD + SIZE, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED ||
	    (madvise(p + GUARD, GUARD, GUARD_INSTALL) == -1 &&
		mprotect(p + GUARD, GUARD, PROT_NONE) == -1))
		return -1;
	return pthread_attr_setstack(attr, p + 2 * GUARD, SIZE);
}

int
main(int argc, char *argv[])
{
	pthread_attr_t attr;
	pthread_t t;

	how = argc > 1 ? argv[1] : "abort";
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 128 << 10);
	if (strncmp(how, "guard", 5) == 0 && guarded(&attr) != 0)
		return 111;
	if (pthread_create(&t, &attr, worker, NULL) != 0)
		return 111;
	pthread_join(t, NULL);
	return 0;
}
