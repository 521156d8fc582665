#include "base/owned.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/deadline.h"
#include "base/io.h"
#include "base/privdrop.h"

enum { REST_MS = 63 };

int
owned_sub(int dirfd, const char *name)
{
	return openat(
	    dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

int
owned_dir(const char *path, enum owned_by who, int *made)
{
	struct stat st;
	int fd, ours;

	if (made != NULL)
		*made = 0;
	fd = owned_sub(AT_FDCWD, path);
	if (fd == -1 && errno == ENOENT && made != NULL) {
		*made = mkdir(path, 0700) == 0;
		if (!*made && errno != EEXIST)
			return -1;
		fd = owned_sub(AT_FDCWD, path);
	}
	if (fd == -1)
		return -1;
	if (fstat(fd, &st) == 0) {
		ours = st.st_uid == priv_uid();
		if (made != NULL && *made)
			who = OWNED_OURS;
		if ((ours || who == OWNED_ANY ||
			(who == OWNED_OURS_OR_ROOTS && st.st_uid == 0)) &&
		    (st.st_mode & (S_IWGRP | S_IWOTH)) == 0)
			return fd;
		errno = EPERM;
	}
	io_close(&fd);
	return -1;
}

int
owned_file(int dirfd, const char *name)
{
	struct stat st;

	/* The directory is ours alone: nothing gets in between. */
	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return -1;
	if (!S_ISREG(st.st_mode))
		return fails(ENODEV);
	return openat(dirfd, name,
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

int
owned_idle(int dirfd, const char *name)
{
	int fd = owned_file(dirfd, name), r;

	r = fd != -1 && flock(fd, LOCK_SH | LOCK_NB) == 0;
	io_close(&fd);
	return r;
}

int
owned_hold(int fd, int64_t deadline)
{
	int rest = 1;

	while (flock(fd, LOCK_EX | LOCK_NB) == -1) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return -1;
		if (deadline_left(deadline) == 0)
			return fails(ETIMEDOUT);
		poll(NULL, 0, rest);
		rest = rest < REST_MS ? 2 * rest + 1 : rest;
	}
	return 0;
}

int
owned_lock(int dirfd, const char *name, int64_t deadline, struct stat *now)
{
	struct stat st;
	int fd;

	for (;;) {
		fd = openat(dirfd, name,
		    O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC,
		    0600);
		if (fd == -1)
			return -1;
		if (fstat(fd, &st) == -1)
			break;
		errno = EPERM;
		if (!S_ISREG(st.st_mode) || st.st_uid != priv_uid() ||
		    owned_hold(fd, deadline) == -1)
			break;
		if (fstatat(dirfd, name, now, AT_SYMLINK_NOFOLLOW) == 0 &&
		    now->st_ino == st.st_ino && now->st_dev == st.st_dev)
			return fd;
		close(fd);
	}
	io_close(&fd);
	return -1;
}
