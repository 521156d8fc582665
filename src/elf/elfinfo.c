/*
 * What else is asked of an ELF file: segments, build-id, a section, the
 * address of one symbol.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/io.h"
#include "elf/elfsym.h"
#include "elf/elfsymtab.h"

/* Places in a string table where one name stands (symbols share tails, and
 * several may have it). */
enum { SPELLINGS_MAX = 64 };

int
elfsym_head(int fd, struct elfsym_head *h)
{
	struct elfsym_load *l;
	const Elf64_Phdr *ph;
	struct elf_walk w;
	struct elf_file f;

	memset(h, 0, sizeof(*h));
	if (elf_open(&f, fd) == -1)
		return -1;
	h->machine = f.machine;
	h->type = f.type;
	h->entry = f.entry;
	if (f.phnum == 0)
		return 0; /* nothing that elf_close() would free */
	h->loads = calloc((size_t)f.phnum, sizeof(*h->loads));
	if (h->loads == NULL)
		return -1;
	if (elf_walk_start(&w, &f, f.phoff, f.phnum, sizeof(*ph)) == -1) {
		elfsym_head_free(h);
		return fails(ENOMEM);
	}
	while ((ph = elf_walk_next(&w)) != NULL) {
		if (ph->p_type == PT_GNU_EH_FRAME && h->ehframehdr == 0) {
			h->ehframehdr = ph->p_vaddr;
			h->ehframehdrlen = ph->p_memsz;
		}
		if (ph->p_type != PT_LOAD)
			continue;
		l = &h->loads[h->nloads++];
		l->off = ph->p_offset;
		l->vaddr = ph->p_vaddr;
		l->filesz = ph->p_filesz;
		l->memsz = ph->p_memsz;
		l->flags = ph->p_flags;
	}
	elf_walk_end(&w);
	elf_close(&f);
	return 0;
}

void
elfsym_head_free(struct elfsym_head *h)
{
	free(h->loads);
	memset(h, 0, sizeof(*h));
}

const void *
elf_note(const void *notes, size_t len, const char *owner, uint32_t type,
    size_t *desclen)
{
	const unsigned char *p = notes;
	size_t at = 0, name, desc, ownerlen = strlen(owner) + 1;
	Elf64_Nhdr n;

	/* Padded to 4.  Segments padded to 8 hold GNU properties, whose
	 * lengths are multiples of 8: the same walk passes them. */
	while (len - at >= sizeof(n)) {
		memcpy(&n, p + at, sizeof(n));
		name = at + sizeof(n);
		if (n.n_namesz > len - name)
			break;
		desc = name + (((size_t)n.n_namesz + 3) & ~(size_t)3);
		if (desc > len || n.n_descsz > len - desc)
			break;
		if (n.n_type == type && n.n_namesz == ownerlen &&
		    memcmp(p + name, owner, ownerlen) == 0) {
			*desclen = n.n_descsz;
			return p + desc;
		}
		at = desc + (((size_t)n.n_descsz + 3) & ~(size_t)3);
		if (at > len)
			break;
	}
	return NULL;
}

int
elfsym_note_buildid(
    const void *notes, size_t len, unsigned char id[ELFSYM_ID_MAX])
{
	size_t n;
	const void *p = elf_note(notes, len, "GNU", NT_GNU_BUILD_ID, &n);

	if (p == NULL || n == 0 || n > ELFSYM_ID_MAX)
		return 0;
	memcpy(id, p, n);
	return (int)n;
}

/* In [off, off + len) of the file; only the first piece is looked at. */
static int
notes_at(struct elf_file *f, uint64_t off, uint64_t len, unsigned char *id)
{
	unsigned char few[1024], *piece = few;
	ssize_t r;
	int n;

	if (off >= f->size)
		return 0;
	if (len > ELF_PIECE)
		len = ELF_PIECE;
	if (len > sizeof(few) && (piece = malloc((size_t)len)) == NULL)
		return -1;
	r = elf_pread(f, piece, (size_t)len, off);
	n = r <= 0 ? 0 : elfsym_note_buildid(piece, (size_t)r, id);
	if (piece != few)
		free(piece);
	return n;
}

int
elf_buildid(struct elf_file *f, unsigned char *id)
{
	int got = 0, notes = 0;
	const Elf64_Phdr *ph;
	const Elf64_Shdr *sh;
	struct elf_walk w;

	/* A handful of notes is usual; a forged table may have them all. */
	if (elf_walk_start(&w, f, f->phoff, f->phnum, sizeof(*ph)) == -1)
		return -1;
	while (got == 0 && notes < 256 && (ph = elf_walk_next(&w)) != NULL)
		if (ph->p_type == PT_NOTE) {
			got = notes_at(f, ph->p_offset, ph->p_filesz, id);
			notes++;
		}
	elf_walk_end(&w);
	if (got != 0)
		return got;
	if (elf_walk_start(&w, f, f->shoff, f->shnum, sizeof(*sh)) == -1)
		return -1;
	while (got == 0 && notes < 512 && (sh = elf_walk_next(&w)) != NULL)
		if (sh->sh_type == SHT_NOTE && elf_shdr_plain(f, sh)) {
			got = notes_at(f, sh->sh_offset, sh->sh_size, id);
			notes++;
		}
	elf_walk_end(&w);
	return got;
}

struct elf_file *
elfsym_keep(int fd)
{
	struct elf_file *f = malloc(sizeof(*f));

	if (f == NULL || elf_open(f, fd) == 0)
		return f;
	free(f);
	return NULL;
}

void
elfsym_drop(struct elf_file *f)
{
	if (f != NULL)
		elf_close(f);
	free(f);
}

int
elfsym_kept_buildid(struct elf_file *f, unsigned char id[ELFSYM_ID_MAX])
{
	return elf_buildid(f, id);
}

int
elfsym_buildid(int fd, unsigned char id[ELFSYM_ID_MAX])
{
	struct elf_file f;
	int n;

	if (elf_open(&f, fd) == -1)
		return -1;
	n = elf_buildid(&f, id);
	elf_close(&f);
	if (n == -1)
		errno = ENOMEM;
	return n;
}

int
elfsym_section(
    int fd, const char *name, uint64_t *off, uint64_t *addr, uint64_t *size)
{
	struct elf_file f;
	Elf64_Shdr sh;
	int plain;

	if (elf_open(&f, fd) == -1)
		return -1;
	/* Its bytes are asked for: those of .bss or of a compressed section
	 * are not there. */
	plain = elf_shdr_named(&f, name, &sh) == 0 && elf_shdr_plain(&f, &sh);
	elf_close(&f);
	if (!plain)
		return fails(ENOENT);
	*off = sh.sh_offset;
	*addr = sh.sh_addr;
	*size = sh.sh_size;
	return 0;
}

/*
 * Where in the string table name stands, as a whole string or as the tail of
 * one (linkers share tails), followed by its end or a version.  The number
 * found, -1 ENOMEM.
 */
static int
find_spellings(struct elf_file *f, const struct elf_symtab *t, const char *name,
    uint64_t at[SPELLINGS_MAX])
{
	size_t len = strlen(name), have = 0, want;
	uint64_t off = 0; /* of piece[0] in the table */
	char *piece, *p;
	ssize_t r;
	int n = 0;

	if (len == 0 || len >= ELF_PIECE / 2)
		return 0;
	piece = malloc(ELF_PIECE);
	if (piece == NULL)
		return -1;
	while (n < SPELLINGS_MAX) {
		want = ELF_PIECE - have;
		if (want > t->strsize - off - have)
			want = (size_t)(t->strsize - off - have);
		r = io_pread_full(
		    f->fd, piece + have, want, t->stroff + off + have);
		if (r <= 0)
			break;
		have += (size_t)r;
		for (p = piece; n < SPELLINGS_MAX; p++) {
			p = memmem(p, have - (size_t)(p - piece), name, len);
			if (p == NULL || p + len == piece + have)
				break;
			if (p[len] == '\0' || p[len] == '@')
				at[n++] = off + (uint64_t)(p - piece);
		}
		/* What straddles two pieces is looked at again. */
		if (have <= len)
			break;
		off += have - len;
		memmove(piece, piece + have - len, len);
		have = len;
	}
	free(piece);
	return n;
}

static int
find_in(struct elf_file *f, const struct elf_symtab *t, const char *name,
    uint64_t *vaddr)
{
	uint64_t at[SPELLINGS_MAX];
	const Elf64_Sym *s;
	struct elf_walk w;
	int n, i, type, found = 0;

	n = find_spellings(f, t, name, at);
	if (n == -1)
		return -1;
	if (n == 0)
		return 0;
	if (elf_walk_start(&w, f, t->off, t->count, sizeof(*s)) == -1)
		return -1;
	while (!found && (s = elf_walk_next(&w)) != NULL) {
		type = ELF64_ST_TYPE(s->st_info);
		if (s->st_shndx == SHN_UNDEF || s->st_shndx == SHN_COMMON ||
		    (type != STT_FUNC && type != STT_OBJECT &&
			type != STT_NOTYPE && type != STT_GNU_IFUNC))
			continue;
		for (i = 0; i < n && !found; i++)
			found = s->st_name == at[i];
		if (found)
			*vaddr = s->st_value;
	}
	elf_walk_end(&w);
	return found;
}

int
elfsym_find(int fd, const char *name, uint64_t *vaddr)
{
	struct elf_symtab t;
	struct elf_file f;
	int r = 0;

	if (elf_open(&f, fd) == -1)
		return -1;
	if (f.type != ET_REL) {
		if (elf_symtab(&f, SHT_SYMTAB, &t) == 0)
			r = find_in(&f, &t, name, vaddr);
		if (r == 0 && elf_dynsym(&f, &t) == 0)
			r = find_in(&f, &t, name, vaddr);
	}
	elf_close(&f);
	if (r == 0)
		errno = ENOENT;
	return r == 1 ? 0 : -1;
}
