/*
 * unit_opener: what it hands back, and what becomes of one that hangs or dies.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/deadline.h"
#include "base/io.h"
#include "base/opener.h"
#include "check.h"

enum { LATE_S = 240 };

static int held[2];

/* "hang" never comes back, "die" ends it; "held" tells whether it has our
 * pipe. */
static int
open_it(void *arg, const char *what, const char **why)
{
	if (strcmp(what, "hang") == 0)
		for (;;)
			pause();
	if (strcmp(what, "die") == 0)
		abort();
	if (strcmp(what, "held") == 0)
		what = fcntl(held[1], F_GETFD) == -1 ? "/dev/null" : "/none";
	if (strcmp(what, "root") == 0)
		what = geteuid() == 0 ? "/dev/null" : "/none";
	*why = strcmp(what, "/none") == 0 ? "there is none" : NULL;
	return open(what, O_RDONLY | *(int *)arg);
}

static void
begin(struct opener *o, int drop)
{
	static int flags = O_CLOEXEC;
	struct opener_how how = {
	    .open = open_it, .arg = &flags, .keepfd = -1, .drop = drop};

	must(opener_start(o, &how) == 0, "opener_start");
}

/* Is it to be had, and CLOEXEC? */
static int
has(struct opener *o, const char *what)
{
	int fd = opener_open(o, what), saved = errno, ok;

	ok = fd != -1 && fcntl(fd, F_GETFD) == FD_CLOEXEC;
	if (fd != -1)
		close(fd);
	errno = saved;
	return ok;
}

static void
test_answers(void)
{
	struct opener o;
	char *name = malloc(OPENER_NAME + 1);

	begin(&o, 0);
	CHECK(has(&o, "/etc/passwd"));
	CHECK(!has(&o, "/none") && errno == ENOENT);
	CHECK(strcmp(o.why, "there is none") == 0);
	CHECK(!has(&o, "/") && errno == EISDIR);
	must(name != NULL, "malloc");
	memset(name, '/', OPENER_NAME);
	name[OPENER_NAME] = '\0';
	CHECK(!has(&o, name) && errno == ENAMETOOLONG);
	name[OPENER_NAME - 1] = '\0';
	CHECK(!has(&o, name) && errno == ENAMETOOLONG);
	free(name);
	CHECK(has(&o, "held"));
	opener_end(&o);
	opener_end(&o);
}

static void
test_hangs(void)
{
	struct opener o;
	int64_t start;
	int i;

	begin(&o, 0);
	start = deadline_in(0);
	CHECK(!has(&o, "hang") && errno == ETIMEDOUT);
	CHECK(deadline_in(0) - start >= OPENER_MS);
	CHECK(has(&o, "/etc/passwd"));
	for (i = 0; i < OPENER_ALL_MS / OPENER_MS; i++)
		CHECK(!has(&o, "hang") && errno == ETIMEDOUT);
	/* the time for all of them is over */
	start = deadline_in(0);
	CHECK(!has(&o, "/etc/passwd") && errno == ETIMEDOUT);
	CHECK(deadline_in(0) - start < OPENER_MS);
	opener_end(&o);
}

/* It is not waited for, and another answers what comes then; not for ever. */
static void
test_dies(void)
{
	struct opener o;
	int i;

	begin(&o, 0);
	o.each = o.all = INT64_C(1000) * LATE_S;
	for (i = 0; i < 15; i++) {
		CHECK(!has(&o, "die") && errno == EPIPE);
		CHECK(strcmp(o.why, "its opener has died") == 0);
		CHECK(has(&o, "/etc/passwd"));
	}
	CHECK(!has(&o, "die") && errno == EPIPE);
	for (i = 0; i < 3; i++)
		CHECK(!has(&o, "/etc/passwd") && errno == EPIPE);
	opener_end(&o);
}

/* Nothing of it is left when we end, whatever it does. */
static void
test_ends(void)
{
	struct opener o;
	pid_t pid;
	int i, status;

	pid = fork();
	if (pid == 0) {
		begin(&o, 0);
		has(&o, "hang");
		_exit(o.keeper > 0 ? 0 : 1);
	}
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	begin(&o, 0);
	pid = o.keeper;
	opener_end(&o);
	for (i = 0; i < 3000 && waitpid(pid, &status, WNOHANG) == 0; i++)
		usleep(10000);
	CHECK(i < 3000);
}

static void
test_drops(void)
{
	struct opener o;

	begin(&o, 1);
	CHECK(!has(&o, "root"));
	CHECK(has(&o, "/etc/passwd"));
	if (geteuid() == 0)
		CHECK(!has(&o, "/etc/shadow") && errno == EACCES);
	opener_end(&o);
}

int
main(void)
{
	/* one that is waited for without end is a failure, too */
	alarm(LATE_S);
	must(pipe(held) == 0, "pipe");
	test_answers();
	test_hangs();
	test_dies();
	test_ends();
	test_drops();
	return check_report();
}
