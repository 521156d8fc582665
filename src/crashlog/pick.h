/* pick: which reports are meant, by words and options. */
#ifndef CRASHLOG_PICK_H
#define CRASHLOG_PICK_H

#include "crashlog/rows.h"

enum meaning {
	M_NONE,
	M_ALL,
	M_LATEST,
	M_SLOT,
	M_PID,
	M_SIGNATURE,
	M_FILE,
	M_PROGRAM
};

struct pick {
	/* all of these, NULL any; times as in reports */
	const char *since, *until, *signal, *uid, *unit, *container, *host;
	char *const *word; /* and any of these, or all without one */
	size_t words;
	size_t most; /* 0: any number */
	int oldest;  /* first */
};

struct hit {
	struct row *row;
	enum meaning by; /* what the word meant, the last that did */
	size_t word;
};

/*
 * The rows that are meant, in order; the caller frees them.  *none is the first
 * word that meant nothing, or NULL.  -1 ENOMEM.
 */
int pick(const struct pick *, struct rows *, struct hit **, size_t *n,
    const char **none);
/* A number that is a slot and a process (M_SLOT), or a process that came more
 * than once (M_PID): which hit. */
enum meaning pick_double(const struct hit *, size_t n, size_t *which);
/* Whether all are of one process. */
int pick_single(const struct hit *, size_t n);
/* Leaves out those that nobody lets us read; how many there are then. */
size_t pick_readable(struct hit *, size_t n);
/* The core of a report, known by process and time or, where they stand beside
 * each other, by its name: CORE and MIB. */
void pick_core(struct row *, const struct rows *cores, int beside);

#endif
