/*
 * rate: how many cores of a kind are kept.
 *
 * A ledger in the state directory, `rate`, has a line "TIME KEY" for each core
 * that was kept, or "TIME KEY!" for the first that was one too many, of which
 * only that one is told; what is old goes, and so does what is more than
 * RATE_LINES.  It is locked while it is used.  `ignored` is the same for
 * crashes that are ignored, and told.
 */
#ifndef WRAP_RATE_H
#define WRAP_RATE_H

#include <stdint.h>

#include "wrap/trust.h"

enum { RATE_LINES = 4096, RATE_KEY = 256 };

enum rate { RATE_KEPT, RATE_FIRST, RATE_NEXT };

/* So many in so many seconds; each ledger has one span. */
struct rate_limit {
	uint64_t n, seconds;
	const char *file; /* in the state directory */
};

/*
 * Notes a core of that kind at that time, unless it is one too many: then it
 * is the first such (RATE_FIRST) or another.  What the ledger cannot do keeps
 * no core back; why says so.
 */
enum rate rate_note(const char *state, const struct rate_limit *,
    const char *key, int64_t now, char why[TRUST_WHY]);

#endif
