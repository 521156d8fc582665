/*
 * elfsym: names for code addresses, out of ELF files, in one pass per file.
 *
 * Input files belong to the crashed program and are hostile: read with pread
 * in bounded pieces (never mapped: truncation would be a SIGBUS), every offset
 * and count checked, memory bounded by the number of addresses asked for, not
 * by the file.  Only ELF64 of the host's byte order is decoded.
 */
#ifndef ELF_ELFSYM_H
#define ELF_ELFSYM_H

#include <stddef.h>
#include <stdint.h>

#define ELFSYM_NAME_MAX 4096 /* a longer name is cut and ends in "..." */
#define ELFSYM_ID_MAX 64

/* One question: which function holds vaddr (an address as in the file's
 * program headers)?  name is malloc'd, NULL where nothing was found. */
struct elfsym_query {
	uint64_t vaddr;
	char *name;
	uint64_t start, size; /* of the function; size 0: unknown */
	int rank;	      /* private: how good the match is; begin with 0 */
};

/*
 * Answers all queries (sorted ascending by vaddr by the caller, EINVAL) from
 * .symtab and .dynsym of the file.  A sized function (FUNC, IFUNC, or NOTYPE
 * in an executable section) that holds vaddr wins over an unsized one below
 * it in the same section, which holds only up to the next symbol and not
 * farther than 64 KiB (256 bytes where just .dynsym speaks, in which most
 * symbols are missing).  Of those that hold it the innermost, that is with the
 * highest start, wins; of these global or weak over local, then fewer leading
 * underscores (puts, not _IO_puts), then global over weak.  A symbol version
 * ("@...") is cut off.  Mapping symbols ($x, $d) are passed over.  Relocatable
 * files have no addresses: nothing is found. Queries that already have a name
 * are kept unless the new match is better. 0, or -1 with errno when the file
 * could not be read or is no ELF (ENOEXEC, ENOTSUP), or EOVERFLOW when it was
 * made to cost time (thousands of symbols over one another); what was found
 * stays.
 */
int elfsym_resolve(int fd, struct elfsym_query *, size_t n);
/*
 * The same from all there is: the file's symbols, a Go program's own table
 * (elf/gopclntab.h), then, as long as some query is unnamed or has only an
 * unsized symbol, the separate debug file ROOT/.build-id/xx/yyyy.debug (links
 * are followed, distributions use them; must be a regular file whose own
 * build-id matches), then .gnu_debugdata (xz, MiniDebugInfo) when built with
 * HAVE_LZMA.  *note is set to a static text when a source was there but could
 * not be used, else NULL.  0; -1 with errno when fd (-1 none) is no ELF file:
 * the debug file was asked all the same.
 */
int elfsym_resolve_all(int fd, const unsigned char *id, size_t idlen,
    struct elfsym_query *, size_t n, const char **note);
/* A file that is asked more than once, whose beginning is read but once; NULL
 * with the errno of elfsym_head().  fd is to stay open till elfsym_drop(). */
struct elf_file;
struct elf_file *elfsym_keep(int fd);
void elfsym_drop(struct elf_file *);
/* elfsym_buildid() and elfsym_resolve_all() of that. */
int elfsym_kept_buildid(struct elf_file *, unsigned char id[ELFSYM_ID_MAX]);
int elfsym_kept_resolve(struct elf_file *, const unsigned char *id,
    size_t idlen, struct elfsym_query *, size_t n, const char **note);
/* Whether a query is unnamed, or named by an unsized symbol only. */
int elfsym_wanting(const struct elfsym_query *, size_t n);
/* ROOT above: "/usr/lib/debug", NULL where there is none.  Not from any
 * environment; tests set it. */
extern const char *elfsym_debug_root;
/* Who opens what is there, NULL: we do. */
struct opener;
extern struct opener *elfsym_debug_opener;

/* ROOT/.build-id/xx/yyyy.debug; -1 when an id cannot be a name. */
int elfsym_debug_path(
    const unsigned char *id, size_t idlen, char *path, size_t size);

/* The GNU build-id of a file (PT_NOTE, then note sections); its length, 0 when
 * there is none, -1 errno. */
int elfsym_buildid(int fd, unsigned char id[ELFSYM_ID_MAX]);
/* The first note of that owner and type in a note segment's bytes: its
 * description and length; NULL when there is none. */
const void *elf_note(const void *notes, size_t len, const char *owner,
    uint32_t type, size_t *desclen);
/* The NT_GNU_BUILD_ID in a note segment's bytes; length, or 0 when there is
 * none of 1 to ELFSYM_ID_MAX bytes. */
int elfsym_note_buildid(
    const void *notes, size_t len, unsigned char id[ELFSYM_ID_MAX]);
/* vaddr of the defined data or function symbol `name' (.symtab, then
 * .dynsym); 0 found, -1 ENOENT or other errno. */
int elfsym_find(int fd, const char *name, uint64_t *vaddr);

/* A section by name: file offset, address and size.  0, or -1 (ENOENT). */
int elfsym_section(
    int fd, const char *name, uint64_t *off, uint64_t *addr, uint64_t *size);

/* e_machine, and the PT_LOAD view needed to map file offset -> vaddr. */
struct elfsym_load {
	uint64_t off, vaddr, filesz, memsz;
	uint32_t flags;
};
struct elfsym_head {
	int machine, type; /* ET_EXEC, ET_DYN, ... */
	uint64_t entry;
	struct elfsym_load *loads; /* malloc'd */
	size_t nloads;
	uint64_t ehframehdr; /* vaddr of PT_GNU_EH_FRAME, 0 none */
	uint64_t ehframehdrlen;
};
/* 0, or -1 with errno (ENOEXEC no ELF, ENOTSUP other class or order). */
int elfsym_head(int fd, struct elfsym_head *);
void elfsym_head_free(struct elfsym_head *);

#endif
