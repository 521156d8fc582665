#include "target/linkmap.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/io.h"
#include "target/modhead.h"

enum {
	LINKS_MAX = 4096,
	FILES_MAX = 65536,
	DYNAMIC_MAX = 1024, /* entries */
	NAME_MAX_LEN = 4096
};
#define SPAN_MAX ((uint64_t)8 << 30)

struct link { /* struct link_map */
	uint64_t addr, name, ld, next, prev;
};

struct walk {
	struct target *t;
	const struct linkmap_from *from;
	struct linkmap *l;
	struct modhead program;
	uint64_t bias; /* of the program */
};

static const char *
keep_name(struct linkmap *l, const char *name)
{
	char *copy = strdup(name);

	if (copy == NULL || ARRAY_ROOM(l->names, l->nnames) == -1) {
		free(copy);
		return NULL;
	}
	return l->names[l->nnames++] = copy;
}

static int
add_file(struct linkmap *l, uint64_t start, uint64_t end, uint64_t off,
    const char *name)
{
	if (end <= start || end - start > SPAN_MAX || l->nfiles >= FILES_MAX)
		return 0;
	if (ARRAY_ROOM(l->files, l->nfiles) == -1)
		return -1;
	l->files[l->nfiles].start = start;
	l->files[l->nfiles].end = end;
	l->files[l->nfiles].off = off;
	l->files[l->nfiles++].name = name;
	return 0;
}

/* The segments of an object as the loader maps them, in whole pages. */
static int
add_object(
    struct linkmap *l, const struct modhead *h, uint64_t bias, const char *name)
{
	const Elf64_Phdr *ph;
	uint64_t skew, start, end;
	size_t i;

	for (i = 0; i < h->n; i++) {
		ph = &h->ph[i];
		skew = ph->p_vaddr % TARGET_PAGE;
		if (ph->p_type != PT_LOAD || ph->p_filesz == 0 ||
		    ph->p_filesz > SPAN_MAX || ph->p_offset < skew)
			continue;
		start = bias + ph->p_vaddr - skew;
		end = start + skew + ph->p_filesz + TARGET_PAGE - 1;
		end -= end % TARGET_PAGE;
		if (add_file(l, start, end, ph->p_offset - skew, name) == -1)
			return -1;
	}
	return 0;
}

static const Elf64_Phdr *
find_phdr(const struct modhead *h, uint32_t type)
{
	size_t i;

	for (i = 0; i < h->n; i++)
		if (h->ph[i].p_type == type)
			return &h->ph[i];
	return NULL;
}

static int
file_head(const struct linkmap_from *from, const char *path, struct modhead *h)
{
	int fd = from->open(from->arg, path), r;

	r = modhead_file(fd, h);
	io_close(&fd);
	return r;
}

/* The program: headers at AT_PHDR, else those of its file.  0 or -1. */
static int
find_program(struct walk *w)
{
	uint64_t at = target_auxv(w->t, AT_PHDR, 0);
	uint64_t n = target_auxv(w->t, AT_PHNUM, 0);
	struct modhead *h = &w->program;
	const Elf64_Phdr *ph;
	size_t i;

	h->n = n < MODHEAD_PHDRS ? (size_t)n : MODHEAD_PHDRS;
	if (at == 0 || n == 0)
		return -1;
	if ((target_auxv(w->t, AT_PHENT, 0) != sizeof(*ph) ||
		target_read(w->t, at, h->ph, h->n * sizeof(*ph)) !=
		    h->n * sizeof(*ph)) &&
	    file_head(w->from, w->from->program, h) == -1)
		return -1;
	ph = find_phdr(h, PT_PHDR);
	if (ph != NULL) {
		w->bias = at - ph->p_vaddr;
		return 0;
	}
	/* they follow the file header, which the first segment holds */
	for (i = 0; i < h->n; i++)
		if (h->ph[i].p_type == PT_LOAD && h->ph[i].p_offset == 0) {
			w->bias = at - sizeof(Elf64_Ehdr) - h->ph[i].p_vaddr;
			return 0;
		}
	return -1;
}

/* r_debug.r_map, through DT_DEBUG; 0 none. */
static uint64_t
first_link(const struct walk *w)
{
	const Elf64_Phdr *ph = find_phdr(&w->program, PT_DYNAMIC);
	uint64_t at, map;
	Elf64_Dyn d;
	size_t i;

	for (i = 0; ph != NULL && i < DYNAMIC_MAX; i++) {
		at = w->bias + ph->p_vaddr + i * sizeof(d);
		if (target_read(w->t, at, &d, sizeof(d)) != sizeof(d) ||
		    d.d_tag == DT_NULL)
			return 0;
		if (d.d_tag == DT_DEBUG)
			/* after int r_version and its padding */
			return d.d_un.d_ptr == 0 ||
				target_word(w->t, d.d_un.d_ptr + 8, &map) == -1
			    ? 0
			    : map;
	}
	return 0;
}

/* The name of an object; where the core has no memory there, which is so of
 * the loader's when no text was dumped, that of the program's file.  Its
 * length. */
static size_t
read_name(const struct walk *w, uint64_t addr, char name[NAME_MAX_LEN])
{
	const Elf64_Phdr *ph = find_phdr(&w->program, PT_INTERP);
	size_t n = 0;
	ssize_t r;
	int fd;

	if (addr != 0)
		n = target_read(w->t, addr, name, NAME_MAX_LEN - 1);
	if (addr != 0 && n == 0 && ph != NULL && ph->p_filesz < NAME_MAX_LEN &&
	    w->bias + ph->p_vaddr == addr) {
		fd = w->from->open(w->from->arg, w->from->program);
		r = fd == -1
		    ? -1
		    : pread(fd, name, ph->p_filesz, (off_t)ph->p_offset);
		n = r < 0 ? 0 : (size_t)r;
		io_close(&fd);
	}
	name[n] = '\0';
	return strlen(name);
}

/* Nothing but where its dynamic section is: the segments from there down to
 * where it was loaded. */
static int
add_unknown(const struct walk *w, const struct link *k, const char *name)
{
	uint64_t start = 0, end = 0;
	const struct core_seg *s;
	size_t i;

	for (i = 0; i < w->from->nsegs; i++) {
		s = &w->from->segs[i];
		if (s->vaddr == k->addr)
			start = s->vaddr;
		if (k->ld >= s->vaddr && k->ld - s->vaddr < s->memsz)
			end = s->vaddr + s->memsz;
	}
	return start == 0 ? 0 : add_file(w->l, start, end, 0, name);
}

static int
add_link(const struct walk *w, const struct link *k)
{
	char name[NAME_MAX_LEN];
	const Elf64_Phdr *ph;
	struct modhead h;
	const char *kept;

	if (k->addr == target_auxv(w->t, AT_SYSINFO_EHDR, 0) ||
	    read_name(w, k->name, name) == 0)
		return 0;
	kept = keep_name(w->l, name);
	if (kept == NULL)
		return -1;
	if (modhead_memory(w->t, k->addr, &h) == -1 &&
	    file_head(w->from, name, &h) == -1)
		return add_unknown(w, k, kept);
	ph = find_phdr(&h, PT_DYNAMIC);
	if (ph == NULL || k->addr + ph->p_vaddr != k->ld)
		return add_unknown(w, k, kept);
	return add_object(w->l, &h, k->addr, kept);
}

int
linkmap_read(
    struct target *t, const struct linkmap_from *from, struct linkmap *l)
{
	struct walk w = {.t = t, .from = from, .l = l};
	const char *name;
	struct link k;
	uint64_t at;
	size_t i;

	memset(l, 0, sizeof(*l));
	if (find_program(&w) == -1)
		return 0;
	name = keep_name(l, from->program);
	if (name == NULL || add_object(l, &w.program, w.bias, name) == -1)
		return -1;
	at = first_link(&w);
	for (i = 0; at != 0 && i < LINKS_MAX; i++, at = k.next) {
		if (target_read(t, at, &k, sizeof(k)) != sizeof(k))
			break;
		/* the first is the program */
		if (i > 0 && add_link(&w, &k) == -1)
			return -1;
	}
	return 0;
}

void
linkmap_free(struct linkmap *l)
{
	size_t i;

	for (i = 0; i < l->nnames; i++)
		free(l->names[i]);
	free(l->names);
	free(l->files);
	memset(l, 0, sizeof(*l));
}
