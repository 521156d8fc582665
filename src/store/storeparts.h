/*
 * storeparts: cores that may be gone on with when their connection broke.
 *
 *	DIR/.parts/KEY	a line "HOST/NAME.part"; the key: the sender's secret
 *
 * Who knows the key of a part, and tells of the same crash from the same host,
 * may go on with it: nobody else even learns that it is there.  A part has its
 * key from the moment it is begun, so one whose receiver was killed is not
 * lost; what is in it is read again each time, and its checksum compared at
 * both ends.  It never gets a final name but by store_publish().
 *
 * Those that nobody writes are bounded: in number, in all and of one host, and
 * in age (corestore.keepms).  The oldest go, with what was in them; they also
 * go before a core is refused for want of free space.  What is here is our own
 * and nobody else's, but may be damaged.  -1 with errno.
 */
#ifndef STORE_STOREPARTS_H
#define STORE_STOREPARTS_H

#include "store/corestore.h"

enum {
	PARTS_MAX = 256,
	PARTS_HOST = 32, /* of one host */
	PARTS_KEEP_MS = 604800000
};

/* Gives the part that was begun its key; without one it is a part like any. */
void parts_note(struct store_part *, const char *key);
/* It is complete, or will never be: the key goes. */
void parts_forget(struct store_part *);
/*
 * The part of that key, for what store_aim() has set: 1, and it is ours to
 * write, locked; 0 there is none; -1 EWOULDBLOCK: somebody still writes it.
 */
int parts_find(struct store_part *, const char *key);
struct parts_beat { /* called again and again while it goes on */
	void (*beat)(void *);
	void *arg;
};
/* What is in it: *has, after a look at every byte.  -1. */
int parts_measure(
    struct store_part *, struct stream_has *has, const struct parts_beat *);
/* Not gone on with after all: it stays, without its key.  Ends the part. */
void parts_leave(struct store_part *);
/* Removes the oldest that nobody writes, for free space: 0; -1 there is none.
 */
int parts_shed(const struct corestore *);

#endif
