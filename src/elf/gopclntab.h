/*
 * gopclntab: what a Go program carries of its own functions.
 *
 * The runtime finds names and frame sizes by a table of its own, the section
 * .gopclntab, which no strip(1) takes away and which stands where Go has
 * neither .symtab nor .eh_frame.  Layouts: those of Go 1.2 to 1.15, of 1.16,
 * of 1.18 and of 1.20 (debug/gosym, runtime/symtab.go name the fields).
 *
 * The table is the crashed program's and hostile.  It is read from the file in
 * pieces; every offset is held against its length, every walk has a bound.
 */
#ifndef ELF_GOPCLNTAB_H
#define ELF_GOPCLNTAB_H

#include <stddef.h>
#include <stdint.h>

struct gopclntab;

struct gofunc {
	uint64_t start, end; /* as addresses of the program headers */
	uint64_t at;	     /* private: where its record stands */
};

/*
 * The table of a file: by section, or in a file without sections by what its
 * segments hold.  fd stays the caller's and must outlive it.  NULL with errno:
 * ENOENT there is none that can be read, ENOMEM.
 */
struct gopclntab *gopclntab_open(int fd);
/* The same of len bytes at off in fd that are a table; text is the address of
 * its first function where the table leaves that open (0). */
struct gopclntab *
gopclntab_at(int fd, uint64_t off, uint64_t len, uint64_t text);
void gopclntab_free(struct gopclntab *);

/* The function that holds vaddr.  0, or -1 ENOENT. */
int gopclntab_find(struct gopclntab *, uint64_t vaddr, struct gofunc *);
/* Its name, malloc'd, cut at ELFSYM_NAME_MAX.  NULL: none, or ENOMEM. */
char *gopclntab_name(struct gopclntab *, const struct gofunc *);
/*
 * How far the stack pointer stands below where it was when the function was
 * entered (on x86-64 the return address lies just above), in bytes.  0, or -1
 * ENOENT: the table does not say.
 */
int gopclntab_frame(
    struct gopclntab *, const struct gofunc *, uint64_t vaddr, uint64_t *size);

#endif
