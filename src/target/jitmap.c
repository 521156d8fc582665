#include "target/jitmap.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/num.h"
#include "proc/mounts.h"
#include "proc/procdir.h"

enum { STAT_MAX = 4096, STARTTIME = 22 };

int
jitmap_wanted(const struct target *t)
{
	const struct map *m;
	size_t i;

	for (i = 0; i < t->nmaps; i++) {
		m = &t->maps[i];
		if ((m->prot & MAP_X) && map_is_made(m))
			return 1;
	}
	return 0;
}

/* Since when the process is there, in seconds of the wall clock, one too early
 * rather than too late; INT64_MAX when that cannot be known (proc(5)). */
static int64_t
began(int procfd)
{
	struct timespec wall, boot;
	struct buf b = {0};
	const char *p, *end;
	uint64_t ticks = 0;
	int64_t since = INT64_MAX;
	int field;

	if (io_slurp_once(procfd, "stat", STAT_MAX, &b, NULL) == 0 &&
	    (p = memrchr(b.p, ')', b.len)) != NULL) {
		end = b.p + b.len;
		for (field = 2; p != NULL && field < STARTTIME; field++) {
			p = memchr(p, ' ', (size_t)(end - p));
			p = p != NULL ? p + 1 : NULL;
		}
		if (p != NULL && num_scan(p, end, 10, &ticks, &p) == 0 &&
		    clock_gettime(CLOCK_REALTIME, &wall) == 0 &&
		    clock_gettime(CLOCK_BOOTTIME, &boot) == 0)
			since = wall.tv_sec - boot.tv_sec +
			    (int64_t)(ticks / (uint64_t)sysconf(_SC_CLK_TCK)) -
			    2;
	}
	buf_free(&b);
	return since;
}

/* Looked up below the process's root and not out of it; before Linux 5.6 by
 * the directory's name there. */
static int
open_path(int procfd, const char *path)
{
	struct open_how how = {.flags = O_PATH | O_NOFOLLOW | O_CLOEXEC,
	    .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
	char below[64];
	int rootfd, fd;

	rootfd = openat(procfd, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (rootfd == -1)
		return -1;
	fd = (int)syscall(SYS_openat2, rootfd, path, &how, sizeof(how));
	close(rootfd);
	if (fd == -1 && errno == ENOSYS) {
		snprintf(below, sizeof(below), "root%s", path);
		fd = openat(procfd, below, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	}
	return fd;
}

int
jitmap_find(int procfd, const struct buf *status)
{
	struct stat st;
	char path[48];
	long pid, uid;
	int fd;

	if (status->len == 0)
		return -1;
	pid = proc_status_number(status->p, status->len, "NStgid", 1);
	uid = proc_status_number(status->p, status->len, "Uid", 1); /* files' */
	snprintf(path, sizeof(path), "/tmp/perf-%ld.map", pid);
	if (pid <= 0 || uid < 0 || mounts_of_may_hang(procfd, path))
		return -1;
	fd = open_path(procfd, path);
	if (fd == -1)
		return -1;
	if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode) ||
	    st.st_uid != (uid_t)uid || st.st_mtime < began(procfd)) {
		close(fd);
		return -1;
	}
	return io_reopen_regular(fd);
}
