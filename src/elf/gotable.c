/*
 * By section, or in a file without sections by the first bytes of the table
 * (a magic number, two zeros, the quantum of code, the size of a pointer)
 * somewhere in its segments, at a multiple of 8.
 *
 * A program that may be loaded anywhere has a relocation where the table holds
 * the address of its text, and that address in it.
 */
#include "base/bytes.h"
#include "elf/gopclntab.h"

#include <errno.h>
#include <string.h>

#include "base/io.h"
#include "elf/elffile.h"
#include "elf/elfsym.h"

struct gotable {
	uint64_t off, len; /* in the file */
	uint64_t text;	   /* of the first function, 0 unknown */
};

enum {
	TEXT_AT = 24, /* in the header of Go 1.18 and later */
	CANDIDATES = 64,
	RELAS_MAX = 1 << 22,
	R_RELATIVE_X86 = 8, /* R_X86_64_RELATIVE, R_AARCH64_RELATIVE: elf.h */
	R_RELATIVE_A64 = 1027
};
#define SCAN_MAX ((uint64_t)256 << 20) /* of a file without sections */

/* The segment of that kind that holds an address or, by file, an offset. */
static int
find_segment(struct elf_file *f, uint32_t type, uint64_t at, int by_file,
    Elf64_Phdr *out)
{
	const Elf64_Phdr *ph;
	struct elf_walk w;
	uint64_t start;
	int found = 0;

	if (elf_walk_start(&w, f, f->phoff, f->phnum, sizeof(*ph)) == -1)
		return -1;
	while (!found && (ph = elf_walk_next(&w)) != NULL) {
		start = by_file ? ph->p_offset : ph->p_vaddr;
		if (ph->p_type != type ||
		    (type == PT_LOAD &&
			(at < start || at - start >= ph->p_filesz)))
			continue;
		*out = *ph;
		found = 1;
	}
	elf_walk_end(&w);
	return found ? 0 : -1;
}

/* DT_RELA and DT_RELASZ as a stretch of the file. */
static int
find_relas(struct elf_file *f, uint64_t *off, uint64_t *count)
{
	uint64_t addr = 0, size = 0;
	const Elf64_Dyn *d;
	struct elf_walk w;
	Elf64_Phdr ph;

	if (find_segment(f, PT_DYNAMIC, 0, 0, &ph) == -1 ||
	    elf_walk_start(
		&w, f, ph.p_offset, ph.p_filesz / sizeof(*d), sizeof(*d)) == -1)
		return -1;
	while ((d = elf_walk_next(&w)) != NULL && d->d_tag != DT_NULL) {
		if (d->d_tag == DT_RELA)
			addr = d->d_un.d_ptr;
		else if (d->d_tag == DT_RELASZ)
			size = d->d_un.d_val;
	}
	elf_walk_end(&w);
	if (find_segment(f, PT_LOAD, addr, 0, &ph) == -1)
		return -1;
	*off = ph.p_offset + (addr - ph.p_vaddr);
	*count = size / sizeof(Elf64_Rela);
	if (*count > RELAS_MAX)
		*count = RELAS_MAX;
	return 0;
}

/* What the loader puts at that offset of the file; 0 unknown. */
static uint64_t
relocated(struct elf_file *f, uint64_t at)
{
	uint64_t off, count, vaddr, value = 0;
	const Elf64_Rela *r;
	struct elf_walk w;
	Elf64_Phdr ph;

	if (find_segment(f, PT_LOAD, at, 1, &ph) == -1 ||
	    find_relas(f, &off, &count) == -1 ||
	    elf_walk_start(&w, f, off, count, sizeof(*r)) == -1)
		return 0;
	vaddr = ph.p_vaddr + (at - ph.p_offset);
	while (value == 0 && (r = elf_walk_next(&w)) != NULL)
		if (r->r_offset == vaddr &&
		    (ELF64_R_TYPE(r->r_info) == R_RELATIVE_X86 ||
			ELF64_R_TYPE(r->r_info) == R_RELATIVE_A64))
			value = (uint64_t)r->r_addend;
	elf_walk_end(&w);
	return value;
}

/* The address of the text where the table itself has none. */
static uint64_t
find_text(struct elf_file *f, uint64_t off)
{
	Elf64_Shdr sh;
	uint64_t text;

	if (io_pread_full(f->fd, &text, sizeof(text), off + TEXT_AT) !=
		sizeof(text) ||
	    text != 0)
		return 0;
	text = relocated(f, off + TEXT_AT);
	if (text == 0 && elf_shdr_named(f, ".text", &sh) == 0)
		text = sh.sh_addr;
	return text;
}

static int
is_table(struct elf_file *f, uint64_t off, struct gotable *g)
{
	struct gopclntab *t;

	g->off = off;
	g->len = f->size - off;
	g->text = 0;
	t = gopclntab_at(f->fd, off, g->len, 0);
	gopclntab_free(t);
	return t != NULL;
}

/* What the first eight bytes of any such table are. */
static int
looks_so(uint64_t word)
{
	uint32_t magic = (uint32_t)word, rest = (uint32_t)(word >> 32);

	return (magic == 0xfffffffb || magic == 0xfffffffa ||
		   magic == 0xfffffff0 || magic == 0xfffffff1) &&
	    (rest & 0xffff) == 0 && rest >> 24 == 8;
}

static int
scan_segment(struct elf_file *f, const Elf64_Phdr *ph, uint64_t *left,
    int *tries, struct gotable *g)
{
	uint64_t off = (ph->p_offset + 7) / 8 * 8, n = ph->p_filesz / 8;
	const uint64_t *word;
	struct elf_walk w;
	int found = 0;

	if (n > *left / 8)
		n = *left / 8;
	*left -= n * 8;
	if (elf_walk_start(&w, f, off, n, sizeof(*word)) == -1)
		return 0;
	for (; !found && *tries > 0 && (word = elf_walk_next(&w)) != NULL;
	     off += sizeof(*word))
		if (looks_so(*word)) {
			--*tries;
			found = is_table(f, off, g);
		}
	elf_walk_end(&w);
	return found;
}

static int
scan(struct elf_file *f, struct gotable *g)
{
	uint64_t left = SCAN_MAX;
	const Elf64_Phdr *ph;
	struct elf_walk w;
	int found = 0, tries = CANDIDATES;

	if (elf_walk_start(&w, f, f->phoff, f->phnum, sizeof(*ph)) == -1)
		return 0;
	while (!found && (ph = elf_walk_next(&w)) != NULL)
		if (ph->p_type == PT_LOAD)
			found = scan_segment(f, ph, &left, &tries, g);
	elf_walk_end(&w);
	return found;
}

static struct gopclntab *
gotable_open(struct elf_file *f)
{
	struct gotable g = {0};
	Elf64_Shdr sh;

	if (elf_shdr_named(f, ".gopclntab", &sh) == 0 ||
	    elf_shdr_named(f, ".data.rel.ro.gopclntab", &sh) == 0) {
		if (elf_shdr_plain(f, &sh)) {
			g.off = sh.sh_offset;
			g.len = sh.sh_size;
		}
	} else if (f->shnum != 0 || !scan(f, &g))
		g.len = 0;
	if (g.len == 0) {
		errno = ENOENT;
		return NULL;
	}
	return gopclntab_at(f->fd, g.off, g.len, find_text(f, g.off));
}

struct gopclntab *
gopclntab_open(int fd)
{
	struct gopclntab *t;
	struct elf_file f;
	int saved;

	if (elf_open(&f, fd) == -1)
		return NULL;
	t = gotable_open(&f);
	saved = errno;
	elf_close(&f);
	errno = saved;
	return t;
}

void
elf_resolve_go(struct elf_file *ef, struct elfsym_query *q, size_t n)
{
	struct gopclntab *t = NULL;
	struct gofunc f;
	size_t i;

	for (i = 0; i < n; i++) {
		if (q[i].name != NULL)
			continue;
		if (t == NULL && (t = gotable_open(ef)) == NULL)
			return;
		if (gopclntab_find(t, q[i].vaddr, &f) == -1)
			continue;
		q[i].name = gopclntab_name(t, &f);
		q[i].start = f.start;
		q[i].size = f.end - f.start;
	}
	gopclntab_free(t);
}
