#include "base/deadline.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static int64_t
deadline_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

uint64_t
deadline_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

int64_t
deadline_in(int64_t ms)
{
	int64_t now = deadline_now();

	return ms < 0 || ms > INT64_MAX - now ? INT64_MAX : now + ms;
}

int
deadline_left(int64_t deadline)
{
	int64_t left;

	if (deadline == INT64_MAX)
		return -1;
	left = deadline - deadline_now();
	if (left <= 0)
		return 0;
	return left > INT_MAX ? INT_MAX : (int)left;
}

int
deadline_poll(int fd, short events, int64_t deadline)
{
	struct pollfd p = {.fd = fd, .events = events};
	int r;

	do
		r = poll(&p, 1, deadline_left(deadline));
	while (r == -1 && errno == EINTR);
	if (r == 0)
		errno = ETIMEDOUT;
	return r > 0 ? p.revents : r;
}

#ifndef RWF_NOWAIT /* of linux/fs.h */
#define RWF_NOWAIT 8
#endif

ssize_t
deadline_read(int fd, void *p, size_t n, int64_t deadline)
{
	struct iovec iov = {p, n};
#if defined(SYS_preadv2)
	ssize_t r =
	    syscall(SYS_preadv2, fd, &iov, 1, -1L, -1L, (long)RWF_NOWAIT);

	if (r != -1)
		return r;
#endif
	return deadline_poll(fd, POLLIN, deadline) > 0 ? readv(fd, &iov, 1)
						       : -1;
}
