#include "base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/bytes.h"

enum {
	FIRST = 2000,
	LATER_MAX = 32,
	ENTRY_MAX = 280 /* a name of 255 bytes, and what goes with it */
};

/* To be closed. */
static struct {
	int on, n, fd[LATER_MAX];
} later;

int
buf_reserve(struct buf *b, size_t n)
{
	size_t cap = b->cap ? b->cap : 256;
	char *p;

	if (n >= SIZE_MAX / 2 - b->len)
		return fails(ENOMEM);
	if (b->len + n + 1 <= b->cap)
		return 0;
	while (cap < b->len + n + 1)
		cap *= 2;
	p = realloc(b->p, cap);
	if (p == NULL)
		return -1;
	b->p = p;
	b->cap = cap;
	return 0;
}

int
buf_append(struct buf *b, const void *data, size_t n)
{
	if (buf_reserve(b, n) == -1)
		return -1;
	if (n != 0)
		memcpy(b->p + b->len, data, n);
	b->len += n;
	b->p[b->len] = '\0';
	return 0;
}

void
buf_free(struct buf *b)
{
	free(b->p);
	b->p = NULL;
	b->len = b->cap = 0;
}

void
io_close(int *fd)
{
	int saved = errno;

	if (*fd != -1)
		close(*fd);
	*fd = -1;
	errno = saved;
}

static void
close_run(int from, int to)
{
#if defined(SYS_close_range) /* Linux 5.9 */
	if (to > from &&
	    syscall(SYS_close_range, (unsigned)from, (unsigned)to, 0) == 0)
		return;
#endif
	for (; from <= to; from++)
		close(from);
}

static void
close_all(void)
{
	int i, from;

	for (i = 0; i < later.n; i++) {
		from = later.fd[i];
		while (i + 1 < later.n && later.fd[i + 1] == later.fd[i] + 1)
			i++;
		close_run(from, later.fd[i]);
	}
	later.n = 0;
}

int
io_later(int on)
{
	int was = later.on, saved = errno;

	later.on = on;
	if (!on)
		close_all();
	errno = saved;
	return was;
}

void
io_done(int fd)
{
	int saved = errno, i;

	if (later.n == LATER_MAX)
		close_all();
	for (i = later.n++; i > 0 && later.fd[i - 1] > fd; i--)
		later.fd[i] = later.fd[i - 1];
	later.fd[i] = fd;
	if (!later.on)
		close_all();
	errno = saved;
}

void
io_forget(void)
{
	later.on = later.n = 0;
}

/* A descriptor of its own: the position belongs to the open file. */
static int
open_directory(int dirfd, const char *name)
{
	return openat(
	    dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

DIR *
io_opendir(int dirfd, const char *name)
{
	int fd = open_directory(dirfd, name);
	DIR *d = fd == -1 ? NULL : fdopendir(fd);

	if (d == NULL)
		io_close(&fd);
	return d;
}

int
io_dir_open(struct io_dir *d, int dirfd, const char *name)
{
	d->fd = open_directory(dirfd, name);
	d->at = d->have = 0;
	d->full = 0;
	return d->fd == -1 ? -1 : 0;
}

/* struct linux_dirent64 of getdents(2); its wrapper is not in every libc. */
const char *
io_dir_next(struct io_dir *d)
{
	enum { RECLEN = 16, NAME = 19 };
	const char *entry = d->entries + d->at;
	unsigned short len;
	long n;

	if (d->at == d->have) {
		if (d->full && d->have > 0 &&
		    d->have + ENTRY_MAX <= sizeof(d->entries))
			return NULL;
		n = syscall(
		    SYS_getdents64, d->fd, d->entries, sizeof(d->entries));
		if (n <= 0)
			return NULL;
		d->at = 0;
		d->have = (size_t)n;
		entry = d->entries;
	}
	memcpy(&len, entry + RECLEN, sizeof(len));
	d->at += len;
	return entry + NAME;
}

ssize_t
io_read_full(int fd, void *data, size_t n)
{
	size_t done = 0;
	ssize_t r;

	while (done < n) {
		r = read(fd, (char *)data + done, n - done);
		if (r == 0)
			break;
		if (r == -1) {
			if (errno == EINTR)
				continue;
			return -1;
		}
		done += (size_t)r;
	}
	return (ssize_t)done;
}

ssize_t
io_pread_full(int fd, void *data, size_t n, uint64_t off)
{
	size_t done = 0;
	ssize_t r;

	while (done < n) {
		r = pread(
		    fd, (char *)data + done, n - done, (off_t)(off + done));
		if (r == 0)
			break;
		if (r == -1) {
			if (errno == EINTR)
				continue;
			return done ? (ssize_t)done : -1;
		}
		done += (size_t)r;
	}
	return (ssize_t)done;
}

int
io_write_full(int fd, const void *data, size_t n)
{
	size_t done = 0;
	ssize_t w;

	while (done < n) {
		w = write(fd, (const char *)data + done, n - done);
		if (w == -1) {
			if (errno == EINTR)
				continue;
			return -1;
		}
		done += (size_t)w;
	}
	return 0;
}

/* Six parameters: io_slurp()'s, and whether a short read is the end. */
static int
slurp(
    int dirfd, const char *path, size_t max, struct buf *b, int *cut, int once)
{
	size_t start = b->len, want;
	ssize_t r;
	int fd;

	if (cut != NULL)
		*cut = 0;
	fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd == -1)
		return -1;
	for (;;) {
		/* most of /proc's takes less than the first */
		if (b->cap - b->len < 1024 &&
		    buf_reserve(b,
			b->len > start	  ? 16384
			    : max < FIRST ? max + 1
					  : FIRST) == -1)
			goto fail;
		want = b->cap - b->len - 1;
		r = read(fd, b->p + b->len, want);
		if (r == 0)
			break;
		if (r == -1) {
			if (errno == EINTR)
				continue;
			goto fail;
		}
		b->len += (size_t)r;
		if (b->len - start > max) {
			b->len = start + max;
			if (cut != NULL)
				*cut = 1;
			break;
		}
		if (once && (size_t)r < want)
			break;
	}
	b->p[b->len] = '\0';
	io_done(fd);
	return 0;
fail:
	io_done(fd);
	b->len = start;
	if (start == 0)
		buf_free(b);
	return -1;
}

int
io_slurp(int dirfd, const char *path, size_t max, struct buf *b, int *cut)
{
	return slurp(dirfd, path, max, b, cut, 0);
}

int
io_slurp_once(int dirfd, const char *path, size_t max, struct buf *b, int *cut)
{
	return slurp(dirfd, path, max, b, cut, 1);
}

int
io_reopen_regular(int pathfd)
{
	struct stat st;
	char self[40];
	int fd;

	if (fstat(pathfd, &st) == -1 || !S_ISREG(st.st_mode)) {
		io_done(pathfd);
		return fails(ENODEV);
	}
	snprintf(self, sizeof(self), "/proc/self/fd/%d", pathfd);
	fd = open(self, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	io_done(pathfd);
	return fd;
}

int
io_open_regular(int dirfd, const char *path)
{
	int pathfd = openat(dirfd, path, O_PATH | O_CLOEXEC);

	return pathfd == -1 ? -1 : io_reopen_regular(pathfd);
}
