#include "segv/segv_keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/child.h"
#include "base/io.h"
#include "base/msg.h"
#include "base/passfd.h"
#include "base/sandbox.h"

enum {
	OURS = 3, /* the only descriptor that is kept, and the directory */
	DIGITS = 16,
	OPENS = O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC |
	    O_NOCTTY | O_NONBLOCK
};

struct keeper {
	const struct segv_keeper_opts *o;
	char *path; /* with no link in it */
	const char *name;
	int dirfd;
};

/* --- in the keeper ---------------------------------------------------------
 */

static int
move(const struct keeper *k, unsigned from)
{
	char old[NAME_MAX + DIGITS], new[NAME_MAX + DIGITS];

	snprintf(old, sizeof(old), from == 0 ? "%s" : "%s.%u", k->name, from);
	snprintf(new, sizeof(new), "%s.%u", k->name, from + 1);
	if (renameat(k->dirfd, old, k->dirfd, new) == -1 && errno != ENOENT)
		return -1;
	return 0;
}

static int
open_it(const struct keeper *k, int flags)
{
	int fd = openat(k->dirfd, k->name, OPENS | flags, 0640);
	struct stat st;

	if (fd == -1)
		return -1;
	if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode)) {
		close(fd);
		return fails(ENOTSUP);
	}
	return fd;
}

/* The oldest is replaced: there are never more. */
static int
next(const struct keeper *k)
{
	char first[NAME_MAX + DIGITS];
	struct stat st;
	unsigned i;
	int fd, err;

	if (fstatat(k->dirfd, k->name, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return errno == ENOENT ? open_it(k, O_EXCL) : -1;
	if (!S_ISREG(st.st_mode))
		return fails(ENOTSUP);
	if (k->o->size == 0 || (uint64_t)st.st_size < k->o->size)
		return fails(EAGAIN);
	for (i = k->o->count; i-- > 0;)
		if (move(k, i) == -1)
			return -1;
	fd = open_it(k, O_EXCL);
	if (fd != -1)
		return fd;
	/* what is written goes on there: it has its name back */
	err = errno;
	snprintf(first, sizeof(first), "%s.1", k->name);
	renameat(k->dirfd, first, k->dirfd, k->name);
	return fails(err);
}

/* The file, and errno where there is none; 0, or -1: nobody is there. */
static int
answer(int askfd, int fd, int err)
{
	union passfd u;
	struct iovec iov = {&err, sizeof(err)};
	struct msghdr mh = {.msg_iov = &iov, .msg_iovlen = 1};

	passfd_put(&mh, &u, fd);
	return sendmsg(askfd, &mh, MSG_NOSIGNAL) == -1 ? -1 : 0;
}

static void
serve(const struct keeper *k, int askfd)
{
	char what;
	int fd, r = 0;

	while (r == 0 && read(askfd, &what, 1) == 1) {
		errno = EINVAL;
		fd = what == KEEPER_NEXT   ? next(k)
		    : what == KEEPER_AGAIN ? open_it(k, 0)
					   : -1;
		r = answer(askfd, fd, fd == -1 ? errno : 0);
		io_close(&fd);
	}
}

/* As the owner of the directory, or as who it was started by. */
static _Noreturn void
keep(struct keeper *k, int askfd, pid_t parent)
{
	static const int kept[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE};
	struct sandbox_bounds b = {.treefd = OURS + 1};
	const char *why;
	struct stat st;
	size_t i;

	for (i = 0; i < NELEM(kept); i++)
		signal(kept[i], SIG_IGN);
	askfd = fcntl(askfd, F_DUPFD, OURS + 2);
	k->dirfd = fcntl(k->dirfd, F_DUPFD, OURS + 2);
	if (dup2(askfd, OURS) == -1 || dup2(k->dirfd, OURS + 1) == -1)
		_exit(EXIT_SYSTEM);
	fd_close_from(OURS + 2);
	k->dirfd = OURS + 1;
	umask(S_IWGRP | S_IRWXO);
	if (fstat(k->dirfd, &st) == -1)
		_exit(EXIT_SYSTEM);
	b.uid = geteuid() == 0 ? st.st_uid : geteuid();
	b.gid = geteuid() == 0 ? st.st_gid : getegid();
	if (sandbox_enter(SANDBOX_LOG, &b, parent, &why) == -1)
		msg_die_sys(EXIT_SYSTEM,
		    "unable to keep %s: it will not be opened anew", k->path);
	if (why != NULL)
		msg_debug(1, "%s: %s", k->path, why);
	serve(k, OURS);
	_exit(EXIT_DONE);
}

/* --- outside ---------------------------------------------------------------
 */

/* Where links lead, of a file that need not be there. */
static char *
real_path(const char *path)
{
	char *real = realpath(path, NULL), *copy, *slash, *dir;

	if (real != NULL || errno != ENOENT || (copy = strdup(path)) == NULL)
		return real;
	slash = strrchr(copy, '/');
	if (slash != NULL)
		*slash = '\0';
	dir = realpath(slash == NULL ? "." : slash == copy ? "/" : copy, NULL);
	if (dir != NULL &&
	    asprintf(&real, "%s/%s", dir, slash != NULL ? slash + 1 : copy) ==
		-1)
		real = NULL;
	free(dir);
	free(copy);
	return real;
}

static int
find(struct keeper *k)
{
	struct stat st;
	char *slash;

	k->path = real_path(k->o->path);
	if (k->path == NULL)
		return -1;
	if (stat(k->path, &st) == 0 && !S_ISREG(st.st_mode))
		return fails(ENOTSUP);
	slash = strrchr(k->path, '/');
	if (slash == NULL || strlen(slash + 1) + DIGITS > NAME_MAX)
		return fails(ENAMETOOLONG);
	k->name = slash + 1;
	*slash = '\0';
	k->dirfd = open(*k->path != '\0' ? k->path : "/",
	    O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*slash = '/';
	return k->dirfd == -1 ? -1 : 0;
}

int
segv_keeper_start(const struct segv_keeper_opts *o)
{
	struct keeper k = {.o = o, .dirfd = -1};
	pid_t self = getpid(), pid = -1;
	int fd[2] = {-1, -1};

	if (find(&k) == 0 &&
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fd) == 0) {
		pid = child_fork();
		if (pid == 0)
			keep(&k, fd[1], self);
	}
	io_close(&k.dirfd);
	free(k.path);
	io_close(&fd[1]);
	if (pid == -1)
		io_close(&fd[0]);
	return fd[0];
}

int
segv_keeper_ask(int askfd, enum segv_keeper_ask what)
{
	union passfd u;
	char ask = (char)what;
	int err, fd = -1;
	struct iovec iov = {&err, sizeof(err)};
	struct msghdr mh = {.msg_iov = &iov, .msg_iovlen = 1};
	ssize_t n;

	if (write(askfd, &ask, 1) != 1)
		return -1;
	passfd_room(&mh, &u);
	while (
	    (n = recvmsg(askfd, &mh, MSG_CMSG_CLOEXEC)) == -1 && errno == EINTR)
		;
	if (n != sizeof(err))
		return n == -1 ? -1 : fails(EPIPE);
	if (passfd_take(&mh, &fd) == -1)
		return -1;
	return fd != -1 ? fd : fails(err != 0 ? err : EPROTO);
}
