#include "out/escape.h"

#include <string.h>

#include "base/bytes.h"

/*
 * Valid code points that do not show as what they are: C1 and format controls
 * (general category Cf, without the visible Arabic signs), separators that
 * end a line, fillers that are blank, variation selectors, noncharacters.
 * The last two of every plane are tested apart.
 */
static const struct {
	unsigned lo, hi;
} hidden[] = {
    {0x7f, 0x9f},	/* DEL, C1 */
    {0xad, 0xad},	/* soft hyphen */
    {0x34f, 0x34f},	/* combining grapheme joiner */
    {0x61c, 0x61c},	/* Arabic letter mark */
    {0x115f, 0x1160},	/* Hangul fillers */
    {0x17b4, 0x17b5},	/* Khmer inherent vowels */
    {0x180b, 0x180f},	/* Mongolian selectors and separator */
    {0x200b, 0x200f},	/* zero width, LRM, RLM */
    {0x2028, 0x202e},	/* line, paragraph; bidirectional embedding */
    {0x2060, 0x206f},	/* invisible operators, bidirectional isolates */
    {0x3164, 0x3164},	/* Hangul filler */
    {0xfdd0, 0xfdef},	/* noncharacters */
    {0xfe00, 0xfe0f},	/* variation selectors */
    {0xfeff, 0xfeff},	/* byte order mark */
    {0xffa0, 0xffa0},	/* halfwidth Hangul filler */
    {0xfff0, 0xfffb},	/* interlinear annotation */
    {0x1bca0, 0x1bca3}, /* shorthand format */
    {0x1d173, 0x1d17a}, /* musical format */
    {0xe0000, 0xe0fff}, /* tags, variation selectors */
};

int
escape_hidden(unsigned cp)
{
	size_t i;

	if ((cp & 0xfffe) == 0xfffe)
		return 1;
	for (i = 0; i < NELEM(hidden); i++)
		if (cp >= hidden[i].lo && cp <= hidden[i].hi)
			return 1;
	return 0;
}

size_t
escape_utf8(const unsigned char *s, size_t n, unsigned *cp)
{
	/* The second byte's range keeps out overlong forms (E0, F0),
	 * surrogates (ED) and what lies above U+10FFFF (F4). */
	unsigned lo = 0x80, hi = 0xbf, v;
	size_t len, i;

	if (n == 0)
		return 0;
	if (s[0] < 0x80) {
		*cp = s[0];
		return 1;
	} else if (s[0] >= 0xc2 && s[0] <= 0xdf) {
		len = 2;
		v = s[0] & 0x1f;
	} else if (s[0] >= 0xe0 && s[0] <= 0xef) {
		len = 3;
		v = s[0] & 0x0f;
		if (s[0] == 0xe0)
			lo = 0xa0;
		else if (s[0] == 0xed)
			hi = 0x9f;
	} else if (s[0] >= 0xf0 && s[0] <= 0xf4) {
		len = 4;
		v = s[0] & 0x07;
		if (s[0] == 0xf0)
			lo = 0x90;
		else if (s[0] == 0xf4)
			hi = 0x8f;
	} else {
		return 0;
	}
	if (n < len)
		return 0;
	for (i = 1; i < len; i++) {
		if (s[i] < lo || s[i] > hi)
			return 0;
		v = v << 6 | (s[i] & 0x3f);
		lo = 0x80;
		hi = 0xbf;
	}
	*cp = v;
	return len;
}

static int
escape_plain(unsigned char c)
{
	return c >= ' ' && c < 0x7f && c != '\\' && c != '"';
}

/* One byte that may not stay.  A JSON string needs a backslash of its own
 * before each backslash of the escaped form, and before a quote. */
static int
escape_byte(struct buf *b, unsigned char c, int json)
{
	static const char hex[] = "0123456789abcdef";
	char hexed[] = "\\\\x00";
	const char *t = hexed;

	hexed[3] = hex[c >> 4];
	hexed[4] = hex[c & 15];
	if (c == '"')
		t = "\\\"";
	else if (c == '\\')
		t = "\\\\\\\\";
	/* In text each form loses its leading half of backslashes. */
	if (!json)
		t += c == '\\' ? 2 : 1;
	return buf_append(b, t, strlen(t));
}

int
escape_append(struct buf *b, const void *data, size_t n, int json)
{
	const unsigned char *s = data;
	size_t i = 0, run, len;
	unsigned cp;

	while (i < n) {
		for (run = i; run < n; run += len) {
			if (escape_plain(s[run])) {
				len = 1;
				continue;
			}
			len = 0;
			if (s[run] >= 0x80)
				len = escape_utf8(s + run, n - run, &cp);
			if (len == 0 || escape_hidden(cp))
				break;
		}
		if (run > i && buf_append(b, s + i, run - i) == -1)
			return -1;
		/* A hidden character leaves byte by byte: what follows its
		 * first byte is no character of its own. */
		i = run;
		if (i < n && escape_byte(b, s[i++], json) == -1)
			return -1;
	}
	return 0;
}
