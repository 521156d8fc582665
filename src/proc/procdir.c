#include "proc/procdir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/io.h"
#include "base/num.h"

enum { STATUS_MAX = 65536, STAT_MAX = 4096 };

int
proc_open(pid_t pid)
{
	char path[32];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d", (int)pid);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1 && errno == ENOENT)
		errno = ESRCH;
	return fd;
}

const char *
proc_status_field(
    const char *text, size_t textlen, const char *name, size_t *len)
{
	const char *p = text, *end = text + textlen, *nl;
	size_t n = strlen(name);

	for (; p < end; p = nl + 1) {
		nl = memchr(p, '\n', (size_t)(end - p));
		if (nl == NULL)
			break;
		if ((size_t)(nl - p) <= n || p[n] != ':' ||
		    memcmp(p, name, n) != 0)
			continue;
		for (p += n + 1; p < nl && (*p == '\t' || *p == ' '); p++)
			;
		*len = (size_t)(nl - p);
		return p;
	}
	return NULL;
}

long
proc_status_number(const char *text, size_t textlen, const char *name, int last)
{
	const char *p, *end, *rest;
	uint64_t v;
	size_t len;

	p = proc_status_field(text, textlen, name, &len);
	if (p == NULL)
		return -1;
	end = p + len;
	if (last)
		for (p = end; len > 0 && p[-1] >= '0' && p[-1] <= '9'; len--)
			p--;
	if (num_scan(p, end, 10, &v, &rest) == -1 || v > LONG_MAX)
		return -1;
	return (long)v;
}

int64_t
proc_stat_number(int dirfd, const char *path, int n)
{
	struct buf b = {0};
	const char *p = NULL, *end, *rest;
	int64_t value = -1;
	uint64_t v;

	if (io_slurp_once(dirfd, path, STAT_MAX, &b, NULL) == 0) {
		end = b.p + b.len;
		/* a comm may hold anything: it ends at the last one */
		p = memrchr(b.p, ')', b.len);
		for (; p != NULL && n > 2; n--)
			if ((p = memchr(p, ' ', (size_t)(end - p))) != NULL)
				p++;
		if (p != NULL && num_scan(p, end, 10, &v, &rest) == 0 &&
		    v <= INT64_MAX)
			value = (int64_t)v;
	}
	buf_free(&b);
	return value;
}

/* struct pidfd_info of linux/pidfd.h (Linux 6.13), as far as it has been since
 * then; a later kernel looks at the size. */
struct pidfd_info {
	uint64_t mask, cgroupid;
	uint32_t pid, tgid, ppid, ids[8], code;
};

_Static_assert(sizeof(struct pidfd_info) == 64, "PIDFD_INFO_SIZE_VER0");

#define PIDFD_GET_INFO _IOWR(0xff, 11, struct pidfd_info)

/* Does the pidfd refer to pid?  A dead process's fdinfo says Pid: -1. */
static int
pidfd_is(int pidfd, pid_t pid)
{
	struct pidfd_info info = {.mask = 0};
	struct buf b = {0};
	char path[48];
	long v;

	/* the numbers of our namespace; those of /proc may be others */
	if (ioctl(pidfd, PIDFD_GET_INFO, &info) == 0 &&
	    info.tgid == (uint32_t)pid)
		return 1;
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", pidfd);
	if (io_slurp_once(AT_FDCWD, path, STATUS_MAX, &b, NULL) == -1)
		return -1;
	v = proc_status_number(b.p, b.len, "Pid", 0);
	buf_free(&b);
	return v == pid;
}

/* Whose directory that is is dumping core, its status says, which then is in b;
 * *zombie: it has exited. */
static int
says_dumping(int dirfd, struct buf *b, int *zombie)
{
	const char *state;
	size_t len;

	b->len = 0;
	if (io_slurp_once(dirfd, "status", STATUS_MAX, b, NULL) == -1)
		return 0;
	state = proc_status_field(b->p, b->len, "State", &len);
	*zombie = state != NULL && len > 0 && *state == 'Z';
	return proc_status_number(b->p, b->len, "CoreDumping", 0) == 1;
}

static int
is_dumping(int dirfd, pid_t nspid)
{
	struct buf b = {0};
	int zombie, dumping = says_dumping(dirfd, &b, &zombie);

	if (nspid > 0 && proc_status_number(b.p, b.len, "NSpid", 1) != nspid)
		dumping = 0;
	buf_free(&b);
	return dumping;
}

static int
has_memory(int dirfd)
{
	char c;
	ssize_t r = -1;
	int fd = openat(dirfd, "maps", O_RDONLY | O_CLOEXEC);

	if (fd != -1) {
		r = read(fd, &c, 1);
		close(fd);
	}
	return r == 1;
}

/* A thread of the group that still has its memory. */
static int
open_living_thread(int dirfd, int want_dumping)
{
	struct dirent *e;
	uint64_t tid;
	DIR *d;
	int found = -1;

	d = io_opendir(dirfd, "task");
	if (d == NULL)
		return fails(ESRCH);
	while (found == -1 && (e = readdir(d)) != NULL) {
		if (num_u64(e->d_name, 10, 1, INT_MAX, &tid) == -1)
			continue;
		found = proc_open((pid_t)tid);
		if (found != -1 &&
		    ((want_dumping && !is_dumping(found, 0)) ||
			!has_memory(found))) {
			close(found);
			found = -1;
		}
	}
	closedir(d);
	if (found == -1)
		errno = ESRCH;
	return found;
}

/* The thread must belong to the process just checked. */
static int
open_crashed_thread(pid_t pid, pid_t tid, struct buf *b, int *zombie)
{
	int fd = proc_open(tid);

	if (fd != -1 &&
	    (!says_dumping(fd, b, zombie) ||
		proc_status_number(b->p, b->len, "Tgid", 0) != pid ||
		!has_memory(fd)))
		io_close(&fd);
	return fd;
}

/* As proc_open_crashed(); b is its status, or empty. */
static int
open_crashed(pid_t pid, pid_t tid, int pidfd, struct buf *b)
{
	int dirfd, tidfd, zombie = 0, ok;

	dirfd = proc_open(pid);
	if (dirfd == -1)
		return -1;
	/* after the open: if the pidfd still names pid, so did the open */
	if (pidfd != -1 && pidfd_is(pidfd, pid) == 0) {
		close(dirfd);
		return fails(ESTALE);
	}
	ok = says_dumping(dirfd, b, &zombie);
	if (tid > 0 && tid != pid) {
		tidfd = open_crashed_thread(pid, tid, b, &zombie);
		if (tidfd != -1) {
			close(dirfd);
			return tidfd;
		}
		buf_free(b); /* whose it is by now */
	}
	/* status says that it dumps only of what has memory */
	if (zombie) {
		buf_free(b);
		tidfd = open_living_thread(dirfd, 1);
		close(dirfd);
		return tidfd;
	}
	if (!ok) {
		close(dirfd);
		return fails(ESTALE);
	}
	return dirfd;
}

int
proc_open_crashed(pid_t pid, pid_t tid, int pidfd, struct buf *status)
{
	struct buf b = {0};
	int fd = open_crashed(pid, tid, pidfd, &b), saved = errno;

	if (status != NULL)
		*status = b;
	else
		buf_free(&b);
	errno = saved;
	return fd;
}

int
proc_open_thread(pid_t pid)
{
	int dirfd = proc_open(pid), fd;

	if (dirfd == -1 || has_memory(dirfd))
		return dirfd;
	fd = open_living_thread(dirfd, 0);
	if (fd == -1)
		return dirfd;
	close(dirfd);
	return fd;
}

pid_t
proc_find_crashed(pid_t nspid)
{
	struct dirent *e;
	pid_t found = -1;
	uint64_t pid;
	int dirfd, hits = 0;
	DIR *d = opendir("/proc");

	if (d == NULL)
		return -1;
	while ((e = readdir(d)) != NULL) {
		if (num_u64(e->d_name, 10, 1, INT_MAX, &pid) == -1)
			continue;
		dirfd = proc_open((pid_t)pid);
		if (dirfd == -1)
			continue;
		if (is_dumping(dirfd, nspid)) {
			found = (pid_t)pid;
			hits++;
		}
		close(dirfd);
	}
	closedir(d);
	return hits == 1 ? found : -1;
}

int
proc_is_secret(int procfd)
{
	struct stat dir, file;
	struct buf b = {0};
	long uid;

	if (procfd == -1 || fstat(procfd, &dir) == -1 ||
	    fstatat(procfd, "status", &file, 0) == -1 ||
	    io_slurp_once(procfd, "status", STATUS_MAX, &b, NULL) == -1)
		return 1;
	uid = proc_status_number(b.p, b.len, "Uid", 0);
	buf_free(&b);
	return dir.st_uid != file.st_uid || uid != (long)dir.st_uid;
}
