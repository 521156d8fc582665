/* num: numbers parsed whole or not at all, and written by hand. */
#ifndef BASE_NUM_H
#define BASE_NUM_H

#include <stdint.h>

/*
 * Parses all of s as an unsigned number of the given base (10, or 16 without
 * prefix).  No sign, no blanks.  -1 EINVAL when anything else stands there,
 * -1 ERANGE outside [min, max]; *out is then untouched.
 */
int num_u64(const char *s, int base, uint64_t min, uint64_t max, uint64_t *out);
/* The same for the bytes [s, end); *rest is set behind the digits. */
int num_scan(
    const char *s, const char *end, int base, uint64_t *out, const char **rest);
/*
 * The digits of v right before end, at least width of them, lower case, no
 * NUL; where they begin.  There must be room: 64 digits, or width.  By hand:
 * a report of 200 threads has 10,000 numbers, and printf(3) took a third of
 * the time of making it.
 */
char *num_digits(char *end, uint64_t v, unsigned base, int width);

#endif
