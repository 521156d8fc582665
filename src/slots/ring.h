/*
 * ring: the slots of one directory, under its lock.
 *
 * The inside of slots.c: what is where (from the directory), who put it there
 * and in which order (from `.slots`, not trusted), which slot is next.
 * -1 with errno.
 */
#ifndef SLOTS_RING_H
#define SLOTS_RING_H

#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>

#include "slots/slots.h"

#define RING_PUB ".pub."
#define RING_TMP ".tmp."

/* Lines of the log since then, in seconds since the Epoch. */
struct ring_lines {
	int64_t since;
	uint64_t n;
};

/* What the log was told of the program and of the user, up to this report. */
struct ring_told {
	struct ring_lines program, user;
	uint64_t quiet; /* crashes of the user that were only counted */
};

struct ring_slot {
	ino_t ino;
	struct timespec mtime;
	uint64_t size;
	uint64_t key, seq; /* this and what follows: meaningful when known */
	uint32_t uid;
	struct ring_told told;
	ino_t intent; /* what the record says will be here, or 0 */
	uint64_t intentkey;
	unsigned char used;    /* there is a file */
	unsigned char known;   /* and its record is about it */
	unsigned char blocked; /* a directory: never ours to replace */
};

struct ring {
	int dirfd, lockfd;
	unsigned n, share;
	uint64_t total;	  /* bytes in all, 0 any */
	uint64_t seq;	  /* of the last publication */
	uint64_t records; /* bytes of `.slots` */
	struct ring_slot *slot;
	int hidden; /* there are hidden files to see to */
	/* Where the report asked for is: its slot's or hidden name, or "" */
	char slotname[SLOTS_NAME_MAX], tmpname[SLOTS_NAME_MAX];
};

/* Takes the lock; ETIMEDOUT.  ring_close() releases it, also after -1. */
int ring_lock(struct ring *, int dirfd, int64_t deadline);
/* Reads what is there, looking out for the report st as it goes. */
int ring_load(struct ring *, const struct slots_cfg *, const struct stat *st);
/*
 * Finishes what dead holders left: gives every whole `.pub.KEY` its slot and
 * removes every `.tmp.*` that nobody has open any more; st as above.  With
 * st NULL only the latter, and nothing need have been loaded.
 */
int ring_tidy(struct ring *, const struct stat *st);
struct ring_report {
	const char *hidden; /* its name */
	int fd;		    /* or -1: that it still has to get */
	const struct stat *st;
	int resume; /* by a holder that died: in the slot that one chose */
};
/* Gives it the name of the slot it should have, and removes what is too much
 * beside it. */
int ring_put(struct ring *, const struct ring_report *, struct slots_entry *);
/* A name for what is open there. */
int ring_link(int dirfd, int fd, const char *name);
/* The slot for a new report; -1: all are blocked. */
int ring_pick(const struct ring *, const struct slots_entry *);
/* With a report of that size in slot k, the next to be removed; -1 none. */
int ring_excess(
    const struct ring *, const struct slots_entry *, int k, uint64_t size);
/* Whether the log is to be told: into the entry, and what to remember. */
void ring_tell(
    const struct ring *, struct slots_entry *, int64_t now, struct ring_told *);
void ring_close(struct ring *);

#endif
