/*
 * Addresses to names.  The addresses asked for, without repetitions, are the
 * `places', sorted; each symbol table goes by once, in pieces, and leaves with
 * each place the best symbol seen so far.  Names are read at the end, for the
 * winners alone.
 *
 * A sized symbol is offered to every place it holds.  For unsized ones, and to
 * see what lies between, each symbol is also offered to the first place at or
 * above it as the nearest below; what is nearest to a place is then found by
 * carrying that upwards once, after the pass.
 */
#include "elf/elfsym.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/bytes.h"
#include "elf/elfnames.h"
#include "elf/elfsymtab.h"

enum {
	RANK_LOCAL = 1,
	RANK_GLOBAL,	/* or weak */
	RANK_SIZED = 4, /* added to one of these */
	TIES = 8,	/* names of one function that are compared */
	NEAR_SYMTAB = 64 * 1024,
	NEAR_DYNSYM = 256
};

struct cand {
	uint64_t start, size;
	int rank; /* 0: none */
	unsigned nnames;
	struct elf_spelling name[TIES];
};

struct place {
	uint64_t vaddr, seclo;
	int insec, exec;
	size_t query, nqueries; /* those that ask for it */
	struct cand holds, near;
};

struct pass {
	struct elf_file *f;
	struct place *places;
	size_t n;
	/* Honest symbols hold few places each; what overlaps beyond that is
	 * made to cost (symbols x places). */
	uint64_t budget;
	struct elf_names names;
};

static void
cand_offer(struct cand *c, const Elf64_Sym *s, int rank)
{
	if (c->rank == 0 || s->st_value > c->start ||
	    (s->st_value == c->start && rank > c->rank)) {
		c->start = s->st_value;
		c->size = s->st_size;
		c->rank = rank;
		c->nnames = 0;
	} else if (s->st_value < c->start || rank < c->rank)
		return;
	if (c->nnames < TIES) {
		c->name[c->nnames].at = s->st_name;
		c->name[c->nnames++].weak =
		    ELF64_ST_BIND(s->st_info) == STB_WEAK;
	}
}

/* The first place at or above vaddr, n when there is none. */
static size_t
place_from(const struct pass *p, uint64_t vaddr)
{
	return vaddr > 0 ? ARRAY_ABOVE(p->places, p->n, vaddr, vaddr - 1) : 0;
}

static int
pass_spend(struct pass *p)
{
	if (p->budget == 0)
		return -1;
	p->budget--;
	return 0;
}

static int
pass_symbol(struct pass *p, const Elf64_Sym *s)
{
	int type = ELF64_ST_TYPE(s->st_info), rank;
	struct place *pl;
	size_t i, k;

	if (type != STT_FUNC && type != STT_GNU_IFUNC && type != STT_NOTYPE)
		return 0;
	if (s->st_shndx == SHN_UNDEF || s->st_shndx == SHN_COMMON ||
	    (s->st_shndx == SHN_ABS && type == STT_NOTYPE))
		return 0;
	if (s->st_name == 0 || s->st_name >= p->names.size ||
	    s->st_value > p->places[p->n - 1].vaddr)
		return 0;
	if (elf_names_mapping(&p->names, p->f->machine, s))
		return 0;
	rank =
	    ELF64_ST_BIND(s->st_info) == STB_LOCAL ? RANK_LOCAL : RANK_GLOBAL;
	if (s->st_size != 0)
		rank += RANK_SIZED;
	i = place_from(p, s->st_value);
	cand_offer(&p->places[i].near, s, rank);
	for (k = i; k < p->n; k++) {
		pl = &p->places[k];
		if (pl->vaddr - s->st_value >= s->st_size)
			break;
		if (pass_spend(p) == -1)
			return -1;
		if (type == STT_NOTYPE &&
		    (!pl->exec || s->st_value < pl->seclo))
			continue;
		cand_offer(&pl->holds, s, rank);
	}
	return 0;
}

static int
cand_better(const struct cand *c, const struct elfsym_query *q)
{
	int csized = c->rank > RANK_SIZED, qsized = q->rank > RANK_SIZED;

	if (q->name == NULL || csized != qsized)
		return q->name == NULL || csized;
	if (c->start != q->start)
		return c->start > q->start;
	return c->rank > q->rank;
}

/* Hands what a table gave to the queries and makes ready for the next. */
static int
pass_settle(struct pass *p, struct elfsym_query *q, uint64_t nearmax)
{
	struct cand near = {0};
	const struct cand *c;
	struct place *pl;
	char *name;
	size_t i, k;

	for (i = 0; i < p->n; i++) {
		pl = &p->places[i];
		if (pl->near.rank != 0)
			near = pl->near;
		c = &pl->holds;
		if (c->rank == 0)
			c = &near;
		if (c == &near &&
		    (near.rank == 0 || near.rank > RANK_SIZED || !pl->exec ||
			near.start < pl->seclo ||
			pl->vaddr - near.start >= nearmax))
			continue;
		name = NULL;
		for (k = pl->query; k < pl->query + pl->nqueries; k++) {
			if (!cand_better(c, &q[k]))
				continue;
			if (name == NULL)
				name = elf_names_best(
				    &p->names, c->name, c->nnames);
			if (name == NULL)
				break;
			free(q[k].name);
			q[k].name = strdup(name);
			q[k].start = c->start;
			q[k].size = c->size;
			q[k].rank = q[k].name == NULL ? 0 : c->rank;
			if (q[k].name == NULL) {
				free(name);
				return -1;
			}
		}
		free(name);
	}
	for (i = 0; i < p->n; i++)
		p->places[i].holds.rank = p->places[i].near.rank = 0;
	return 0;
}

static int
pass_table(struct pass *p, const struct elf_symtab *t, struct elfsym_query *q,
    uint64_t nearmax)
{
	const Elf64_Sym *s;
	struct elf_walk w;
	int r = 0, err = 0;

	elf_names_start(&p->names, p->f, t);
	if (elf_walk_start(&w, p->f, t->off, t->count, sizeof(*s)) == -1)
		return -1;
	while (r == 0 && (s = elf_walk_next(&w)) != NULL)
		r = pass_symbol(p, s);
	elf_walk_end(&w);
	if (r == -1)
		err = EOVERFLOW;
	if (pass_settle(p, q, nearmax) == -1)
		return -1;
	errno = err;
	return r;
}

static int
place_sections(struct pass *p, uint64_t lo, uint64_t size, int exec)
{
	struct place *pl;
	size_t i;

	for (i = place_from(p, lo); i < p->n; i++) {
		pl = &p->places[i];
		if (pl->vaddr - lo >= size)
			break;
		if (pass_spend(p) == -1)
			return -1;
		if (pl->insec)
			continue;
		pl->insec = 1;
		pl->seclo = lo;
		pl->exec = exec;
	}
	return 0;
}

/* Finds the section around each place; without sections, the segment. */
static int
pass_sections(struct pass *p)
{
	struct elf_file *f = p->f;
	const Elf64_Shdr *sh;
	const Elf64_Phdr *ph;
	struct elf_walk w;
	int r = 0;

	if (elf_walk_start(&w, f, f->shoff, f->shnum, sizeof(*sh)) == -1)
		return -1;
	while (r == 0 && (sh = elf_walk_next(&w)) != NULL)
		if ((sh->sh_flags & (SHF_ALLOC | SHF_TLS)) == SHF_ALLOC)
			r = place_sections(p, sh->sh_addr, sh->sh_size,
			    (sh->sh_flags & SHF_EXECINSTR) != 0);
	elf_walk_end(&w);
	if (r == 0 &&
	    elf_walk_start(&w, f, f->phoff, f->phnum, sizeof(*ph)) == -1)
		return -1;
	while (r == 0 && (ph = elf_walk_next(&w)) != NULL)
		if (ph->p_type == PT_LOAD)
			r = place_sections(p, ph->p_vaddr, ph->p_memsz,
			    (ph->p_flags & PF_X) != 0);
	elf_walk_end(&w);
	if (r == -1)
		errno = EOVERFLOW;
	return r;
}

static int
pass_places(struct pass *p, const struct elfsym_query *q, size_t n)
{
	struct place *pl;
	size_t i;

	p->places = calloc(n, sizeof(*p->places));
	if (p->places == NULL)
		return -1;
	for (i = 0; i < n; i++) {
		if (i != 0 && q[i].vaddr < q[i - 1].vaddr)
			return fails(EINVAL);
		if (i == 0 || q[i].vaddr != q[i - 1].vaddr) {
			pl = &p->places[p->n++];
			pl->vaddr = q[i].vaddr;
			pl->query = i;
		}
		p->places[p->n - 1].nqueries++;
	}
	p->budget = ((uint64_t)1 << 22) + 64 * (uint64_t)p->n;
	return 0;
}

int
elfsym_wanting(const struct elfsym_query *q, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (q[i].name == NULL || q[i].rank < RANK_SIZED)
			return 1;
	return 0;
}

int
elf_resolve(struct elf_file *f, struct elfsym_query *q, size_t n)
{
	struct pass p = {0};
	struct elf_symtab t;
	int r = 0, saved;

	if (n == 0 || f->type == ET_REL)
		return 0;
	p.f = f;
	if (pass_places(&p, q, n) == -1 || pass_sections(&p) == -1)
		r = -1;
	if (r == 0 && elf_symtab(f, SHT_SYMTAB, &t) == 0)
		r = pass_table(&p, &t, q, NEAR_SYMTAB);
	/* .symtab holds what .dynsym does, unless it was made not to. */
	if (r == 0 && elfsym_wanting(q, n) && elf_dynsym(f, &t) == 0)
		r = pass_table(&p, &t, q, NEAR_DYNSYM);
	saved = errno;
	free(p.places);
	errno = saved;
	return r;
}

int
elfsym_resolve(int fd, struct elfsym_query *q, size_t n)
{
	struct elf_file f;
	int r, saved;

	if (elf_open(&f, fd) == -1)
		return -1;
	r = elf_resolve(&f, q, n);
	saved = errno;
	elf_close(&f);
	errno = saved;
	return r;
}
