/*
 * mapspace: the mappings of an address space, small enough to keep thousands.
 *
 * Files are stored once for all who map them.  A space is shared by a process
 * and the children it forks until one of them maps something.  Nothing here
 * is parsed; names are hostile but only copied.
 */
#ifndef TRACK_MAPSPACE_H
#define TRACK_MAPSPACE_H

#include <stddef.h>
#include <stdint.h>

#include "proc/maps.h"

enum {
	MAPSPACE_MAX = 8192,	 /* mappings of one space */
	MAPSPACE_NAMES = 2 << 20 /* bytes of their names, one by one */
};

/* What a mapping is of; the name "" has one too. */
struct mapfile {
	const char *name;
	uint64_t dev, ino;
	unsigned char idlen, id[MAP_ID_MAX];
	size_t refs;
	void *held; /* the user's */
	struct mapfile *next;
};

struct mapfiles {
	struct mapfile **bucket;
	size_t nbuckets, n;
	size_t bytes; /* of all files and all spaces that use them */
	/* called for a file that nobody maps any more, before it goes */
	void (*drop)(void *ctx, struct mapfile *);
	void *ctx;
};

struct mapped {
	uint64_t start, end, off;
	struct mapfile *file;
	unsigned prot;
};

struct mapspace {
	unsigned refs;
	int incomplete; /* there were more than could be kept */
	size_t n, cap, names;
	struct mapped *m; /* sorted, without overlaps */
};

int mapfiles_init(struct mapfiles *);  /* -1 ENOMEM */
void mapfiles_free(struct mapfiles *); /* all spaces must be gone */

/* With one reference; NULL ENOMEM. */
struct mapspace *mapspace_new(struct mapfiles *);
void mapspace_unref(struct mapfiles *, struct mapspace *);
/*
 * Enters a mapping in place of all that it overlaps.  A shared space is copied
 * first, and *s is then another.  The file that the mapping is of; NULL with
 * errno: ENOMEM, or ENOSPC for a mapping too many (the space is then
 * incomplete).
 */
struct mapfile *
mapspace_put(struct mapfiles *, struct mapspace **s, const struct map *);
/* For who keeps a file beyond its mappings. */
void mapfile_ref(struct mapfile *);
void mapfile_unref(struct mapfiles *, struct mapfile *); /* NULL is nothing */
/* Mapping i as everybody else knows it. */
void mapspace_get(const struct mapspace *, size_t i, struct map *);

#endif
