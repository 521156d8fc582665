/*
 * unit_coremem: send/coremem and send/corepages, against a child that tells
 * what its memory holds.  Not dumping, it is never "intact", but read alike.
 */
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "proc/procdir.h"
#include "send/corecopy.h"
#include "send/coremem.h"
#include "send/corepages.h"

enum { PAGES = 3000, LIVE = 16 };

static size_t page;

/* Which pages are touched: some alone, some in a row, and a long hole. */
static int
touched(size_t i)
{
	return i < 1000 ? i % 3 == 0 : i >= 2500 && i < 2900;
}

struct child {
	pid_t pid;
	int procfd;
	char *plain, *none, *shared, *beyond; /* PAGES, then LIVE each */
};

/* The maps are made here, where the child has them at the same place. */
static void
start(struct child *c)
{
	int fd = memfd_create("unit", 0), p[2];
	size_t i;

	page = (size_t)sysconf(_SC_PAGESIZE);
	c->plain = mmap(NULL, PAGES * page, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	c->none = mmap(NULL, LIVE * page, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	must(fd != -1 && ftruncate(fd, (off_t)(LIVE * page)) == 0, "memfd");
	c->shared =
	    mmap(NULL, LIVE * page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	c->beyond = mmap(
	    NULL, 2 * LIVE * page, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	must(c->plain != MAP_FAILED && c->none != MAP_FAILED &&
		c->shared != MAP_FAILED && c->beyond != MAP_FAILED,
	    "mmap");
	must(pipe(p) == 0, "pipe");
	c->pid = fork();
	must(c->pid != -1, "fork");
	if (c->pid == 0) {
		for (i = 0; i < PAGES; i++)
			if (touched(i))
				memset(c->plain + i * page, (int)i | 1, page);
#if defined(MADV_PAGEOUT)
		/* half of them swapped, where there is swap */
		madvise(c->plain, PAGES / 2 * page, MADV_PAGEOUT);
#endif
		memset(c->none, 'n', page * LIVE / 2);
		mprotect(c->none, page * LIVE, PROT_NONE);
		(void)!write(p[1], "", 1);
		for (;;)
			pause();
	}
	/* not in the child's page table */
	memset(c->shared + 3 * page, 's', page);
	must(read(p[0], &i, 1) == 1, "read");
	close(p[0]);
	close(p[1]);
	close(fd);
	c->procfd = proc_open(c->pid);
	must(c->procfd != -1, "proc_open");
}

static void
stop(struct child *c)
{
	kill(c->pid, SIGKILL);
	waitpid(c->pid, NULL, 0);
	close(c->procfd);
	munmap(c->plain, PAGES * page);
	munmap(c->none, LIVE * page);
	munmap(c->shared, LIVE * page);
	munmap(c->beyond, 2 * LIVE * page);
}

/* Reads all that coremem_next() names; what it leaves out is zeros. */
static uint64_t
copy(struct coremem *m, const char *at, char *to, size_t len, size_t max)
{
	uint64_t addr = (uintptr_t)at, end = addr + len, from, upto, read = 0;
	int r;

	memset(to, 0, len);
	for (from = addr; (r = coremem_next(m, &from, end, max, &upto)) == 1;
	     from = addr) {
		CHECK(from >= addr && upto > from && upto <= end);
		CHECK(upto - from <= max);
		CHECK(coremem_read(m, from, to + (from - (uintptr_t)at),
			  (size_t)(upto - from)) == 0);
		read += upto - from;
		addr = upto;
	}
	CHECK(r == 0);
	return read;
}

static void
test_memory(const struct child *c, size_t max)
{
	struct coremem *m = coremem_open(c->procfd);
	static char got[PAGES * 65536], want[65536];
	uint64_t n;
	size_t i;

	must(m != NULL, "coremem_open");
	CHECK(coremem_load(m) == 0);
	n = copy(m, c->plain, got, PAGES * page, max);
	CHECK(n == (334 + 400) * page);
	for (i = 0; i < PAGES; i++) {
		memset(want, touched(i) ? (int)i | 1 : 0, page);
		CHECK(memcmp(got + i * page, want, page) == 0);
	}
	/* from amid a page to amid another */
	copy(m, c->plain + 2500 * page + 100, got, 2 * page, max);
	CHECK(got[0] == (char)(2500 | 1) && got[2 * page - 1] == (char)2503);
	/* what may not be read, where it can be */
	if (coremem_can(
		m, (uintptr_t)c->none, (uintptr_t)c->none + LIVE * page)) {
		copy(m, c->none, got, LIVE * page, max);
		CHECK(got[0] == 'n' && got[LIVE / 2 * page - 1] == 'n');
		CHECK(got[LIVE / 2 * page] == 0);
	}
	/* pages of another, and beyond the end of the file */
	copy(m, c->shared, got, LIVE * page, max);
	CHECK(got[3 * page] == 's' && got[4 * page - 1] == 's');
	CHECK(got[0] == 0 && got[4 * page] == 0);
	n = copy(m, c->beyond, got, 2 * LIVE * page, max);
	CHECK(n == 2 * LIVE * page);
	CHECK(got[3 * page] == 's' && got[LIVE * page] == 0);
	CHECK(!coremem_intact(m));
	coremem_close(m);
}

/* Both ways of asking for pages give the same. */
static void
test_pages(const struct child *c)
{
	struct corepages a = {.fd = openat(c->procfd, "pagemap", O_RDONLY)};
	struct corepages b = {.fd = dup(a.fd), .noscan = 1};
	struct corepages all = {.fd = -1};
	uint64_t at = (uintptr_t)c->plain, end = at + PAGES * page;
	uint64_t from, to, from2, to2, seen = 0;
	int r, r2;

	must(a.fd != -1 && corepages_init(&a, page) == 0 &&
		corepages_init(&b, page) == 0 &&
		corepages_init(&all, page) == 0,
	    "pagemap");
	do {
		r = corepages_next(&a, at, end, &from, &to);
		r2 = corepages_next(&b, at, end, &from2, &to2);
		CHECK(r == r2);
		if (r != 1)
			break;
		/* runs may be cut at different places */
		CHECK(from == from2);
		to = to < to2 ? to : to2;
		seen += to - from;
		at = to;
	} while (r == 1 && r2 == 1);
	CHECK(r == 0 && seen == (334 + 400) * page);
	CHECK(b.noscan == 1);
	/* going back is allowed */
	at = (uintptr_t)c->plain;
	CHECK(corepages_next(&a, at, at + 1, &from, &to) == 1 && from == at &&
	    to == at + 1);
	CHECK(corepages_next(&b, at + 5, end, &from, &to) == 1 &&
	    from == at + 5 && to == at + page);
	CHECK(corepages_next(
		  &a, at + 1000 * page, at + 2000 * page, &from, &to) == 0);
	CHECK(corepages_next(&all, at, end, &from, &to) == 1 && from == at &&
	    to == end);
	corepages_close(&a);
	corepages_close(&b);
	corepages_close(&all);
}

static void
test_identity(const struct child *c)
{
	struct coremem *m = coremem_open(c->procfd);
	unsigned char auxv[4096];
	int fd = open("/proc/self/auxv", O_RDONLY);
	ssize_t n = read(fd, auxv, sizeof(auxv));

	close(fd);
	must(m != NULL && n > 16, "auxv");
	CHECK(coremem_is(m, auxv, (size_t)n, c->pid));
	CHECK(!coremem_is(m, auxv, (size_t)n, c->pid + 1));
	CHECK(!coremem_is(m, auxv, 0, c->pid));
	auxv[8] ^= 1;
	CHECK(!coremem_is(m, auxv, (size_t)n, c->pid));
	coremem_close(m);
}

static void
count(void *n)
{
	++*(int *)n;
}

/* What was copied is what there was, segment by segment, and no more is asked
 * of the process: two that touch, one of nothing, one that begins in a hole. */
static void
test_copy(const struct child *c)
{
	struct coremem *m = coremem_open(c->procfd);
	uint64_t at = (uintptr_t)c->plain, from, to;
	struct core_seg seg[3] = {{.vaddr = at, .filesz = page},
	    {.vaddr = at + page, .filesz = page},
	    {.vaddr = at + 2 * page, .filesz = 0}};
	struct core_head h = {.segs = seg, .nsegs = 3};
	unsigned char was[2 * 65536], got[2 * 65536];
	int beats = 0;
	const struct coremem_beat beat = {count, &beats};
	size_t i;

	must(m != NULL && coremem_load(m) == 0 && page <= 65536, "coremem");
	must(coremem_read(m, at, was, 2 * page) == 0, "read");
	/* not dumping: it is not intact, and nothing has changed */
	CHECK(coremem_copy(m, &h, 1 << 20, &beat) == -1 && beats > 0);
	CHECK(coremem_copy(m, &h, page / 2, &beat) == -1);
	memset(got, 1, sizeof(got));
	CHECK(coremem_read(m, at, got, 2 * page) == 0 &&
	    memcmp(was, got, 2 * page) == 0);
	for (i = 0; i < 2; i++) {
		from = seg[i].vaddr;
		if (coremem_next(m, &from, from + page, page, &to) == 1)
			CHECK(to <= seg[i].vaddr + page);
	}
	coremem_close(m);
}

/* The copy alone. */
static void
test_runs(void)
{
	struct corecopy c = {.run = NULL};
	uint64_t from, to;
	char b[8];

	CHECK(corecopy_plan(&c, 100, 104) == 0);
	CHECK(corecopy_plan(&c, 104, 106) == 0); /* one run */
	CHECK(corecopy_plan(&c, 200, 202) == 0);
	CHECK(corecopy_plan(&c, 150, 151) == -1); /* not in order */
	CHECK(c.n == 2 && c.len == 8 && corecopy_room(&c) == 0);
	memcpy(c.p, "abcdefgh", 8);
	from = 90;
	CHECK(corecopy_next(&c, &from, 104, 100, &to) == 1);
	CHECK(from == 100 && to == 104);
	/* at the end of a segment within the run */
	from = 104;
	CHECK(corecopy_next(&c, &from, 104, 100, &to) == 0);
	CHECK(corecopy_next(&c, &from, 300, 1, &to) == 1);
	CHECK(from == 104 && to == 105);
	from = 106;
	CHECK(corecopy_next(&c, &from, 199, 100, &to) == 0);
	CHECK(corecopy_next(&c, &from, 300, 100, &to) == 1 && from == 200);
	corecopy_read(&c, 98, b, 8);
	CHECK(memcmp(b, "\0\0abcdef", 8) == 0);
	corecopy_read(&c, 196, b, 8);
	CHECK(memcmp(b, "\0\0\0\0gh\0\0", 8) == 0);
	corecopy_free(&c);
}

static void
test_gone(struct child *c)
{
	struct coremem *m = coremem_open(c->procfd);
	uint64_t from = (uintptr_t)c->plain, to;
	char byte;

	must(m != NULL, "coremem_open");
	CHECK(coremem_load(m) == 0);
	stop(c);
	CHECK(coremem_read(m, (uintptr_t)c->plain, &byte, 1) == -1);
	CHECK(!coremem_intact(m));
	(void)coremem_next(m, &from, from + page, page, &to);
	coremem_close(m);
}

/* The page above all: what the kernel lets anybody see of it. */
static void
test_gate(const struct child *c)
{
	struct coremem *m = coremem_open(c->procfd);
	uint64_t gate = UINT64_C(0xffffffffff600000), from = gate, to;
	char got[4096];

	must(m != NULL && coremem_load(m) == 0, "coremem_open");
	memset(got, 1, sizeof(got));
	CHECK(coremem_next(m, &from, gate + 4096, 1 << 20, &to) == 1);
	CHECK(from == gate && to == gate + 4096);
	CHECK(coremem_read(m, gate, got, sizeof(got)) == 0);
	CHECK(got[4095] != 1);
	coremem_close(m);
}

int
main(void)
{
	struct child c;

	start(&c);
	test_memory(&c, 1 << 20);
	test_memory(&c, page);
	test_pages(&c);
	test_identity(&c);
	test_gate(&c);
	test_copy(&c);
	test_runs();
	test_gone(&c);
	return check_report();
}
