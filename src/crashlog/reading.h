/*
 * reading: what crashlog_read(8) was told, and what it reads before its door is
 * shut, an action at a time.  What cannot be read is said, and ends it.
 */
#ifndef CRASHLOG_READING_H
#define CRASHLOG_READING_H

#include "base/utc.h"
#include "crashlog/show.h"

struct options {
	const char *command, *dir, *store, *cores, *form, *by, *frames, *user,
	    *next;
	char since[UTC_TEXT], until[UTC_TEXT];
	int one, all, colour;
	unsigned columns, most;
	struct pick pick;
};

struct reading;

struct action {
	const char *name;
	void (*read)(struct reading *), (*show)(struct reading *);
};

struct reading {
	const struct options *o;
	const struct action *action;
	struct rows rows, cores;
	struct buf notes, marks, text; /* ledger, or frames */
	size_t unread;		       /* reports */
	struct hit *hit;
	size_t hits;
	struct seen *seen;
	char mark[UTC_TEXT]; /* since when, and what that is called */
	const char *name;
	struct screen s;
	int code;
};

/* The time that word means, in text, or the end. */
void reading_time(const char *word, char text[UTC_TEXT]);

void read_reports(struct reading *);
void read_cores(struct reading *);
void read_both(struct reading *);
void read_top(struct reading *);
void read_since(struct reading *);
void read_info(struct reading *);
void read_time(struct reading *);

#endif
