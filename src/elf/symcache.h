/*
 * symcache: symbols that were looked up before, and those looked for in vain.
 *
 * Key is a file's serial number (target/modcache.h) and an address in it.
 * Bounded in entries and in bytes of names; what was used least recently goes
 * first.
 */
#ifndef ELF_SYMCACHE_H
#define ELF_SYMCACHE_H

#include <stddef.h>
#include <stdint.h>

#include "elf/elfsym.h"

enum { SYMCACHE_MAX = 65536 };
#define SYMCACHE_BYTES ((size_t)16 << 20)

struct symcache;

/* NULL ENOMEM. */
struct symcache *symcache_new(size_t entries, size_t bytes);
void symcache_free(struct symcache *);
/* Answers q->vaddr: 1 known (q->name malloc'd, or NULL for a known failure),
 * 0 not, or no memory. */
int symcache_get(struct symcache *, uint64_t serial, struct elfsym_query *q);
/* Takes note of an answer; without memory it is forgotten. */
void
symcache_put(struct symcache *, uint64_t serial, const struct elfsym_query *q);
void symcache_count(const struct symcache *, size_t *entries, size_t *bytes);

#endif
