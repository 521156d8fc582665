/*
 * segv_print: what was looked up (segv/segv_resolve.h) as a record of a feed
 * (out/out.h), in text or JSON, with the same calls for both.  All text
 * that comes from a process is escaped by out.
 */
#ifndef SEGV_SEGV_PRINT_H
#define SEGV_SEGV_PRINT_H

#include "out/out.h"
#include "probe/segv_shares.h"
#include "segv/segv_resolve.h"

/* One record.  -1 with errno once writing has failed. */
int segv_print(const struct segv_resolved *, struct out *);
/* What was left out of a process, pid 0: of all others. */
int segv_print_limited(
    struct out *, const struct segv_moment *, const struct segv_told *);
/* At the end, in JSON alone: seen = written + limited + dropped. */
struct segv_sum {
	uint64_t seen, written, limited, dropped;
};
int segv_print_counts(
    struct out *, const struct segv_moment *, const struct segv_sum *);
/* Addresses within a text, replaced by "(redacted)"; at most n bytes. */
void segv_redact(const char *text, char *out, size_t n);

/* --- private: segv_detail.c for segv_print.c -------------------------------
 */

/* The kind of fault: fault_type and its line of text. */
void segv_fault_type(const struct segv_resolved *, struct out *);
/* What goes beyond the interface document; text only with detail. */
void segv_details(const struct segv_resolved *, struct out *);
void segv_build_id(const struct segv_place *, struct out *);
/* A text of ours that may hold addresses. */
void segv_words(const struct segv_resolved *, struct out *, const char *key,
    const char *lead, const char *text);

#endif
