/*
 * streamtext: the lines "key: value" of the core stream.
 *
 * Its header, the end of a stream and the receiver's notes are made of them.
 * A key has 1 to 32 lower-case letters, digits, '-' and '_'; a colon and one
 * blank follow.  The value is printable ASCII to the end of the line; any
 * other byte, and the backslash, is \xNN.  An escape may stand for any byte
 * but NUL.  Hostile: all that is parsed.
 */
#ifndef STREAM_STREAMTEXT_H
#define STREAM_STREAMTEXT_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/io.h"

enum { STREAMTEXT_KEY_MAX = 32 };

/* Appends the escaped form of a value; with blank set, blanks as \x20 too. */
int streamtext_escape(struct buf *, const void *, size_t len, int blank);
/*
 * The bytes that [s, s + len) stands for, and a NUL: at most size with it.
 * Their number; -1 EPROTO when it is garbled, EMSGSIZE when there are more.
 */
ssize_t streamtext_decode(const char *s, size_t len, char *out, size_t size);

/* Appends a line, whose value is escaped; or a number. */
int streamtext_put(struct buf *, const char *key, const void *, size_t len);
int streamtext_put_number(struct buf *, const char *key, int64_t);

struct streamtext_line { /* in the text's memory; keylen 0: a blank line */
	const char *key, *value;
	size_t keylen, len;
};

/*
 * Parses the line at *p and sets *p behind it: 1.  0: its newline is not among
 * the bytes up to end.  -1 EPROTO as soon as they cannot become a line.
 */
int streamtext_next(const char **p, const char *end, struct streamtext_line *);
/* Has the line that key? */
int streamtext_is(const struct streamtext_line *, const char *key);
/* The number, at most max, that is all of its value; -1 EPROTO. */
int streamtext_number(
    const struct streamtext_line *, int base, uint64_t max, uint64_t *);

#endif
