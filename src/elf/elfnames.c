#include "elf/elfnames.h"

#include <stdlib.h>
#include <string.h>

enum { PEEKS = 1 << 16 };

void
elf_names_start(
    struct elf_names *p, const struct elf_file *f, const struct elf_symtab *t)
{
	p->f = f;
	p->off = t->stroff;
	p->size = t->strsize;
	p->winoff = p->winlen = p->peeks = 0;
}

/* What there is at offset at, and how much; 0 when nothing. */
static size_t
names_window(struct elf_names *p, uint64_t at, size_t want, const char **name)
{
	uint64_t left;
	ssize_t r;

	*name = p->win;
	if (at >= p->size)
		return 0;
	left = p->size - at;
	if (want > left)
		want = (size_t)left;
	if (at < p->winoff || at - p->winoff + want > p->winlen) {
		p->winoff = at - at % ELFNAMES_GRID;
		left += at - p->winoff;
		r = elf_pread(p->f, p->win,
		    left < sizeof(p->win) ? (size_t)left : sizeof(p->win),
		    p->off + p->winoff);
		p->winlen = r < 0 ? 0 : (size_t)r;
	}
	*name = p->win + (at - p->winoff);
	return at - p->winoff < p->winlen ? p->winlen - (size_t)(at - p->winoff)
					  : 0;
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
	const char *name;

	if ((machine != EM_AARCH64 && machine != EM_ARM &&
		machine != EM_RISCV) ||
	    s->st_size != 0 || ELF64_ST_TYPE(s->st_info) != STT_NOTYPE ||
	    ELF64_ST_BIND(s->st_info) != STB_LOCAL)
		return 0;
	if (at < p->winoff || at - p->winoff + 2 > p->winlen) {
		if (p->peeks == PEEKS)
			return 1;
		p->peeks++;
	}
	return names_window(p, at, 2, &name) >= 2 && name[0] == '$' &&
	    memchr("adtx", name[1], 4) != NULL;
}

/* The name at offset at of the string table, malloc'd; NULL when it is empty
 * or cannot be had. */
static char *
names_read(struct elf_names *p, uint64_t at)
{
	const char *seen;
	char *name, *end;
	size_t have, len;

	have = names_window(p, at, 1, &seen);
	len = strnlen(seen, have);
	if (len == have) {
		/* one byte more than may be returned tells a longer name */
		have = names_window(p, at, ELFSYM_NAME_MAX + 1, &seen);
		len = strnlen(seen, have);
	}
	name = len != 0 ? strndup(seen, ELFSYM_NAME_MAX) : NULL;
	if (name == NULL)
		return NULL;
	if (len > ELFSYM_NAME_MAX)
		strcpy(name + ELFSYM_NAME_MAX - 3, "...");
	/* A version ("memcpy@@GLIBC_2.14") is no part of the name. */
	end = strchr(name + 1, '@');
	if (end != NULL)
		*end = '\0';
	return name;
}

char *
elf_names_best(struct elf_names *p, const struct elf_spelling *s, unsigned n)
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
