#include "base/child.h"

#include <fcntl.h>
#include <limits.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/deadline.h"
#include "base/io.h"

enum {
	NAP_MS = 10, /* between two looks, where there is no pidfd */
	HEAP_STEP = 1 << 20,
	FDS_LIKELY = 1024
};

#ifndef SYS_pidfd_open /* Linux 5.3 */
#define SYS_pidfd_open 434
#endif

pid_t
child_fork(void)
{
	signal(SIGCHLD, SIG_DFL);
	return fork();
}

void
child_limit(uint64_t mem)
{
	struct rlimit none = {0, 0}, most = {mem, mem};

	setrlimit(RLIMIT_CORE, &none);
#if defined(SANITIZED)
	(void)most;
#else
	setrlimit(RLIMIT_AS, &most);
#endif
}

void
child_heap(void)
{
#if defined(M_TOP_PAD) /* glibc */
	mallopt(M_TOP_PAD, HEAP_STEP);
	mallopt(M_TRIM_THRESHOLD, INT_MAX);
	mallopt(M_MMAP_THRESHOLD, HEAP_STEP);
#endif
}

void *
child_shared(size_t n)
{
	void *p = mmap(
	    NULL, n, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

int
child_wait(pid_t pid, int64_t deadline, int *status)
{
	struct pollfd p = {.events = POLLIN};
	int left, r;

	p.fd = (int)syscall(SYS_pidfd_open, pid, 0);
	do {
		left = deadline_left(deadline);
		if (p.fd == -1 && (left == -1 || left > NAP_MS))
			left = NAP_MS;
		poll(&p, 1, left);
		r = waitpid(pid, status, WNOHANG);
	} while (r == 0 && left != 0);
	if (p.fd != -1)
		io_done(p.fd);
	return r > 0 ? 1 : r;
}

int
child_end(pid_t pid, int64_t deadline, int *status)
{
	int r = child_wait(pid, deadline, status);

	if (r != 0)
		return r == 1 ? 0 : -1;
	kill(pid, SIGKILL);
	r = child_wait(pid, deadline_in(CHILD_KILL_MS), status);
	return r == 1 ? 1 : -1;
}

int
child_told(int status, char *text, size_t len)
{
	*text = '\0';
	if (WIFSIGNALED(status))
		snprintf(text, len, "signal %d", WTERMSIG(status));
	else if (WEXITSTATUS(status) != 0)
		snprintf(text, len, "exit %d", WEXITSTATUS(status));
	return *text == '\0' ? 0 : -1;
}

int
fd_to_null(int fd)
{
	int null, r;

	close(fd); /* what is opened next has the lowest number */
	null = open("/dev/null", O_RDWR);
	if (null == fd)
		return 0;
	r = null == -1 ? -1 : dup2(null, fd);
	io_close(&null);
	return r == -1 ? -1 : 0;
}

void
fd_close_from(int fd)
{
#if defined(SYS_close_range) /* Linux 5.9 */
	if (syscall(SYS_close_range, (unsigned)fd, ~0U, 0) == 0)
		return;
#endif
	for (; fd < FDS_LIKELY; fd++)
		close(fd);
}
