#include "net/transport.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/child.h"
#include "base/deadline.h"
#include "base/io.h"

enum { CAUGHT = 4096, TERM_MS = 1000, PIPE_SIZE = 1 << 20 };

/* A place for CAUGHT bytes, and no more. */
static int
make_catcher(void)
{
	int fd = memfd_create("stderr", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd != -1 &&
	    (ftruncate(fd, CAUGHT) == -1 ||
		fcntl(fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK) == -1))
		io_close(&fd);
	return fd;
}

static _Noreturn void
run(char *const argv[], int in, int out, int err, int tell)
{
	sigset_t none;
	int e;

	signal(SIGPIPE, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (dup2(in, STDIN_FILENO) != -1 && dup2(out, STDOUT_FILENO) != -1 &&
	    (err == -1 || dup2(err, STDERR_FILENO) != -1))
		execvp(argv[0], argv);
	e = errno;
	(void)!write(tell, &e, sizeof(e));
	_exit(127);
}

static void
close_all(int *fd, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		io_close(&fd[i]);
}

int
transport_start(struct transport *t, char *const argv[], int catch)
{
	int fd[6] = {-1, -1, -1, -1, -1, -1}, e = 0;
	ssize_t r;

	t->pid = -1;
	t->in = t->out = t->errfd = -1;
	/* fd[0]: its input, 1: ours to that; 2: ours from 3: its output;
	 * 4: whether it could be run, from 5 */
	if (pipe2(fd, O_CLOEXEC) == -1 || pipe2(fd + 2, O_CLOEXEC) == -1 ||
	    pipe2(fd + 4, O_CLOEXEC) == -1)
		goto fail;
	fcntl(fd[1], F_SETPIPE_SZ, PIPE_SIZE);
	if (fcntl(fd[1], F_SETFL, O_WRONLY | O_NONBLOCK) == -1 ||
	    fcntl(fd[2], F_SETFL, O_RDONLY | O_NONBLOCK) == -1)
		goto fail;
	t->errfd = catch ? make_catcher() : -1;
	t->pid = fork();
	if (t->pid == -1)
		goto fail;
	if (t->pid == 0)
		run(argv, fd[0], fd[3], t->errfd, fd[5]);
	io_close(&fd[5]);
	r = io_read_full(fd[4], &e, sizeof(e));
	if (r == sizeof(e)) {
		while (waitpid(t->pid, NULL, 0) == -1 && errno == EINTR)
			;
		errno = e;
		goto fail;
	}
	t->in = fd[1];
	t->out = fd[2];
	fd[1] = fd[2] = -1;
	close_all(fd, 6);
	return 0;
fail:
	close_all(fd, 6);
	io_close(&t->errfd);
	t->pid = -1;
	return -1;
}

/* The first line of what was caught, if any. */
static void
append_caught(int fd, char *text, size_t len)
{
	char line[256];
	ssize_t n = pread(fd, line, sizeof(line) - 1, 0);
	size_t used = strlen(text);

	if (n <= 0)
		return;
	line[n] = '\0';
	line[strcspn(line, "\r\n")] = '\0';
	if (*line != '\0')
		snprintf(text + used, len - used, ": %s", line);
}

void
transport_end(struct transport *t, int ms, char *text, size_t len)
{
	int status;

	*text = '\0';
	if (t->pid == -1)
		return;
	if (child_wait(t->pid, deadline_in(ms), &status) == 1) {
		child_told(status, text, len);
	} else {
		kill(t->pid, SIGTERM);
		child_end(t->pid, deadline_in(TERM_MS), &status);
		snprintf(text, len, "it did not end by itself");
	}
	if (*text != '\0' && t->errfd != -1)
		append_caught(t->errfd, text, len);
	io_close(&t->errfd);
	t->pid = -1;
}
