#include "base/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/deadline.h"

enum { REST_MS = 5 };

int
lock_wait(int fd, int64_t deadline)
{
	int rest = 0;

	while (flock(fd, LOCK_EX | LOCK_NB) == -1) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return -1;
		if (deadline_left(deadline) == 0) {
			errno = ETIMEDOUT;
			return -1;
		}
		poll(NULL, 0, rest < REST_MS ? ++rest : rest);
	}
	return 0;
}

int
lock_file(int dirfd, const char *name, int64_t deadline)
{
	struct stat st;
	int fd, saved;

	fd = openat(dirfd, name,
	    O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	if (fd == -1)
		return -1;
	if (fstat(fd, &st) == 0) {
		errno = EPERM;
		if (S_ISREG(st.st_mode) && st.st_uid == geteuid() &&
		    lock_wait(fd, deadline) == 0)
			return fd;
	}
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}
