/*
 * slots: the ring of report files.
 *
 * Owns the directory: reports `usercrash_00`, `usercrash_01` ..., 0640
 * root:adm, and hidden files: `.slots` (the lock, and one record per slot),
 * `.pub.KEY` (a whole report between link and rename), `.tmp.*` (reports being
 * written where the filesystem has no O_TMPFILE), `.ledger` (slots/ledger.h).
 *
 * A report has no name while it is written.  Publishing, under the lock:
 * link the file to `.pub.KEY`, pick the slot, note its new record, rename over
 * it.  So a reader sees the old report or the new one, whole;
 * and whoever is killed between any two steps leaves either nothing or a
 * `.pub.KEY`, which the next holder of the lock finishes.  The content is
 * fsync'ed first, outside the lock: no slot is ever torn by a power failure,
 * and many can sync at once.
 *
 * Server and client use this module alike.  -1 with errno; nothing is printed.
 * The directory's content is trusted no further than its permissions, and the
 * records not at all: one that is damaged, missing or about another inode
 * makes its slot "unknown", older than every known one, by modification time.
 */
#ifndef SLOTS_SLOTS_H
#define SLOTS_SLOTS_H

#include <stdint.h>

#define SLOTS_DIR "/var/log/usercrashes"
#define SLOTS_GROUP "adm"

enum {
	SLOTS_N = 50,
	SLOTS_MAX = 10000,    /* of n */
	SLOTS_NAME_MAX = 32,  /* "usercrash_9999" and a NUL, with room */
	SLOTS_MINFREE = 16,   /* MiB, at most, of FLOOR_SHARE */
	SLOTS_LOCK_MS = 10000 /* a sensible deadline for the calls below */
};

struct slots_cfg {
	const char *dir;
	unsigned n;	   /* 1 to SLOTS_MAX */
	unsigned share;	   /* of one program; 0: a quarter of n, at least 1 */
	uint64_t minfree;  /* bytes that stay free: base/floor.h */
	const char *group; /* owning group; root where it does not exist */
	int named;	   /* do as if there were no O_TMPFILE */
};

/* The defaults above. */
void slots_defaults(struct slots_cfg *);

/*
 * Opens the directory, which it makes (0750 root:group, not its parents) when
 * missing.  ELOOP or ENOTDIR: not a directory or a link to one; EPERM: not
 * ours, or others may write there.  The caller closes the descriptor.
 */
int slots_open(const struct slots_cfg *);

/*
 * A new report without a name, read-write, 0640 root:group whatever the umask
 * (0600 where the group cannot be set).  ENOSPC below the floor.  The caller
 * closes it, and with its last descriptor goes the file.  The deadline only
 * counts where there is no O_TMPFILE.
 */
int slots_tmp(int dirfd, const struct slots_cfg *, int64_t deadline);

/*
 * Gives the report on fd a slot and fills in its name: if the program `key`
 * has its share of the ring, the slot of its own oldest report, else the
 * lowest free slot, else the oldest.  Slots beyond n (from a larger ring) are
 * left alone.  A report that has a slot already keeps it, so this may be
 * repeated, also by another process with the same fd.  ENODATA: the report is
 * empty.  ETIMEDOUT: no lock.  EXDEV: fd is from another filesystem.  ESTALE:
 * it was published and has been evicted since.
 */
int slots_publish(int dirfd, int fd, const struct slots_cfg *, uint64_t key,
    int64_t deadline, char name[SLOTS_NAME_MAX]);

#endif
