/*
 * rows: reports and cores as they are found, and what they say of themselves.
 *
 * What stands in a report is hostile: a worker wrote it, of a program that may
 * have wanted to crash.  So all is read first (find_*), of each file no more
 * than its keys and at most ROWS_HEAD; it is looked into (row_fill) when the
 * door is shut behind us (base/sandbox.h), and whatever a row says is printable
 * from then on.  The paths are those of a directory that is root's, or of
 * somebody's command line.  -1 with errno.
 */
#ifndef CRASHLOG_ROWS_H
#define CRASHLOG_ROWS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/io.h"

enum {
	ROWS_HEAD = 256 << 10,
	ROWS_LINES = 200,    /* of a report that are looked at */
	ROWS_NOTES = 1 << 20 /* bytes of .notes, and of other files beside it */
};

/* The keys of a report that are asked for, and what follows from them. */
enum col {
	TIME,
	HOST,
	PID,
	TID,
	THREAD,
	COMM,
	EXE,
	UID,
	SIGNAL,
	SIGNAL_NAME,
	CAUSE,
	SIGNATURE,
	PACKAGE,
	PACKAGE_VERSION,
	UNIT,
	USER_UNIT,
	CONTAINER,
	CONTAINER_RUNTIME,
	CONTAINER_HOST,
	POD,
	ABORT_MESSAGE,
	EXCEPTION,
	EXCEPTION_TEXT,
	FORMAT,
	KEYS,
	SLOT = KEYS,
	PROGRAM,  /* its name without the path */
	PACKAGED, /* name and version */
	COUNT,	  /* reports of the same signature */
	NOTE,
	PATH,
	CORE,
	MIB,
	STATE,
	COLS
};

struct row {
	const char *v[COLS]; /* "-" unknown; PATH and CORE as they are */
	int error;	     /* errno, when it cannot be read */
	uint64_t order; /* the newest has the greatest, by order and time */
	struct timespec mtime;
	struct buf head, info;
	char **own; /* what else is to be freed, as long as the row is there */
	size_t nown;
};

struct rows {
	struct row *row;
	size_t n;
};

/* The name of a column, as a report and JSON have it. */
extern const char *const col_name[COLS];

/* The reports of a ring, the newest first (slots/ring.h). */
int find_ring(struct rows *, const char *dir);
/* What a receiver's store has, by time of modification, the newest first:
 * cores or, where that is asked for, the reports that stand beside them. */
int find_store(struct rows *, const char *dir, int reports);
/* One file, behind those that are there, if it is a report: 1, else 0; -1: it
 * may not be read. */
int find_file(struct rows *, const char *path);
/* Appends the first max bytes of another regular file in dir, no link. */
int find_beside(const char *dir, const char *name, size_t max, struct buf *);

/* Fills in what a row says: of a report, or of a core. */
void row_fill(struct row *);
/* What depends on others: COUNT and, from the lines of a file .notes, which
 * must stay, NOTE. */
int rows_relate(struct rows *, struct buf *notes);
/* Whether it has a signature. */
int row_signed(const struct row *);
/* A string for v[] that goes with the row; "-" where there is none. */
const char *row_own(struct row *, char *);
/* Its paths become text that may be looked at, and opened no more. */
void row_show(struct row *);
void rows_free(struct rows *);

#endif
