/*
 * elffile: an ELF file read in bounded pieces.  Private to elfsym*.c; what is
 * hostile and what is refused stands in elf/elfsym.h.
 *
 * Nothing here keeps more than a few pieces (ELF_PIECE) of the file in memory,
 * and no length or offset is used before it was held against the file's size.
 */
#ifndef ELF_ELFFILE_H
#define ELF_ELFFILE_H

#include <elf.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* What of a file is read at once; of its beginning, where the header, the
 * program headers and the notes stand in nearly all; and before the section
 * table, where the names of sections do, and all symbols of a small program. */
enum { ELF_PIECE = 16 * 1024, ELF_HEAD = 1024, ELF_TAIL = 4096 };

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
	/* private: the beginning; the sections and what stands before them, a
	 * multiple of 8 bytes; section names */
	unsigned char *tail;
	uint64_t tailoff;
	char *names;
	size_t nameslen, headlen, taillen;
	_Alignas(uint64_t) unsigned char head[ELF_HEAD];
};

/*
 * Reads the file header.  -1 ENOEXEC when fd is no regular file or no ELF,
 * ENOTSUP for another class or byte order.  A table that reaches out of the
 * file is taken to be absent (sections) or cut (program headers).  0: then
 * elf_close() frees what it keeps.
 */
int elf_open(struct elf_file *, int fd);
void elf_close(struct elf_file *);

/* As io_pread_full(), from memory what is there. */
ssize_t elf_pread(const struct elf_file *, void *, size_t len, uint64_t off);

/*
 * Goes through count entries of entsize bytes at off, one piece at a time.
 * elf_walk_next() gives the next entry (aligned; valid until the call after
 * it), NULL at the end, at the end of the file or on a read error.
 */
struct elf_walk {
	int fd;
	uint64_t off, left;
	size_t entsize, cap, at, have;
	const unsigned char *entries;
	unsigned char *own; /* to be freed */
};
/* -1 ENOMEM.  elf_walk_end() in any case but that; not after elf_close(). */
int elf_walk_start(struct elf_walk *, struct elf_file *, uint64_t off,
    uint64_t count, size_t entsize);
const void *elf_walk_next(struct elf_walk *);
void elf_walk_end(struct elf_walk *);

/* Section header i; -1 ENOENT. */
int elf_shdr(struct elf_file *, uint64_t i, Elf64_Shdr *);
/* Its contents lie in the file as they are: not NOBITS, not compressed. */
int elf_shdr_plain(const struct elf_file *, const Elf64_Shdr *);
/* The first section of that name; -1 ENOENT. */
int elf_shdr_named(struct elf_file *, const char *name, Elf64_Shdr *);

/* elfsym_buildid() and elfsym_resolve() of a file that is open. */
int elf_buildid(struct elf_file *, unsigned char *id);
struct elfsym_query;
int elf_resolve(struct elf_file *, struct elfsym_query *, size_t n);
/* Names those that have none by a Go program's own table (elf/gopclntab.h). */
void elf_resolve_go(struct elf_file *, struct elfsym_query *, size_t n);

#endif
