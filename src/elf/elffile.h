/*
 * elffile: an ELF file read in bounded pieces.  Private to elfsym*.c; what is
 * hostile and what is refused stands in elf/elfsym.h.
 *
 * Nothing here keeps more than one piece (ELF_PIECE) of the file in memory,
 * and no length or offset is used before it was held against the file's size.
 */
#ifndef ELF_ELFFILE_H
#define ELF_ELFFILE_H

#include <elf.h>
#include <stddef.h>
#include <stdint.h>

enum { ELF_PIECE = 64 * 1024 };

/* More sections or symbols than any toolchain has made: where a forged table
 * in a sparse file would cost time for nothing. */
#define ELF_SECTIONS_MAX ((uint64_t)1 << 20)
#define ELF_SYMBOLS_MAX ((uint64_t)1 << 26)

struct elf_file {
	int fd; /* the caller's */
	uint64_t size;
	int type, machine;
	uint64_t entry;
	uint64_t phoff, phnum, shoff, shnum; /* tables lie within the file */
	uint32_t shstrndx;		     /* 0: no section names */
};

/*
 * Reads the file header.  -1 ENOEXEC when fd is no regular file or no ELF,
 * ENOTSUP for another class or byte order.  A table that reaches out of the
 * file is taken to be absent (sections) or cut (program headers).
 */
int elf_open(struct elf_file *, int fd);

/*
 * Goes through count entries of entsize bytes at off, one piece at a time.
 * elf_walk_next() gives the next entry (aligned; valid until the call after
 * it), NULL at the end, at the end of the file or on a read error.
 */
struct elf_walk {
	int fd;
	uint64_t off, left;
	size_t entsize, cap, at, have;
	unsigned char *piece;
};
/* -1 ENOMEM.  elf_walk_end() in any case but that. */
int elf_walk_start(struct elf_walk *, const struct elf_file *, uint64_t off,
    uint64_t count, size_t entsize);
const void *elf_walk_next(struct elf_walk *);
void elf_walk_end(struct elf_walk *);

/* Section header i; -1 ENOENT. */
int elf_shdr(const struct elf_file *, uint64_t i, Elf64_Shdr *);
/* Its contents lie in the file as they are: not NOBITS, not compressed. */
int elf_shdr_plain(const struct elf_file *, const Elf64_Shdr *);
/* The first section of that name; -1 ENOENT. */
int elf_shdr_named(const struct elf_file *, const char *name, Elf64_Shdr *);

#endif
