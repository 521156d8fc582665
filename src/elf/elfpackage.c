#include "elf/elfpackage.h"

#include <string.h>

#include "elf/elfsym.h"

enum { DEPTH_MAX = 16 };
#define NT_PACKAGE 0xcafe1a7e

const char *const elf_package_key[PACKAGE_FIELDS] = {[PACKAGE_NAME] = "name",
    [PACKAGE_VERSION] = "version",
    [PACKAGE_TYPE] = "type",
    [PACKAGE_OS] = "os",
    [PACKAGE_OS_VERSION] = "osVersion",
    [PACKAGE_ARCH] = "architecture",
    [PACKAGE_DEBUGINFO] = "debugInfoUrl"};

/* What is left of a JSON text (RFC 8259). */
struct json {
	const char *p, *end;
};

/* The next character that is no blank, 0 at the end; it stays. */
static char
peek(struct json *j)
{
	while (
	    j->p < j->end && *j->p != '\0' && strchr(" \t\r\n", *j->p) != NULL)
		j->p++;
	return j->p < j->end ? *j->p : '\0';
}

static int
take(struct json *j, char c)
{
	if (peek(j) != c)
		return 0;
	j->p++;
	return 1;
}

/* Four hexadecimal digits, -1. */
static long
take_unit(struct json *j)
{
	static const char digits[] = "0123456789abcdef";
	const char *d;
	long v = 0;
	int i;

	if (j->end - j->p < 4)
		return -1;
	for (i = 0; i < 4; i++) {
		d = *j->p != '\0' ? strchr(digits, *j->p | 0x20) : NULL;
		if (d == NULL)
			return -1;
		v = v << 4 | (d - digits);
		j->p++;
	}
	return v;
}

/* \uXXXX, two of them for what is beyond 0xffff, as UTF-8: its length, or -1.
 * Behind the 'u'. */
static int
take_code(struct json *j, char utf8[4])
{
	long c = take_unit(j), low;

	if (c >= 0xd800 && c < 0xdc00) {
		if (j->end - j->p < 6 || j->p[0] != '\\' || j->p[1] != 'u')
			return -1;
		j->p += 2;
		low = take_unit(j);
		if (low < 0xdc00 || low > 0xdfff)
			return -1;
		c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
		utf8[0] = (char)(0xf0 | c >> 18);
		utf8[1] = (char)(0x80 | (c >> 12 & 0x3f));
		utf8[2] = (char)(0x80 | (c >> 6 & 0x3f));
		utf8[3] = (char)(0x80 | (c & 0x3f));
		return 4;
	}
	if (c < 1 || (c >= 0xdc00 && c < 0xe000))
		return -1;
	if (c < 0x80) {
		utf8[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		utf8[0] = (char)(0xc0 | c >> 6);
		utf8[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	utf8[0] = (char)(0xe0 | c >> 12);
	utf8[1] = (char)(0x80 | (c >> 6 & 0x3f));
	utf8[2] = (char)(0x80 | (c & 0x3f));
	return 3;
}

/* One character of a string, as bytes: how many, or -1. */
static int
take_char(struct json *j, char out[4])
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const char *at;

	out[0] = *j->p++;
	if (out[0] != '\\')
		return (unsigned char)out[0] < 0x20 ? -1 : 1;
	if (j->p == j->end)
		return -1;
	if (*j->p == 'u') {
		j->p++;
		return take_code(j, out);
	}
	at = *j->p != '\0' ? strchr(from, *j->p) : NULL;
	if (at == NULL)
		return -1;
	j->p++;
	out[0] = to[at - from];
	return 1;
}

/* A string, cut to what fits; 0 when there is none that ends. */
static int
take_string(struct json *j, char out[PACKAGE_VALUE])
{
	size_t n = 0;
	char c[4];
	int len, cut = 0;

	if (!take(j, '"'))
		return 0;
	while (j->p < j->end && *j->p != '"') {
		len = take_char(j, c);
		if (len == -1)
			return 0;
		cut |= n + (size_t)len > PACKAGE_VALUE - 4;
		if (!cut) {
			memcpy(out + n, c, (size_t)len);
			n += (size_t)len;
		}
	}
	strcpy(out + n, cut ? "..." : "");
	return take(j, '"');
}

/* Any other value, with what is nested in it. */
static int
pass_value(struct json *j)
{
	char text[PACKAGE_VALUE], c;
	int depth = 0;

	do {
		c = peek(j);
		if (c == '"') {
			if (!take_string(j, text))
				return 0;
			continue;
		}
		if (c == '\0' || (depth == 0 && strchr(",:}]", c) != NULL))
			return 0;
		j->p++;
		if (c == '{' || c == '[')
			depth++;
		else if (c == '}' || c == ']')
			depth--;
		else if (depth == 0) /* a number, true, false, null */
			while (j->p < j->end && *j->p != '\0' &&
			    strchr(",}] \t\r\n", *j->p) == NULL)
				j->p++;
	} while (depth > 0 && depth <= DEPTH_MAX);
	return depth == 0;
}

static int
take_member(struct json *j, struct elf_package *k)
{
	char key[PACKAGE_VALUE];
	size_t i;

	if (!take_string(j, key) || !take(j, ':'))
		return 0;
	for (i = 0; i < PACKAGE_FIELDS; i++)
		if (strcmp(key, elf_package_key[i]) == 0 && peek(j) == '"')
			return take_string(j, k->value[i]);
	return pass_value(j);
}

int
elf_note_package(const void *notes, size_t len, struct elf_package *k)
{
	size_t n;
	const char *text = elf_note(notes, len, "FDO", NT_PACKAGE, &n);
	struct json j;
	int ok;

	memset(k, 0, sizeof(*k));
	if (text == NULL)
		return 0;
	j = (struct json){text, text + n};
	ok = take(&j, '{');
	while (ok && peek(&j) != '}') {
		ok = take_member(&j, k);
		if (ok && peek(&j) != '}')
			ok = take(&j, ',') && peek(&j) == '"';
	}
	/* padding and a NUL may follow */
	ok = ok && take(&j, '}') && peek(&j) == '\0' &&
	    k->value[PACKAGE_NAME][0] != '\0';
	if (!ok)
		memset(k, 0, sizeof(*k));
	return ok;
}
