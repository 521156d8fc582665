#include "json_check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void json_value(struct json *j, int depth, size_t key);

static int
json_peek(struct json *j)
{
	return j->pos < j->len ? (unsigned char)j->s[j->pos] : -1;
}

static void
json_blank(struct json *j)
{
	while (j->pos < j->len && strchr(" \t\r\n", j->s[j->pos]) != NULL &&
	    j->s[j->pos] != '\0')
		j->pos++;
}

static void
json_need(struct json *j, char c)
{
	if (json_peek(j) != (unsigned char)c)
		j->bad = 1;
	else
		j->pos++;
}

size_t
json_utf8(const unsigned char *s, size_t n)
{
	unsigned char back[4];
	unsigned long cp;
	size_t len, i;

	if (n == 0 || s[0] < 0x80)
		return n != 0;
	len = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
	if (s[0] < 0xc0 || s[0] > 0xf7 || n < len)
		return 0;
	cp = s[0] & (0x7fu >> len);
	for (i = 1; i < len; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		cp = cp << 6 | (s[i] & 0x3f);
	}
	if (cp > 0x10ffff || (cp >= 0xd800 && cp <= 0xdfff))
		return 0;
	for (i = len - 1; i > 0; i--) {
		back[i] = (unsigned char)(0x80 | (cp & 0x3f));
		cp >>= 6;
	}
	back[0] = (unsigned char)((0xf00u >> len & 0xf0) | cp);
	/* the shortest form only */
	if ((len == 2 && s[0] < 0xc2) ||
	    (len == 3 && s[0] == 0xe0 && s[1] < 0xa0) ||
	    (len == 4 && s[0] == 0xf0 && s[1] < 0x90))
		return 0;
	return memcmp(s, back, len) == 0 ? len : 0;
}

static void
json_string(struct json *j)
{
	int c, i;
	size_t n;

	json_need(j, '"');
	while (!j->bad && (c = json_peek(j)) != '"') {
		if (c < 0x20) {
			j->bad = 1;
		} else if (c == '\\') {
			j->pos++;
			c = json_peek(j);
			if (c <= 0 || strchr("\"\\/bfnrtu", c) == NULL)
				j->bad = 1;
			j->pos++;
			for (i = 0; c == 'u' && i < 4; i++, j->pos++)
				if (json_peek(j) <= 0 ||
				    strchr("0123456789abcdefABCDEF",
					json_peek(j)) == NULL)
					j->bad = 1;
		} else {
			n = json_utf8((const unsigned char *)j->s + j->pos,
			    j->len - j->pos);
			if (n == 0)
				j->bad = 1;
			j->pos += n;
		}
	}
	json_need(j, '"');
}

static void
json_digits(struct json *j)
{
	size_t from = j->pos;

	while (json_peek(j) >= '0' && json_peek(j) <= '9')
		j->pos++;
	if (j->pos == from)
		j->bad = 1;
}

static void
json_number(struct json *j)
{
	if (json_peek(j) == '-')
		j->pos++;
	if (json_peek(j) == '0')
		j->pos++;
	else
		json_digits(j);
	if (json_peek(j) == '.') {
		j->pos++;
		json_digits(j);
	}
	if (json_peek(j) == 'e' || json_peek(j) == 'E') {
		j->pos++;
		if (json_peek(j) == '+' || json_peek(j) == '-')
			j->pos++;
		json_digits(j);
	}
}

static void
json_word(struct json *j, const char *word)
{
	for (; *word != '\0'; word++)
		json_need(j, *word);
}

static void
json_container(struct json *j, int depth, int object)
{
	size_t key = 0;

	j->pos++;
	json_blank(j);
	if (json_peek(j) == (object ? '}' : ']')) {
		j->pos++;
		return;
	}
	while (!j->bad) {
		json_blank(j);
		if (object) {
			key = j->pos;
			json_string(j);
			json_blank(j);
			json_need(j, ':');
		}
		json_value(j, depth + 1, key);
		json_blank(j);
		if (json_peek(j) != ',')
			break;
		j->pos++;
	}
	json_need(j, object ? '}' : ']');
}

static void
json_value(struct json *j, int depth, size_t key)
{
	struct json_value v = {.depth = depth, .key = key};
	int c;

	json_blank(j);
	if (j->bad || depth > 10000 || (c = json_peek(j)) == -1) {
		j->bad = 1;
		return;
	}
	v.start = j->pos;
	v.kind = (char)c;
	if (c == '{' || c == '[')
		json_container(j, depth, c == '{');
	else if (c == '"')
		json_string(j);
	else if (c == 't' || c == 'f' || c == 'n')
		json_word(j, c == 't' ? "true" : c == 'f' ? "false" : "null");
	else
		json_number(j);
	v.end = j->pos;
	if (j->n == j->cap) {
		j->cap = j->cap ? j->cap * 2 : 64;
		j->v = realloc(j->v, j->cap * sizeof(*j->v));
		if (j->v == NULL)
			abort();
	}
	j->v[j->n++] = v;
}

int
json_check(struct json *j, const char *s, size_t len)
{
	memset(j, 0, sizeof(*j));
	j->s = s;
	j->len = len;
	json_value(j, 0, 0);
	json_blank(j);
	return !j->bad && j->pos == len ? 0 : -1;
}

const struct json_value *
json_member(const struct json *j, const char *key)
{
	size_t i, len = strlen(key);

	for (i = 0; i < j->n; i++)
		if (j->v[i].depth == 1 && j->v[i].key != 0 &&
		    strncmp(j->s + j->v[i].key + 1, key, len) == 0 &&
		    j->s[j->v[i].key + 1 + len] == '"')
			return &j->v[i];
	return NULL;
}
