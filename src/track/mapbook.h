/*
 * mapbook: what perf records say about processes, kept in order.
 *
 * Takes decoded records and lists of mappings, reads no perf and no /proc.
 * A process that calls exec ends one entry and begins another; entries that
 * have ended are kept for a while, so a late question about an earlier time
 * still finds its answer.  A child shares its parent's mappings until one of
 * the two maps something.
 *
 * Bounded: at most so many ended entries, and so many bytes in all; beyond
 * that ended ones go first, and then mappings are no longer entered (their
 * space is marked incomplete).
 *
 * A leader's exit does not end a process whose other threads run on, and the
 * kernel reports threads one by one: an entry that ended is asked for with
 * the alive hook before it is let go.
 */
#ifndef TRACK_MAPBOOK_H
#define TRACK_MAPBOOK_H

#include "proc/procscan.h"
#include "track/mapspace.h"
#include "track/perfrec.h"

enum { MAPBOOK_COMM = 16 };

struct mapproc {
	pid_t pid, ppid; /* ppid 0: unknown */
	uint64_t since;	 /* when it was made, or exec'd; 0 before we began */
	uint64_t ended;	 /* 0: it has not */
	uint64_t synced; /* when its mappings were last read from /proc */
	int unfounded;	 /* begun in the middle: what it had is not known */
	struct mapspace *space;
	struct mapfile *exe; /* the first file mapped after exec; or NULL */
	char comm[MAPBOOK_COMM + 1]; /* "": unknown */

	/* private to mapbook.c */
	struct mapproc *next;	      /* in the bucket: younger ones first */
	struct mapproc *later, *prev; /* by time of ending */
	uint64_t queued;
};

struct mapbook_opts {
	uint64_t keep_ns; /* how long ended entries stay */
	size_t ended_max; /* how many of them */
	size_t bytes_max; /* all together */
	/* a mapping was entered: whose, of which file */
	void (*mapped)(void *ctx, const struct mapproc *, struct mapfile *,
	    const struct map *);
	void (*unmapped)(void *ctx, struct mapfile *); /* no process has now */
	int (*alive)(void *ctx, pid_t);
	void *ctx;
};

struct mapbook;

struct mapbook *mapbook_new(const struct mapbook_opts *); /* NULL ENOMEM */
void mapbook_free(struct mapbook *);
/* Enters a record; those of other CPUs in order of time.  -1 ENOMEM. */
int mapbook_apply(struct mapbook *, const struct perfrec *);
/*
 * Enters what /proc said of a running process at that time, in place of what
 * was known; copied.  -1 ENOMEM.
 */
int mapbook_seed(struct mapbook *, const struct procseen *, uint64_t time);
/* The entry for a process at that time, or NULL; good until the next call. */
const struct mapproc *mapbook_find(struct mapbook *, pid_t, uint64_t time);
/* Records were lost, somewhen between the two times. */
void mapbook_lost(struct mapbook *, uint64_t from, uint64_t to);
/* Whether an entry may be wrong about that time: records were lost before it,
 * and the entry is older than the loss and was not synced since. */
int
mapbook_doubtful(const struct mapbook *, const struct mapproc *, uint64_t time);
/* Ends running entries that are older than time, not synced since, and whose
 * process is not alive: after /proc was read from end to end. */
void mapbook_sweep(struct mapbook *, uint64_t time, uint64_t now);
/* Lets go what ended long ago. */
void mapbook_expire(struct mapbook *, uint64_t now);

struct mapbook_stats {
	size_t procs, ended, files, bytes;
	uint64_t refused; /* mappings not entered for want of room */
};
void mapbook_get_stats(const struct mapbook *, struct mapbook_stats *);

#endif
