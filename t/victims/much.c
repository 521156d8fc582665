/*
 * much WHAT N [stay]: a process that has much of something, then crashes; with
 * "stay" it says "ready" and stands still in place of that.
 *
 * case: fds 1000 | SIGSEGV SEGV_MAPERR 0x0 | crash_here main
 * case: maps 60000 | SIGSEGV SEGV_MAPERR 0x0 | crash_here main
 * case: paths 60000 | SIGSEGV SEGV_MAPERR 0x0 | crash_here main
 * case: mb 64 | SIGSEGV SEGV_MAPERR 0x0 | crash_here main
 */
#include <sys/mman.h>
#include <sys/resource.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "victim.h"

static int *volatile nowhere;

NOINLINE static void
crash_here(void)
{
	*nowhere = 1;
	KEEP();
}

static int
open_many(long n)
{
	struct rlimit rl = {(rlim_t)n + 64, (rlim_t)n + 64};

	setrlimit(RLIMIT_NOFILE, &rl);
	while (n-- > 0)
		if (open("/dev/null", O_RDONLY) < 0)
			return -1;
	return 0;
}

/* Every second page gets other rights, so none merges with its neighbour. */
static int
map_many(long n)
{
	char *p = mmap(NULL, (size_t)n * 4096, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	long i;

	if (p == MAP_FAILED)
		return -1;
	for (i = 0; i < n; i += 2)
		if (mprotect(p + i * 4096, 4096, PROT_READ) < 0)
			return -1;
	return 0;
}

/* Two files with the longest names there are, in turn. */
static int
name_many(long n)
{
	char name[250];
	int fd[2], i;

	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	for (i = 0; i < 2; i++) {
		name[0] = (char)('a' + i);
		fd[i] = memfd_create(name, 0);
		if (fd[i] < 0 || ftruncate(fd[i], 4096) < 0)
			return -1;
	}
	while (n-- > 0)
		if (mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd[n & 1], 0) ==
		    MAP_FAILED)
			return -1;
	return 0;
}

static int
touch_many(long mb)
{
	char *p = mmap(NULL, (size_t)mb << 20, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return -1;
	memset(p, 0x5a, (size_t)mb << 20);
	return 0;
}

int
main(int argc, char *argv[])
{
	long n;
	int r;

	if (argc < 3)
		return 100;
	n = atol(argv[2]);
	if (argv[1][0] == 'f')
		r = open_many(n);
	else if (argv[1][0] == 'p')
		r = name_many(n);
	else if (argv[1][1] == 'a')
		r = map_many(n);
	else
		r = touch_many(n);
	if (r < 0)
		return 111;
	if (argc > 3) {
		puts("ready");
		fflush(stdout);
		pause();
	}
	crash_here();
	return 0;
}
