#include "send/sendfront.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/child.h"
#include "base/deadline.h"
#include "base/io.h"
#include "base/msg.h"
#include "proc/memroom.h"

static int frontfd = -1;

static _Noreturn void
wait_for_end(pid_t child, int fd)
{
	int status = 0;
	char c;

	/* the pipe's readers are what the kernel waits for */
	fd_to_null(STDIN_FILENO);
	if (io_read_full(fd, &c, 1) == 1)
		_exit(EXIT_DONE);
	if (child_wait(child, deadline_in(-1), &status) == 1 &&
	    WIFEXITED(status))
		_exit(WEXITSTATUS(status));
	_exit(EXIT_SYSTEM);
}

void
sendfront_begin(uint64_t *release)
{
	uint64_t room = *release > 0 ? memroom() : 0;
	pid_t child;
	int p[2];

	*release = *release < room ? *release : room;
	if (*release == 0)
		return;
	child = pipe2(p, O_CLOEXEC) == -1 ? -1 : child_fork();
	if (child == -1) {
		*release = 0;
		return;
	}
	if (child > 0) {
		close(p[1]);
		wait_for_end(child, p[0]);
	}
	close(p[0]);
	frontfd = p[1];
}

void
sendfront_end(void)
{
	if (frontfd == -1)
		return;
	(void)!write(frontfd, "", 1);
	io_close(&frontfd);
}
