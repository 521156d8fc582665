#include "crashlog/screen.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "out/escape.h"

enum { BAR = 40, CELL = 20, NUMBER_MAX = 15, FILTER = 1 << 18 };

enum form
screen_form(const char *name)
{
	static const char *const names[FORMS] = {
	    "table", "json", "tsv", "line"};
	int i = 0;

	while (name != NULL && i < FORMS && strcmp(name, names[i]) != 0)
		i++;
	return (enum form)i;
}

void
screen_printable(char *s, size_t n)
{
	const unsigned char *p = (unsigned char *)s, *end = p + n;
	unsigned cp;
	size_t len;

	while (p < end) {
		len = escape_utf8(p, (size_t)(end - p), &cp);
		if (len == 0 || cp < ' ' || escape_hidden(cp)) {
			*s++ = '?';
			p += len == 0 ? 1 : len;
			continue;
		}
		memmove(s, p, len);
		s += len;
		p += len;
	}
	*s = '\0';
}

/* Printable, what stands between tabs and ends of lines; n bytes and room for a
 * NUL.  How many are left. */
static size_t
filter(char *s, size_t n)
{
	char *begin = s, *end = s + n, *p, *out = s, c;

	for (; s < end; s = p + 1) {
		for (p = s; p < end && *p != '\n' && *p != '\t'; p++)
			continue;
		c = *p;
		screen_printable(s, (size_t)(p - s));
		n = strlen(s);
		memmove(out, s, n);
		out += n;
		if (p < end)
			*out++ = c;
	}
	return (size_t)(out - begin);
}

int
screen_filter(int from, int to)
{
	static char b[FILTER + 1];
	size_t have = 0, n;
	char *nl, tail;
	ssize_t got;

	while ((got = io_read_full(from, b + have, FILTER - have)) > 0) {
		have += (size_t)got;
		/* whole lines, and one that is too long as it comes */
		nl = have < FILTER ? NULL : memrchr(b, '\n', have);
		n = nl == NULL ? have : (size_t)(nl + 1 - b);
		have -= n;
		tail = b[n]; /* which becomes a NUL */
		if (io_write_full(to, b, filter(b, n)) == -1)
			return -1;
		b[n] = tail;
		memmove(b, b + n, have);
	}
	return (int)got;
}

int
screen_number(const char *s)
{
	size_t n = strspn(s, "0123456789");

	if (n == 0 || n > NUMBER_MAX || (*s == '0' && n != 1))
		return 0;
	s += n;
	if (*s == '.' && s[1] != '\0')
		s += 1 + strspn(s + 1, "0123456789");
	return *s == '\0';
}

size_t
screen_bytes(const char *s, size_t n)
{
	size_t i;

	for (i = 0; s[i] != '\0'; i++)
		if (((unsigned char)s[i] & 0xc0) != 0x80 && n-- == 0)
			break;
	return i;
}

size_t
screen_width(const char *s)
{
	size_t n = 0;

	for (; *s != '\0'; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

static void
put_bytes(struct screen *s, const char *p, size_t n)
{
	if (buf_append(&s->out, p, n) == -1)
		s->failed = 1;
}

void
put(struct screen *s, const char *fmt, ...)
{
	va_list ap;
	char *p;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&p, fmt, ap);
	va_end(ap);
	if (n == -1) {
		s->failed = 1;
		return;
	}
	put_bytes(s, p, (size_t)n);
	free(p);
}

void
put_cut(struct screen *s, const char *p, size_t columns)
{
	size_t n = strlen(p);

	if (columns > 3 && screen_width(p) > columns) {
		put_bytes(s, p, screen_bytes(p, columns - 3));
		p = "...";
		n = 3;
	}
	put_bytes(s, p, n);
}

static void
put_blanks(struct screen *s, size_t n)
{
	put(s, "%*s", (int)n, "");
}

size_t
screen_bar(const struct screen *s)
{
	return s->columns == 0 || s->columns > BAR * 5 ? BAR : s->columns / 5;
}

void
put_bar(struct screen *s, size_t n, size_t most, int fill)
{
	size_t bar = screen_bar(s), len = (n * 2 * bar + most) / (2 * most);

	if (len == 0)
		len = 1;
	put(s, "%s", RED(s));
	for (size_t i = 0; i < len; i++)
		put_bytes(s, "#", 1);
	put(s, "%s", PLAIN(s));
	if (fill)
		put_blanks(s, bar + 1 - len);
}

void
put_quoted(struct screen *s, const char *p)
{
	size_t n;

	put_bytes(s, "\"", 1);
	for (; *p != '\0'; p += n) {
		n = strcspn(p, "\"\\");
		put_bytes(s, p, n);
		if (p[n] != '\0') {
			put_bytes(s, "\\", 1);
			put_bytes(s, p + n++, 1);
		}
	}
	put_bytes(s, "\"", 1);
}

void
put_object(struct screen *s)
{
	put(s, "%s {", s->objects++ > 0 ? "},\n" : "[\n");
	s->members = 0;
}

void
put_member(struct screen *s, const char *name, const char *value, int num)
{
	if (value == NULL || strcmp(value, "-") == 0)
		return;
	put(s, "%s\"%s\": ", s->members++ > 0 ? ", " : "", name);
	if (num && screen_number(value))
		put(s, "%s", value);
	else
		put_quoted(s, value);
}

void
put_end(struct screen *s)
{
	put(s, s->objects > 0 ? "}\n]\n" : "[]\n");
}

static void
put_row(struct screen *s, const char *const *cell, const size_t *wide,
    const char *right, size_t n)
{
	struct screen line = {.colour = 0};
	size_t pad, w;

	for (size_t i = 0; i < n; i++) {
		w = screen_width(cell[i]);
		pad = w < wide[i] ? wide[i] - w : 0;
		put(&line, "%s", i > 0 ? "  " : "");
		if (right[i])
			put_blanks(&line, pad);
		put_cut(&line, cell[i], i < n - 1 ? wide[i] : 0);
		if (!right[i] && i < n - 1)
			put_blanks(&line, pad);
	}
	if (line.failed || line.out.p == NULL)
		s->failed = 1;
	else
		put_cut(s, line.out.p, s->columns);
	buf_free(&line.out);
}

void
put_table(
    struct screen *s, const char *heads, const char *const *cell, size_t rows)
{
	const char *head[TABLE_COLS];
	char text[256], right[TABLE_COLS] = "", *colon, *p, *save = NULL;
	size_t wide[TABLE_COLS], n = 0, w;

	snprintf(text, sizeof(text), "%s", heads);
	for (p = strtok_r(text, " ", &save); p != NULL && n < TABLE_COLS;
	     p = strtok_r(NULL, " ", &save)) {
		colon = strchr(p, ':');
		right[n] = colon != NULL;
		if (colon != NULL)
			*colon = '\0';
		wide[n] = strlen(p);
		head[n++] = p;
	}
	if (rows == 0)
		return;
	for (size_t i = 0; i < rows * n; i++) {
		w = screen_width(cell[i]);
		/* one long name leaves no room for what stands behind it */
		if (s->columns > 0 && w > CELL && i % n < n - 1)
			w = CELL;
		if (w > wide[i % n])
			wide[i % n] = w;
	}
	put(s, "%s", BOLD(s));
	put_row(s, head, wide, right, n);
	put(s, "%s\n", PLAIN(s));
	for (size_t i = 0; i < rows; i++) {
		put_row(s, cell + i * n, wide, right, n);
		put(s, "\n");
	}
}
