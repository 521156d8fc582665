#include "elf/elffile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/bytes.h"
#include "base/io.h"

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define HOST_DATA ELFDATA2LSB
#else
#define HOST_DATA ELFDATA2MSB
#endif

/* [off, off + len) lies within the file. */
static int
elf_inside(const struct elf_file *f, uint64_t off, uint64_t len)
{
	return off <= f->size && len <= f->size - off;
}

/* Where those bytes of it stand in memory already, or NULL. */
static const unsigned char *
elf_in_memory(const struct elf_file *f, uint64_t off, uint64_t len)
{
	if (off <= f->headlen && len <= f->headlen - off)
		return f->head + off;
	if (f->tail != NULL && off >= f->tailoff &&
	    off - f->tailoff <= f->taillen &&
	    len <= f->taillen - (off - f->tailoff))
		return f->tail + (off - f->tailoff);
	return NULL;
}

ssize_t
elf_pread(const struct elf_file *f, void *p, size_t len, uint64_t off)
{
	const unsigned char *have = elf_in_memory(f, off, len);

	if (have == NULL)
		return io_pread_full(f->fd, p, len, off);
	memcpy(p, have, len);
	return (ssize_t)len;
}

static int
elf_read(const struct elf_file *f, void *p, size_t len, uint64_t off)
{
	ssize_t r;

	if (!elf_inside(f, off, len))
		return fails(ENOENT);
	r = elf_pread(f, p, len, off);
	if (r == (ssize_t)len)
		return 0;
	return r == -1 ? -1 : fails(ENOENT);
}

/* The section table; what e_shnum, e_shstrndx and e_phnum are too small for
 * stands in section header 0 (elf(5)). */
static void
elf_sections(struct elf_file *f, const Elf64_Ehdr *e)
{
	Elf64_Shdr sh;
	uint64_t shnum = e->e_shnum, shstrndx = e->e_shstrndx;

	if (e->e_shoff == 0 || e->e_shentsize != sizeof(sh))
		return;
	if (shnum == 0 || shstrndx == SHN_XINDEX || e->e_phnum == PN_XNUM) {
		if (elf_read(f, &sh, sizeof(sh), e->e_shoff) == -1)
			return;
		if (shnum == 0)
			shnum = sh.sh_size;
		if (shstrndx == SHN_XINDEX)
			shstrndx = sh.sh_link;
		if (e->e_phnum == PN_XNUM)
			f->phnum = sh.sh_info;
	}
	if (shnum > ELF_SECTIONS_MAX ||
	    !elf_inside(f, e->e_shoff, shnum * sizeof(sh)))
		return;
	f->shoff = e->e_shoff;
	f->shnum = shnum;
	if (shstrndx < shnum)
		f->shstrndx = (uint32_t)shstrndx;
}

int
elf_open(struct elf_file *f, int fd)
{
	struct stat st;
	Elf64_Ehdr e;
	ssize_t r;

	memset(f, 0, offsetof(struct elf_file, head));
	f->fd = fd;
	if (fstat(fd, &st) == -1)
		return -1;
	if (!S_ISREG(st.st_mode))
		return fails(ENOEXEC);
	f->size = (uint64_t)st.st_size;
	r = io_pread_full(fd, f->head, sizeof(f->head), 0);
	if (r == -1)
		return -1;
	f->headlen = (size_t)r;
	memcpy(&e, f->head, sizeof(e));
	if (r < EI_NIDENT || memcmp(e.e_ident, ELFMAG, SELFMAG) != 0)
		return fails(ENOEXEC);
	if (e.e_ident[EI_CLASS] != ELFCLASS64 ||
	    e.e_ident[EI_DATA] != HOST_DATA)
		return fails(ENOTSUP);
	if (r < (ssize_t)sizeof(e))
		return fails(ENOEXEC);
	f->type = e.e_type;
	f->machine = e.e_machine;
	f->entry = e.e_entry;
	f->phnum = e.e_phnum;
	elf_sections(f, &e);
	f->phoff = e.e_phoff;
	if (e.e_phentsize != sizeof(Elf64_Phdr) || f->phoff >= f->size)
		f->phnum = 0;
	else if (f->phnum > (f->size - f->phoff) / sizeof(Elf64_Phdr))
		f->phnum = (f->size - f->phoff) / sizeof(Elf64_Phdr);
	/* The kernel loads no file with more than 64 KiB of them. */
	if (f->phnum > PN_XNUM)
		f->phnum = PN_XNUM;
	return 0;
}

void
elf_close(struct elf_file *f)
{
	free(f->tail);
	free(f->names);
	f->tail = NULL;
	f->names = NULL;
}

/* The section table, if it takes no more than a piece, for it is gone through
 * several times; and what stands before it. */
static const unsigned char *
elf_kept_sections(struct elf_file *f)
{
	size_t len = (size_t)f->shnum * sizeof(Elf64_Shdr), before;

	if (len > ELF_PIECE)
		return NULL;
	if (f->tail == NULL) {
		before = f->shoff < ELF_TAIL ? (size_t)f->shoff : ELF_TAIL;
		before -= before % sizeof(uint64_t);
		f->tail = malloc(before + len);
		if (f->tail == NULL)
			return NULL;
		f->tailoff = f->shoff - before;
		f->taillen = 0; /* elf_read() is to read it */
		if (elf_read(f, f->tail, before + len, f->tailoff) == -1) {
			free(f->tail);
			f->tail = NULL;
			return NULL;
		}
		f->taillen = before + len;
	}
	return f->tail + (f->taillen - len);
}

/* Where such entries stand in memory already, or NULL. */
static const unsigned char *
elf_kept(struct elf_file *f, uint64_t off, uint64_t count, size_t entsize)
{
	const unsigned char *p;

	if (off == f->shoff && off != 0 && count == f->shnum &&
	    entsize == sizeof(Elf64_Shdr))
		return elf_kept_sections(f);
	if (count > ELF_PIECE / entsize)
		return NULL;
	p = elf_in_memory(f, off, count * entsize);
	return p != NULL && (uintptr_t)p % sizeof(uint64_t) == 0 ? p : NULL;
}

int
elf_walk_start(struct elf_walk *w, struct elf_file *f, uint64_t off,
    uint64_t count, size_t entsize)
{
	uint64_t fit = off < f->size ? (f->size - off) / entsize : 0;

	w->fd = f->fd;
	w->off = off;
	w->left = count < fit ? count : fit;
	w->entsize = entsize;
	w->at = w->have = 0;
	w->own = NULL;
	w->entries = elf_kept(f, off, w->left, entsize);
	if (w->entries != NULL) {
		w->have = (size_t)w->left * entsize;
		w->left = w->cap = 0;
		return 0;
	}
	w->cap = ELF_PIECE / entsize;
	if (w->cap > w->left)
		w->cap = (size_t)w->left;
	w->entries = w->own = malloc(w->cap != 0 ? w->cap * entsize : 1);
	return w->own == NULL ? -1 : 0;
}

const void *
elf_walk_next(struct elf_walk *w)
{
	size_t want;
	ssize_t r;

	if (w->at == w->have) {
		want = w->cap;
		if (want > w->left)
			want = (size_t)w->left;
		if (want == 0)
			return NULL;
		r = io_pread_full(w->fd, w->own, want * w->entsize, w->off);
		w->have = r <= 0 ? 0 : (size_t)r / w->entsize * w->entsize;
		w->at = 0;
		/* A file that shrinks meanwhile just ends here. */
		w->left = w->have < want * w->entsize ? 0 : w->left - want;
		w->off += w->have;
		if (w->have == 0)
			return NULL;
	}
	w->at += w->entsize;
	return w->entries + w->at - w->entsize;
}

void
elf_walk_end(struct elf_walk *w)
{
	free(w->own);
	w->own = NULL;
	w->entries = NULL;
}

int
elf_shdr(struct elf_file *f, uint64_t i, Elf64_Shdr *sh)
{
	const unsigned char *all;

	if (i >= f->shnum)
		return fails(ENOENT);
	all = elf_kept_sections(f);
	if (all == NULL)
		return elf_read(f, sh, sizeof(*sh), f->shoff + i * sizeof(*sh));
	memcpy(sh, all + i * sizeof(*sh), sizeof(*sh));
	return 0;
}

int
elf_shdr_plain(const struct elf_file *f, const Elf64_Shdr *sh)
{
	return sh->sh_type != SHT_NOBITS && sh->sh_type != SHT_NULL &&
	    (sh->sh_flags & SHF_COMPRESSED) == 0 &&
	    elf_inside(f, sh->sh_offset, sh->sh_size);
}

/* The section names; -1 ENOENT, ENOMEM. */
static int
elf_read_names(struct elf_file *f)
{
	Elf64_Shdr strs;
	ssize_t r;
	size_t len;

	if (f->names != NULL)
		return 0;
	if (f->shstrndx == 0 || elf_shdr(f, f->shstrndx, &strs) == -1 ||
	    !elf_shdr_plain(f, &strs))
		return fails(ENOENT);
	/* They take some hundred bytes; further ones are passed by. */
	len = strs.sh_size < ELF_PIECE ? (size_t)strs.sh_size : ELF_PIECE;
	f->names = malloc(len + 1);
	if (f->names == NULL)
		return -1;
	r = elf_pread(f, f->names, len, strs.sh_offset);
	f->nameslen = r < 0 ? 0 : (size_t)r;
	return 0;
}

int
elf_shdr_named(struct elf_file *f, const char *name, Elf64_Shdr *out)
{
	size_t want = strlen(name) + 1;
	const Elf64_Shdr *sh;
	struct elf_walk w;
	int found = 0;

	if (elf_read_names(f) == -1 ||
	    elf_walk_start(&w, f, f->shoff, f->shnum, sizeof(*sh)) == -1)
		return -1;
	while (!found && (sh = elf_walk_next(&w)) != NULL) {
		if (sh->sh_name < f->nameslen &&
		    f->nameslen - sh->sh_name >= want &&
		    memcmp(f->names + sh->sh_name, name, want) == 0) {
			*out = *sh;
			found = 1;
		}
	}
	elf_walk_end(&w);
	return found ? 0 : fails(ENOENT);
}
