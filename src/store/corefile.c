#include "store/corefile.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "core/corehead.h"
#include "core/notes.h"

enum {
	TABLE = 64 << 10,    /* of program headers, at a time */
	NOTES = 256 << 10,   /* the first are the ones wanted */
	PHNUM_MAX = 64 << 20 /* the kernel allows no more mappings, by far */
};

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define HOST_DATA ELFDATA2LSB
#else
#define HOST_DATA ELFDATA2MSB
#endif

struct reader {
	int fd;
	uint64_t size;
	int wide; /* class 64 */
	int swap;
	int machine;
	uint64_t extent;
	uint64_t noteoff, notelen, notealign;
};

static uint64_t
get(const struct reader *r, const unsigned char *p, size_t n)
{
	uint64_t v = 0;
	size_t i;

	/* the order of the file, most significant byte first in v */
	for (i = 0; i < n; i++) {
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
		v = v << 8 | p[r->swap ? i : n - 1 - i];
#else
		v = v << 8 | p[r->swap ? n - 1 - i : i];
#endif
	}
	return v;
}

/* A word of the class: an address or an offset. */
static uint64_t
word(const struct reader *r, const unsigned char *p, size_t at64, size_t at32)
{
	return r->wide ? get(r, p + at64, 8) : get(r, p + at32, 4);
}

int
corefile_is(const unsigned char head[COREFILE_HEAD])
{
	struct reader r = {.swap = head[EI_DATA] != HOST_DATA};

	return memcmp(head, ELFMAG, SELFMAG) == 0 &&
	    (head[EI_CLASS] == ELFCLASS64 || head[EI_CLASS] == ELFCLASS32) &&
	    (head[EI_DATA] == ELFDATA2LSB || head[EI_DATA] == ELFDATA2MSB) &&
	    get(&r, head + 16, 2) == ET_CORE;
}

/* Something of len bytes is at off. */
static int
reach(struct reader *r, uint64_t off, uint64_t len)
{
	uint64_t end;

	if (__builtin_add_overflow(off, len, &end) || end > STREAM_SIZE_MAX) {
		errno = ENOEXEC;
		return -1;
	}
	if (end > r->extent)
		r->extent = end;
	return 0;
}

static int
program_header(struct reader *r, const unsigned char *p)
{
	uint64_t off = word(r, p, 8, 4), len = word(r, p, 32, 16);

	if (len == 0)
		return 0;
	if (get(r, p, 4) == PT_NOTE && r->notelen == 0) {
		r->noteoff = off;
		r->notelen = len;
		r->notealign = word(r, p, 48, 28);
	}
	return reach(r, off, len);
}

static int
program_headers(struct reader *r, uint64_t off, uint64_t n)
{
	size_t size = r->wide ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);
	size_t step = TABLE / size, i, part;
	unsigned char *table;
	int ok = 0;

	if (reach(r, off, n * size) == -1)
		return -1;
	if (r->extent > r->size || n == 0)
		return 0;
	table = malloc(TABLE);
	if (table == NULL)
		return -1;
	for (; n > 0 && ok == 0; n -= part, off += part * size) {
		part = n < step ? (size_t)n : step;
		if (io_pread_full(r->fd, table, part * size, off) !=
		    (ssize_t)(part * size)) {
			errno = EIO;
			ok = -1;
		}
		for (i = 0; i < part && ok == 0; i++)
			ok = program_header(r, table + i * size);
	}
	free(table);
	return ok;
}

/* The file header, and what it leads to. */
static int
geometry(struct reader *r, const unsigned char *e)
{
	unsigned char sh[sizeof(Elf64_Shdr)];
	uint64_t phoff, phnum, shoff, shnum, shsize;
	size_t want;

	phoff = word(r, e, 32, 28);
	shoff = word(r, e, 40, 32);
	e += r->wide ? 52 : 40; /* e_ehsize: what follows has one shape */
	phnum = get(r, e + 4, 2);
	shsize = get(r, e + 6, 2);
	shnum = get(r, e + 8, 2);
	want = r->wide ? sizeof(Elf64_Shdr) : sizeof(Elf32_Shdr);
	if (phnum == PN_XNUM) {
		/* the number is in section header 0, at the end of the core */
		if (shoff == 0 || shsize != want) {
			errno = ENOEXEC;
			return -1;
		}
		if (reach(r, shoff, want) == -1)
			return -1;
		if (r->extent > r->size)
			return 0;
		if (io_pread_full(r->fd, sh, want, shoff) != (ssize_t)want) {
			errno = EIO;
			return -1;
		}
		phnum = get(r, sh + (r->wide ? 44 : 28), 4);
	}
	if (phnum > PHNUM_MAX) {
		errno = ENOEXEC;
		return -1;
	}
	if (shoff != 0 && reach(r, shoff, shnum * shsize) == -1)
		return -1;
	return program_headers(r, phoff, phnum);
}

static void
identify(const struct reader *r, struct crash_id *id)
{
	struct core_head h = {.machine = r->machine};
	size_t len = r->notelen < NOTES ? (size_t)r->notelen : NOTES;
	ssize_t n;

	if (r->swap || len == 0 || buf_reserve(&h.raw, len) == -1)
		return;
	h.elfclass = r->wide ? ELFCLASS64 : ELFCLASS32;
	n = io_pread_full(r->fd, h.raw.p, len, r->noteoff);
	if (n > 0) {
		h.raw.len = (size_t)n;
		notes_decode(&h, (unsigned char *)h.raw.p, (size_t)n,
		    (size_t)r->notealign);
	}
	if (h.nthreads > 0) {
		id->pid = id->tid = h.threads[0].pid;
		id->signal = h.threads[0].cursig;
	}
	if (h.have_siginfo)
		id->signal = h.signo;
	if (h.have_psinfo) {
		memcpy(id->comm, h.psname, sizeof(h.psname));
		id->pid = h.pspid;
		id->uid = (uint32_t)h.psuid;
		id->gid = (uint32_t)h.psgid;
	}
	core_head_free(&h);
}

int
corefile_read(int fd, uint64_t size, struct corefile *c)
{
	struct reader r = {.fd = fd, .size = size};
	unsigned char e[sizeof(Elf64_Ehdr)];
	size_t want = sizeof(e);
	ssize_t n;

	crash_id_init(&c->id);
	n = io_pread_full(fd, e, sizeof(e), 0);
	if (n == -1)
		return -1;
	if (n < COREFILE_HEAD || !corefile_is(e)) {
		errno = ENOEXEC;
		return -1;
	}
	r.wide = e[EI_CLASS] == ELFCLASS64;
	r.swap = e[EI_DATA] != HOST_DATA;
	r.machine = (int)get(&r, e + 18, 2);
	if (!r.wide)
		want = sizeof(Elf32_Ehdr);
	if (reach(&r, 0, want) == -1 ||
	    (r.extent <= size && geometry(&r, e) == -1))
		return -1;
	c->extent = r.extent;
	identify(&r, &c->id);
	return 0;
}
