/*
 * out: one stream of calls, two renderings (text and JSON).
 *
 * All escaping of a report happens here, once.  Every string handed in is
 * hostile: a byte that is not part of printable UTF-8 (C0 and C1 controls,
 * DEL, bidirectional and other format controls, invalid sequences) leaves as
 * \xNN, a backslash as \\.  A JSON string holds exactly that escaped text, so
 * a value reads the same in both forms and JSON is always valid UTF-8.
 *
 * Text: "key: value" lines in column 0; a section is "name:" alone on a line,
 * its rows are indented, an empty line ends it.  JSON: one object.
 *
 * Each value has a lead, which rules its text form only:
 *   OUT_KEY   a line of its own, "key: value" (indented within a section)
 *   OUT_HIDE  not shown in text
 *   any other string is printed before the value, nothing after it; row ends
 *   and columns are made with out_text(), which JSON ignores.
 * Inside an out_arr() keys are NULL; a NULL string is null, in text "-"; a
 * bool is "yes" or "no" in text.  Hexadecimal numbers are strings in JSON
 * ("0x1f"), all others are numbers.
 *
 * Buffered; a flush happens only between rows, so that what has reached the
 * descriptor when the writer is killed is whole rows.  The first write error
 * sticks and is returned by out_finish().
 *
 * A feed (out_feed) is a sequence of records, each ended by out_record(): in
 * JSON an object alone on its line, in text whatever rows it has.  Only whole
 * records leave.
 */
#ifndef OUT_OUT_H
#define OUT_OUT_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

enum out_format { OUT_TEXT, OUT_JSON };

/* Containers nest so deep; what lies deeper is left out of JSON and makes
 * out_finish() fail with EOVERFLOW. */
enum { OUT_DEPTH_MAX = 64 };

struct out;

extern const char OUT_KEY[], OUT_HIDE[];

/* NULL with errno ENOMEM.  fd stays the caller's. */
struct out *out_new(int fd, enum out_format);
/* Ends whatever is open, writes the rest, frees.  -1 with the first errno if
 * any write failed, memory ran out, or out_end() had nothing to end (EINVAL);
 * after the first two nothing more is written. */
int out_finish(struct out *);
/* Writes what is there; call it between rows (of a feed: records) only.  -1
 * with the first errno once anything has failed. */
int out_flush(struct out *);
/* Bytes so far, those that wait among them. */
uint64_t out_bytes_made(const struct out *);
/* From the start: records instead of one report. */
void out_feed(struct out *);
/* What follows goes to another descriptor; flush before. */
void out_redirect(struct out *, int fd);
/* Ends a record.  -1 with the first errno once anything has failed. */
int out_record(struct out *);

void out_str(struct out *, const char *key, const char *lead, const char *);
void out_bytes(
    struct out *, const char *key, const char *lead, const void *, size_t);
/* printf-formatted, then escaped like any string. */
void out_fmt(struct out *, const char *key, const char *lead, const char *fmt,
    ...) __attribute__((format(printf, 4, 5)));
void out_u64(struct out *, const char *key, const char *lead, uint64_t);
void out_i64(struct out *, const char *key, const char *lead, int64_t);
/* width: at least so many digits in both forms; text shows "0x" only for
 * OUT_KEY values. */
void
out_hex(struct out *, const char *key, const char *lead, uint64_t, int width);
void out_bool(struct out *, const char *key, const char *lead, int);

/* Structure; in text these print nothing. */
void out_obj(struct out *, const char *key);
void out_arr(struct out *, const char *key);
void out_end(struct out *);
/* Trusted text (no escaping), text form only. */
void out_text(struct out *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
int out_is_text(const struct out *);

/*
 * A section.  out_title() says how the next one is called (a name that stays)
 * and prints nothing; out_section() is "name:\n" and opens the object or array
 * name ('{' or '['); out_section_end() closes it with all that is still open
 * within and ends the section in text.  Sections do not nest: a new one ends
 * the old.  out_unavailable() stands for a whole section that could not be
 * made: "name: unavailable: reason" and "name": {"unavailable": "reason"}.
 */
void out_title(struct out *, const char *name);
void out_section(struct out *, int kind);
void out_section_end(struct out *);
void out_unavailable(struct out *, const char *why);

/*
 * A bound for what follows: so many bytes from here, 0 none.  out_full() is to
 * be asked before each row of a list: when the bound is reached it adds a row
 * that says how many are left out, and is 1: there the list ends.
 */
void out_share(struct out *, uint64_t bytes);
int out_full(struct out *, uint64_t left);

/*
 * Ends a report whose writer died: fd holds whole rows and perhaps a torn
 * one.  JSON: cuts back to the last complete value, closes what is open and
 * adds "incomplete": reason to the outermost object; text: adds a line
 * "incomplete: reason".  An empty file becomes a report with that alone.
 * fd must be readable and seekable (EINVAL otherwise); nothing in the file is
 * trusted.  -1 with errno.
 */
int out_mend(int fd, enum out_format, const char *reason);

#endif
