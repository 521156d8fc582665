/*
 * storefile: single files of the store, by descriptor; private to this room.
 * What is hostile and what -1 says stands in store/corestore.h.
 */
#ifndef STORE_STOREFILE_H
#define STORE_STOREFILE_H

#include "store/corestore.h"

/* The lock; closing it releases it.  ETIMEDOUT. */
int store_lock(const struct corestore *);
/* How the files end that stand beside a core and go with it: what is known of
 * it, and what the receiver's command may write.  NULL ends them. */
extern const char *const store_beside[];
/* Removes a file and those beside it. */
int store_unlink(int hostfd, const char *name);
/*
 * With the lock held: removes one of `bytes' for good, its host's directory
 * with the last of them, and tells why.
 */
int store_evict(const struct corestore *, const char *host, const char *name,
    uint64_t bytes, const char *why);

/* --- the limits (storeroom.c) --------------------------------------------- */

/* ENOSPC when less than minfree is free. */
int store_floor(struct store_part *);
/*
 * With the lock held: makes everything fit into `total'.  Parts that were
 * never completed go first, then complete cores, the oldest of each first;
 * what is being written stays.  EDQUOT when that is not enough, and at once
 * when this core alone is more.
 */
int store_make_room(struct store_part *);

#endif
