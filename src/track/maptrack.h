/*
 * maptrack: which files every process has mapped, known after it has gone.
 *
 * The kernel reports each executable mapping, exec, fork and exit through one
 * perf ring per CPU (perf_event_open(2): PERF_RECORD_MMAP2, COMM, FORK, EXIT);
 * what ran before comes from /proc/PID/maps.  The records of all CPUs are
 * sorted by time and entered in a book (track/mapbook.h) that remembers ended
 * processes, and what a process was before it called exec, for a while.
 * Where the kernel had to drop records, /proc is read again, bit by bit.
 *
 * How it goes with events (probe/segv_event.h):
 *
 *	poll both rings
 *	maptrack_drain(mt)		when maptrack_fd() is readable
 *	for each struct segv_event *ev
 *		maptrack_at(mt, ev->pid, ev->time, &view)
 *		... target_sample with view.maps, view.files ...
 *	maptrack_idle(mt, now)		now and then, at least once a second
 *
 * maptrack_at() drains by itself where the event is younger than the last
 * drain: whatever a process had mapped when its signal came stands in the
 * rings before the event does.
 *
 * Times are CLOCK_MONOTONIC in ns.  Pids are those of the pid namespace this
 * program lives in.  Not reported by the kernel, and so not known: munmap(2);
 * a later mapping replaces what it overlaps.  Names are hostile.
 */
#ifndef TRACK_MAPTRACK_H
#define TRACK_MAPTRACK_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "proc/maps.h"

struct maptrack;
struct modcache;
struct modfile;

enum {
	MAPTRACK_DATA = 1,  /* also what is not executable: many records */
	MAPTRACK_INODES = 2 /* files by device and inode, as before Linux 5.12;
			       else by build-id where they have one */
};

struct maptrack_opts {
	unsigned flags;
	size_t ring;		/* bytes per CPU; 0: 512 KiB, less for many */
	size_t wakeup;		/* readable from so many bytes on; 0: half */
	struct modcache *cache; /* where files are held open as long as some
				   process has them mapped; NULL: nowhere */
	const char *cpus;	/* file that lists the CPUs, NULL: sysfs's */
};

enum { MAPTRACK_ROOTS = 8 };

/* Points into the tracker: good until its next call. */
struct maptrack_view {
	struct map *maps; /* sorted; executable ones only, without DATA */
	size_t n;
	struct modfile **files; /* beside maps; NULL where there is none */
	/* in whose root directory (/proc/PID/root) a file may be found: the
	 * process and its forefathers, of which some may have gone too */
	pid_t roots[MAPTRACK_ROOTS];
	size_t nroots;
	const int *jitfd;   /* of its perf map (elf/perfmap.h); or NULL */
	uint64_t jitserial; /* of that; never used again */
	const char *exe;    /* as mapped; "" unknown */
	const char *comm;   /* of the leader; "" unknown */
	const char *doubt;  /* NULL, or why maps may be missing or stale */
};

struct maptrack_stats {
	uint64_t records, lost, rescans;
	unsigned cpus;		    /* rings that are open */
	size_t procs, files, bytes; /* in the book */
};

/*
 * Opens the rings, then reads /proc.  Without the right to do so (or without
 * perf events in this kernel) it works with /proc alone: *why then says the
 * reason (static text), else it is NULL.  NULL ENOMEM.
 */
struct maptrack *maptrack_open(const struct maptrack_opts *, const char **why);
void maptrack_close(struct maptrack *);
/* To poll for reading; -1 without rings. */
int maptrack_fd(const struct maptrack *);
/* Empties the rings; -1 with errno ENOMEM. */
int maptrack_drain(struct maptrack *);
/* The maps of a process at that time.  0, or -1 with errno: ESRCH nothing is
 * known of it (view->doubt then says why), ENOMEM. */
int maptrack_at(
    struct maptrack *, pid_t pid, uint64_t time, struct maptrack_view *);
/*
 * What can wait: enters what is drained, forgets the long dead, reads some
 * more of /proc after a loss (for 2 ms at most), opens rings for new CPUs.
 */
void maptrack_idle(struct maptrack *);
void maptrack_get_stats(const struct maptrack *, struct maptrack_stats *);

#endif
