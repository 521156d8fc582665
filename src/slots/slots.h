/*
 * slots: the ring of report files.
 *
 * Owns the directory: reports `usercrash_00`, `usercrash_01` ..., 0640
 * root:adm, and hidden files: `.slots` (the lock, and one record per slot),
 * `.pub.KEY.UID` (a whole report between link and rename), `.tmp.*` (reports
 * being written where the filesystem has no O_TMPFILE), `.ledger`
 * (slots/ledger.h).
 *
 * A report has no name while it is written.  Publishing, under the lock:
 * link the file to `.pub.KEY.UID`, pick the slot, note its new record, rename
 * over it.  So a reader sees the old report or the new one, whole; and whoever
 * is killed between any two steps leaves either nothing or a
 * `.pub.KEY.UID`, which the next holder of the lock finishes.  The content is
 * fsync'ed first, outside the lock: no slot is ever torn by a power failure,
 * and many can sync at once.
 *
 * Nobody has the ring for himself.  A program holds at most its share.  In a
 * full ring the oldest report of a user other than root who holds more than
 * half of it goes first; else the oldest of all, but root's go for nobody
 * else's as long as they are no more than half.  Bytes in all are shared alike.
 * Nor has anybody the log: of a program so many crashes in a minute are to be
 * told there, of a user other than root more, and the rest is counted.
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
	SLOTS_REPORT_MAX = 8, /* MiB */
	SLOTS_TOTAL = 256,    /* MiB */
	SLOTS_LINES_S = 60,   /* in so many seconds */
	SLOTS_LINES = 10,     /* lines of one program in the log */
	SLOTS_USER_LINES = 30,
	SLOTS_LATE_MS = 10000, /* then a report need not wait for the lock */
	SLOTS_LOCK_MS = 60000  /* a sensible deadline for the calls below */
};

struct slots_cfg {
	const char *dir;
	unsigned n;	    /* 1 to SLOTS_MAX */
	unsigned share;	    /* of one program; 0: a quarter of n, at least 1 */
	uint64_t minfree;   /* bytes that stay free: base/floor.h */
	uint64_t reportmax; /* bytes that a report may have */
	unsigned writers;   /* that may write one at once, at most */
	/* Bytes of all slots; 0: any number; at least twice reportmax. */
	uint64_t total;
	const char *group; /* owning group; root where it does not exist */
	int named;	   /* do as if there were no O_TMPFILE */
	int owner;	   /* whose crash it was may read it: slots/reader.h */
};

#define SLOTS_UID_UNKNOWN UINT32_MAX

enum slots_tell { SLOTS_TOLD, SLOTS_TOLD_LAST, SLOTS_COUNTED };

/* A report's place: whose it is, and what became of it. */
struct slots_entry {
	uint64_t key; /* same for all crashes of one program */
	uint32_t uid; /* whose crash it was */
	char name[SLOTS_NAME_MAX];
	/* Whether the log is to be told; SLOTS_TOLD_LAST: the next ones of this
	 * minute are only counted. */
	enum slots_tell tell;
	uint64_t quiet; /* of the user, how many were only counted before */
};

/* The defaults above. */
void slots_defaults(struct slots_cfg *);

/*
 * Opens the directory, which it makes (0750 root:group, not its parents) when
 * missing, and opens to all eyes for owner.  ELOOP or ENOTDIR: not a directory
 * or a link to one; EPERM: not ours, or others may write there.  The caller
 * closes the descriptor.
 */
int slots_open(const struct slots_cfg *);

/*
 * A new report without a name, read-write, 0640 root:group whatever the umask
 * (0600 where the group cannot be set).  ENOSPC below the floor, reportmax
 * counted, which is reserved for it where the filesystem can do that.  The
 * caller closes it, and with its last descriptor goes the file.  The deadline
 * only counts where there is no O_TMPFILE.
 */
int slots_tmp(int dirfd, const struct slots_cfg *, int64_t deadline);

/*
 * Gives the report on fd a slot and fills in the entry: if its program has its
 * share of the ring, the slot of its own oldest report, else the lowest free
 * slot, else that of one that has to go, as above; and removes what is too much
 * in bytes.  Slots beyond n (from a larger ring) are
 * left alone.  A report that has a slot already keeps it, so this may be
 * repeated, also by another process with the same fd.  Where the
 * lock is not to be had for SLOTS_LATE_MS the name is that of a `.pub.KEY.UID`:
 * whoever has it next gives that its slot.  ENODATA: the report is
 * empty.  ETIMEDOUT: no lock, and another such report waits already.  EXDEV: fd
 * is from another filesystem.  ESTALE: it was published and has been evicted
 * since.
 */
int slots_publish(int dirfd, int fd, const struct slots_cfg *, int64_t deadline,
    struct slots_entry *);

/* What the log has been, or will be, spared of: the end of its line. */
void slots_told(const struct slots_entry *, long uid, char text[128]);

#endif
