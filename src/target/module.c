#include "target/module.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/io.h"
#include "elf/ehframe.h"
#include "target/target.h"

/* Bounds on hostile headers. */
enum { PHDRS_MAX = 512, NOTES_MAX = 64 << 10 };
#define EHFRAME_BYTES_MAX ((uint64_t)256 << 20)
/* Mappings of one file further apart than this are not one object. */
#define SPAN_MAX ((uint64_t)8 << 30)

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
 * Does m go on with the module that began with first?  A further ELF header of
 * the same file begins another one, but for this layout of lld: the code
 * shares the header's page of the file, which is mapped a second time.
 */
static int
goes_on(struct target *t, const struct module *mod, const struct map *first,
    const struct map *m, int has_code)
{
	if (!same_file(first, m) || m->end - mod->start > SPAN_MAX)
		return 0;
	if (m->off > first->off || !begins_elf(t, m))
		return 1;
	return m->start == mod->end && (m->prot & MAP_X) && !has_code;
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
	int has_code = 0;
	size_t i;

	t->mods = calloc(t->nmaps + 1, sizeof(*t->mods));
	if (t->mods == NULL)
		return -1;
	for (i = 0; i < t->nmaps; i++) {
		m = &t->maps[i];
		m->module = -1;
		if ((*m->name == '\0' || *m->name == '[') && !is_vdso(m))
			continue;
		if (mod != NULL && goes_on(t, mod, first, m, has_code)) {
			mod->end = m->end;
			m->module = (int)(mod - t->mods);
			has_code |= m->prot & MAP_X;
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
		has_code = m->prot & MAP_X;
		mod->start = m->start;
		mod->end = m->end;
		mod->path = m->name;
		module_set_name(mod);
		mod->fd = -1;
		m->module = (int)t->nmods++;
	}
	return 0;
}

/* Program headers, out of memory or the file. */
static int
read_phdrs(struct target *t, struct module *m, Elf64_Ehdr *eh, Elf64_Phdr *ph)
{
	size_t want;
	int from_file = 0;

	if (target_read(t, m->start, eh, sizeof(*eh)) != sizeof(*eh)) {
		if (m->fd == -1 ||
		    io_pread_full(m->fd, eh, sizeof(*eh), 0) != sizeof(*eh))
			return -1;
		from_file = 1;
	}
	if (memcmp(eh->e_ident, ELFMAG, SELFMAG) != 0 ||
	    eh->e_ident[EI_CLASS] != ELFCLASS64 ||
	    eh->e_phentsize != sizeof(*ph) || eh->e_phnum == 0)
		return -1;
	if (eh->e_phnum > PHDRS_MAX)
		eh->e_phnum = PHDRS_MAX;
	want = eh->e_phnum * sizeof(*ph);
	if (!from_file &&
	    target_read(t, m->start + eh->e_phoff, ph, want) == want)
		return 0;
	if (m->fd == -1 ||
	    io_pread_full(m->fd, ph, want, eh->e_phoff) != (ssize_t)want)
		return -1;
	return 0;
}

/* The bias follows from the segment that holds file offset of m->start. */
static int
find_bias(struct target *t, struct module *m, const Elf64_Ehdr *eh,
    const Elf64_Phdr *ph)
{
	const struct map *first = target_map(t, m->start);
	uint64_t off = first != NULL ? first->off : 0;
	int i, lowest = -1;

	for (i = 0; i < eh->e_phnum; i++) {
		if (ph[i].p_type != PT_LOAD)
			continue;
		if (lowest == -1)
			lowest = i;
		if (ph[i].p_offset - ph[i].p_offset % TARGET_PAGE <= off &&
		    off < ph[i].p_offset + ph[i].p_filesz) {
			lowest = i;
			break;
		}
	}
	if (lowest == -1)
		return -1;
	m->bias = m->start - off + ph[lowest].p_offset - ph[lowest].p_vaddr;
	return 0;
}

static void
read_buildid(struct target *t, struct module *m, const Elf64_Phdr *note)
{
	size_t len = note->p_memsz < NOTES_MAX ? note->p_memsz : NOTES_MAX;
	unsigned char *p = malloc(len);

	if (p == NULL)
		return;
	len = target_read(t, m->bias + note->p_vaddr, p, len);
	if (len > 0 && m->idlen == 0)
		m->idlen = elfsym_note_buildid(p, len, m->id);
	free(p);
}

/* The vdso has no file; symbols come from a copy of it. */
static void
copy_vdso(struct target *t, struct module *m)
{
	unsigned char page[TARGET_PAGE];
	uint64_t at;
	size_t n;
	int fd = memfd_create("vdso", MFD_CLOEXEC);

	if (fd == -1)
		return;
	for (at = m->start; at < m->end && at - m->start < 1 << 20; at += n) {
		n = target_read(t, at, page, sizeof(page));
		if (n == 0 || io_write_full(fd, page, n) == -1)
			break;
	}
	m->fd = fd;
}

static void
module_load(struct target *t, struct module *m)
{
	unsigned char fileid[ELFSYM_ID_MAX];
	Elf64_Phdr ph[PHDRS_MAX];
	Elf64_Ehdr eh;
	uint64_t entry = target_auxv(t, AT_ENTRY, 0);
	int i, idlen;

	m->headers = MODULE_NO;
	if (m->fd == -1 && strcmp(m->path, "[vdso]") == 0)
		copy_vdso(t, m);
	if (read_phdrs(t, m, &eh, ph) == -1 || find_bias(t, m, &eh, ph) == -1)
		return;
	m->headers = MODULE_YES;
	m->isexec = entry >= m->start && entry < m->end;
	for (i = 0; i < eh.e_phnum; i++) {
		if (ph[i].p_type == PT_NOTE)
			read_buildid(t, m, &ph[i]);
		else if (ph[i].p_type == PT_GNU_EH_FRAME)
			m->ehhdr = m->bias + ph[i].p_vaddr;
	}
	if (m->fd == -1)
		return;
	idlen = elfsym_buildid(m->fd, fileid);
	if (idlen <= 0)
		return;
	if (m->idlen == 0) {
		/* memory did not say; the file's own is the best there is */
		memcpy(m->id, fileid, (size_t)idlen);
		m->idlen = (size_t)idlen;
	} else if (m->idlen != (size_t)idlen ||
	    memcmp(m->id, fileid, m->idlen) != 0) {
		close(m->fd);
		m->fd = -1;
		m->fdwhy = "the file now has another build-id";
	}
}

void
modules_load(struct target *t)
{
	size_t i;

	for (i = 0; i < t->nmods; i++)
		module_load(t, &t->mods[i]);
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

void
modules_free(struct target *t)
{
	size_t i;

	for (i = 0; i < t->nmods; i++) {
		if (t->mods[i].fd != -1)
			close(t->mods[i].fd);
		ehtable_free(t->mods[i].own);
	}
	free(t->mods);
	t->mods = NULL;
	t->nmods = 0;
}
