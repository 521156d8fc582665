#include "wrap/trust.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/io.h"

static int
is_ours(const struct stat *st, char why[TRUST_WHY])
{
	*why = '\0';
	if (st->st_uid != 0 && st->st_uid != geteuid())
		snprintf(why, TRUST_WHY, "owned by user %ld", (long)st->st_uid);
	else if (st->st_mode & (S_IWGRP | S_IWOTH))
		strcpy(why, "others may write it");
	return *why == '\0';
}

int
trust_file(int fd, char why[TRUST_WHY])
{
	struct stat st;

	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		return is_ours(&st, why);
	strcpy(why, "not a regular file");
	return 0;
}

/* dirfd: of dir, open; what is wrong with either, or nothing. */
static int
open_in(int dirfd, const char *name, int flags, char why[TRUST_WHY])
{
	struct stat st;

	if (fstat(dirfd, &st) == -1 || !is_ours(&st, why))
		return -1;
	/* it is ours alone: nothing gets in between */
	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		if (S_ISLNK(st.st_mode))
			return fails(ELOOP);
		if (!S_ISREG(st.st_mode))
			return fails(ENODEV);
		if (!is_ours(&st, why))
			return -1;
	}
	return openat(dirfd, name,
	    flags | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0600);
}

int
trust_open(const char *dir, const char *name, int flags, char why[TRUST_WHY])
{
	char reason[TRUST_WHY] = "";
	int fd = -1,
	    dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	*why = '\0';
	if (dirfd != -1) {
		fd = open_in(dirfd, name, flags, reason);
		io_close(&dirfd);
	}
	if (fd != -1)
		return fd;
	if (*reason != '\0')
		snprintf(why, TRUST_WHY, "%s/%s: it or its directory: %.64s",
		    dir, name, reason);
	else if (errno == ELOOP || errno == ENOTDIR)
		snprintf(why, TRUST_WHY, "%s/%s: a symbolic link, or in one",
		    dir, name);
	else if (errno == ENODEV)
		snprintf(
		    why, TRUST_WHY, "%s/%s: not a regular file", dir, name);
	else if (errno != ENOENT || (flags & O_CREAT))
		snprintf(why, TRUST_WHY, "unable to open %s/%s: %s", dir, name,
		    strerror(errno));
	return -1;
}

int
trust_program(const char *path, char why[TRUST_WHY])
{
	char *real = realpath(path, NULL), *slash;
	struct stat st;
	int good = 0;

	strcpy(why, "unable to examine");
	while (real != NULL) {
		if (stat(*real != '\0' ? real : "/", &st) == -1)
			break;
		good = is_ours(&st, why) ||
		    (st.st_uid == 0 || st.st_uid == geteuid()
			    ? S_ISDIR(st.st_mode) && (st.st_mode & S_ISVTX)
			    : 0);
		slash = strrchr(real, '/');
		if (!good || *real == '\0' || slash == NULL)
			break;
		*slash = '\0';
	}
	free(real);
	return good;
}
