#include "target/modopen.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/inroot.h"
#include "base/io.h"
#include "elf/elfsym.h"
#include "proc/mounts.h"

void
modopen_init(struct modopen *o)
{
	memset(o, 0, sizeof(*o));
	o->mountsfd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
	o->rootfd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
}

void
modopen_end(struct modopen *o)
{
	io_close(&o->mountsfd);
	io_close(&o->rootfd);
	buf_free(&o->mounts);
}

/* The kernel says POLLPRI on the file when the table has changed (proc(5)). */
static int
own_may_hang(struct modopen *o, const char *path)
{
	struct pollfd pfd = {.fd = o->mountsfd, .events = POLLPRI};

	if (o->mounts.len == 0 ||
	    (poll(&pfd, 1, 0) == 1 && (pfd.revents & (POLLPRI | POLLERR)))) {
		buf_free(&o->mounts);
		if (io_slurp(AT_FDCWD, "/proc/self/mountinfo", MOUNTS_MAX,
			&o->mounts, NULL) == -1)
			return 1;
	}
	return mounts_may_hang(o->mounts.p, o->mounts.len, path);
}

/*
 * Device numbers of the mapping and of stat(2) differ on file systems that
 * make some up (overlayfs, btrfs): then those have no major number.
 */
static int
is_same(int fd, const struct map *m, struct stat *st)
{
	unsigned char id[ELFSYM_ID_MAX];

	if (fstat(fd, st) == -1)
		return 0;
	if (m->idlen > 0)
		return elfsym_buildid(fd, id) == m->idlen &&
		    memcmp(id, m->id, m->idlen) == 0;
	return st->st_ino == m->ino &&
	    (map_dev_is(m->dev, st->st_dev) ||
		(m->dev >> 32 == 0 && major(st->st_dev) == 0));
}

/* Keeps the reason that says most: a file that is another one by now, then
 * one that may not be opened, then one that is not there. */
static int
checked(int fd, const struct map *m, struct modopened *got)
{
	static const char other[] = "the file was replaced",
			  refused[] = "the file cannot be opened";

	if (fd != -1 && is_same(fd, m, &got->st))
		return fd;
	if (fd != -1) {
		close(fd);
		got->why = other;
	} else if (got->why != other && errno != ENOENT && errno != ENOTDIR &&
	    errno != ESRCH)
		got->why = refused;
	return -1;
}

static int
open_of(pid_t pid, const struct map *m, int mapped, int named,
    struct modopened *got)
{
	char path[32];
	int procfd, rootfd, fd = -1;

	snprintf(path, sizeof(path), "/proc/%d", (int)pid);
	procfd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (procfd == -1 || mounts_of_may_hang(procfd, m->name))
		goto out;
	if (mapped)
		fd = checked(map_open(procfd, m), m, got);
	if (fd == -1 && named) {
		rootfd =
		    openat(procfd, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (rootfd != -1) {
			fd = checked(inroot_open(rootfd, m->name), m, got);
			close(rootfd);
		}
	}
out:
	io_close(&procfd);
	return fd;
}

int
modopen_map(struct modopen *o, const struct map *m, const pid_t *pid,
    size_t npids, struct modopened *got)
{
	static const char deleted[] = " (deleted)";
	size_t i, len = strlen(m->name), dlen = sizeof(deleted) - 1;
	int named, fd;

	got->why = "the file is gone";
	if (*m->name != '/' || m->name[1] == '/') { /* //toolong, //enomem */
		got->why = "its name is not known";
		return -1;
	}
	/* such a name may be a file's own, or mean one that has none */
	named = len <= dlen || strcmp(m->name + len - dlen, deleted) != 0;
	if (named && own_may_hang(o, m->name))
		got->why = "it is on a file system that may not answer";
	else if (named) {
		fd = checked(inroot_open(o->rootfd, m->name), m, got);
		if (fd != -1)
			return fd;
	}
	for (i = 0; i < npids; i++) {
		fd = open_of(pid[i], m, i == 0, named, got);
		if (fd != -1)
			return fd;
	}
	return -1;
}
