#include "target/modhead.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/io.h"

enum {
	NOTES_MAX = 64 << 10,
	DYNAMIC_MAX = 512,
	AT_ONCE = 1024 /* the headers of most files */
};

_Static_assert(offsetof(struct modhead, ph) == sizeof(Elf64_Ehdr),
    "nearly all files have them one behind the other");

static int
is_elf(struct modhead *h)
{
	if (memcmp(h->eh.e_ident, ELFMAG, SELFMAG) != 0 ||
	    h->eh.e_ident[EI_CLASS] != ELFCLASS64 ||
	    h->eh.e_phentsize != sizeof(*h->ph) || h->eh.e_phnum == 0)
		return 0;
	h->n = h->eh.e_phnum < MODHEAD_PHDRS ? h->eh.e_phnum : MODHEAD_PHDRS;
	return 1;
}

int
modhead_memory(struct target *t, uint64_t addr, struct modhead *h)
{
	size_t want;

	if (target_read(t, addr, &h->eh, sizeof(h->eh)) != sizeof(h->eh) ||
	    !is_elf(h))
		return -1;
	want = h->n * sizeof(*h->ph);
	return target_read(t, addr + h->eh.e_phoff, h->ph, want) == want ? 0
									 : -1;
}

int
modhead_file(int fd, struct modhead *h)
{
	ssize_t have = fd == -1 ? -1 : io_pread_full(fd, h, AT_ONCE, 0);
	size_t want;

	if (have < (ssize_t)sizeof(h->eh) || !is_elf(h))
		return -1;
	want = h->n * sizeof(*h->ph);
	if (h->eh.e_phoff == sizeof(h->eh) &&
	    want + sizeof(h->eh) <= (size_t)have)
		return 0;
	return io_pread_full(fd, h->ph, want, h->eh.e_phoff) == (ssize_t)want
	    ? 0
	    : -1;
}

static uint64_t
in_page(uint64_t x)
{
	return x % TARGET_PAGE;
}

/* The bias follows from the segment that holds file offset of m->start. */
int
modhead_bias(struct target *t, const struct module *m, const struct modhead *h,
    uint64_t *bias)
{
	const struct map *first = target_map(t, m->start);
	const Elf64_Phdr *ph, *found = NULL;
	uint64_t off = first != NULL ? first->off : 0;
	size_t i;

	for (i = 0; i < h->n; i++) {
		ph = &h->ph[i];
		if (ph->p_type != PT_LOAD)
			continue;
		if (found == NULL)
			found = ph;
		if (ph->p_offset - in_page(ph->p_offset) <= off &&
		    off < ph->p_offset + ph->p_filesz) {
			found = ph;
			break;
		}
	}
	if (found == NULL)
		return -1;
	*bias = m->start - off + found->p_offset - found->p_vaddr;
	return 0;
}

uint64_t
modhead_end(const struct modhead *h, uint64_t start)
{
	uint64_t lo = UINT64_MAX, hi = 0, end;
	const Elf64_Phdr *ph;
	size_t i;

	for (i = 0; i < h->n; i++) {
		ph = &h->ph[i];
		if (ph->p_type != PT_LOAD ||
		    __builtin_add_overflow(ph->p_vaddr, ph->p_memsz, &end))
			continue;
		if (ph->p_vaddr < lo)
			lo = ph->p_vaddr - in_page(ph->p_vaddr);
		hi = end > hi ? end : hi;
	}
	if (hi <= lo || __builtin_add_overflow(start, hi - lo, &end))
		return start;
	return end;
}

/* The bytes of note segment i, malloc'd; NULL where it is none. */
static unsigned char *
read_notes(struct target *t, const struct modhead *h, uint64_t bias, size_t i,
    size_t *len)
{
	const Elf64_Phdr *ph = &h->ph[i];
	unsigned char *p;

	if (ph->p_type != PT_NOTE)
		return NULL;
	*len = ph->p_memsz < NOTES_MAX ? ph->p_memsz : NOTES_MAX;
	p = malloc(*len + 1);
	if (p != NULL)
		*len = target_read(t, bias + ph->p_vaddr, p, *len);
	return p;
}

size_t
modhead_id(struct target *t, const struct modhead *h, uint64_t bias,
    unsigned char id[ELFSYM_ID_MAX])
{
	unsigned char *p;
	size_t i, len;
	int n = 0;

	for (i = 0; i < h->n && n <= 0; i++) {
		p = read_notes(t, h, bias, i, &len);
		if (p != NULL)
			n = elfsym_note_buildid(p, len, id);
		free(p);
	}
	return n > 0 ? (size_t)n : 0;
}

int
module_package(struct target *t, const struct module *m, struct elf_package *k)
{
	struct modhead *h = malloc(sizeof(*h));
	unsigned char *p;
	size_t i, len;
	int found = 0;

	if (h == NULL || m->headers != MODULE_YES ||
	    (modhead_memory(t, m->start, h) == -1 &&
		modhead_file(m->fd, h) == -1)) {
		free(h);
		return 0;
	}
	for (i = 0; i < h->n && !found; i++) {
		p = read_notes(t, h, m->bias, i, &len);
		if (p != NULL)
			found = elf_note_package(p, len, k);
		free(p);
	}
	free(h);
	return found;
}

int
modhead_prot(const struct modhead *h, uint64_t bias, uint64_t addr)
{
	const Elf64_Phdr *ph;
	uint64_t from;
	size_t i;

	for (i = 0; i < h->n; i++) {
		ph = &h->ph[i];
		from = bias + ph->p_vaddr - in_page(bias + ph->p_vaddr);
		if (ph->p_type == PT_LOAD && addr >= from &&
		    addr - from < ph->p_memsz + in_page(bias + ph->p_vaddr))
			return (ph->p_flags & PF_R ? MAP_R : 0) |
			    (ph->p_flags & PF_W ? MAP_W : 0) |
			    (ph->p_flags & PF_X ? MAP_X : 0);
	}
	return -1;
}

/* Were the module's mappings made of these segments? */
static int
segments_fit(struct target *t, const struct module *m, const struct modhead *h)
{
	const Elf64_Phdr *ph;
	const struct map *p;
	uint64_t bias;
	size_t i;

	if (modhead_bias(t, m, h, &bias) == -1)
		return 0;
	for (p = maps_above(t->maps, t->nmaps, m->start);
	     p != NULL && p < t->maps + t->nmaps && p->start < m->end; p++) {
		if (p->module < 0 || &t->mods[p->module] != m)
			continue;
		for (i = 0; i < h->n; i++) {
			ph = &h->ph[i];
			if (ph->p_type == PT_LOAD &&
			    p->start - p->off ==
				bias + ph->p_vaddr - ph->p_offset &&
			    p->off + TARGET_PAGE > ph->p_offset &&
			    p->off < ph->p_offset + ph->p_filesz)
				break;
		}
		if (i == h->n)
			return 0;
	}
	return 1;
}

/*
 * The dynamic section is written to when an object is loaded, so that a core
 * has it.  Its tags stay; values stay or are relocated, but for DT_DEBUG.  The
 * program's entry point the kernel tells.
 */
static int
dynamic_fits(struct target *t, const struct module *m, const struct modhead *h,
    int fd, uint64_t bias)
{
	uint64_t entry = target_auxv(t, AT_ENTRY, 0);
	const Elf64_Phdr *ph = h->ph;
	Elf64_Dyn mem, file;
	size_t i;

	if (entry >= m->start && entry < m->end &&
	    h->eh.e_entry + bias != entry)
		return 0;
	while (ph < h->ph + h->n && ph->p_type != PT_DYNAMIC)
		ph++;
	for (i = 0; ph < h->ph + h->n && i < DYNAMIC_MAX; i++) {
		if (target_read(t, bias + ph->p_vaddr + i * sizeof(mem), &mem,
			sizeof(mem)) != sizeof(mem))
			return 1;
		if (io_pread_full(fd, &file, sizeof(file),
			ph->p_offset + i * sizeof(file)) != sizeof(file) ||
		    mem.d_tag != file.d_tag ||
		    (mem.d_tag != DT_DEBUG &&
			mem.d_un.d_val != file.d_un.d_val &&
			mem.d_un.d_val != file.d_un.d_val + bias))
			return 0;
		if (mem.d_tag == DT_NULL)
			return 1;
	}
	return 1;
}

/* Bytes of the file that the first page shows, beginning with the header. */
static size_t
shown(struct target *t, const struct module *m, const struct modhead *h)
{
	const struct map *first = target_map(t, m->start);
	size_t i;

	if (first == NULL || (first->prot & MAP_W) || first->off != 0)
		return 0;
	for (i = 0; i < h->n; i++)
		if (h->ph[i].p_type == PT_LOAD && h->ph[i].p_offset == 0)
			return h->ph[i].p_filesz < TARGET_PAGE
			    ? (size_t)h->ph[i].p_filesz
			    : TARGET_PAGE;
	return 0;
}

/* What strip(1) and objcopy(1) change is no part of what was mapped. */
static int
same_start(struct target *t, const struct module *m, const struct modhead *mem,
    const struct modhead *file, int fd)
{
	unsigned char a[TARGET_PAGE], b[TARGET_PAGE];
	size_t from = sizeof(Elf64_Ehdr), n;

	if (mem->n != file->n || mem->eh.e_phoff != file->eh.e_phoff ||
	    mem->eh.e_entry != file->eh.e_entry ||
	    memcmp(mem->ph, file->ph, mem->n * sizeof(*mem->ph)) != 0)
		return 0;
	n = target_read(t, m->start, a, shown(t, m, mem));
	if (n <= from)
		return 1;
	return io_pread_full(fd, b, n, 0) == (ssize_t)n &&
	    memcmp(a + from, b + from, n - from) == 0;
}

int
modhead_judge(struct target *t, const struct module *m, int fd)
{
	unsigned char id[ELFSYM_ID_MAX], own[ELFSYM_ID_MAX];
	struct modhead *mem = malloc(sizeof(*mem)),
		       *file = malloc(sizeof(*file));
	int verdict = MODFILE_OTHER, ownlen;
	uint64_t bias;
	size_t len = 0;

	if (mem == NULL || file == NULL || modhead_file(fd, file) == -1)
		goto out;
	if (modhead_memory(t, m->start, mem) == -1) {
		if (segments_fit(t, m, file) &&
		    modhead_bias(t, m, file, &bias) == 0 &&
		    dynamic_fits(t, m, file, fd, bias))
			verdict = MODFILE_MAYBE;
		goto out;
	}
	if (modhead_bias(t, m, mem, &bias) == 0)
		len = modhead_id(t, mem, bias, id);
	ownlen = elfsym_buildid(fd, own);
	if (len > 0) {
		if (ownlen == (int)len && memcmp(id, own, len) == 0)
			verdict = MODFILE_SAME;
	} else if (same_start(t, m, mem, file, fd)) {
		verdict = MODFILE_SAME;
	}
out:
	free(mem);
	free(file);
	return verdict;
}
