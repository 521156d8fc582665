#include "core/notes.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/bytes.h"
#include "core/arch.h"

#ifndef NT_ARM_TLS
#define NT_ARM_TLS 0x401
#endif

/*
 * struct elf_prstatus and elf_prpsinfo by class (linux/elfcore.h): offsets of
 * the fields wanted.  gregs stand between `regs' and a trailing int that is
 * padded to a word, whatever their number on that machine.
 */
struct layout {
	size_t word;
	size_t pid, regs;	     /* prstatus */
	size_t siaddr;		     /* siginfo: also si_pid, si_uid */
	size_t psuid, pspid, psname; /* prpsinfo */
};

static const struct layout layout64 = {8, 32, 112, 16, 16, 24, 40};
static const struct layout layout32 = {4, 24, 72, 12, 8, 16, 32};

enum { PS_NAME = 16, PS_ARGS = 80 };

/* What is decoded, and how. */
struct notes {
	struct core_head *h;
	const struct layout *l;
};

static void
note_trouble(struct core_head *h, const char *why)
{
	if (h->trouble == NULL)
		h->trouble = why;
}

/* gregs as the machine has them; what else a longer note holds is padding or
 * pr_fpvalid. */
static size_t
note_regslen(int machine, size_t room)
{
	const struct arch *a = arch_find(machine);
	size_t want = a != NULL ? a->gregs * 8 : room < 8 ? 0 : room - 8;

	return want < room ? want : room;
}

static int
note_prstatus(struct notes *all, const unsigned char *d, size_t len)
{
	struct core_head *h = all->h;
	const struct layout *l = all->l;
	const struct arch *a;
	struct core_thread *t;
	short cursig;

	if (len < l->regs) {
		note_trouble(h, "a thread's status note is too short");
		return 0;
	}
	if (ARRAY_ROOM(h->threads, h->nthreads) == -1)
		return -1;
	t = &h->threads[h->nthreads++];
	memcpy(&cursig, d + 12, sizeof(cursig));
	t->cursig = cursig;
	t->pid = (int)get32(d + l->pid);
	t->regs = NULL;
	t->regslen = 0;
	if (l->word != 8)
		return 0;
	t->regslen = note_regslen(h->machine, len - l->regs);
	if (t->regslen != 0)
		t->regs = d + l->regs;
	a = arch_find(h->machine);
	if (a != NULL && t->regslen < a->gregs * 8)
		note_trouble(h, "a thread's registers are cut short");
	return 0;
}

static void
note_siginfo(struct core_head *h, const struct layout *l,
    const unsigned char *d, size_t len)
{
	if (h->have_siginfo)
		return;
	if (len < l->siaddr + 8) {
		note_trouble(h, "the signal note is too short");
		return;
	}
	h->have_siginfo = 1;
	h->signo = (int)get32(d);
	h->sierrno = (int)get32(d + 4);
	h->sicode = (int)get32(d + 8);
	h->siaddr = l->word == 8 ? get64(d + l->siaddr) : get32(d + l->siaddr);
	h->sipid = (int)get32(d + l->siaddr);
	h->siuid = (int)get32(d + l->siaddr + 4);
}

static void
note_psinfo(struct core_head *h, const struct layout *l, const unsigned char *d,
    size_t len)
{
	size_t uid = l->psuid, pid = l->pspid, name = l->psname;
	uint16_t id[2];

	if (h->have_psinfo)
		return;
	/* i386 and arm: 16-bit ids, which moves the rest (asm/elf.h). */
	if (l->word == 4 && len == 124) {
		pid = 12;
		name = 28;
	}
	if (len < name + PS_NAME + PS_ARGS) {
		note_trouble(h, "the process note is too short");
		return;
	}
	h->have_psinfo = 1;
	if (l->word == 4 && len == 124) {
		memcpy(id, d + uid, sizeof(id));
		h->psuid = id[0];
		h->psgid = id[1];
	} else {
		h->psuid = (int)get32(d + uid);
		h->psgid = (int)get32(d + uid + 4);
	}
	h->pspid = (int)get32(d + pid);
	memcpy(h->psname, d + name, PS_NAME);
	h->psname[PS_NAME] = '\0';
	memcpy(h->psargs, d + name + PS_NAME, PS_ARGS);
	h->psargs[PS_ARGS] = '\0';
}

/*
 * NT_FILE: count, page size, count triples {start, end, offset in pages}, then
 * count NUL-terminated names (fs/binfmt_elf.c, fill_files_note).
 */
static int
note_files(struct core_head *h, const unsigned char *d, size_t len)
{
	const unsigned char *names, *end = d + len, *nul, *e;
	uint64_t count, pagesize;
	struct core_file *f;

	if (h->files != NULL)
		return 0;
	if (len < 16) {
		note_trouble(h, "the file note is too short");
		return 0;
	}
	count = get64(d);
	pagesize = get64(d + 8);
	/* A name is one byte at least: this bounds the allocation too. */
	if (count > (len - 16) / 25) {
		/* Where the names begin rests on the count: all is lost. */
		note_trouble(h, "the file note claims more than it holds");
		return 0;
	}
	if (count == 0)
		return 0;
	h->files = calloc((size_t)count, sizeof(*h->files));
	if (h->files == NULL)
		return -1;
	e = d + 16;
	names = e + count * 24;
	for (; h->nfiles < count; h->nfiles++, e += 24) {
		nul = memchr(names, '\0', (size_t)(end - names));
		if (nul == NULL) {
			note_trouble(h, "the file note ends amid its names");
			break;
		}
		f = &h->files[h->nfiles];
		f->start = get64(e);
		f->end = get64(e + 8);
		f->name = (const char *)names;
		if (__builtin_mul_overflow(get64(e + 16), pagesize, &f->off)) {
			note_trouble(h, "the file note has a wild offset");
			break;
		}
		names = nul + 1;
	}
	return 0;
}

/* Who wrote it, as far as that is a word. */
static void
note_owner(struct core_head *h, const unsigned char *name, size_t len)
{
	size_t i;

	for (i = 0; i < len && i + 1 < sizeof(h->owner); i++) {
		if (name[i] <= ' ' || name[i] > '~')
			break;
		h->owner[i] = (char)name[i];
	}
	h->owner[i] = '\0';
}

static int
note_one(struct notes *all, uint32_t type, const unsigned char *d, size_t len)
{
	struct core_head *h = all->h;
	const struct layout *l = all->l;

	switch (type) {
	case NT_PRSTATUS:
		return note_prstatus(all, d, len);
	case NT_SIGINFO:
		note_siginfo(h, l, d, len);
		return 0;
	case NT_PRPSINFO:
		note_psinfo(h, l, d, len);
		return 0;
	case NT_AUXV:
		if (h->anyauxv == NULL && len != 0) {
			h->anyauxv = d;
			h->anyauxvlen = len;
			h->auxv = l->word == 8 ? d : NULL;
			h->auxvlen = l->word == 8 ? len : 0;
		}
		return 0;
	case NT_FILE:
		return l->word == 8 ? note_files(h, d, len) : 0;
	default:
		return 0;
	}
}

/* What core_trim says was mapped: rows of start, end and permissions. */
static int
note_mapped(struct core_head *h, const unsigned char *d, size_t len)
{
	enum { ROW = 24 };
	struct core_seg *s;
	size_t i;

	if (h->mapped != NULL || len < ROW)
		return 0;
	h->mapped = calloc(len / ROW, sizeof(*h->mapped));
	if (h->mapped == NULL)
		return -1;
	for (i = 0; i < len / ROW; i++, d += ROW) {
		s = &h->mapped[h->nmapped];
		s->vaddr = get64(d);
		if (get64(d + 8) <= s->vaddr)
			continue;
		s->memsz = get64(d + 8) - s->vaddr;
		s->flags = (uint32_t)get64(d + 16);
		h->nmapped++;
	}
	return 0;
}

/* Of somebody else than "CORE". */
static int
note_other(struct notes *all, const Elf64_Nhdr *n, const unsigned char *name,
    const unsigned char *d)
{
	struct core_head *h = all->h;

	if (n->n_type == NT_ARM_TLS && n->n_namesz == sizeof("LINUX") &&
	    memcmp(name, "LINUX", sizeof("LINUX")) == 0) {
		if (h->tls == NULL && n->n_descsz >= 8)
			h->tls = d;
	} else if (n->n_type == CORE_TRIMMED_MAPPED && all->l->word == 8 &&
	    n->n_namesz == sizeof(CORE_TRIMMED) &&
	    memcmp(name, CORE_TRIMMED, sizeof(CORE_TRIMMED)) == 0)
		return note_mapped(h, d, n->n_descsz);
	return 0;
}

/* x rounded up; SIZE_MAX when that is past the end of everything. */
static size_t
note_align(size_t x, size_t align)
{
	return x > SIZE_MAX - align ? SIZE_MAX : (x + align - 1) & ~(align - 1);
}

int
notes_decode(
    struct core_head *h, const unsigned char *p, size_t len, size_t align)
{
	struct notes all = {
	    h, h->elfclass == ELFCLASS64 ? &layout64 : &layout32};
	size_t at = 0, name, desc;
	Elf64_Nhdr n; /* the same as Elf32_Nhdr */

	/* elf(5): Linux pads to 4 in both classes; 8 only where p_align says
	 * so.  Anything else is no alignment of notes. */
	if (align != 8)
		align = 4;
	while (len - at >= sizeof(n)) {
		memcpy(&n, p + at, sizeof(n));
		name = at + sizeof(n);
		if (n.n_namesz > len - name)
			break;
		desc = note_align(name + n.n_namesz, align);
		if (desc > len || n.n_descsz > len - desc)
			break;
		if (*h->owner == '\0')
			note_owner(h, p + name, n.n_namesz);
		if ((n.n_namesz == 5 || n.n_namesz == 4) &&
			    memcmp(p + name, "CORE", n.n_namesz) == 0
			? note_one(&all, n.n_type, p + desc, n.n_descsz) == -1
			: note_other(&all, &n, p + name, p + desc) == -1)
			return -1;
		/* The last note's padding may be missing. */
		at = note_align(desc + n.n_descsz, align);
		if (at >= len)
			return 0;
	}
	if (at < len)
		note_trouble(h, "the notes are cut short or garbled");
	return 0;
}
