/*
 * .dynsym without section headers: PT_DYNAMIC gives the addresses of the
 * tables, one of the two hash tables how many symbols there are (elf(5), and
 * for DT_GNU_HASH the layout all ELF loaders share: nbuckets, symoffset,
 * bloom words, bloom shift; bloom; buckets; chains that end with bit 0 set).
 */
#include "elf/elfsymtab.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/io.h"

enum { DYNAMIC_MAX = 4096 }; /* entries; some 30 are usual */

struct dynamic {
	uint64_t symtab, strtab, strsz, syment, hash, gnuhash;
};

/* File offset of an address; 0 when no PT_LOAD's file part holds it. */
static uint64_t
dyn_offset(struct elf_file *f, uint64_t vaddr)
{
	const Elf64_Phdr *ph;
	struct elf_walk w;
	uint64_t off = 0;

	if (elf_walk_start(&w, f, f->phoff, f->phnum, sizeof(*ph)) == -1)
		return 0;
	while (off == 0 && (ph = elf_walk_next(&w)) != NULL)
		if (ph->p_type == PT_LOAD && vaddr >= ph->p_vaddr &&
		    vaddr - ph->p_vaddr < ph->p_filesz &&
		    ph->p_offset < f->size &&
		    vaddr - ph->p_vaddr < f->size - ph->p_offset)
			off = ph->p_offset + (vaddr - ph->p_vaddr);
	elf_walk_end(&w);
	return off;
}

static int
dyn_segment(struct elf_file *f, Elf64_Phdr *out)
{
	const Elf64_Phdr *ph;
	struct elf_walk w;
	int found = 0;

	if (elf_walk_start(&w, f, f->phoff, f->phnum, sizeof(*ph)) == -1)
		return 0;
	while (!found && (ph = elf_walk_next(&w)) != NULL)
		if (ph->p_type == PT_DYNAMIC) {
			*out = *ph;
			found = 1;
		}
	elf_walk_end(&w);
	return found;
}

static void
dyn_entries(struct elf_file *f, const Elf64_Phdr *ph, struct dynamic *d)
{
	uint64_t n = ph->p_filesz / sizeof(Elf64_Dyn);
	const Elf64_Dyn *e;
	struct elf_walk w;

	if (n > DYNAMIC_MAX)
		n = DYNAMIC_MAX;
	if (elf_walk_start(&w, f, ph->p_offset, n, sizeof(*e)) == -1)
		return;
	while ((e = elf_walk_next(&w)) != NULL && e->d_tag != DT_NULL) {
		switch (e->d_tag) {
		case DT_SYMTAB:
			d->symtab = e->d_un.d_ptr;
			break;
		case DT_STRTAB:
			d->strtab = e->d_un.d_ptr;
			break;
		case DT_STRSZ:
			d->strsz = e->d_un.d_val;
			break;
		case DT_SYMENT:
			d->syment = e->d_un.d_val;
			break;
		case DT_HASH:
			d->hash = e->d_un.d_ptr;
			break;
		case DT_GNU_HASH:
			d->gnuhash = e->d_un.d_ptr;
			break;
		default:
			break;
		}
	}
	elf_walk_end(&w);
}

static uint64_t
dyn_count_hash(struct elf_file *f, uint64_t hash)
{
	uint64_t off = dyn_offset(f, hash);
	uint32_t head[2]; /* nbucket, nchain: one chain word a symbol */

	if (off == 0 ||
	    io_pread_full(f->fd, head, sizeof(head), off) != sizeof(head))
		return 0;
	return head[1];
}

static uint64_t
dyn_count_gnuhash(struct elf_file *f, uint64_t gnuhash)
{
	uint64_t off = dyn_offset(f, gnuhash), last = 0;
	uint32_t head[4]; /* nbuckets, symoffset, bloom words, bloom shift */
	const uint32_t *v;
	struct elf_walk w;

	if (off == 0 ||
	    io_pread_full(f->fd, head, sizeof(head), off) != sizeof(head))
		return 0;
	off += sizeof(head) + (uint64_t)head[2] * 8;
	if (elf_walk_start(&w, f, off, head[0], sizeof(*v)) == -1)
		return 0;
	while ((v = elf_walk_next(&w)) != NULL)
		if (*v > last)
			last = *v;
	elf_walk_end(&w);
	/* Symbols below symoffset are not hashed: all of them imports. */
	if (last < head[1])
		return head[1];
	off += (uint64_t)head[0] * 4 + (last - head[1]) * 4;
	if (elf_walk_start(&w, f, off, ELF_SYMBOLS_MAX, sizeof(*v)) == -1)
		return 0;
	while ((v = elf_walk_next(&w)) != NULL) {
		last++;
		if (*v & 1)
			break;
	}
	elf_walk_end(&w);
	return last;
}

/* As the dynamic loader finds it. */
static int
elf_symtab_dynamic(struct elf_file *f, struct elf_symtab *t)
{
	struct dynamic d = {0};
	Elf64_Phdr ph;
	uint64_t fit;

	errno = ENOENT;
	if (!dyn_segment(f, &ph))
		return -1;
	dyn_entries(f, &ph, &d);
	t->off = dyn_offset(f, d.symtab);
	t->stroff = dyn_offset(f, d.strtab);
	t->strsize = d.strsz;
	t->count = 0;
	if (t->off != 0 && t->stroff != 0 && d.syment == sizeof(Elf64_Sym)) {
		if (d.hash != 0)
			t->count = dyn_count_hash(f, d.hash);
		if (t->count == 0 && d.gnuhash != 0)
			t->count = dyn_count_gnuhash(f, d.gnuhash);
		/* Linkers put the strings right behind the symbols. */
		if (t->count == 0 && t->stroff > t->off)
			t->count = (t->stroff - t->off) / sizeof(Elf64_Sym);
		fit = (f->size - t->off) / sizeof(Elf64_Sym);
		if (t->count > fit)
			t->count = fit;
		if (t->count > ELF_SYMBOLS_MAX)
			t->count = ELF_SYMBOLS_MAX;
		if (t->strsize > f->size - t->stroff)
			t->strsize = f->size - t->stroff;
	}
	errno = ENOENT;
	return t->count == 0 || t->strsize == 0 ? -1 : 0;
}

int
elf_symtab(struct elf_file *f, uint32_t type, struct elf_symtab *t)
{
	const Elf64_Shdr *sh;
	Elf64_Shdr tab = {0}, strs;
	struct elf_walk w;
	int found = 0;

	if (f->shnum == 0)
		return fails(ENOENT);
	if (elf_walk_start(&w, f, f->shoff, f->shnum, sizeof(*sh)) == -1)
		return -1;
	while (!found && (sh = elf_walk_next(&w)) != NULL) {
		if (sh->sh_type == type) {
			tab = *sh;
			found = 1;
		}
	}
	elf_walk_end(&w);
	if (!found || tab.sh_entsize != sizeof(Elf64_Sym) ||
	    (tab.sh_flags & SHF_COMPRESSED) != 0 || tab.sh_offset >= f->size ||
	    elf_shdr(f, tab.sh_link, &strs) == -1 ||
	    strs.sh_type != SHT_STRTAB || strs.sh_offset >= f->size ||
	    (strs.sh_flags & SHF_COMPRESSED) != 0)
		return fails(ENOENT);
	t->off = tab.sh_offset;
	t->count = tab.sh_size / sizeof(Elf64_Sym);
	t->stroff = strs.sh_offset;
	t->strsize = strs.sh_size;
	/* A file cut short still names what is left of it. */
	if (t->count > (f->size - t->off) / sizeof(Elf64_Sym))
		t->count = (f->size - t->off) / sizeof(Elf64_Sym);
	if (t->count > ELF_SYMBOLS_MAX)
		t->count = ELF_SYMBOLS_MAX;
	if (t->strsize > f->size - t->stroff)
		t->strsize = f->size - t->stroff;
	return t->count == 0 || t->strsize == 0 ? fails(ENOENT) : 0;
}

int
elf_dynsym(struct elf_file *f, struct elf_symtab *t)
{
	if (elf_symtab(f, SHT_DYNSYM, t) == 0)
		return 0;
	return elf_symtab_dynamic(f, t);
}
