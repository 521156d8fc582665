/* num: numbers parsed whole or not at all. */
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

#endif
