/* elfsymtab: the symbol tables of an ELF file.  Private, as elf/elffile.h. */
#ifndef ELF_ELFSYMTAB_H
#define ELF_ELFSYMTAB_H

#include "elf/elffile.h"

/* A symbol table and its strings, both within the file. */
struct elf_symtab {
	uint64_t off, count;
	uint64_t stroff, strsize;
};
/* By section type (SHT_SYMTAB, SHT_DYNSYM); -1 ENOENT. */
int elf_symtab(struct elf_file *, uint32_t type, struct elf_symtab *);
/* .dynsym one way or the other; -1 ENOENT. */
int elf_dynsym(struct elf_file *, struct elf_symtab *);

#endif
