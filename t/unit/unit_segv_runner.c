/*
 * unit_segv_runner: a command that does not end is ended, with what it started,
 * and one that is told too much is not.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/deadline.h"
#include "base/msg.h"
#include "check.h"
#include "segv/segv_runner.h"

enum { LONG_MS = 60000, SHORT_MS = 100, NAP_MS = 10 };

static char name[] = "/tmp/unit_segv_runner.XXXXXX";

static void
nap(void)
{
	usleep(NAP_MS * 1000);
}

/* Two process ids, once the command has written them. */
static int
read_pids(pid_t pid[2])
{
	FILE *f = fopen(name, "r");
	int n = f != NULL ? fscanf(f, "%d %d", &pid[0], &pid[1]) : 0;

	if (f != NULL)
		fclose(f);
	return n == 2;
}

/* A crash of which not much is known. */
static void
tell(int fd)
{
	static const struct segv_opts opts;
	struct segv_event ev = {.pid = 4711, .signo = SIGSEGV};
	struct segv_resolved l = {.ev = &ev, .opts = &opts, .exe = ""};

	CHECK(segv_runner_tell(fd, &l) == 0);
}

static void
test_hangs(void)
{
	static char sh[] = "sh", c[] = "-c", text[128];
	char *argv[] = {sh, c, text, NULL};
	int64_t end = deadline_in(LONG_MS);
	pid_t pid[2];
	int fd;

	snprintf(text, sizeof(text), "sleep 999 & echo $$ $! >%s; wait", name);
	fd = segv_runner_start(argv, SHORT_MS);
	must(fd != -1, "a runner");
	tell(fd);
	close(fd);
	while (!read_pids(pid) && deadline_left(end) > 0)
		nap();
	must(read_pids(pid), "the command runs");
	/* the runner, and who has lost its parent */
	while (waitpid(-1, NULL, WNOHANG) != -1 && deadline_left(end) > 0)
		nap();
	FAILS(waitpid(-1, NULL, WNOHANG), ECHILD);
	FAILS(kill(pid[0], 0), ESRCH);
	FAILS(kill(pid[1], 0), ESRCH);
}

int
main(void)
{
	int fd = mkstemp(name);

	must(fd != -1, "a file");
	close(fd);
	msg_init("unit_segv_runner");
	must(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0, "a subreaper");
	test_hangs();
	unlink(name);
	return check_report();
}
