/* check: counting what holds and what does not; included once by a unit. */
#ifndef T_CHECK_H
#define T_CHECK_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static int failed, checks;

#define CHECK(e)                                                              \
	do {                                                                  \
		checks++;                                                     \
		if (!(e)) {                                                   \
			failed++;                                             \
			printf(__FILE__ ":%d: %s (errno %d)\n", __LINE__, #e, \
			    errno);                                           \
		}                                                             \
	} while (0)

static inline void
must(int ok, const char *what)
{
	if (ok)
		return;
	perror(what);
	exit(111);
}

static inline int
check_report(void)
{
	printf("%d checks, %d failed\n", checks, failed);
	return failed != 0;
}

#endif
