/*
 * screen: lines for a terminal, tables, and the same as JSON or with tabs.
 *
 * What comes from outside goes through screen_printable() once: nothing but
 * printable ASCII and letters of UTF-8 is left of it.  All is gathered in
 * memory and leaves at the end; without memory nothing leaves, and failed says
 * so.
 */
#ifndef CRASHLOG_SCREEN_H
#define CRASHLOG_SCREEN_H

#include "base/io.h"

enum form { FORM_TABLE, FORM_JSON, FORM_TSV, FORM_LINE, FORMS };

struct screen {
	struct buf out;
	enum form form;
	int colour;
	unsigned columns; /* 0: any */
	int objects;	  /* JSON: those of the array so far */
	int members;	  /* and of the object */
	int failed;
	int raw; /* paths are to be opened, not looked at */
};

#define BOLD(s) ((s)->colour ? "\033[1m" : "")
#define RED(s) ((s)->colour ? "\033[31m" : "")
#define PLAIN(s) ((s)->colour ? "\033[0m" : "")

/* The form of that name; a table for NULL, FORMS for another. */
enum form screen_form(const char *name);
/* Each byte or character of s that moves a cursor, turns the direction of
 * writing or cannot be seen becomes "?", in place. */
void screen_printable(char *s, size_t n);
/* Whether s is a number as JSON has it, of 15 digits at most. */
int screen_number(const char *s);
/* How many bytes the first n characters have. */
size_t screen_bytes(const char *s, size_t n);
size_t screen_width(const char *s);

void
put(struct screen *, const char *, ...) __attribute__((format(printf, 2, 3)));
/* In so many columns at most, the last three are dots then; 0: as it is. */
void put_cut(struct screen *, const char *, size_t columns);
/*
 * All that comes from one descriptor to another, so that it is printable; ends
 * of lines and tabs stay.  -1 with errno.
 */
int screen_filter(int from, int to);
/* How many columns a bar may have: 40, or a fifth of a terminal's. */
size_t screen_bar(const struct screen *);
/* A bar, in one column more where it is to be filled up. */
void put_bar(struct screen *, size_t n, size_t most, int fill);

/* JSON: an array of objects, or one; "-" is left out, plain numbers are
 * numbers where that is asked for. */
void put_object(struct screen *);
void put_member(struct screen *, const char *name, const char *value, int num);
void put_quoted(struct screen *, const char *);
void put_end(struct screen *);

/* A row of cells with tabs between; a table of all those, with heads like
 * "SLOT:r WHEN": right-aligned, at most TABLE_COLS.  The rows are not
 * changed. */
enum { TABLE_COLS = 16 };
void put_table(
    struct screen *, const char *heads, const char *const *cell, size_t rows);

#endif
