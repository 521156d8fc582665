#include "stream/streamtext.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/num.h"

static int
is_plain(unsigned char c)
{
	return c >= ' ' && c <= '~' && c != '\\';
}

static int
is_key(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
	    c == '_';
}

static int
hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/*
 * The character of a value at s, of which n bytes are there: its length and
 * *byte, 0 when more is needed, -1 when it is none.
 */
static int
character(const char *s, size_t n, unsigned char *byte)
{
	if (n == 0)
		return 0;
	if (*s != '\\') {
		*byte = (unsigned char)*s;
		return is_plain(*byte) ? 1 : -1;
	}
	if (n > 1 && s[1] != 'x')
		return -1;
	if ((n > 2 && hex(s[2]) == -1) || (n > 3 && hex(s[3]) == -1))
		return -1;
	if (n < 4)
		return 0;
	*byte = (unsigned char)(hex(s[2]) << 4 | hex(s[3]));
	return *byte != 0 ? 4 : -1;
}

int
streamtext_escape(struct buf *b, const void *value, size_t len, int blank)
{
	const unsigned char *s = value;
	char escaped[5];
	size_t from = 0, i;

	for (i = 0; i < len; i++) {
		if (is_plain(s[i]) && !(blank && s[i] == ' '))
			continue;
		snprintf(escaped, sizeof(escaped), "\\x%02x", s[i]);
		if (buf_append(b, s + from, i - from) == -1 ||
		    buf_append(b, escaped, 4) == -1)
			return -1;
		from = i + 1;
	}
	return buf_append(b, s + from, i - from);
}

ssize_t
streamtext_decode(const char *s, size_t len, char *out, size_t size)
{
	const char *end = s + len;
	unsigned char byte;
	size_t n = 0;
	int step;

	for (; s < end; s += step) {
		step = character(s, (size_t)(end - s), &byte);
		if (step <= 0)
			return fails(EPROTO);
		if (n + 1 >= size)
			return fails(EMSGSIZE);
		out[n++] = (char)byte;
	}
	out[n] = '\0';
	return (ssize_t)n;
}

int
streamtext_put(struct buf *b, const char *key, const void *value, size_t len)
{
	if (buf_append(b, key, strlen(key)) == -1 ||
	    buf_append(b, ": ", 2) == -1 ||
	    streamtext_escape(b, value, len, 0) == -1)
		return -1;
	return buf_append(b, "\n", 1);
}

int
streamtext_put_number(struct buf *b, const char *key, int64_t n)
{
	char text[24];
	int len = snprintf(text, sizeof(text), "%" PRId64, n);

	return streamtext_put(b, key, text, (size_t)len);
}

int
streamtext_next(const char **p, const char *end, struct streamtext_line *line)
{
	const char *s = *p;
	unsigned char byte;
	int step;

	line->key = s;
	while (s < end && is_key(*s))
		s++;
	line->keylen = (size_t)(s - *p);
	if (line->keylen > STREAMTEXT_KEY_MAX)
		return fails(EPROTO);
	if (s == end)
		return 0;
	line->value = s;
	line->len = 0;
	if (line->keylen == 0) {
		if (*s != '\n')
			return fails(EPROTO);
		*p = s + 1;
		return 1;
	}
	if (*s++ != ':')
		return fails(EPROTO);
	if (s == end)
		return 0;
	if (*s++ != ' ')
		return fails(EPROTO);
	line->value = s;
	for (; s < end && *s != '\n'; s += step) {
		step = character(s, (size_t)(end - s), &byte);
		if (step == -1)
			return fails(EPROTO);
		if (step == 0)
			return 0;
	}
	if (s == end)
		return 0;
	line->len = (size_t)(s - line->value);
	*p = s + 1;
	return 1;
}

int
streamtext_is(const struct streamtext_line *line, const char *key)
{
	return strlen(key) == line->keylen &&
	    memcmp(line->key, key, line->keylen) == 0;
}

int
streamtext_number(
    const struct streamtext_line *line, int base, uint64_t max, uint64_t *n)
{
	const char *rest, *end = line->value + line->len;
	uint64_t v;

	if (num_scan(line->value, end, base, &v, &rest) == -1 || rest != end ||
	    v > max)
		return fails(EPROTO);
	*n = v;
	return 0;
}
