#include "core/corehead.h"

#include <elf.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/deadline.h"
#include "core/notes.h"

enum {
	READ_MAX = 1 << 20,
	NOTE_GAP = 64 << 10 /* notes farther behind are read by themselves */
};

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define HOST_DATA ELFDATA2LSB
#else
#define HOST_DATA ELFDATA2MSB
#endif

/* What the file header says, in one shape for both classes. */
struct geometry {
	uint64_t phoff, phnum; /* phnum may be PN_XNUM */
	uint64_t shoff;
	size_t phsize;
};

/* 1 and *g filled in; 0 when more bytes are needed: *need; -1 errno. */
static int
core_geometry(struct core_head *h, struct geometry *g, uint64_t *need)
{
	const unsigned char *p = (const unsigned char *)h->raw.p;
	size_t n = h->raw.len < SELFMAG ? h->raw.len : SELFMAG;
	uint16_t machine, type;
	Elf64_Ehdr e;
	Elf32_Ehdr e32;

	if (n != 0 && memcmp(p, ELFMAG, n) != 0)
		return fails(ENOEXEC);
	/* e_machine ends at 20 in both classes and either byte order.  A header
	 * of 64 bits is asked for at once: one of 32, and the program header
	 * that a core has, are longer. */
	*need = sizeof(e);
	if (h->raw.len < 20)
		return 0;
	h->elfclass = p[EI_CLASS];
	if (h->elfclass != ELFCLASS64 && h->elfclass != ELFCLASS32)
		return fails(ENOEXEC);
	if (p[EI_DATA] != ELFDATA2LSB && p[EI_DATA] != ELFDATA2MSB)
		return fails(ENOEXEC);
	memcpy(&type, p + 16, sizeof(type));
	memcpy(&machine, p + 18, sizeof(machine));
	if (p[EI_DATA] != HOST_DATA) {
		type = __builtin_bswap16(type);
		machine = __builtin_bswap16(machine);
	}
	h->machine = machine;
	if (type != ET_CORE)
		return fails(ENOEXEC);
	if (p[EI_DATA] != HOST_DATA)
		return fails(ENOTSUP);
	*need = h->elfclass == ELFCLASS64 ? sizeof(e) : sizeof(e32);
	if (h->raw.len < *need)
		return 0;
	if (h->elfclass == ELFCLASS64) {
		memcpy(&e, p, sizeof(e));
	} else {
		memcpy(&e32, p, sizeof(e32));
		e.e_phoff = e32.e_phoff;
		e.e_shoff = e32.e_shoff;
		e.e_phnum = e32.e_phnum;
		e.e_phentsize = e32.e_phentsize;
	}
	g->phsize =
	    h->elfclass == ELFCLASS64 ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);
	g->phoff = e.e_phoff;
	g->phnum = e.e_phnum;
	g->shoff = e.e_shoff;
	if (g->phnum != 0 && (e.e_phentsize != g->phsize || g->phoff < *need))
		return fails(ENOEXEC);
	return 1;
}

/* Program header i, which must be in h->raw. */
static void
core_phdr(const struct core_head *h, const struct geometry *g, uint64_t i,
    Elf64_Phdr *ph)
{
	const char *p = h->raw.p + g->phoff + i * g->phsize;
	Elf32_Phdr p32;

	if (h->elfclass == ELFCLASS64) {
		memcpy(ph, p, sizeof(*ph));
		return;
	}
	memcpy(&p32, p, sizeof(p32));
	ph->p_type = p32.p_type;
	ph->p_flags = p32.p_flags;
	ph->p_offset = p32.p_offset;
	ph->p_vaddr = p32.p_vaddr;
	ph->p_paddr = p32.p_paddr;
	ph->p_filesz = p32.p_filesz;
	ph->p_memsz = p32.p_memsz;
	ph->p_align = p32.p_align;
}

/*
 * Makes sure of g->phnum and of the table's bytes.  As core_geometry().
 *
 * With PN_XNUM the count is in section header 0, at the very end of the core,
 * which a stream has not reached.  But the kernel writes file header, program
 * headers and notes without gaps, the PT_NOTE first (fs/binfmt_elf.c), so the
 * place of the notes tells.
 */
static int
core_table(const struct core_head *h, struct geometry *g, uint64_t *need)
{
	Elf64_Phdr ph;

	if (g->phnum == PN_XNUM && h->phnum != 0)
		g->phnum = h->phnum;
	else if (g->phnum == PN_XNUM) {
		if (g->phoff > CORE_HEAD_MAX)
			return fails(EFBIG);
		*need = g->phoff + g->phsize;
		if (h->raw.len < *need)
			return 0;
		core_phdr(h, g, 0, &ph);
		if (ph.p_type != PT_NOTE || ph.p_offset < *need)
			return fails(ENOEXEC);
		g->phnum = (ph.p_offset - g->phoff) / g->phsize;
	}
	if (g->phoff > CORE_HEAD_MAX ||
	    g->phnum > (CORE_HEAD_MAX - g->phoff) / g->phsize)
		return fails(EFBIG);
	*need = g->phoff + g->phnum * g->phsize;
	return h->raw.len >= *need;
}

int
core_head_phdr(struct core_head *h, uint64_t i, Elf64_Phdr *ph)
{
	struct geometry g;
	uint64_t need;

	if (core_geometry(h, &g, &need) != 1 || core_table(h, &g, &need) != 1 ||
	    i >= g.phnum)
		return 0;
	core_phdr(h, &g, i, ph);
	return 1;
}

/*
 * The PT_NOTEs with contents among the first upto program headers, into
 * h->note.  On a stream they do not count when memory contents come before
 * them, which must stay unread: 1 then.
 */
static int
core_find_notes(struct core_head *h, const struct geometry *g, uint64_t upto)
{
	uint64_t i, load = UINT64_MAX, table = g->phoff + g->phnum * g->phsize;
	struct core_note *n;
	int left = 0;
	Elf64_Phdr ph;

	h->nnotes = 0;
	for (i = 0; h->stream && i < upto; i++) {
		core_phdr(h, g, i, &ph);
		if (ph.p_type == PT_LOAD && ph.p_filesz != 0 &&
		    ph.p_offset < load)
			load = ph.p_offset;
	}
	for (i = 0; i < upto && h->nnotes < CORE_NOTES_MAX; i++) {
		core_phdr(h, g, i, &ph);
		if (ph.p_type != PT_NOTE || ph.p_filesz == 0)
			continue;
		if (load < ph.p_offset) {
			left = 1;
			continue;
		}
		n = &h->note[h->nnotes++];
		n->off = ph.p_offset;
		n->len = ph.p_filesz;
		n->align = ph.p_align;
		n->apart = h->file &&
		    (n->off > table + NOTE_GAP || n->len > CORE_HEAD_MAX);
		n->at = n->have = 0;
	}
	return left;
}

int64_t
core_head_need(struct core_head *h)
{
	struct geometry g;
	uint64_t need, end, most = 0;
	size_t i;
	int r;

	r = core_geometry(h, &g, &need);
	if (r == 1)
		r = core_table(h, &g, &need);
	if (r == -1)
		return -1;
	if (r == 0)
		return (int64_t)need;
	core_find_notes(h, &g, g.phnum);
	for (i = 0; i < h->nnotes; i++) {
		if (h->note[i].apart)
			continue;
		if (__builtin_add_overflow(
			h->note[i].off, h->note[i].len, &end) ||
		    end > CORE_HEAD_MAX)
			return fails(EFBIG);
		most = end > most ? end : most;
	}
	return most > h->raw.len ? (int64_t)most : 0;
}

static int
core_segments(struct core_head *h, const struct geometry *g, uint64_t upto)
{
	struct core_seg *s;
	Elf64_Phdr ph;
	uint64_t i;

	if (upto == 0)
		return 0;
	h->segs = calloc((size_t)upto, sizeof(*h->segs));
	if (h->segs == NULL)
		return -1;
	for (i = 0; i < upto; i++) {
		core_phdr(h, g, i, &ph);
		if (ph.p_type != PT_LOAD)
			continue;
		s = &h->segs[h->nsegs++];
		s->off = ph.p_offset;
		s->vaddr = ph.p_vaddr;
		s->filesz = ph.p_filesz;
		s->memsz = ph.p_memsz;
		s->flags = ph.p_flags;
	}
	return 0;
}

/* All but h->raw, what need() was told, and what the file header gave. */
static void
core_forget(struct core_head *h)
{
	struct core_head keep = {.raw = h->raw,
	    .notes = h->notes,
	    .elfclass = h->elfclass,
	    .machine = h->machine,
	    .nnotes = h->nnotes,
	    .phnum = h->phnum,
	    .stream = h->stream,
	    .file = h->file};

	memcpy(keep.note, h->note, sizeof(keep.note));
	free(h->segs);
	free(h->threads);
	free(h->files);
	free(h->mapped);
	*h = keep;
}

/* All notes that are at hand; 1 when that is every byte of them. */
static int
core_decode_notes(struct core_head *h)
{
	const struct buf *b;
	struct core_note *n;
	int whole = 1;
	size_t i;

	for (i = 0; i < h->nnotes; i++) {
		n = &h->note[i];
		b = n->apart ? &h->notes : &h->raw;
		if (!n->apart) {
			n->at = n->off < b->len ? (size_t)n->off : b->len;
			n->have = b->len - n->at;
		}
		if (n->have >= n->len)
			n->have = (size_t)n->len;
		else
			whole = 0;
		if (!whole && h->trouble == NULL)
			h->trouble = "the core ends amid the notes";
		if (n->have > 0 &&
		    notes_decode(h, (unsigned char *)b->p + n->at, n->have,
			(size_t)n->align) == -1)
			return -1;
	}
	return whole;
}

int
core_head_decode(struct core_head *h)
{
	struct geometry g;
	uint64_t need, upto;
	int r, whole;

	core_forget(h);
	r = core_geometry(h, &g, &need);
	if (r == -1)
		return -1;
	if (r == 0)
		return fails(ENODATA);
	r = core_table(h, &g, &need);
	if (r == -1 && errno != EFBIG)
		return -1;
	/* Of a table that is not all there, what is. */
	upto = g.phnum;
	if (g.phoff > h->raw.len)
		upto = 0;
	else if (upto > (h->raw.len - g.phoff) / g.phsize)
		upto = (h->raw.len - g.phoff) / g.phsize;
	if (core_segments(h, &g, upto) == -1)
		return -1;
	/* those that stand apart are found and read by now */
	if (h->notes.len == 0 && core_find_notes(h, &g, upto))
		h->trouble = "the notes come after the memory, where a stream "
			     "cannot be asked for them";
	else if (h->nnotes == 0)
		h->trouble = "the core has no notes";
	whole = core_decode_notes(h);
	if (whole == -1)
		return -1;
	if (h->elfclass != ELFCLASS64)
		return fails(ENOTSUP);
	if (r != 1 || !whole)
		return fails(core_head_need(h) == -1 ? errno : ENODATA);
	return 0;
}

/*
 * Reads on until h->raw.len == need.  1, 0 at end of file, -1 errno.  Grows
 * with what really comes, not with what a header claims.
 */
static int
core_fill(int fd, struct core_head *h, int64_t deadline, uint64_t need)
{
	size_t want;
	ssize_t r;

	while (h->raw.len < need) {
		want = need - h->raw.len;
		if (want > READ_MAX)
			want = READ_MAX;
		if (buf_reserve(&h->raw, want) == -1)
			return -1;
		if (!h->stream)
			r = io_pread_full(
			    fd, h->raw.p + h->raw.len, want, h->raw.len);
		else
			r = deadline_read(
			    fd, h->raw.p + h->raw.len, want, deadline);
		if (r == 0)
			return 0;
		if (r == -1) {
			if (errno == EINTR || errno == EAGAIN)
				continue;
			return -1;
		}
		h->raw.len += (size_t)r;
	}
	return 1;
}

/* PN_XNUM in a file: the count is sh_info of section header 0 (elf(5)). */
static void
core_xnum(int fd, struct core_head *h)
{
	struct geometry g;
	Elf64_Shdr sh;
	Elf32_Shdr sh32;
	uint64_t need;

	if (h->stream || h->phnum != 0 || core_geometry(h, &g, &need) != 1 ||
	    g.phnum != PN_XNUM || g.shoff == 0 || g.shoff > INT64_MAX)
		return;
	if (h->elfclass == ELFCLASS64) {
		if (io_pread_full(fd, &sh, sizeof(sh), g.shoff) != sizeof(sh))
			return;
		h->phnum = sh.sh_info;
	} else {
		if (io_pread_full(fd, &sh32, sizeof(sh32), g.shoff) !=
		    sizeof(sh32))
			return;
		h->phnum = sh32.sh_info;
	}
}

/* The notes of a file that stand apart, whatever lies before them. */
static int
core_read_apart(int fd, struct core_head *h)
{
	struct core_note *n;
	size_t i, want;
	ssize_t r;

	for (i = 0; i < h->nnotes; i++) {
		n = &h->note[i];
		if (!n->apart)
			continue;
		n->at = h->notes.len;
		while (n->have < n->len) {
			want = READ_MAX;
			if (want > n->len - n->have)
				want = (size_t)(n->len - n->have);
			if (h->notes.len + want > CORE_HEAD_MAX ||
			    n->off > (uint64_t)INT64_MAX - n->have - want)
				return fails(EFBIG);
			if (buf_reserve(&h->notes, want) == -1)
				return -1;
			r = io_pread_full(fd, h->notes.p + h->notes.len, want,
			    n->off + n->have);
			if (r == -1)
				return -1;
			h->notes.len += (size_t)r;
			n->have += (size_t)r;
			if ((size_t)r < want)
				break;
		}
	}
	return 0;
}

/* It goes on, but not for us. */
static void
core_stopped(struct core_head *h, int err)
{
	if (err == ENOMEM || err == EFBIG)
		h->trouble = "it has more notes than there is memory for";
	else if (err == ETIMEDOUT)
		h->trouble = "its notes did not arrive in time";
}

static int
core_read(int fd, int64_t deadline, struct core_head *h)
{
	int64_t need;
	int r = 1, err = 0;

	while ((need = core_head_need(h)) > 0) {
		r = core_fill(fd, h, deadline, (uint64_t)need);
		if (r != 1)
			break;
		core_xnum(fd, h);
	}
	if (r == 0)
		err = ENODATA;
	else if (r == -1 || need == -1 || core_read_apart(fd, h) == -1)
		err = errno;
	/* That this is no core, or not one for us, says more than where it
	 * stopped. */
	if (core_head_decode(h) == -1 &&
	    (err == 0 || errno == ENOEXEC || errno == ENOTSUP))
		return -1;
	core_stopped(h, err);
	return err == 0 ? 0 : fails(err);
}

int
core_head_read(int fd, int64_t deadline, struct core_head *h)
{
	memset(h, 0, sizeof(*h));
	h->stream = 1;
	return core_read(fd, deadline, h);
}

int
core_head_pread(int fd, struct core_head *h)
{
	memset(h, 0, sizeof(*h));
	h->file = 1;
	return core_read(fd, INT64_MAX, h);
}

void
core_head_free(struct core_head *h)
{
	free(h->segs);
	free(h->threads);
	free(h->files);
	free(h->mapped);
	buf_free(&h->raw);
	buf_free(&h->notes);
	memset(h, 0, sizeof(*h));
}
