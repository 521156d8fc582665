/*
 * corestore: the directory where received cores are kept.
 *
 *	DIR/HOST/core.COMM.PID.TIME       a core, 0440, sparse, verified
 *	DIR/HOST/core.COMM.PID.TIME.info  what is known of it (streamtext)
 *	DIR/HOST/core.COMM.PID.TIME.lz4   the same, packed
 *	DIR/HOST/core.*.part              being received (then flocked), or what
 *	                                  came of one that was never completed
 *	DIR/core_dump                     link to the newest complete one
 *	DIR/.lock                         flocked while names change
 *	DIR/.parts                        whose ".part" it is:
 *store/storeparts.h
 *
 * A core is written under its ".part" name, brought to the disk, and renamed
 * when it is whole, never over another; its ".info" is there before.  Who is
 * killed on the way leaves a ".part" that nobody has locked.
 *
 * Everything is reached through directory descriptors, and no link is ever
 * followed.  DIR belongs to whom we run as and others may not write there;
 * sizes and names come from the sender and are hostile (store/storename.h).
 * -1 with errno everywhere, nothing is printed.
 */
#ifndef STORE_CORESTORE_H
#define STORE_CORESTORE_H

#include <stdint.h>

#include "base/io.h"
#include "store/storename.h"
#include "stream/corestream.h"

enum {
	STORE_LOCK_MS = 30000,
	STORE_PATH_MAX = STORE_HOST_MAX + STORE_NAME_MAX
};

struct corestore {
	int dirfd;
	uint64_t maxcore; /* bytes of one core; 0: no bound, as below */
	uint64_t total;	  /* bytes on the disk of all together */
	uint64_t minfree; /* bytes that stay free: base/floor.h */
	int pack;	  /* store_pack() what is whole */
	int64_t keepms;	  /* how long a part waits for its sender; 0 not */
	/* Told of each file that had to go, and why; may be NULL. */
	void (*removed)(const char *host, const char *name, uint64_t bytes,
	    const char *why);
};

struct store_part { /* a core being received */
	const struct corestore *store;
	int fd, hostfd; /* -1 when there is none */
	char host[STORE_HOST_MAX];
	char stem[STORE_NAME_MAX];
	char suffix[CRASH_ENCODING_MAX + 2];
	char name[STORE_NAME_MAX];
	char key[STREAM_KEY]; /* noted in .parts, or "" */
	uint64_t data;	      /* bytes written */
	/* of them, when free space and when the whole store were last seen to
	 */
	uint64_t watched, surveyed;
	/* Offsets up to which the disk was told to write, and will be waited
	 * for; and how much data there was then. */
	uint64_t pushed, pace, paced;
	/* After -1: why, when a limit was met (static text); else NULL. */
	const char *limit;
};

/* What is about to be received: *p need not be initialised. */
void store_aim(const struct corestore *, const char *host, const char *stem,
    const char *suffix, struct store_part *p);
/*
 * A new part for that name below that host's directory, which is made 0750
 * when missing.  *p need not be initialised.
 */
int store_begin(const struct corestore *, const char *host, const char *stem,
    const char *suffix, struct store_part *p);
/* Writes there; looks after the limits as it goes. */
int store_write(struct store_part *, const void *, size_t, uint64_t off);
/*
 * Sets the size, and brings the core and its description (the text of ".info")
 * to the disk.  The part then only needs a name.
 */
int store_seal(struct store_part *, uint64_t size, const struct buf *info);
#define STORE_PACKED ".lz4"
/*
 * Instead of store_seal(): makes of a whole core a frame of LZ4, sealed, which
 * lz4(1) reads.  -1: it is as it was, for it is encoded already, would take
 * more so (a hole takes a 250th of its length), or there is no room.
 */
int store_pack(struct store_part *, uint64_t size, const struct buf *info);
/*
 * Gives a sealed core its name, HOST/core..., in out: the first that is free.
 * A core that is there already, of the same thread name and process, with the
 * size and checksum of this one, is the same, delivered again, whatever time
 * was told: *again is set, out is its name and ours is gone.  The link to the
 * newest follows.  Ends the part.
 */
int store_publish(struct store_part *, uint64_t size, uint32_t crc,
    char out[STORE_PATH_MAX], int *again);
/* Leaves a sealed part as it is: its name is in out.  Ends the part. */
void store_keep(struct store_part *, char out[STORE_PATH_MAX]);
/* The same for a core that will never be more: one that is the same goes, as
 * above. */
int store_keep_once(
    struct store_part *, uint64_t size, uint32_t crc, char out[STORE_PATH_MAX]);
/* Another name for a part, when that is known only afterwards. */
int store_rename(struct store_part *, const char *stem, const char *suffix);
/* Removes it.  Ends the part; may be repeated. */
void store_drop(struct store_part *);

#endif
