/*
 * victim MEGABYTES THREADS [live | STACK [MAPPINGS [LIBRARY ...]]]: has touched
 * that much memory, has that many threads more (of STACK kilobytes, not 256)
 * and mappings more, has loaded those libraries, and then crashes, or stays and
 * watches itself being stopped.  It crashes in bench_crash() where a library
 * has such a function.
 *
 * Started by clock.c alone, see bench.h.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench.h"

enum { PAGE = 4096, THREAD_STACK = 256, NAP_NS = 100000 };

static struct bench_page *page;
static pthread_barrier_t all_there;
static void (*crash_elsewhere)(int *nowhere);

static __attribute__((noinline)) void
idle_here(int depth)
{
	if (depth > 0)
		idle_here(depth - 1);
	while (depth == 0)
		pause();
	__asm__ volatile("" ::: "memory"); /* no tail call */
}

static void *
thread_main(void *arg)
{
	(void)arg;
	pthread_barrier_wait(&all_there);
	idle_here(4);
	return NULL;
}

static void
make_threads(unsigned n, size_t stack)
{
	pthread_attr_t attr;
	pthread_t th;
	unsigned i;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, stack << 10);
	pthread_barrier_init(&all_there, NULL, n + 1);
	for (i = 0; i < n; i++)
		if (pthread_create(&th, &attr, thread_main, NULL) != 0)
			exit(111);
	pthread_barrier_wait(&all_there);
}

/* Every page has something else in it, as in a process that did work. */
static void
touch(size_t megabytes)
{
	size_t len = megabytes << 20, i;
	char *p;

	p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
	    -1, 0);
	if (p == MAP_FAILED)
		exit(111);
	for (i = 0; i < len; i += PAGE)
		memcpy(p + i, &i, sizeof(i));
}

/* Neighbours with other rights are mappings of their own. */
static void
map(size_t n)
{
	size_t i;
	char *p;

	if (n == 0)
		return;
	p = mmap(NULL, n * PAGE, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		exit(111);
	for (i = 0; i < n; i += 2)
		if (mprotect(p + i * PAGE, PAGE, PROT_READ) == -1)
			exit(111);
}

static void
load(char **library)
{
	void *lib;

	for (; *library != NULL; library++) {
		lib = dlopen(*library, RTLD_NOW);
		if (lib == NULL)
			exit(111);
		if (crash_elsewhere == NULL)
			*(void **)&crash_elsewhere = dlsym(lib, "bench_crash");
	}
}

static __attribute__((noinline)) void
crash_here(int *nowhere)
{
	uint64_t none = 0;

	atomic_compare_exchange_strong(&page->fault, &none, bench_now());
	if (crash_elsewhere != NULL)
		crash_elsewhere(nowhere);
	*nowhere = 1;
}

static __attribute__((noinline)) void
crash_there(int depth)
{
	if (depth > 0)
		crash_there(depth - 1);
	else
		crash_here(NULL);
	__asm__ volatile("" ::: "memory");
}

/* The longest time between two looks at the clock. */
static void
live(void)
{
	const struct timespec nap = {.tv_nsec = NAP_NS};
	uint64_t last = bench_now(), now;

	for (;;) {
		nanosleep(&nap, NULL);
		now = bench_now();
		if (now - last > page->gap)
			page->gap = now - last;
		last = now;
	}
}

int
main(int argc, char **argv)
{
	size_t stack = THREAD_STACK;
	char c;

	if (argc < 3)
		return 100;
	if (argc > 3 && atoi(argv[3]) > 0)
		stack = (size_t)atoi(argv[3]);
	page = mmap(NULL, sizeof(*page), PROT_READ | PROT_WRITE, MAP_SHARED,
	    BENCH_FD, 0);
	if (page == MAP_FAILED)
		return 111;
	touch((size_t)atoi(argv[1]));
	if (argc > 4)
		map((size_t)atoi(argv[4]));
	if (argc > 5)
		load(argv + 5);
	make_threads((unsigned)atoi(argv[2]), stack);
	if (write(1, "", 1) != 1)
		return 111;
	if (argc > 3 && strcmp(argv[3], "live") == 0)
		live();
	while (read(0, &c, 1) > 0)
		;
	crash_there(3);
	return 0;
}
