/*
 * json_check: a strict JSON reader (RFC 8259) for tests, apart from all that
 * src/ has.  The whole text must be one value and blanks; strings must be
 * UTF-8 without surrogates; leading zeros, trailing commas and control
 * characters are errors.
 */
#ifndef UNIT_JSON_CHECK_H
#define UNIT_JSON_CHECK_H

#include <stddef.h>

struct json_value {
	size_t start, end; /* offsets */
	int depth;	   /* containers around it */
	char kind;	   /* { [ " 0 t f n */
	size_t key;	   /* offset of its key's opening quote, or 0 */
};

struct json {
	const char *s;
	size_t len, pos;
	int bad;
	struct json_value *v; /* in the order in which they end */
	size_t n, cap;
};

/* How long the character is at s, 0 when that is none, by the definition:
 * decode, encode again, compare. */
size_t json_utf8(const unsigned char *s, size_t n);

/* 0 when it is all of one JSON value; j->v is the caller's to free. */
int json_check(struct json *j, const char *s, size_t len);

/* The first member `key' of the outermost object; NULL when there is none. */
const struct json_value *json_member(const struct json *j, const char *key);

#endif
