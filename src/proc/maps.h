/*
 * maps: the mappings of a process, from the text of /proc/PID/maps.
 *
 * The text is hostile in one field: the name, where the kernel escapes only
 * newlines (as \012, fs/proc/task_mmu.c).  Everything before it has a fixed
 * form and the name runs to the end of the line.
 */
#ifndef PROC_MAPS_H
#define PROC_MAPS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/io.h"

/* MAP_GUESS: nobody told the permissions (of a core without that segment).
 * MAP_FAR: its file is on a file system that may not answer */
enum {
	MAP_R = 1,
	MAP_W = 2,
	MAP_X = 4,
	MAP_S = 8,
	MAP_GUESS = 16,
	MAP_FAR = 32
};
enum { MAPS_NAMES = 16 << 20 };
enum { MAP_ID_MAX = 20 }; /* as perf_event_open(2) has build-ids */

struct map {
	uint64_t start, end, off, ino;
	uint64_t dev;	  /* major << 32 | minor */
	const char *name; /* "" when anonymous; NUL-terminated */
	unsigned prot;	  /* MAP_* */
	int module;	  /* filled in by target/module, -1 none */
	/* the file's build-id, where a source knows it (not /proc) */
	unsigned char idlen, id[MAP_ID_MAX];
};

/*
 * Reads /proc/PID/maps below procfd to what maps_parse() takes: a name that
 * stands twice in a row is kept once, and after MAPS_NAMES bytes of them names
 * are left out, not mappings.  At most max bytes; *cut tells when there was
 * more.  -1 with errno.
 */
int maps_read(int procfd, size_t max, struct buf *, int *cut);
/*
 * Parses text (NUL-terminated, len bytes), which is cut into names in place
 * and must outlive the maps.  *out is malloc'd, sorted by start.  A line that
 * does not parse ends the list: -1 EINVAL with what came before kept.
 */
int maps_parse(char *text, size_t len, struct map **out, size_t *n);
/* The mapping that holds addr, or NULL. */
struct map *maps_find(struct map *, size_t n, uint64_t addr);
/* The first mapping that ends above addr (it may begin above it), or NULL. */
struct map *maps_above(struct map *, size_t n, uint64_t addr);
/* Memory of no file; "[anon:...]" is what a process called it (prctl(2)). */
int map_is_made(const struct map *);
/* A page of it that is not there is zeros. */
int map_begins_empty(const struct map *);
/* Whether dev of a map is that of a file (stat(2)). */
int map_dev_is(uint64_t dev, dev_t st_dev);
/* The file of a mapping, where it is mapped (map_files of proc(5)); a regular
 * one, by io_open_regular(). */
int map_open(int procfd, const struct map *);
/* The first half of that: whatever it is, by a descriptor that opens nothing.
 */
int map_find(int procfd, const struct map *);

#endif
