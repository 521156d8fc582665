/*
 * elf_fixture: ELF files made up by a test: one executable section without
 * contents, a symbol table, an extra section; and what the units that test
 * elf/elfsym share.  Each includes it once.
 */
#ifndef T_ELF_FIXTURE_H
#define T_ELF_FIXTURE_H

#include <elf.h>
#include <string.h>

#include "base/io.h"
#include "check.h"
#include "elf/elfsym.h"

extern const char *elf_fixtures; /* the directory */
#define NAMED(q, want) CHECK((q).name != NULL && strcmp((q).name, want) == 0)

enum { TEXT = 0x1000, TEXT_LEN = 0x100000 };

struct made {
	struct buf syms, strs, extra;
	int type, machine, xnum, undef;
};

/* One of those files, open. */
int elf_fixture(const char *name);

/* The answers are freed. */
void query_clear(struct elfsym_query *q, size_t n);

/* A file without symbols; one symbol more. */
void made_begin(struct made *m);
void made_sym(struct made *m, const char *name, int bind, int type,
    uint64_t value, uint64_t size);

/* A temporary file with these bytes, its name gone. */
int made_temp(const void *p, size_t len);

/* The file, open; m is freed.  xnum: counts as extended numbering has them. */
int made_end(struct made *m);

#endif
