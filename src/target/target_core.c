#include "target/target_core.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/array.h"
#include "base/bytes.h"
#include "base/io.h"
#include "target/corefiles.h"
#include "target/coremaps.h"
#include "target/linkmap.h"

struct core_source {
	int corefd;
	struct core_seg *segs; /* sorted by address */
	size_t nsegs;
	struct linkmap linkmap; /* where there is no NT_FILE */
};

/* A page that is not in the core may be in the file it was mapped from. */
static ssize_t
read_file(struct target *t, uint64_t addr, void *p, size_t len)
{
	struct map *m = target_map(t, addr);
	struct module *mod;

	if (m == NULL || m->module < 0 || (m->prot & (MAP_W | MAP_GUESS)))
		return fails(EFAULT);
	mod = &t->mods[m->module];
	/* a name in a core is no reason to show what is in that file */
	if (mod->fd == -1 || mod->headers != MODULE_YES || mod->namesonly)
		return fails(EFAULT);
	if (len > m->end - addr)
		len = m->end - addr;
	return io_pread_full(mod->fd, p, len, m->off + (addr - m->start));
}

/* From the segment that holds addr, or from the file where none does; up to
 * the end of that. */
static ssize_t
read_piece(struct target *t, uint64_t addr, void *p, size_t len)
{
	const struct core_source *s = t->src;
	const struct core_seg *seg;
	size_t i = ARRAY_ABOVE(s->segs, s->nsegs, vaddr, addr);
	uint64_t at;
	ssize_t n;

	if (i < s->nsegs && len > s->segs[i].vaddr - addr)
		len = (size_t)(s->segs[i].vaddr - addr);
	if (i == 0)
		return read_file(t, addr, p, len);
	seg = &s->segs[i - 1];
	at = addr - seg->vaddr;
	if (at >= seg->filesz)
		return read_file(t, addr, p, len);
	if (len > seg->filesz - at)
		len = seg->filesz - at;
	n = io_pread_full(s->corefd, p, len, seg->off + at);
	return n > 0 ? n : read_file(t, addr, p, len); /* a truncated core */
}

static ssize_t
core_read(struct target *t, uint64_t addr, void *p, size_t len)
{
	size_t done = 0;
	ssize_t n;

	/* one page may be of several segments, and of a file */
	while (done < len && addr + done >= addr) {
		n = read_piece(t, addr + done, (char *)p + done, len - done);
		if (n <= 0)
			break;
		done += (size_t)n;
	}
	return done > 0 ? (ssize_t)done : -1;
}

static void
core_close(struct target *t)
{
	struct core_source *s = t->src;

	free(s->segs);
	linkmap_free(&s->linkmap);
	free(s);
	t->src = NULL;
}

/* The files where no note tells: those of the link map. */
static int
open_for_head(void *arg, const char *path)
{
	const struct corefiles *c = arg;

	/* what the user named as the program may be anything, as it is */
	return c->where->exe != NULL && path == c->where->exe
	    ? io_open_regular(AT_FDCWD, path)
	    : corefiles_open(c, path);
}

static int
list_files(const struct core_head *h, const struct corefiles *c,
    struct core_source *s, struct target *t)
{
	struct linkmap_from from = {.program = c->where->exe,
	    .segs = s->segs,
	    .nsegs = s->nsegs,
	    .open = open_for_head,
	    .arg = (void *)c};
	char name[PATH_MAX] = "";
	uint64_t at = target_auxv(t, AT_EXECFN, 0);
	size_t n;

	if (h->nfiles > 0)
		return 0;
	if (at != 0) {
		n = target_read(t, at, name, sizeof(name) - 1);
		name[n] = '\0';
	}
	if (*name == '\0' && h->have_psinfo)
		memcpy(name, h->psname, sizeof(h->psname));
	if (from.program == NULL)
		from.program = name;
	return linkmap_read(t, &from, &s->linkmap);
}

/* The mappings, by the segments; of a core that was trimmed, by its note. */
static int
list_maps(const struct core_head *h, struct coremaps *cm, struct target *t)
{
	const struct core_source *s = t->src;
	struct core_seg *mapped = NULL;
	int r;

	cm->segs = s->segs;
	cm->nsegs = s->nsegs;
	if (h->nmapped > 0) {
		mapped = calloc(h->nmapped, sizeof(*mapped));
		if (mapped == NULL)
			return -1;
		memcpy(mapped, h->mapped, h->nmapped * sizeof(*mapped));
		ARRAY_SORT(mapped, h->nmapped, vaddr);
		cm->segs = mapped;
		cm->nsegs = h->nmapped;
	}
	r = coremaps_make(cm, &t->maps, &t->nmaps);
	free(mapped);
	return r;
}

int
target_core_open(int corefd, const struct core_head *h,
    const struct core_paths *where, struct target *t)
{
	struct coremaps cm = {.files = h->files, .nfiles = h->nfiles};
	struct corefiles files = {.where = where};
	struct core_source *s;
	struct stat st;
	size_t i;

	if (fstat(corefd, &st) == -1 || (s = calloc(1, sizeof(*s))) == NULL)
		return -1;
	files.owner = st.st_uid;
	t->src = s;
	t->read = core_read;
	t->close = core_close;
	s->corefd = corefd;
	s->segs = calloc(h->nsegs + 1, sizeof(*s->segs));
	if (s->segs == NULL)
		return -1;
	for (i = 0; i < h->nsegs; i++)
		if (h->segs[i].vaddr + h->segs[i].memsz > h->segs[i].vaddr)
			s->segs[s->nsegs++] = h->segs[i];
	ARRAY_SORT(s->segs, s->nsegs, vaddr);
	if (list_files(h, &files, s, t) == -1)
		return -1;
	if (s->linkmap.nfiles > 0) {
		cm.files = s->linkmap.files;
		cm.nfiles = s->linkmap.nfiles;
	}
	cm.vdso = target_auxv(t, AT_SYSINFO_EHDR, 0);
	if (list_maps(h, &cm, t) == -1 || modules_find(t) == -1 ||
	    corefiles_open_all(&files, t) == -1)
		return -1;
	target_drop_cache(t); /* files can now stand in for missing pages */
	return 0;
}
