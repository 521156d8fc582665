#include "store/storefile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/deadline.h"
#include "base/lock.h"

void
store_close(int *fd)
{
	int saved = errno;

	if (*fd != -1)
		close(*fd);
	*fd = -1;
	errno = saved;
}

int
store_lock(const struct corestore *s)
{
	return lock_file(s->dirfd, ".lock", deadline_in(STORE_LOCK_MS));
}

int
store_open_file(int hostfd, const char *name)
{
	struct stat st;
	int fd;

	/* The directory is ours alone: nothing gets in between. */
	if (fstatat(hostfd, name, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return -1;
	if (!S_ISREG(st.st_mode)) {
		errno = ENODEV;
		return -1;
	}
	fd = openat(hostfd, name,
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	return fd;
}

int
store_abandoned(int hostfd, const char *name)
{
	int fd, r;

	fd = store_open_file(hostfd, name);
	if (fd == -1)
		return 0;
	r = flock(fd, LOCK_SH | LOCK_NB) == 0;
	close(fd);
	return r;
}

int
store_unlink(int hostfd, const char *name)
{
	char info[STORE_NAME_MAX + 8];

	snprintf(info, sizeof(info), "%s.info", name);
	if (unlinkat(hostfd, name, 0) == -1 && errno != ENOENT)
		return -1;
	unlinkat(hostfd, info, 0);
	return 0;
}
