/*
 * segv_top: faults per program and signature, as they come.  In the process
 * that names.
 *
 * A row is a program, a signature, and whether it ended the process.  There are
 * at most TOP_ROWS: when one more comes, one of those with the fewest faults,
 * and of the handled ones first, goes to the others, which are counted
 * together; so the sums are exact.  What was not looked at (--share) has a row
 * of its program without a signature.
 *
 * A terminal gets a screen at a time, from its first line on, and nothing else
 * is done to it: no mode of it is changed, so there is none to be put back,
 * however this ends.  All else gets the same as plain lines; JSON one record,
 * the last.
 */
#ifndef SEGV_SEGV_TOP_H
#define SEGV_SEGV_TOP_H

#include <stdint.h>
#include <time.h>

#include "out/out.h"
#include "segv/segv_resolve.h"

enum { TOP_ROWS = 1024, TOP_NAME = 32 };

struct segv_top_row {
	uint64_t key; /* a hash of the first three */
	int fatal;
	char comm[TOP_NAME], signature[17];
	char what[FAULT_TEXT]; /* the cause, or where */
	uint64_t n, was;       /* faults; as of the last screen */
	time_t last;
};

struct segv_top {
	struct segv_top_row row[TOP_ROWS];
	size_t n;
	uint64_t others[2]; /* handled, fatal */
	/* private */
	uint64_t shown;	    /* faults, as of the last screen */
	struct timespec at; /* of it */
};

/* When to show it, and on what. */
struct segv_top_screen {
	struct timespec when;
	uint16_t rows, columns; /* of a terminal; 0: it is none */
	uint8_t last;
	uint64_t dropped; /* by the kernel's counts */
};

void segv_top_add(struct segv_top *, const struct segv_resolved *);
/* So many of a process that were not looked at; comm "": of many. */
void
segv_top_add_limited(struct segv_top *, const char *comm, uint64_t n, time_t);
/* -1 with errno once writing has failed. */
int
segv_top_show(struct segv_top *, struct out *, const struct segv_top_screen *);

#endif
