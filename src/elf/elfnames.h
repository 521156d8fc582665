/*
 * elfnames: the strings of a symbol table, read one by one.  Private to
 * elfsym.c.
 */
#ifndef ELF_ELFNAMES_H
#define ELF_ELFNAMES_H

#include "elf/elfsym.h"
#include "elf/elfsymtab.h"

enum { ELFNAMES_GRID = 2048 }; /* where a piece may begin */

struct elf_names {
	const struct elf_file *f;
	uint64_t off, size; /* of the string table in the file */
	/* a piece of it: names that are asked for stand near each other */
	uint64_t winoff;
	size_t winlen, peeks;
	char win[ELFNAMES_GRID + ELFSYM_NAME_MAX + 1];
};

void elf_names_start(
    struct elf_names *, const struct elf_file *, const struct elf_symtab *);
/* Whether a symbol is a mapping symbol of that e_machine. */
int elf_names_mapping(struct elf_names *, int machine, const Elf64_Sym *);
struct elf_spelling {
	uint32_t at; /* of the name in the table */
	int weak;
};
/*
 * Of n names for one function that with the fewest leading underscores, which
 * is how callers spell it; then one that is not weak; then the first.  Without
 * its version, cut at ELFSYM_NAME_MAX.  malloc'd; NULL when all are empty or
 * unreadable.
 */
char *
elf_names_best(struct elf_names *, const struct elf_spelling *, unsigned n);

#endif
