/*
 * escape: hostile bytes into printable UTF-8; the only escaping of a report.
 *
 * Stays as it is: what is well-formed UTF-8 (Unicode 15, table 3-7) and no
 * control, format control, invisible filler, line separator or noncharacter.
 * A backslash leaves as \\, every other byte as \xNN.  The result is one
 * line, and the input can be had back from it.
 */
#ifndef OUT_ESCAPE_H
#define OUT_ESCAPE_H

#include <stddef.h>

#include "base/io.h"

/*
 * Appends the escaped form of s; with json set, as the inside of a JSON
 * string that holds that form.  -1 ENOMEM, the buffer is then partly longer.
 */
int escape_append(struct buf *, const void *s, size_t, int json);
/*
 * Length of the well-formed UTF-8 character at s (n bytes are there) and its
 * code point; 0 when there is none.
 */
size_t escape_utf8(const unsigned char *s, size_t n, unsigned *cp);
/* Whether that is one of those that do not stay, but for controls of ASCII. */
int escape_hidden(unsigned cp);

#endif
