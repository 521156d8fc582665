/*
 * check: counting what holds and what does not; included once by a unit.
 *
 * A unit that goes through the same checks for several things may define
 * CHECK_ABOUT before it includes this: a string, said with what fails.
 */
#ifndef T_CHECK_H
#define T_CHECK_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#if !defined(CHECK_ABOUT)
#define CHECK_ABOUT ""
#endif

static int failed, checks;

static inline void
check_that(int ok, const char *about, const char *file, int line, const char *e)
{
	checks++;
	if (ok)
		return;
	failed++;
	printf("%s:%d: %s%s%s (errno %d)\n", file, line, about,
	    *about ? ": " : "", e, errno);
	fflush(stdout);
}

#define CHECK_OF(about, e) check_that(!!(e), about, __FILE__, __LINE__, #e)
#define CHECK(e) check_that(!!(e), CHECK_ABOUT, __FILE__, __LINE__, #e)
#define FAILS(e, why) CHECK((errno = 0, (e) == -1) && errno == (why))

static inline void
must(int ok, const char *doing)
{
	if (ok)
		return;
	perror(doing);
	exit(111);
}

#define MUST(e) must((e), #e)

static inline int
check_report(void)
{
	printf("%d checks, %d failed\n", checks, failed);
	return failed != 0;
}

#endif
