#include "check.h"

int failed, checks;
const char *check_about = "";

void
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

void
must(int ok, const char *doing)
{
	if (ok)
		return;
	perror(doing);
	exit(111);
}

int
check_report(void)
{
	printf("%d checks, %d failed\n", checks, failed);
	return failed != 0;
}
