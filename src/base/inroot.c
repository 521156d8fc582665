#include "base/inroot.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/io.h"

enum { LINKS_MAX = 40, DEPTH_MAX = 128 }; /* links as in path_resolution(7) */

struct walk {
	int dir[DEPTH_MAX]; /* from the root down; the first is not ours */
	int depth;	    /* of the last, 0 the root */
	int links;
	char rest[2 * PATH_MAX];
};

static void
climb(struct walk *w, int depth)
{
	while (w->depth > depth)
		close(w->dir[w->depth--]);
}

/* Puts what a link says in its place before the rest: "/..." or nothing. */
static int
follow(struct walk *w, int fd, const char *rest)
{
	char target[PATH_MAX];
	size_t len = strlen(rest);
	ssize_t n;

	n = readlinkat(fd, "", target, sizeof(target));
	if (n == -1)
		return -1;
	if (++w->links > LINKS_MAX)
		return fails(ELOOP);
	if ((size_t)n + len >= sizeof(w->rest))
		return fails(ENAMETOOLONG);
	memmove(w->rest + n, rest, len + 1);
	memcpy(w->rest, target, (size_t)n);
	if (*target == '/')
		climb(w, 0);
	return 0;
}

/* One name.  1 go on, 0 *found is it (O_PATH), -1. */
static int
step(struct walk *w, int *found)
{
	char name[NAME_MAX + 1];
	const char *p = w->rest + strspn(w->rest, "/");
	size_t n = strcspn(p, "/");
	struct stat st;
	int fd, r = -1;

	if (n == 0) { /* a directory was asked for */
		*found = fcntl(w->dir[w->depth], F_DUPFD_CLOEXEC, 0);
		return *found == -1 ? -1 : 0;
	}
	if (n > NAME_MAX)
		return fails(ENAMETOOLONG);
	memcpy(name, p, n);
	name[n] = '\0';
	p += n;
	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
		if (name[1] == '.' && w->depth > 0)
			climb(w, w->depth - 1);
		memmove(w->rest, p, strlen(p) + 1);
		return 1;
	}
	fd = openat(w->dir[w->depth], name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1 || fstat(fd, &st) == -1)
		goto out;
	if (S_ISLNK(st.st_mode)) {
		r = follow(w, fd, p) == 0 ? 1 : -1;
	} else if (S_ISDIR(st.st_mode)) {
		if (w->depth + 1 == DEPTH_MAX) {
			errno = ENAMETOOLONG;
			goto out;
		}
		w->dir[++w->depth] = fd;
		memmove(w->rest, p, strlen(p) + 1);
		return 1;
	} else if (*p != '\0') {
		errno = ENOTDIR;
	} else {
		*found = fd;
		return 0;
	}
out:
	io_close(&fd);
	return r;
}

int
inroot_walk(int rootfd, const char *path)
{
	struct walk w = {.dir = {rootfd}};
	int found = -1, r;

	if (snprintf(w.rest, sizeof(w.rest), "%s", path) >= PATH_MAX)
		return fails(ENAMETOOLONG);
	do
		r = step(&w, &found);
	while (r == 1);
	r = errno;
	climb(&w, 0);
	errno = r;
	return found;
}

int
inroot_path(int rootfd, const char *path)
{
	struct open_how how = {.flags = O_PATH | O_CLOEXEC,
	    .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
	int fd = (int)syscall(SYS_openat2, rootfd, path, &how, sizeof(how));

	/* EPERM: sandboxes that know of no such call */
	if (fd == -1 && (errno == ENOSYS || errno == EPERM))
		return inroot_walk(rootfd, path);
	return fd;
}

int
inroot_open(int rootfd, const char *path)
{
	int fd = inroot_path(rootfd, path);

	return fd == -1 ? -1 : io_reopen_regular(fd);
}
