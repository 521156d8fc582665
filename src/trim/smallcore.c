#include "trim/smallcore.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/array.h"
#include "base/bytes.h"
#include "base/io.h"

enum { PAGE = 4096, CHUNK = 256 << 10 };

struct layout {
	Elf64_Phdr *ph;
	size_t n;
	uint64_t memory; /* bytes of contents */
};

static int
add(struct layout *l, const Elf64_Phdr *ph)
{
	if (ARRAY_ROOM(l->ph, l->n) == -1)
		return -1;
	l->ph[l->n++] = *ph;
	l->memory += ph->p_filesz;
	return 0;
}

/* One of the segment's permissions, with so much contents. */
static int
add_part(struct layout *l, const struct core_seg *s, const struct pages *p,
    uint64_t contents)
{
	const Elf64_Phdr ph = {.p_type = PT_LOAD,
	    .p_flags = s->flags,
	    .p_vaddr = p->start,
	    .p_filesz = contents,
	    .p_memsz = p->end - p->start,
	    .p_align = PAGE};

	return add(l, &ph);
}

static int
add_segment(
    struct layout *l, const struct smallcore *c, const struct core_seg *s)
{
	uint64_t filesz = s->filesz < s->memsz ? s->filesz : s->memsz;
	struct pages p = {.start = s->vaddr};
	uint64_t have = s->vaddr + filesz, end = s->vaddr + s->memsz, n;
	int whole = have == end;

	if (end < s->vaddr)
		return 0; /* around the end of memory: of nobody */
	for (; pageset_next(c->keep, &p.start, have, &p.end); p.start = p.end) {
		n = p.end - p.start;
		if (p.end == have && !whole) {
			p.end = end;
			whole = 1;
		}
		if (add_part(l, s, &p, n) == -1)
			return -1;
		if (l->memory > c->max)
			return fails(EFBIG);
	}
	p.start = have;
	p.end = end;
	return whole ? 0 : add_part(l, s, &p, 0);
}

static int
lay_out(struct layout *l, const struct smallcore *c)
{
	Elf64_Phdr note = {.p_type = PT_NOTE};
	size_t i;

	for (i = 0; i < c->nnotes; i++) {
		note.p_filesz = c->note[i].len;
		note.p_align = c->note[i].align;
		if (add(l, &note) == -1)
			return -1;
	}
	l->memory = 0;
	for (i = 0; i < c->nsegs; i++)
		if (add_segment(l, c, &c->segs[i]) == -1)
			return -1;
	return 0;
}

/* What was mapped, as a note; malloc'd, and the last of the notes. */
static unsigned char *
note_mapped(struct smallcore *c)
{
	const Elf64_Nhdr n = {sizeof(CORE_TRIMMED), (Elf64_Word)(c->nsegs * 24),
	    CORE_TRIMMED_MAPPED};
	size_t name = (sizeof(CORE_TRIMMED) + 3) / 4 * 4, i;
	unsigned char *p = calloc(1, sizeof(n) + name + c->nsegs * 24), *row;
	uint64_t w[3];

	if (p == NULL || c->nnotes == SMALLCORE_NOTES)
		return p;
	memcpy(p, &n, sizeof(n));
	memcpy(p + sizeof(n), CORE_TRIMMED, sizeof(CORE_TRIMMED));
	row = p + sizeof(n) + name;
	for (i = 0; i < c->nsegs; i++, row += sizeof(w)) {
		w[0] = c->segs[i].vaddr;
		w[1] = w[0] + c->segs[i].memsz;
		w[2] = c->segs[i].flags;
		memcpy(row, w, sizeof(w));
	}
	c->note[c->nnotes].p = p;
	c->note[c->nnotes].len = (size_t)(row - p);
	c->note[c->nnotes++].align = 4;
	return p;
}

static uint64_t
rounded(uint64_t x, uint64_t to)
{
	return x % to != 0 ? x + (to - x % to) : x;
}

/* Where everything is; the size. */
static uint64_t
place(struct layout *l, uint64_t at)
{
	size_t i;

	for (i = 0; i < l->n; i++) {
		if (l->ph[i].p_type == PT_NOTE)
			at = rounded(at, 8);
		else if (i == 0 || l->ph[i - 1].p_type == PT_NOTE)
			at = rounded(at, PAGE);
		l->ph[i].p_offset = at;
		at += l->ph[i].p_filesz;
	}
	return at;
}

static int
put(int fd, struct smallcore *c, const void *p, size_t n)
{
	if (n == 0)
		return 0;
	c->began = 1;
	c->size += n;
	return io_write_full(fd, p, n);
}

static int
pad(int fd, struct smallcore *c, uint64_t upto)
{
	static const char zero[PAGE];

	return put(fd, c, zero, (size_t)(upto - c->size));
}

/* More program headers than 16 bits can count stand in a section header
 * (elf(5), PN_XNUM), which the kernel writes last; here it follows the file's
 * header. */
static int
put_head(int fd, struct smallcore *c, const struct layout *l)
{
	Elf64_Ehdr e = {.e_type = ET_CORE,
	    .e_machine = c->head.e_machine,
	    .e_version = EV_CURRENT,
	    .e_flags = c->head.e_flags,
	    .e_ehsize = sizeof(e),
	    .e_phentsize = sizeof(*l->ph)};
	Elf64_Shdr sh = {.sh_info = (Elf64_Word)l->n};
	int many = l->n >= PN_XNUM;

	memcpy(e.e_ident, c->head.e_ident, EI_NIDENT);
	e.e_phoff = sizeof(e) + (many ? sizeof(sh) : 0);
	e.e_phnum = many ? PN_XNUM : (Elf64_Half)l->n;
	if (many) {
		e.e_shoff = sizeof(e);
		e.e_shentsize = sizeof(sh);
		e.e_shnum = 1;
		sh.sh_size = 1;
	}
	return put(fd, c, &e, sizeof(e)) == -1 ||
		put(fd, c, &sh, many ? sizeof(sh) : 0) == -1 ||
		put(fd, c, l->ph, l->n * sizeof(*l->ph)) == -1
	    ? -1
	    : 0;
}

static int
put_zeros(int fd, struct smallcore *c, uint64_t n, char *room)
{
	uint64_t part;

	if (c->seekable && n > 0) {
		c->size += n;
		return lseek(fd, (off_t)n, SEEK_CUR) == -1 ? -1 : 0;
	}
	memset(room, 0, n < CHUNK ? (size_t)n : CHUNK);
	for (; n > 0; n -= part) {
		part = n < CHUNK ? n : CHUNK;
		if (put(fd, c, room, (size_t)part) == -1)
			return -1;
	}
	return 0;
}

static int
put_there(int fd, struct smallcore *c, uint64_t at, uint64_t end, char *room)
{
	uint64_t n;
	ssize_t r;

	for (; at < end; at += n) {
		n = end - at < CHUNK ? end - at : CHUNK;
		r = c->read(c->arg, at, room, (size_t)n);
		/* a page that cannot be read, and on behind it */
		if (r <= 0 && n > PAGE)
			r = c->read(c->arg, at, room, PAGE);
		if (r <= 0)
			memset(room, 0, PAGE);
		n = r > 0 ? (uint64_t)r : n < PAGE ? n : PAGE;
		if (put(fd, c, room, (size_t)n) == -1)
			return -1;
	}
	return 0;
}

static int
put_memory(int fd, struct smallcore *c, const Elf64_Phdr *ph, char *room)
{
	uint64_t at = ph->p_vaddr, end = at + ph->p_filesz, from, to;

	if (c->present == NULL)
		return put_there(fd, c, at, end, room);
	for (from = at; pageset_next(c->present, &from, end, &to); from = to) {
		if (put_zeros(fd, c, from - at, room) == -1 ||
		    put_there(fd, c, from, to, room) == -1)
			return -1;
		at = to;
	}
	return put_zeros(fd, c, end - at, room);
}

static int
put_all(int fd, struct smallcore *c, const struct layout *l, char *room)
{
	size_t i;

	if (put_head(fd, c, l) == -1)
		return -1;
	for (i = 0; i < l->n; i++) {
		if (pad(fd, c, l->ph[i].p_offset) == -1)
			return -1;
		if (i < c->nnotes) {
			if (put(fd, c, c->note[i].p, c->note[i].len) == -1)
				return -1;
		} else if (put_memory(fd, c, &l->ph[i], room) == -1)
			return -1;
	}
	/* where it ends in a hole */
	return c->seekable && c->size > 0 &&
		ftruncate(fd, lseek(fd, 0, SEEK_CUR)) == -1
	    ? -1
	    : 0;
}

int
smallcore_from(struct smallcore *c, const struct core_head *h)
{
	const struct core_note *n;
	size_t i;

	if (h->raw.len < sizeof(c->head))
		return fails(ENODATA);
	memcpy(&c->head, h->raw.p, sizeof(c->head));
	for (i = 0; i < h->nnotes; i++) {
		n = &h->note[i];
		if (n->apart
			? n->have < n->len
			: n->off > h->raw.len || n->len > h->raw.len - n->off)
			return fails(ENODATA);
		c->note[i].p =
		    n->apart ? h->notes.p + n->at : h->raw.p + n->off;
		c->note[i].len = (size_t)n->len;
		c->note[i].align = n->align;
	}
	c->nnotes = h->nnotes;
	c->segs = h->segs;
	c->nsegs = h->nsegs;
	c->trimmed = h->nmapped > 0;
	return 0;
}

int
smallcore_write(int fd, struct smallcore *c)
{
	struct layout l = {0};
	char *room = malloc(CHUNK);
	unsigned char *mapped = NULL;
	size_t notes = c->nnotes;
	struct stat st;
	int r = -1;

	c->size = 0;
	c->began = 0;
	c->seekable = c->present != NULL && fstat(fd, &st) == 0 &&
	    S_ISREG(st.st_mode) && !(fcntl(fd, F_GETFL) & O_APPEND);
	/* the bounds of a head keep what a note's length is well below 4 GiB */
	if (room != NULL && (c->trimmed || (mapped = note_mapped(c)) != NULL) &&
	    lay_out(&l, c) == 0) {
		place(&l,
		    sizeof(Elf64_Ehdr) +
			(l.n >= PN_XNUM ? sizeof(Elf64_Shdr) : 0) +
			l.n * sizeof(*l.ph));
		r = put_all(fd, c, &l, room);
	}
	c->nnotes = notes;
	free(l.ph);
	free(mapped);
	free(room);
	return r;
}

int
smallcore_pass_on(int from, int to)
{
	char *room = malloc(CHUNK);
	uint64_t at = 0;
	ssize_t n = -1;

	while (room != NULL && (n = io_pread_full(from, room, CHUNK, at)) > 0 &&
	    io_write_full(to, room, (size_t)n) == 0)
		at += (uint64_t)n;
	free(room);
	return n == 0 ? 0 : -1;
}
