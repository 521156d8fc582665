/* info: one screen about one report, as text or JSON. */
#ifndef CRASHLOG_INFO_H
#define CRASHLOG_INFO_H

#include "crashlog/pick.h"
#include "crashlog/screen.h"

enum { INFO_FRAMES = 16 }; /* that are shown, folded ones as one */

struct info {
	const struct row *row;
	const struct rows *all;
	int64_t now;
	const char *user;  /* name of its uid, or NULL */
	const char *store; /* where cores are kept, or NULL */
	const char *next;  /* what to do with a core: a command */
	/*
	 * Its frames with names and source lines, and a line "cause TEXT" for a
	 * reader: "NUMBER FUNCTION MODULE OWN FILE:LINE" a line, tabs between,
	 * OWN 1 for the program's own (frames.awk).  The text is changed.
	 */
	struct buf *frames;
};

void info_show(struct screen *, const struct info *);

#endif
