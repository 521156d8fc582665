#include "target/target_proc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/io.h"
#include "base/num.h"
#include "base/opener.h"
#include "proc/mounts.h"
#include "proc/pagemap.h"
#include "target/jitmap.h"

enum { DEVICES = 16, AT_ONCE = 16, SPARE = 128 };

struct proc_source {
	int memfd;
	/* in use where a file is on a far file system, or gently */
	struct pagemap pages;
	int gently;
	struct buf maps; /* the text the map names point into */
};

/* From the file, as it was opened for us. */
static ssize_t
read_file(
    struct target *t, const struct map *m, uint64_t addr, void *p, size_t len)
{
	const struct module *mod = m->module >= 0 ? &t->mods[m->module] : NULL;

	if (mod == NULL || mod->fd == -1) {
		errno = EIO;
		return -1;
	}
	return io_pread_full(mod->fd, p, len, m->off + (addr - m->start));
}

/* Up to where a mapping, or what is there of it, ends; n bytes. */
static ssize_t
read_piece(struct target *t, uint64_t addr, void *p, size_t len)
{
	struct proc_source *s = t->src;
	const struct map *m = maps_above(t->maps, t->nmaps, addr);
	int far, what;

	if (m != NULL && addr < m->start) {
		len = len < m->start - addr ? len : (size_t)(m->start - addr);
		m = NULL;
	} else if (m != NULL)
		len = len < m->end - addr ? len : (size_t)(m->end - addr);
	far = m != NULL && (m->prot & MAP_FAR);
	if (m == NULL || !(far || s->gently))
		return io_pread_full(s->memfd, p, len, addr);
	len = pagemap_span(&s->pages, addr, len, &what);
	if (what != PAGEMAP_NOT_HERE)
		return io_pread_full(s->memfd, p, len, addr);
	if (map_begins_empty(m)) {
		memset(p, 0, len);
		return (ssize_t)len;
	}
	if (far || (m->module >= 0 && t->mods[m->module].fd != -1))
		return read_file(t, m, addr, p, len);
	return io_pread_full(s->memfd, p, len, addr);
}

/* A page that is not here would be asked for at a server that may be the
 * process itself, and that is held; or be the process's from then on. */
static ssize_t
read_pieces(struct target *t, uint64_t addr, void *p, size_t len)
{
	size_t done = 0;
	ssize_t n = 0;

	while (done < len) {
		n = read_piece(t, addr + done, (char *)p + done, len - done);
		if (n <= 0)
			break;
		done += (size_t)n;
	}
	return done > 0 || len == 0 ? (ssize_t)done : n;
}

static ssize_t
proc_read(struct target *t, uint64_t addr, void *p, size_t len)
{
	struct proc_source *s = t->src;
	ssize_t n;

	if (addr > (uint64_t)INT64_MAX - len)
		return fails(EFAULT);
	n = s->pages.fd != -1 ? read_pieces(t, addr, p, len)
			      : io_pread_full(s->memfd, p, len, addr);
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

	io_close(&s->memfd);
	pagemap_close(&s->pages);
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
		(int)sizeof(path))
		return fails(ENOENT);
	fd = io_open_regular(procfd, path);
	if (fd == -1)
		return -1;
	if (fstat(fd, &st) == 0 && st.st_ino == m->ino &&
	    map_dev_is(m->dev, st.st_dev))
		return fd;
	close(fd);
	return fails(ESTALE);
}

/* --- what may not answer ---------------------------------------------------
 */

/* Memory without a name in any directory: memfd_create(2), System V. */
static int
is_shm(uint64_t dev)
{
	int fd = memfd_create("device", MFD_CLOEXEC), same;
	struct stat st;

	if (fd == -1)
		return 0;
	same = fstat(fd, &st) == 0 && map_dev_is(dev, st.st_dev);
	close(fd);
	return same;
}

static int
is_far(const struct buf *mounts, uint64_t dev)
{
	const char *type;
	size_t len;

	type = mounts_dev_type(mounts->p, mounts->len, dev, &len);
	return !mounts_is_local(type, type != NULL ? len : 0) && !is_shm(dev);
}

/* Marks what is mapped from far; whether there is any. */
static int
mark_far(const struct buf *mounts, struct target *t)
{
	struct {
		uint64_t dev;
		int far;
	} seen[DEVICES];
	size_t n = 0, i, k;
	struct map *m;
	int any = 0;

	for (i = 0; i < t->nmaps; i++) {
		m = &t->maps[i];
		if (m->ino == 0)
			continue;
		for (k = 0; k < n && seen[k].dev != m->dev; k++)
			;
		if (k == n && n < DEVICES) {
			seen[n].dev = m->dev;
			seen[n++].far = is_far(mounts, m->dev);
		}
		if (k == DEVICES || seen[k].far)
			m->prot |= MAP_FAR;
		any |= (m->prot & MAP_FAR) != 0;
	}
	return any;
}

/* --- files ------------------------------------------------------------------
 */

struct files {
	int procfd;
	const struct procinfo *pi;
	struct target *t;
	struct opener opener; /* askfd -1: not needed yet */
	int lost;	      /* and not to be had */
};

/*
 * What the process still has of a file that is not to be had, in its place: a
 * page that was read before is there for a fault to find, whoever serves it.
 */
static int
copy_mapped(const struct files *f, const struct map *m)
{
	const struct map *end = f->t->maps + f->t->nmaps;
	int memfd = openat(f->procfd, "mem", O_RDONLY | O_CLOEXEC);
	int fd = memfd_create("mapped", MFD_CLOEXEC), number = m->module;
	char page[TARGET_PAGE];
	uint64_t at, off;

	for (; fd != -1 && m < end; m++) {
		off = m->off;
		if (m->module != number || (m->prot & MAP_W))
			continue;
		for (at = m->start; at < m->end;
		     at += TARGET_PAGE, off += TARGET_PAGE) {
			if (off >= (uint64_t)OPENER_COPY << 20)
				break;
			if (io_pread_full(memfd, page, TARGET_PAGE, at) > 0)
				(void)!pwrite(
				    fd, page, TARGET_PAGE, (off_t)off);
		}
	}
	if (memfd != -1)
		close(memfd);
	return fd;
}

static const char the_jitmap[] = "jitmap";
static const char mapped_of[] = "mapped ";

/* In the opener, which has the maps as they were when it began: by number. */
static int
open_asked(void *arg, const char *what, const char **why)
{
	const size_t skip = sizeof(mapped_of) - 1;
	const struct files *f = arg;
	const struct map *m;
	const char *number;
	uint64_t i;
	int fd;

	if (strcmp(what, the_jitmap) == 0)
		return jitmap_find(f->procfd, &f->pi->item[PROC_STATUS].b);
	(void)why;
	number = strncmp(what, mapped_of, skip) == 0 ? what + skip : what;
	errno = EINVAL;
	if (num_u64(number, 10, 0, f->t->nmaps - 1, &i) == -1)
		return -1;
	m = &f->t->maps[i];
	if (number != what)
		return copy_mapped(f, m);
	fd = map_open(f->procfd, m);
	return fd != -1 ? fd : open_by_name(f->procfd, m);
}

static int
ask(struct files *f, const char *what)
{
	struct opener_how how = {
	    .open = open_asked, .arg = f, .keepfd = f->procfd};

	if (f->opener.askfd == -1 && !f->lost)
		f->lost = opener_start(&f->opener, &how) == -1;
	if (!f->lost)
		return opener_open(&f->opener, what);
	errno = EAGAIN;
	return -1;
}

static const char *
why_not(int err)
{
	switch (err) {
	case ESTALE:
		return "the file was replaced";
	case ENOENT:
		return "the file is gone";
	case ETIMEDOUT:
		return "its file system did not answer in time";
	case EFBIG:
		return "too large to be copied from FUSE";
	default:
		return "the file cannot be opened";
	}
}

/* What is mapped, by a descriptor that opens nothing; -1 far, or not there. */
static int
find_module(const struct files *f, const struct module *mod)
{
	const struct map *m = target_map(f->t, mod->start);

	return m == NULL || m->ino == 0 || (m->prot & MAP_FAR)
	    ? -1
	    : map_find(f->procfd, m);
}

static void
open_module(struct files *f, struct module *mod, int pathfd)
{
	struct map *m = target_map(f->t, mod->start);
	char what[40];
	int late;

	if (m == NULL || m->ino == 0)
		return;
	if (pathfd != -1)
		mod->fd = io_reopen_regular(pathfd);
	if (mod->fd == -1) {
		/* where a name leads, nobody knows */
		snprintf(what, sizeof(what), "%s%zu", mapped_of,
		    (size_t)(m - f->t->maps));
		mod->fd = ask(f, what + sizeof(mapped_of) - 1);
		late = mod->fd == -1 && errno == ETIMEDOUT;
		if (mod->fd == -1)
			mod->fdwhy = why_not(errno);
		if (late)
			mod->fd = ask(f, what);
	}
}

static void
open_files(struct files *f)
{
	struct target *t = f->t;
	int was = io_later(1), pathfd[AT_ONCE];
	struct rlimit rl;
	size_t i, k, n;

	/* a process may map more files than the default limit lets us open */
	if (t->nmods > 512 && getrlimit(RLIMIT_NOFILE, &rl) == 0 &&
	    rl.rlim_cur < MODULE_FILES_MAX + SPARE) {
		rl.rlim_cur = rl.rlim_max < MODULE_FILES_MAX + SPARE
		    ? rl.rlim_max
		    : MODULE_FILES_MAX + SPARE;
		setrlimit(RLIMIT_NOFILE, &rl);
	}
	/* several after one another: then one call closes what found them */
	for (i = 0; i < t->nmods && i < MODULE_FILES_MAX; i += n) {
		for (n = 0; n < AT_ONCE && i + n < t->nmods; n++)
			pathfd[n] = find_module(f, &t->mods[i + n]);
		for (k = 0; k < n; k++)
			open_module(f, &t->mods[i + k], pathfd[k]);
	}
	for (; i < t->nmods; i++)
		t->mods[i].fdwhy = "too many modules to open all files";
	io_later(was);
	if (jitmap_wanted(t))
		t->jitfd = ask(f, the_jitmap);
	opener_end(&f->opener);
}

int
target_proc_open(int procfd, struct procinfo *pi, struct target *t, int gently)
{
	struct proc_text *maps = &pi->item[PROC_MAPS];
	struct files f = {
	    .procfd = procfd, .pi = pi, .t = t, .opener.askfd = -1};
	struct proc_source *s;

	if (maps->b.len == 0) {
		errno = maps->err ? maps->err : ESRCH;
		return -1;
	}
	s = calloc(1, sizeof(*s));
	if (s == NULL)
		return -1;
	s->pages.fd = -1;
	s->gently = gently;
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
	if (mark_far(&pi->item[PROC_MOUNTS].b, t) || gently)
		pagemap_open(&s->pages, procfd);
	if (modules_find(t) == -1)
		return -1;
	open_files(&f);
	if (s->pages.fd != -1) /* files can now stand in for pages */
		target_drop_cache(t);
	return 0;
}
