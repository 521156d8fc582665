/* pageset: which pages of a memory are wanted. */
#ifndef TRIM_PAGESET_H
#define TRIM_PAGESET_H

#include <stddef.h>
#include <stdint.h>

struct pages {
	uint64_t start, end;
};

/* All zero is the empty one. */
struct pageset {
	struct pages *run;
	size_t n;
	size_t settled; /* runs that are in order and apart */
	int failed;	/* memory ran out: it does not hold all */
};

/* Adds the pages of [addr, addr + len), which may be none. */
void pageset_add(struct pageset *, uint64_t addr, uint64_t len);
/* Runs in order, no two of which touch.  -1 ENOMEM: something is missing. */
int pageset_settle(struct pageset *);
/*
 * Of a settled one the next run within [*from, end): 1 with [*from, *to), or 0
 * when there is none.
 */
int pageset_next(
    const struct pageset *, uint64_t *from, uint64_t end, uint64_t *to);
void pageset_free(struct pageset *);

#endif
