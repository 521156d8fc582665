#include "segv_children.h"

#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

/* What is done here on purpose no sanitizer may catch first. */
#define RAW __attribute__((noinline, no_sanitize("address", "undefined")))

static volatile char *volatile nowhere;
static jmp_buf again;
volatile struct told *told;
int act_rounds = 1;

RAW static void
write_at(volatile char *p)
{
	told->code = (uint64_t)(uintptr_t)write_at;
	told->addr = (uint64_t)(uintptr_t)p;
	*p = 1;
}

RAW void
act_write(void)
{
	volatile char pattern[600];

	memset((void *)(uintptr_t)pattern, PATTERN, sizeof(pattern));
	told->stack = (uint64_t)(uintptr_t)pattern;
	write_at(nowhere);
	pattern[0] = *nowhere;
}

static void
on_fault(int signo)
{
	(void)signo;
	siglongjmp(again, 1);
}

static void
handle_with(void (*f)(int), int flags)
{
	struct sigaction sa = {.sa_handler = f, .sa_flags = flags};

	told->handler = (uint64_t)(uintptr_t)f;
	sigaction(SIGSEGV, &sa, NULL);
}

void
act_handled(void)
{
	static volatile int n;

	handle_with(on_fault, SA_RESTART);
	for (n = 0; n < act_rounds; n++)
		if (sigsetjmp(again, 1) == 0)
			write_at(nowhere);
	_exit(0);
}

void
act_pause(void)
{
	told->tid = getpid();
	for (;;)
		pause();
}

RAW void
act_jump(void)
{
	void *p = mmap(NULL, 8192, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	memset(p, 0x90, 8192);
	told->addr = (uint64_t)(uintptr_t)p + 64;
	((void (*)(void))(uintptr_t)told->addr)();
}

void
act_wild(void)
{
	write_at((volatile char *)0x4141414141414141);
}

/* Each frame is used by the next one: no compiler makes a loop of it. */
RAW static int
deeper(volatile char *above, int n)
{
	volatile char frame[512];

	frame[0] = above[n & 511];
	if (n == -1)
		return 0;
	return deeper(frame, n + 1) + frame[1] + above[0];
}

void
act_overflow(void)
{
	struct rlimit r = {256 << 10, 256 << 10};
	volatile char frame[512] = {0};

	setrlimit(RLIMIT_STACK, &r);
	deeper(frame, 0);
}

void
act_overflow_handled(void)
{
	handle_with(on_fault, 0);
	act_overflow();
}

static void *
second(void *arg)
{
	prctl(PR_SET_NAME, "second");
	told->tid = (pid_t)syscall(SYS_gettid);
	write_at(nowhere);
	return arg;
}

void
act_thread(void)
{
	pthread_t t;

	prctl(PR_SET_NAME, "first");
	pthread_create(&t, NULL, second, NULL);
	pthread_join(t, NULL);
}

void
act_blocked(void)
{
	sigset_t set;

	handle_with(on_fault, 0);
	sigfillset(&set);
	sigprocmask(SIG_BLOCK, &set, NULL);
	write_at(nowhere);
}

void
act_ignored(void)
{
	signal(SIGSEGV, SIG_IGN);
	write_at(nowhere);
}

void
act_readonly(void)
{
	char name[] = "/tmp/unit_segv_live.XXXXXX";
	int fd = mkstemp(name);
	char *p;

	unlink(name);
	if (fd == -1 || ftruncate(fd, 1 << 18) == -1)
		_exit(99);
	p = mmap(NULL, 1 << 17, PROT_READ, MAP_PRIVATE, fd, 1 << 16);
	told->map = (uint64_t)(uintptr_t)p;
	told->maplen = 1 << 17;
	write_at(p + (1 << 16));
}

void
act_bus(void)
{
	int fd = memfd_create("bus", 0);
	char *p =
	    mmap(NULL, 1 << 16, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	write_at(p + 128);
}

void
act_abort(void)
{
	abort();
}
