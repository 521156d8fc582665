#include "send/corespool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/array.h"
#include "base/deadline.h"
#include "base/io.h"
#include "base/num.h"
#include "base/owned.h"

enum { NAMES_TRIED = 10000, LOCK_MS = 5000 };
#define SUFFIX "core"

int
corespool_open(const char *dir, int make)
{
	int made;

	return owned_dir(dir, OWNED_OURS_OR_ROOTS, make ? &made : NULL);
}

int
corespool_used(int dirfd, uint64_t *bytes)
{
	DIR *d = io_opendir(dirfd, ".");
	struct dirent *e;
	struct stat st;

	if (d == NULL)
		return -1;
	*bytes = 0;
	while ((e = readdir(d)) != NULL)
		if (fstatat(dirfd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISREG(st.st_mode))
			*bytes += (uint64_t)st.st_blocks * 512;
	closedir(d);
	return 0;
}

int
corespool_new(int dirfd)
{
	return openat(dirfd, ".", O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
}

int
corespool_begin(const char *dir, uint64_t max, int *fd, uint64_t *room)
{
	int dirfd = corespool_open(dir, 1);
	uint64_t used;

	if (dirfd == -1)
		return -1;
	if (corespool_used(dirfd, &used) == -1 ||
	    (*fd = corespool_new(dirfd)) == -1) {
		io_close(&dirfd);
		return -1;
	}
	*room = used < max ? max - used : 0;
	return dirfd;
}

static int
link_as(int dirfd, int fd, const struct crash_id *id, char *name)
{
	int64_t time = id->time > 0 ? id->time : 0;
	int64_t pid = id->pid > 0 ? id->pid : 0;
	char self[40];
	unsigned n;

	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	for (n = 0; n < NAMES_TRIED; n++) {
		snprintf(name, CORESPOOL_NAME_MAX,
		    "%" PRId64 ".%" PRId64 ".%u." SUFFIX, time, pid, n);
		if (linkat(AT_FDCWD, self, dirfd, name, AT_SYMLINK_FOLLOW) == 0)
			return 0;
		if (errno != EEXIST)
			break;
	}
	return -1;
}

int
corespool_publish(int dirfd, int fd, uint64_t max, const struct crash_id *id,
    char name[CORESPOOL_NAME_MAX])
{
	struct stat st;
	uint64_t used;
	int r, err;

	if (fsync(fd) == -1 || fstat(fd, &st) == -1)
		return -1;
	/* one at a time, so that two do not both find the last room; rather
	 * too much in the spool than a core lost to somebody who hangs */
	if (owned_hold(dirfd, deadline_in(LOCK_MS)) == -1 && errno != ETIMEDOUT)
		return -1;
	r = corespool_used(dirfd, &used);
	if (r == 0 && used + (uint64_t)st.st_blocks * 512 > max) {
		errno = EFBIG;
		r = -1;
	}
	if (r == 0)
		r = link_as(dirfd, fd, id, name);
	if (r == 0)
		(void)fsync(dirfd); /* its name might be lost; it is there */
	err = errno;
	flock(dirfd, LOCK_UN);
	errno = err;
	return r;
}

/* TIME.PID.N.core, and nothing else. */
static int
parse_name(const char *s, struct corespool_entry *e)
{
	uint64_t *field[] = {&e->time, &e->pid, &e->n};
	const char *p = s, *end = s + strlen(s);
	size_t i;

	if ((size_t)(end - s) >= sizeof(e->name))
		return -1;
	for (i = 0; i < 3; i++)
		if (num_scan(p, end, 10, field[i], &p) == -1 || *p++ != '.')
			return -1;
	if (strcmp(p, SUFFIX) != 0)
		return -1;
	memcpy(e->name, s, (size_t)(end - s) + 1);
	return 0;
}

static int
by_age(const void *a, const void *b)
{
	const struct corespool_entry *x = a, *y = b;

	if (x->time != y->time)
		return x->time < y->time ? -1 : 1;
	if (x->pid != y->pid)
		return x->pid < y->pid ? -1 : 1;
	return (x->n > y->n) - (x->n < y->n);
}

int
corespool_list(int dirfd, struct corespool_entry **list, size_t *n)
{
	DIR *d = io_opendir(dirfd, ".");
	struct corespool_entry entry;
	struct dirent *e;

	*list = NULL;
	*n = 0;
	if (d == NULL)
		return -1;
	while ((e = readdir(d)) != NULL) {
		if (parse_name(e->d_name, &entry) == -1)
			continue;
		if (ARRAY_ROOM(*list, *n) == -1) {
			free(*list);
			*list = NULL;
			closedir(d);
			return -1;
		}
		(*list)[(*n)++] = entry;
	}
	closedir(d);
	if (*n > 1)
		qsort(*list, *n, sizeof(**list), by_age);
	return 0;
}

int
corespool_take(int dirfd, const char *name)
{
	struct stat st, now;
	int fd;

	fd = owned_file(dirfd, name);
	if (fd == -1)
		return -1;
	if (fstat(fd, &st) == 0 && flock(fd, LOCK_EX | LOCK_NB) == 0) {
		/* whoever had it may have sent and removed it meanwhile */
		if (fstatat(dirfd, name, &now, AT_SYMLINK_NOFOLLOW) == 0 &&
		    now.st_ino == st.st_ino && now.st_dev == st.st_dev)
			return fd;
		errno = ENOENT;
	}
	io_close(&fd);
	return -1;
}

int
corespool_remove(int dirfd, const char *name)
{
	return unlinkat(dirfd, name, 0);
}

int
corespool_damaged(int dirfd, const char *name)
{
	char to[CORESPOOL_NAME_MAX + 16];

	snprintf(to, sizeof(to), "%s.damaged", name);
	return renameat(dirfd, name, dirfd, to);
}
