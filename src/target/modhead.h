/*
 * modhead: the ELF headers of a module, from memory or from a file, and
 * whether that file is the one that was mapped.  Private to target/.
 */
#ifndef TARGET_MODHEAD_H
#define TARGET_MODHEAD_H

#include <elf.h>

#include "target/target.h"

enum { MODHEAD_PHDRS = 512 };

struct modhead {
	Elf64_Ehdr eh;
	Elf64_Phdr ph[MODHEAD_PHDRS];
	size_t n;
};

/* Out of memory at addr, where the file's first page is mapped; out of a file.
 * 0, or -1 when there is none. */
int modhead_memory(struct target *, uint64_t addr, struct modhead *);
int modhead_file(int fd, struct modhead *);
/* Address minus vaddr; -1 when the headers do not tell. */
int modhead_bias(
    struct target *, const struct module *, const struct modhead *, uint64_t *);
/* One past the highest address of an object that begins at start. */
uint64_t modhead_end(const struct modhead *, uint64_t start);
/* The build-id in memory; its length, 0 none. */
size_t modhead_id(struct target *, const struct modhead *, uint64_t bias,
    unsigned char id[ELFSYM_ID_MAX]);
/* Permissions of an address as the headers have them (MAP_*), -1 none. */
int modhead_prot(const struct modhead *, uint64_t bias, uint64_t addr);

/*
 * Is a file the one that was mapped?
 *
 * The same build-id, or where the object has none the same headers and first
 * page, prove it; another one, or segments or a dynamic section that do
 * not fit, disprove it.  Of a core that holds nothing of the object's first
 * page nothing more is known: MODFILE_MAYBE.  To be asked while m->headers is
 * not MODULE_YES, when memory never comes from a file.
 */
/* 0: not asked */
enum { MODFILE_OTHER = 1, MODFILE_MAYBE, MODFILE_SAME };
int modhead_judge(struct target *, const struct module *, int fd);

#endif
