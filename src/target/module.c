#include "target/module.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/io.h"
#include "elf/ehframe.h"
#include "target/modhead.h"
#include "target/target.h"

enum { KEPT_MAX = 32 /* modules whose file's beginning is kept */ };
#define EHFRAME_BYTES_MAX ((uint64_t)256 << 20)
/* Mappings of one file further apart than this are not one object. */
#define SPAN_MAX ((uint64_t)8 << 30)
/* Only programs that are linked to their addresses are found below. */
#define LOADED_ABOVE ((uint64_t)4 << 30)

static int
same_file(const struct map *a, const struct map *b)
{
	return a->dev == b->dev && a->ino == b->ino &&
	    strcmp(a->name, b->name) == 0;
}

static int
is_vdso(const struct map *m)
{
	return strcmp(m->name, "[vdso]") == 0;
}

static int
begins_elf(struct target *t, const struct map *m)
{
	char magic[SELFMAG];

	if (target_read(t, m->start, magic, SELFMAG) == SELFMAG)
		return memcmp(magic, ELFMAG, SELFMAG) == 0;
	return m->off == 0; /* unreadable here: the file may tell later */
}

void
module_set_name(struct module *m)
{
	static const char deleted[] = " (deleted)";
	size_t n = sizeof(deleted) - 1;

	m->base = strrchr(m->path, '/');
	m->base = m->base != NULL ? m->base + 1 : m->path;
	m->baselen = strlen(m->base);
	if (m->baselen > n && strcmp(m->base + m->baselen - n, deleted) == 0)
		m->baselen -= n;
}

/*
 * Does m go on with the module that began with first?  A further mapping that
 * begins with the ELF header is another object, unless the headers in memory
 * say that it lies within this one (a page of the file that code and data
 * share is mapped twice).  Without them offsets that only rise tell.
 */
static int
goes_on(struct target *t, const struct module *mod, const struct map *first,
    const struct map *m, uint64_t highest)
{
	if (!same_file(first, m) || m->end - mod->start > SPAN_MAX)
		return 0;
	if (m->off > first->off || !begins_elf(t, m))
		return 1;
	if (mod->spanned != 0)
		return m->start < mod->spanned;
	return m->start == mod->end && m->off >= highest;
}

/* Where it ends by its headers, as far as the sources have memory of them. */
static uint64_t
span_of(struct target *t, const struct map *m)
{
	struct modhead *h = malloc(sizeof(*h)); /* most is never touched */
	uint64_t end = 0;

	if (h != NULL && m->off == 0 && modhead_memory(t, m->start, h) == 0)
		end = modhead_end(h, m->start);
	free(h);
	return end;
}

static void
add_map(struct module *mod, struct map *m, int number)
{
	mod->end = m->end;
	m->module = number;
	if (m->prot & MAP_X)
		mod->code = mod->code == 2 || !(m->prot & MAP_GUESS) ? 2 : 1;
}

/*
 * A module starts at a mapping of a file (or the vdso) that begins with an
 * ELF header and goes on over the following ones of the same file.
 * Anonymous gaps (.bss, RELRO copies, guard mappings) lie in between.
 */
int
modules_find(struct target *t)
{
	struct map *m, *first = NULL;
	struct module *mod = NULL;
	uint64_t highest = 0;
	size_t i;

	t->mods = calloc(t->nmaps + 1, sizeof(*t->mods));
	if (t->mods == NULL)
		return -1;
	for (i = 0; i < t->nmaps; i++) {
		m = &t->maps[i];
		m->module = -1;
		if ((*m->name == '\0' || *m->name == '[') && !is_vdso(m))
			continue;
		if (mod != NULL && goes_on(t, mod, first, m, highest)) {
			add_map(mod, m, (int)(mod - t->mods));
			highest = m->off > highest ? m->off : highest;
			continue;
		}
		/* data files by the thousand must not cost a read each */
		if (!(m->prot & MAP_X) &&
		    !(i + 1 < t->nmaps && same_file(m, &t->maps[i + 1])))
			continue;
		if (!begins_elf(t, m))
			continue;
		mod = &t->mods[t->nmods];
		first = m;
		highest = m->off;
		mod->start = m->start;
		mod->path = m->name;
		module_set_name(mod);
		mod->fd = -1;
		add_map(mod, m, (int)t->nmods++);
		mod->spanned = span_of(t, m);
	}
	return 0;
}

int
module_file(struct target *t, struct module *m)
{
	unsigned char page[TARGET_PAGE];
	uint64_t at;
	size_t n;
	int fd;

	if (m->fd != -1 || strcmp(m->path, "[vdso]") != 0)
		return m->fd;
	fd = memfd_create("vdso", MFD_CLOEXEC);
	if (fd == -1)
		return -1;
	for (at = m->start; at < m->end && at - m->start < 1 << 20; at += n) {
		n = target_read(t, at, page, sizeof(page));
		if (n == 0 || io_write_full(fd, page, n) == -1)
			break;
	}
	m->fd = fd;
	return fd;
}

static void
drop_file(struct module *m)
{
	elfsym_drop(m->kept);
	m->kept = NULL;
	close(m->fd);
	m->fd = -1;
	m->fdwhy = m->idlen > 0 ? "the file now has another build-id"
				: "the file now is another one";
}

/* A file that a core names, with its head; h is what memory has, n 0 nothing.
 */
static void
check_named(struct target *t, struct module *m, const struct modhead *h,
    struct modhead *file)
{
	size_t i;

	if (m->judged == 0)
		m->judged = modhead_judge(t, m, m->fd);
	if (m->judged == MODFILE_OTHER || modhead_file(m->fd, file) == -1) {
		drop_file(m);
		return;
	}
	if (m->judged == MODFILE_MAYBE)
		m->doubt = "may be another one: the core has nothing to "
			   "compare it with";
	if (h->n > 0)
		m->namesonly = h->n != file->n ||
		    memcmp(h->ph, file->ph, h->n * sizeof(*h->ph)) != 0;
	for (i = 0; i < file->n; i++)
		if (file->ph[i].p_type == PT_LOAD &&
		    file->ph[i].p_filesz == 0 && (file->ph[i].p_flags & PF_X))
			m->namesonly = 1;
}

/* The build-id: that in memory, else the file's own is the best there is. */
static void
check_id(struct module *m, int keep)
{
	unsigned char id[ELFSYM_ID_MAX];
	int n;

	m->kept = elfsym_keep(m->fd);
	n = m->kept == NULL ? -1 : elfsym_kept_buildid(m->kept, id);
	if (!keep) {
		elfsym_drop(m->kept);
		m->kept = NULL;
	}
	if (n <= 0)
		return;
	if (m->idlen == 0) {
		memcpy(m->id, id, (size_t)n);
		m->idlen = (size_t)n;
	} else if (m->idlen != (size_t)n || memcmp(m->id, id, m->idlen) != 0) {
		drop_file(m);
	}
}

/* What nobody told of its mappings, the headers do. */
static void
settle_maps(struct target *t, const struct module *m, const struct modhead *h)
{
	struct map *p = maps_above(t->maps, t->nmaps, m->start);
	int prot;

	for (; p != NULL && p < t->maps + t->nmaps && p->start < m->end; p++) {
		if (!(p->prot & MAP_GUESS) || p->module != m - t->mods)
			continue;
		prot = modhead_prot(h, m->bias, p->start);
		if (prot != -1)
			p->prot = (unsigned)prot;
	}
}

/* h and file: room for its head in memory, and that of a file. */
static void
module_load(
    struct target *t, struct module *m, struct modhead *h, struct modhead *file)
{
	const struct map *first = target_map(t, m->start);
	uint64_t entry = target_auxv(t, AT_ENTRY, 0);
	size_t i;

	m->headers = MODULE_NO;
	m->isexec = entry >= m->start && entry < m->end;
	m->bias = first == NULL || (m->isexec && m->start < LOADED_ABOVE)
	    ? 0
	    : m->start - first->off;
	if (modhead_memory(t, m->start, h) == -1)
		h->n = 0;
	else if (modhead_bias(t, m, h, &m->bias) == 0)
		m->idlen = modhead_id(t, h, m->bias, m->id);
	if (m->fd != -1 && m->byname)
		check_named(t, m, h, file);
	if (h->n == 0 && modhead_file(m->fd, h) == -1)
		return;
	if (modhead_bias(t, m, h, &m->bias) == -1)
		return;
	m->headers = MODULE_YES;
	m->entry = h->eh.e_entry != 0 ? m->bias + h->eh.e_entry : 0;
	/* of one that was proven, it is what memory has, if that has one */
	if (m->fd != -1 && (m->judged != MODFILE_SAME || m->idlen == 0))
		check_id(m, m - t->mods < KEPT_MAX);
	for (i = 0; i < h->n; i++)
		if (h->ph[i].p_type == PT_GNU_EH_FRAME)
			m->ehhdr = m->bias + h->ph[i].p_vaddr;
	settle_maps(t, m, h);
}

void
modules_load(struct target *t)
{
	/* of which little is touched, where an array's every page is */
	struct modhead *h = malloc(2 * sizeof(*h));
	int named = 0;
	size_t i;

	for (i = 0; h != NULL && i < t->nmods; i++) {
		module_load(t, &t->mods[i], h, h + 1);
		named |= t->mods[i].byname;
	}
	free(h);
	/* now files may stand in for memory that was missed before */
	if (named)
		target_drop_cache(t);
}

/* .eh_frame_hdr: version 1, then the encodings of pointer, count and table.
 * libunwind's search wants pairs of 32 bits relative to the header. */
static int
header_table(struct target *t, struct module *m)
{
	unsigned char h[12];
	uint32_t n;

	if (m->ehhdr == 0 || target_read(t, m->ehhdr, h, 12) != 12)
		return 0;
	if (h[0] != 1 || h[1] != 0x1b || h[2] != 0x03 || h[3] != 0x3b)
		return 0;
	memcpy(&n, h + 8, sizeof(n));
	m->ehtable = m->ehhdr + 12;
	m->ehcount = n;
	return n > 0;
}

static int
scanned_table(struct target *t, struct module *m)
{
	uint64_t off, addr, size;
	unsigned char *p;
	size_t n;

	if (m->fd == -1 ||
	    elfsym_section(m->fd, ".eh_frame", &off, &addr, &size) == -1 ||
	    size == 0 || size > EHFRAME_BYTES_MAX)
		return 0;
	p = malloc(size);
	if (p == NULL)
		return 0;
	n = target_read(t, m->bias + addr, p, size);
	m->own = ehtable_make(p, n, m->bias + addr);
	free(p);
	return m->own != NULL;
}

int
module_unwind_data(struct target *t, struct module *m)
{
	if (m->ehstate == MODULE_UNKNOWN)
		m->ehstate = m->headers == MODULE_YES &&
			(header_table(t, m) || scanned_table(t, m))
		    ? MODULE_YES
		    : MODULE_NO;
	return m->ehstate == MODULE_YES;
}
