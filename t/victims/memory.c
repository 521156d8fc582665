/*
 * memory: a process that has memory of every kind, then crashes.
 *
 * case: - | SIGSEGV SEGV_MAPERR 0x0 | crash_here main
 *
 * What a core holds of it, and where it holds zeros, is for the kernel to say
 * (core(5), vma_dump_size() in fs/coredump.c): whoever copies the memory of a
 * dying process compares with that.
 */
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/shm.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "victim.h"

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif

#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT 21
#endif

enum { PAGE = 4096, MB = 1 << 20 };

static int *volatile nowhere;

NOINLINE static void
crash_here(void)
{
	*nowhere = 1;
	KEEP();
}

static char *
map(size_t len, int prot, int flags, int fd)
{
	char *p = mmap(
	    NULL, len, prot, flags | (fd == -1 ? MAP_ANONYMOUS : 0), fd, 0);

	if (p == MAP_FAILED)
		exit(111);
	return p;
}

static void
fill(char *p, size_t len)
{
	static unsigned x = 1;
	size_t i;

	for (i = 0; i < len; i++) {
		x = x * 1103515245 + 12345;
		p[i] = (char)(x >> 16);
	}
}

static void
anonymous(void)
{
	char *p;
	volatile char c;
	size_t i;

	/* little in much, and much of nothing */
	p = map((size_t)512 * MB, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_NORESERVE, -1);
	for (i = 1; i < 512; i += 37)
		fill(p + i * MB + (i % 5) * PAGE, PAGE / 2);
	/* the page of zeros, and pages that became zeros */
	p = map(3 * MB, PROT_READ | PROT_WRITE, MAP_PRIVATE, -1);
	for (i = 0; i < MB; i += PAGE)
		c = p[i];
	(void)c;
	memset(p + MB, 0, MB);
	for (i = 2 * MB; i < 3 * MB; i += 2 * PAGE)
		p[i + 17] = 1;
	/* what the process itself may not read any more */
	p = map(MB, PROT_READ | PROT_WRITE, MAP_PRIVATE, -1);
	fill(p, MB / 2);
	mprotect(p, MB, PROT_NONE);
	p = map(MB, PROT_READ | PROT_WRITE, MAP_PRIVATE, -1);
	fill(p, MB / 2);
	mprotect(p, MB, PROT_WRITE);
	/* given back, guarded, not to be dumped */
	p = map(2 * MB, PROT_READ | PROT_WRITE, MAP_PRIVATE, -1);
	fill(p, 2 * MB);
	madvise(p + 16 * PAGE, 64 * PAGE, MADV_DONTNEED);
	madvise(p + 128 * PAGE, 16 * PAGE, MADV_FREE);
	madvise(p + 200 * PAGE, 8 * PAGE, MADV_GUARD_INSTALL);
	madvise(p + 300 * PAGE, 8 * PAGE, MADV_DONTDUMP);
	/* swapped, where there is swap */
	p = map(2 * MB, PROT_READ | PROT_WRITE, MAP_PRIVATE, -1);
	fill(p, MB);
	madvise(p, 2 * MB, MADV_PAGEOUT);
	/* huge pages, where there are any */
	p = map(8 * MB, PROT_READ | PROT_WRITE, MAP_PRIVATE, -1);
	madvise(p, 8 * MB, MADV_HUGEPAGE);
	fill(p + 3 * MB, MB);
	p = mmap(NULL, 2 * MB, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
	if (p != MAP_FAILED)
		fill(p, MB);
}

static int
file(size_t len)
{
	char name[] = "/tmp/victim.XXXXXX", piece[PAGE];
	int fd = mkstemp(name);

	if (fd == -1)
		exit(111);
	unlink(name);
	for (; len > 0; len -= len < PAGE ? len : PAGE) {
		fill(piece, PAGE);
		if (write(fd, piece, len < PAGE ? len : PAGE) < 0)
			exit(111);
	}
	return fd;
}

static void
files(void)
{
	int fd = file(20 * PAGE + 123), id;
	char *p;

	/* changed somewhere, and longer than the file */
	p = map(40 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd);
	fill(p + 3 * PAGE, 100);
	/* as it is in the file, and cut under our feet */
	map(20 * PAGE, PROT_READ, MAP_PRIVATE, fd);
	p = map(20 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd);
	fill(p, PAGE);
	fd = file(10 * PAGE);
	p = map(10 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd);
	fill(p, PAGE);
	if (ftruncate(fd, PAGE) == -1)
		exit(111);
	/* shared memory, touched by us or only by another mapping of it */
	fd = memfd_create("victim", 0);
	if (fd == -1 || ftruncate(fd, MB) == -1)
		exit(111);
	p = map(MB, PROT_READ | PROT_WRITE, MAP_SHARED, fd);
	fill(p + 8 * PAGE, 9 * PAGE);
	munmap(p, MB);
	map(MB, PROT_READ, MAP_SHARED, fd);
	p = map(MB, PROT_READ | PROT_WRITE, MAP_SHARED, -1);
	fill(p + 100, PAGE);
	id = shmget(IPC_PRIVATE, 16 * PAGE, IPC_CREAT | 0600);
	p = id == -1 ? NULL : shmat(id, NULL, 0);
	if (id != -1)
		shmctl(id, IPC_RMID, NULL);
	if (p != NULL && p != (char *)-1)
		fill(p + PAGE, PAGE);
}

int
main(void)
{
	anonymous();
	files();
	crash_here();
	return 0;
}
