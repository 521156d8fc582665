#include "elf/elfnames.h"

#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "elf/elfsym.h"

enum { NAME_STEP = 256, PEEKS = 1 << 16 };

void
elf_names_start(
    struct elf_names *p, const struct elf_file *f, const struct elf_symtab *t)
{
	p->fd = f->fd;
	p->off = t->stroff;
	p->size = t->strsize;
	p->winoff = p->winlen = p->peeks = 0;
}

/*
 * $x, $d and the like (aarch64, arm, riscv ELF psABI) mark code and data
 * within functions.  They stand by the thousand, in order: hence the window.
 * Where it does not help, what looks like one passes for one in the end.
 */
int
elf_names_mapping(struct elf_names *p, int machine, const Elf64_Sym *s)
{
	uint64_t at = s->st_name;
	ssize_t r;

	if ((machine != EM_AARCH64 && machine != EM_ARM &&
		machine != EM_RISCV) ||
	    s->st_size != 0 || ELF64_ST_TYPE(s->st_info) != STT_NOTYPE ||
	    ELF64_ST_BIND(s->st_info) != STB_LOCAL)
		return 0;
	if (at < p->winoff || at - p->winoff + 2 > p->winlen) {
		if (p->peeks == PEEKS)
			return 1;
		p->peeks++;
		r = io_pread_full(p->fd, p->win, sizeof(p->win), p->off + at);
		p->winoff = at;
		p->winlen = r < 0 ? 0 : (size_t)r;
		if (p->winlen < 2)
			return 0;
	}
	return p->win[at - p->winoff] == '$' &&
	    memchr("adtx", p->win[at - p->winoff + 1], 4) != NULL;
}

/* The name at offset at of the string table, malloc'd; NULL when it is empty
 * or cannot be had. */
static char *
names_read(const struct elf_names *p, uint64_t at)
{
	uint64_t left = at < p->size ? p->size - at : 0;
	size_t cap = NAME_STEP, want, len;
	char *name = NULL, *bigger, *end;
	ssize_t r;

	for (;; cap *= 4) {
		/* One byte more than may be returned tells a longer name. */
		if (cap > ELFSYM_NAME_MAX)
			cap = ELFSYM_NAME_MAX + 1;
		want = cap < left ? cap : (size_t)left;
		bigger = realloc(name, cap + 1);
		if (bigger == NULL)
			break;
		name = bigger;
		r = io_pread_full(p->fd, name, want, p->off + at);
		if (r <= 0)
			break;
		len = strnlen(name, (size_t)r);
		name[len] = '\0';
		if (len == (size_t)r && len == cap && cap <= ELFSYM_NAME_MAX)
			continue;
		if (len > ELFSYM_NAME_MAX)
			strcpy(name + ELFSYM_NAME_MAX - 3, "...");
		/* A version ("memcpy@@GLIBC_2.14") is no part of the name. */
		if (len != 0 && (end = strchr(name + 1, '@')) != NULL)
			*end = '\0';
		if (len == 0)
			break;
		return name;
	}
	free(name);
	return NULL;
}

char *
elf_names_best(
    const struct elf_names *p, const struct elf_spelling *s, unsigned n)
{
	char *best = NULL, *name;
	size_t least = 0, score;
	unsigned i;

	for (i = 0; i < n; i++) {
		name = names_read(p, s[i].at);
		if (name == NULL)
			continue;
		score = 2 * strspn(name, "_") + (s[i].weak != 0);
		if (best == NULL || score < least) {
			free(best);
			best = name;
			least = score;
		} else
			free(name);
	}
	return best;
}
