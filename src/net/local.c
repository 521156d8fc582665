#include "net/local.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/deadline.h"
#include "base/io.h"
#include "base/num.h"
#include "base/owned.h"
#include "base/passfd.h"

static int
net_address(const char *path, struct sockaddr_un *sun)
{
	size_t len = strlen(path);

	if (len == 0 || len >= sizeof(sun->sun_path)) {
		errno = len ? ENAMETOOLONG : ENOENT;
		return -1;
	}
	memset(sun, 0, sizeof(*sun));
	sun->sun_family = AF_UNIX;
	memcpy(sun->sun_path, path, len + 1);
	return 0;
}

/* Only a blocking connect(2) waits for room in the backlog, and SO_SNDTIMEO
 * bounds it.  Zero would mean for ever. */
static int
wait_for_room(int fd, int64_t deadline)
{
	int left = deadline_left(deadline);
	struct timeval tv;

	if (left == 0)
		left = 1;
	tv.tv_sec = left / 1000;
	tv.tv_usec = left % 1000 * 1000;
	if (left > 0 &&
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv)) == -1)
		return -1;
	return fcntl(fd, F_SETFL, O_RDWR);
}

int
net_connect(const char *path, int type, int64_t deadline)
{
	struct sockaddr_un sun;
	int fd, waits = 0;

	if (net_address(path, &sun) == -1)
		return -1;
	fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1)
		return -1;
	while (connect(fd, (struct sockaddr *)&sun, sizeof(sun)) == -1) {
		if (errno == EINTR && deadline_left(deadline) != 0)
			continue;
		if (errno == EAGAIN && !waits &&
		    (waits = wait_for_room(fd, deadline) != -1))
			continue;
		if (errno == EAGAIN || errno == EINTR)
			errno = ETIMEDOUT;
		io_done(fd);
		return -1;
	}
	return fd;
}

/* The directory of path, made if need be and found trustworthy. */
static int
net_parent(const char *path, char name[NET_PATH_MAX])
{
	char dir[NET_PATH_MAX];
	const char *slash = strrchr(path, '/');
	int fd, made;

	if (*path != '/' || slash[1] == '\0') {
		errno = EINVAL;
		return -1;
	}
	if (strlen(path) + sizeof(".lock") > sizeof(dir)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	snprintf(name, NET_PATH_MAX, "%s", slash + 1);
	snprintf(dir, sizeof(dir), "%.*s",
	    slash == path ? 1 : (int)(slash - path), path);
	fd = owned_dir(dir, OWNED_OURS_OR_ROOTS, &made);
	if (fd != -1 && made && fchmod(fd, 0755) == -1)
		io_close(&fd);
	return fd;
}

/* Holds name.lock for as long as this process lives. */
static int
net_lock(int dirfd, const char *name, int64_t deadline)
{
	char lock[NET_PATH_MAX + sizeof(".lock")];
	struct stat st;
	int fd;

	snprintf(lock, sizeof(lock), "%s.lock", name);
	fd = owned_lock(dirfd, lock, deadline, &st);
	if (fd == -1 && errno == ETIMEDOUT)
		errno = EADDRINUSE;
	return fd;
}

/* With the lock held: makes way for a new socket at path. */
static int
net_clear(int dirfd, const char *name, const char *path, int type)
{
	struct stat st;
	int fd;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return errno == ENOENT ? 0 : -1;
	if (!S_ISSOCK(st.st_mode) || st.st_uid != geteuid()) {
		errno = EEXIST;
		return -1;
	}
	/* A service manager may listen there without our lock. */
	fd = net_connect(path, type, deadline_in(0));
	if (fd != -1 || (errno != ECONNREFUSED && errno != ENOENT)) {
		io_close(&fd);
		errno = EADDRINUSE;
		return -1;
	}
	if (unlinkat(dirfd, name, 0) == -1 && errno != ENOENT)
		return -1;
	return 0;
}

/* Six parameters: what bind(2), chmod(2), listen(2) and the lock want. */
int
net_listen(const char *path, int type, mode_t mode, int backlog,
    int64_t deadline, struct net_listener *l)
{
	struct sockaddr_un sun;
	struct stat st;

	l->fd = l->lockfd = l->dirfd = -1;
	l->ino = 0;
	if (net_address(path, &sun) == -1)
		return -1;
	l->dirfd = net_parent(path, l->name);
	if (l->dirfd == -1)
		return -1;
	l->lockfd = net_lock(l->dirfd, l->name, deadline);
	if (l->lockfd == -1 || net_clear(l->dirfd, l->name, path, type) == -1)
		goto fail;
	l->fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (l->fd == -1 ||
	    bind(l->fd, (struct sockaddr *)&sun, sizeof(sun)) == -1)
		goto fail;
	if (fstatat(l->dirfd, l->name, &st, AT_SYMLINK_NOFOLLOW) == -1)
		goto fail;
	l->dev = st.st_dev;
	l->ino = st.st_ino;
	/* Nobody can connect before listen(2): the mode is right by then. */
	if (fchmodat(l->dirfd, l->name, mode, 0) == -1 ||
	    listen(l->fd, backlog) == -1)
		goto fail;
	return 0;
fail:
	net_unlisten(l);
	return -1;
}

void
net_unlisten(struct net_listener *l)
{
	struct stat st;
	int saved = errno;

	if (l->ino != 0 && l->dirfd != -1 &&
	    fstatat(l->dirfd, l->name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    st.st_dev == l->dev && st.st_ino == l->ino)
		unlinkat(l->dirfd, l->name, 0);
	l->ino = 0;
	errno = saved;
	net_forget(l);
}

void
net_forget(struct net_listener *l)
{
	io_close(&l->fd);
	io_close(&l->dirfd);
	io_close(&l->lockfd);
}

int
net_activated(void)
{
	const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");
	uint64_t p, n = 0;
	int fd, r = 0;

	if (pid == NULL || fds == NULL)
		return 0;
	if (num_u64(pid, 10, 1, INT_MAX, &p) == -1 ||
	    num_u64(fds, 10, 0, 1024, &n) == -1) {
		errno = EINVAL;
		return -1;
	}
	if ((pid_t)p != getpid())
		return 0;
	for (fd = NET_ACTIVATED; fd < NET_ACTIVATED + (int)n; fd++)
		if (fcntl(fd, F_SETFD, FD_CLOEXEC) == -1)
			r = -1;
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	if (r == -1) {
		errno = EINVAL;
		return -1;
	}
	return (int)n;
}

static int
net_option(int fd, int option, int *value)
{
	socklen_t len = sizeof(*value);

	return value == NULL ? 0
			     : getsockopt(fd, SOL_SOCKET, option, value, &len);
}

int
net_kind(int fd, int *domain, int *type, int *listening)
{
	if (net_option(fd, SO_DOMAIN, domain) == -1 ||
	    net_option(fd, SO_TYPE, type) == -1)
		return -1;
	return net_option(fd, SO_ACCEPTCONN, listening);
}

int
net_is_local(int fd, int *listening)
{
	int domain, type;

	if (net_kind(fd, &domain, &type, listening) == -1)
		return -1;
	if (domain != AF_UNIX ||
	    (type != SOCK_SEQPACKET && type != SOCK_STREAM)) {
		errno = EPROTOTYPE;
		return -1;
	}
	return 0;
}

int
net_spare_stderr(void)
{
	struct stat in, err;

	if (fstat(0, &in) == -1 || fstat(2, &err) == -1 ||
	    !S_ISSOCK(in.st_mode) || in.st_dev != err.st_dev ||
	    in.st_ino != err.st_ino)
		return 0;
	close(2);
	return 1;
}

int
net_peer(int fd, struct ucred *cred)
{
	socklen_t len = sizeof(*cred);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, cred, &len);
}

int
net_send(int fd, const void *data, size_t size, int passfd, int64_t deadline)
{
	union passfd u;
	struct iovec iov = {
	    .iov_base = (void *)(uintptr_t)data, .iov_len = size};
	struct msghdr mh = {.msg_iov = &iov, .msg_iovlen = 1};
	ssize_t w;

	passfd_put(&mh, &u, passfd);
	for (;;) {
		w = sendmsg(fd, &mh, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (w == (ssize_t)size)
			return 0;
		if (w != -1) {
			/* A stream took a part; no packet here is so big. */
			errno = EMSGSIZE;
			return -1;
		}
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN)
			return -1;
		if (deadline_poll(fd, POLLOUT, deadline) <= 0)
			return -1;
	}
}

static int
net_is_stream(int fd)
{
	socklen_t len = sizeof(int);
	int type = 0;

	return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 &&
	    type == SOCK_STREAM;
}

int
net_recv(int fd, void *data, size_t size, int *gotfd, int64_t deadline)
{
	union passfd u;
	struct iovec iov;
	struct msghdr mh;
	size_t got = 0;
	ssize_t n;
	int reset = 0;

	if (gotfd != NULL)
		*gotfd = -1;
	for (;;) {
		if (deadline_poll(fd, POLLIN, deadline) <= 0)
			goto fail;
		memset(&mh, 0, sizeof(mh));
		iov.iov_base = (char *)data + got;
		iov.iov_len = size - got;
		mh.msg_iov = &iov;
		mh.msg_iovlen = 1;
		passfd_room(&mh, &u);
		n = recvmsg(fd, &mh, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
		if (n == -1) {
			if (errno == EINTR || errno == EAGAIN)
				continue;
			/*
			 * A peer that answers and closes without reading all
			 * we sent: the reset is told first, once, and the
			 * answer lies behind it.
			 */
			if (errno == ECONNRESET && !reset++)
				continue;
			goto fail;
		}
		/* one for all of it: a second is a stray */
		if (passfd_take(&mh, gotfd && *gotfd == -1 ? gotfd : NULL) ==
		    -1)
			goto fail;
		if (n == 0 && got == 0) {
			if (gotfd != NULL)
				io_close(gotfd);
			return 0;
		}
		got += (size_t)n;
		if (mh.msg_flags & MSG_TRUNC)
			break;
		if (got == size)
			return 1;
		if (n == 0 || !net_is_stream(fd))
			break;
	}
	errno = EMSGSIZE;
fail:
	if (gotfd != NULL)
		io_close(gotfd);
	return -1;
}
