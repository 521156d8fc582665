#include "target/target_core.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"

struct core_source {
	int corefd;
	struct core_seg *segs; /* sorted by address */
	size_t nsegs;
};

/* A page that is not in the core may be in the file it was mapped from. */
static ssize_t
read_file(struct target *t, uint64_t addr, void *p, size_t len)
{
	struct map *m = target_map(t, addr);
	struct module *mod;

	if (m == NULL || m->module < 0 || (m->prot & MAP_W)) {
		errno = EFAULT;
		return -1;
	}
	mod = &t->mods[m->module];
	/* a name in a core is no reason to show what is in that file */
	if (mod->fd == -1 || mod->headers != MODULE_YES) {
		errno = EFAULT;
		return -1;
	}
	if (len > m->end - addr)
		len = m->end - addr;
	return io_pread_full(mod->fd, p, len, m->off + (addr - m->start));
}

static ssize_t
core_read(struct target *t, uint64_t addr, void *p, size_t len)
{
	const struct core_source *s = t->src;
	const struct core_seg *seg;
	size_t lo = 0, hi = s->nsegs, mid;
	uint64_t at;
	ssize_t n;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (s->segs[mid].vaddr + s->segs[mid].memsz > addr)
			hi = mid;
		else
			lo = mid + 1;
	}
	if (lo == s->nsegs || addr < s->segs[lo].vaddr) {
		errno = EFAULT;
		return -1;
	}
	seg = &s->segs[lo];
	at = addr - seg->vaddr;
	if (at >= seg->filesz)
		return read_file(t, addr, p, len);
	if (len > seg->filesz - at)
		len = seg->filesz - at;
	n = io_pread_full(s->corefd, p, len, seg->off + at);
	return n > 0 ? n : read_file(t, addr, p, len); /* a truncated core */
}

static void
core_close(struct target *t)
{
	struct core_source *s = t->src;

	free(s->segs);
	free(s);
	t->src = NULL;
}

static int
by_vaddr(const void *a, const void *b)
{
	const struct core_seg *x = a, *y = b;

	return (x->vaddr > y->vaddr) - (x->vaddr < y->vaddr);
}

static int
by_file_start(const void *a, const void *b)
{
	const struct core_file *x = a, *y = b;

	return (x->start > y->start) - (x->start < y->start);
}

/* One PT_LOAD is one mapping; NT_FILE has its name and offset. */
static int
make_maps(const struct core_head *h, struct core_source *s, struct target *t)
{
	struct core_file *files;
	struct map *m;
	uint64_t vdso;
	size_t i, f = 0;

	files = calloc(h->nfiles + 1, sizeof(*files));
	t->maps = calloc(s->nsegs + 1, sizeof(*t->maps));
	if (files == NULL || t->maps == NULL) {
		free(files);
		return -1;
	}
	if (h->nfiles > 0)
		memcpy(files, h->files, h->nfiles * sizeof(*files));
	qsort(files, h->nfiles, sizeof(*files), by_file_start);
	vdso = core_auxv(h->auxv, h->auxvlen, AT_SYSINFO_EHDR, 0);
	for (i = 0; i < s->nsegs; i++) {
		if (s->segs[i].memsz == 0 ||
		    (t->nmaps > 0 &&
			s->segs[i].vaddr < t->maps[t->nmaps - 1].end))
			continue; /* overlapping: forged */
		m = &t->maps[t->nmaps++];
		m->start = s->segs[i].vaddr;
		m->end = m->start + s->segs[i].memsz;
		m->prot = (s->segs[i].flags & PF_R ? MAP_R : 0) |
		    (s->segs[i].flags & PF_W ? MAP_W : 0) |
		    (s->segs[i].flags & PF_X ? MAP_X : 0);
		m->module = -1;
		m->name = m->start == vdso ? "[vdso]" : "";
		while (f < h->nfiles && files[f].end <= m->start)
			f++;
		if (f < h->nfiles && files[f].start <= m->start) {
			m->name = files[f].name;
			m->off = files[f].off + (m->start - files[f].start);
		}
	}
	free(files);
	return 0;
}

/*
 * A core without NT_FILE (qemu's, or of a kernel before 3.7) does not say
 * which file a mapping is of; the program's follow from its entry point.
 */
static void
name_program(const struct core_head *h, const char *exe, struct target *t)
{
	uint64_t entry = core_auxv(h->auxv, h->auxvlen, AT_ENTRY, 0), at;
	const struct elfsym_load *l;
	struct elfsym_head head;
	struct map *m;
	size_t i, k;
	int fd = io_open_regular(AT_FDCWD, exe);

	if (fd == -1 || elfsym_head(fd, &head) == -1) {
		if (fd != -1)
			close(fd);
		return;
	}
	for (i = 0; i < t->nmaps; i++)
		for (k = 0; k < head.nloads; k++) {
			m = &t->maps[i];
			l = &head.loads[k];
			/* where the segment's page of the file begins */
			at = entry - head.entry + l->vaddr;
			at -= l->vaddr % TARGET_PAGE;
			if (m->start < at ||
			    m->start >= at + l->vaddr % TARGET_PAGE + l->filesz)
				continue;
			m->name = exe;
			m->off = l->off - l->off % TARGET_PAGE + m->start - at;
		}
	elfsym_head_free(&head);
	close(fd);
}

/*
 * A file the core names.  Run by root this program may read any; it reads but
 * those that everybody may, or that belong to the core's owner.
 */
static int
open_named(const char *path, uid_t owner)
{
	struct stat st;
	int fd = io_open_regular(AT_FDCWD, path);

	if (fd != -1 &&
	    (fstat(fd, &st) == -1 ||
		(!(st.st_mode & S_IROTH) && st.st_uid != owner))) {
		close(fd);
		errno = EACCES;
		return -1;
	}
	return fd;
}

static int
open_modules(struct target *t, const char *exe, uid_t owner)
{
	uint64_t entry = target_auxv(t, AT_ENTRY, 0);
	struct module *m;
	size_t i;

	for (i = 0; i < t->nmods; i++) {
		m = &t->mods[i];
		if (exe != NULL && entry >= m->start && entry < m->end) {
			m->fd = io_open_regular(AT_FDCWD, exe);
			if (m->fd == -1)
				return -1;
		} else if (*m->path == '/') {
			m->fd = open_named(m->path, owner);
			if (m->fd == -1)
				m->fdwhy = errno == ENOENT
				    ? "the file is gone"
				    : "the file cannot be opened";
		}
	}
	return 0;
}

int
target_core_open(
    int corefd, const struct core_head *h, const char *exe, struct target *t)
{
	struct core_source *s;
	struct stat st;
	size_t i;

	if (fstat(corefd, &st) == -1 || (s = calloc(1, sizeof(*s))) == NULL)
		return -1;
	t->src = s;
	t->read = core_read;
	t->close = core_close;
	s->corefd = corefd;
	s->segs = calloc(h->nsegs + 1, sizeof(*s->segs));
	if (s->segs == NULL)
		return -1;
	for (i = 0; i < h->nsegs; i++)
		if (h->segs[i].vaddr + h->segs[i].memsz >= h->segs[i].vaddr)
			s->segs[s->nsegs++] = h->segs[i];
	qsort(s->segs, s->nsegs, sizeof(*s->segs), by_vaddr);
	if (make_maps(h, s, t) == -1)
		return -1;
	if (h->nfiles == 0 && exe != NULL)
		name_program(h, exe, t);
	if (modules_find(t) == -1 || open_modules(t, exe, st.st_uid) == -1)
		return -1;
	target_drop_cache(t); /* files can now stand in for missing pages */
	return 0;
}
