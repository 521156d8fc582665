#include "target/target_proc.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "target/jitmap.h"

struct proc_source {
	int memfd;
	struct buf maps; /* the text the map names point into */
};

static ssize_t
proc_read(struct target *t, uint64_t addr, void *p, size_t len)
{
	struct proc_source *s = t->src;
	ssize_t n;

	if (addr > (uint64_t)INT64_MAX - len) {
		errno = EFAULT;
		return -1;
	}
	n = io_pread_full(s->memfd, p, len, addr);
	/* EIO is an address where nothing is; the end of the file, at whatever
	 * address, is a memory that has gone (mem_rw() of fs/proc/base.c) */
	if (n == 0 && len > 0)
		t->lost = "the process was killed while it was read";
	return n;
}

static void
proc_close(struct target *t)
{
	struct proc_source *s = t->src;

	if (s->memfd != -1)
		close(s->memfd);
	buf_free(&s->maps);
	free(s);
	t->src = NULL;
}

/* The name as the process sees it, if it still is the file that is mapped. */
static int
open_by_name(int procfd, const struct map *m)
{
	char path[4096 + 8];
	struct stat st;
	int fd;

	if (*m->name != '/' ||
	    snprintf(path, sizeof(path), "root%s", m->name) >=
		(int)sizeof(path)) {
		errno = ENOENT;
		return -1;
	}
	fd = io_open_regular(procfd, path);
	if (fd == -1)
		return -1;
	if (fstat(fd, &st) == 0 && st.st_ino == m->ino &&
	    major(st.st_dev) == m->dev >> 32 &&
	    minor(st.st_dev) == (m->dev & 0xffffffff))
		return fd;
	close(fd);
	errno = ESTALE;
	return -1;
}

static void
open_module(int procfd, struct target *t, struct module *mod)
{
	struct map *m = target_map(t, mod->start);
	char path[64];

	if (m == NULL || m->ino == 0)
		return;
	snprintf(path, sizeof(path), "map_files/%" PRIx64 "-%" PRIx64, m->start,
	    m->end);
	mod->fd = io_open_regular(procfd, path);
	if (mod->fd == -1)
		mod->fd = open_by_name(procfd, m);
	if (mod->fd == -1)
		mod->fdwhy = errno == ESTALE ? "the file was replaced"
		    : errno == ENOENT	     ? "the file is gone"
					     : "the file cannot be opened";
}

static void
open_modules(int procfd, struct target *t)
{
	struct rlimit rl;
	size_t i;

	/* a process may map more files than the default limit lets us open */
	if (t->nmods > 512 && getrlimit(RLIMIT_NOFILE, &rl) == 0 &&
	    rl.rlim_cur < MODULE_FILES_MAX + 64) {
		rl.rlim_cur = rl.rlim_max < MODULE_FILES_MAX + 64
		    ? rl.rlim_max
		    : MODULE_FILES_MAX + 64;
		setrlimit(RLIMIT_NOFILE, &rl);
	}
	for (i = 0; i < t->nmods; i++) {
		if (i < MODULE_FILES_MAX)
			open_module(procfd, t, &t->mods[i]);
		else
			t->mods[i].fdwhy = "too many modules to open all files";
	}
}

int
target_proc_open(int procfd, struct procinfo *pi, struct target *t)
{
	struct proc_text *maps = &pi->item[PROC_MAPS];
	struct proc_source *s;

	if (maps->b.len == 0) {
		errno = maps->err ? maps->err : ESRCH;
		return -1;
	}
	s = calloc(1, sizeof(*s));
	if (s == NULL)
		return -1;
	s->memfd = openat(procfd, "mem", O_RDONLY | O_CLOEXEC);
	if (s->memfd == -1) {
		free(s);
		return -1;
	}
	t->src = s;
	t->read = proc_read;
	t->close = proc_close;
	s->maps = maps->b;
	memset(&maps->b, 0, sizeof(maps->b));
	if (maps_parse(s->maps.p, s->maps.len, &t->maps, &t->nmaps) == -1) {
		if (t->maps == NULL)
			return -1;
		t->maps_why = "the rest of the list does not parse";
	}
	if (maps->cut)
		t->maps_why = "the list is too long, the rest is left out";
	if (modules_find(t) == -1)
		return -1;
	open_modules(procfd, t);
	jitmap_open(procfd, pi, t);
	return 0;
}
