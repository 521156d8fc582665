/*
 * symbols: names for all addresses of a report, in one pass per module.
 *
 * First every address is added, then symbols_run() reads each module's file
 * once, then names are asked for.  Works on what module files say: hostile.
 */
#ifndef UNWIND_SYMBOLS_H
#define UNWIND_SYMBOLS_H

#include <stdint.h>

#include "target/target.h"

struct symbols;

struct symbol {
	struct module *mod; /* NULL: in no module */
	uint64_t vaddr;	    /* of the address in the module's file */
	const char *name;   /* NULL: unknown; else valid until symbols_free */
	uint64_t off;	    /* from the start of the function */
};

/* NULL with errno ENOMEM.  The target must outlive it. */
struct symbols *symbols_new(struct target *);
void symbols_free(struct symbols *);
/*
 * Notes an address.  A return address is looked up by the byte before it,
 * since a call may be the last instruction of its function: exact 0.
 * Addresses in no module are passed over.  -1 with errno ENOMEM.
 */
int symbols_add(struct symbols *, uint64_t addr, int exact);
int symbols_run(struct symbols *);
/* What is known of an address that was added before symbols_run(). */
void symbols_get(struct symbols *, uint64_t addr, int exact, struct symbol *);
/* The same of a frame: one by which a signal's handler returns has a name
 * even where the C library has no symbols. */
void
symbols_frame(struct symbols *, uint64_t addr, unsigned flags, struct symbol *);
/* Why some symbols are missing ("MiniDebugInfo: ..."), or NULL. */
const char *symbols_note(const struct symbols *);

#endif
