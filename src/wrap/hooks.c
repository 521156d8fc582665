#include "wrap/hooks.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/child.h"
#include "base/deadline.h"
#include "base/msg.h"
#include "wrap/trust.h"

enum { NOT_RUN = 127, DIED = 128 };

/* Its exit status, as a shell has it; -1: it had to be killed. */
static int
run(char *const argv[], unsigned seconds)
{
	pid_t pid = child_fork();
	int status, r;

	if (pid == 0) {
		setpgid(0, 0);
		execv(argv[0], argv);
		_exit(NOT_RUN);
	}
	if (pid == -1)
		return NOT_RUN;
	r = child_wait(pid, deadline_in((int64_t)seconds * 1000), &status);
	/* also what it has started and left behind */
	if (r != 1) {
		kill(-pid, SIGKILL);
		child_end(pid, deadline_in(CHILD_KILL_MS), &status);
		return -1;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status)
				 : DIED + WTERMSIG(status);
}

static void
run_hook(char *line, unsigned seconds, const char *about)
{
	struct words words = {.n = 0};
	char *word, *rest = NULL, **argv;
	char why[TRUST_WHY];
	int rc;

	for (word = strtok_r(line, " ", &rest); word != NULL;
	     word = strtok_r(NULL, " ", &rest))
		words_add(&words, word);
	argv = words_argv(&words);
	if (argv == NULL)
		return;
	if (!trust_program(argv[0], why)) {
		msg_warn("%s: it or a directory above it: %s: not run, for %s",
		    argv[0], why, about);
		return;
	}
	rc = run(argv, seconds);
	if (rc == -1)
		msg_warn("%s: killed after %u seconds, for %s", argv[0],
		    seconds, about);
	else if (rc != 0)
		msg_warn("%s: exit status %d, for %s", argv[0], rc, about);
}

void
hooks_run(const struct words *commands, unsigned seconds,
    const struct words *environment, const char *about)
{
	pid_t pid = child_fork();
	size_t i;

	if (pid == -1)
		msg_warn_sys("unable to run hooks, for %s", about);
	if (pid > 0)
		waitpid(pid, NULL, 0);
	if (pid != 0)
		return;
	if (fork() != 0)
		_exit(0);
	fd_close_from(3);
	fd_to_null(STDIN_FILENO);
	for (i = 0; i < environment->n; i++)
		putenv(environment->w[i]);
	for (i = 0; i < commands->n; i++)
		run_hook(commands->w[i], seconds, about);
	_exit(0);
}
