/*
 * unit_pagemap: proc/pagemap, of this process.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "proc/pagemap.h"

#include "check.h"

enum { PAGES = 300, FROM = 100, TO = 230 };
enum { GUARD_INSTALL = 102 }; /* MADV_GUARD_INSTALL, Linux 6.13 */

static int procfd;
static size_t page;
static unsigned char *p;

/* The whole of it, in spans: how many pages from where to where are there. */
static void
walk(struct pagemap *m, size_t *from, size_t *to, size_t *count)
{
	size_t at, n;
	int here;

	*from = *to = *count = 0;
	for (at = 0; at < PAGES * page; at += n) {
		n = pagemap_span(
		    m, (uintptr_t)p + at, PAGES * page - at, &here);
		CHECK(n > 0 && n <= PAGES * page - at);
		if (!here)
			continue;
		*from = *count == 0 ? at / page : *from;
		*to = (at + n) / page;
		*count += n / page;
	}
}

static void
test_span(void)
{
	struct pagemap m;
	size_t from, to, count, n;
	int here;

	pagemap_open(&m, procfd);
	CHECK(m.fd != -1);
	walk(&m, &from, &to, &count);
	CHECK(count == 0);
	memset(p + FROM * page, 1, (TO - FROM) * page);
	/* it is known already, till it is forgotten */
	pagemap_span(&m, (uintptr_t)p + (PAGES - 1) * page, 1, &here);
	CHECK(!here);
	pagemap_forget(&m);
	walk(&m, &from, &to, &count);
	CHECK(from == FROM && to == TO && count == TO - FROM);
	/* in the midst of a page, and less than one */
	n = pagemap_span(&m, (uintptr_t)p + FROM * page + 5, 3, &here);
	CHECK(n == 3 && here);
	n = pagemap_span(&m, (uintptr_t)p + FROM * page - 5, 2 * page, &here);
	CHECK(n == 5 && !here);
	pagemap_close(&m);
	CHECK(m.fd == -1);
}

/* A guard in the midst of what is there; kernels of 6.13 and 6.14 do not tell,
 * older ones have none. */
static void
test_guard(void)
{
	const size_t at = (FROM + 10) * page;
	uint64_t entry = 0;
	struct pagemap m;
	size_t n;
	int what;

	if (madvise(p + at, 2 * page, GUARD_INSTALL) == -1)
		return;
	pagemap_open(&m, procfd);
	MUST(pread(m.fd, &entry, sizeof(entry),
		 (off_t)(((uintptr_t)p + at) / page * sizeof(entry))) ==
	    sizeof(entry));
	for (n = 0; n < 4 && entry >> 58 & 1; n++) {
		CHECK(pagemap_span(&m, (uintptr_t)p + at - page + n * page, 1,
			  &what) == 1);
		CHECK(
		    what == (n == 1 || n == 2 ? PAGEMAP_GUARD : PAGEMAP_HERE));
	}
	if (entry >> 58 & 1)
		CHECK(pagemap_span(&m, (uintptr_t)p + at - page, 9 * page,
			  &what) == page);
	pagemap_close(&m);
}

/* Where nothing is known, everything is there. */
static void
test_unknown(void)
{
	struct pagemap m;
	int here = 0;

	pagemap_open(&m, -1);
	CHECK(m.fd == -1);
	CHECK(pagemap_span(&m, (uintptr_t)p, 5 * page, &here) == 5 * page &&
	    here);
	/* no pagemap: it ends at once */
	m.fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	here = 0;
	CHECK(pagemap_span(&m, (uintptr_t)p, 5 * page, &here) <= 5 * page &&
	    here);
	pagemap_close(&m);
}

int
main(void)
{
	page = (size_t)sysconf(_SC_PAGESIZE);
	procfd = open("/proc/self", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	p = mmap(NULL, PAGES * page, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(procfd != -1 && p != MAP_FAILED);
	madvise(p, PAGES * page, MADV_NOHUGEPAGE);
	test_span();
	test_guard();
	test_unknown();
	return check_report();
}
