#include "out/out.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "out/escape.h"
#include "out/out_impl.h"

/*
 * Rows collect in a heap buffer.  Whenever a row has just ended (in text the
 * buffer ends in a newline; in JSON a container, a member of the outermost
 * object or an element of an array is complete) and OUT_FLUSH bytes are
 * there, they go out in one write.
 *
 * JSON layout: members of the outermost object and containers within an array
 * begin a line, everything else follows on it.
 */
enum { OUT_DIGITS = 64 };

const char OUT_KEY[] = "key", OUT_HIDE[] = "hide";

static void
out_fail(struct out *o, int err, int dead)
{
	if (o->err == 0)
		o->err = err;
	if (dead) {
		o->dead = 1;
		o->b.len = 0;
	}
}

static void
out_raw(struct out *o, const char *s, size_t n)
{
	if (o->dead || n == 0)
		return;
	if (buf_append(&o->b, s, n) == -1)
		out_fail(o, errno, 1);
	else
		o->midline = s[n - 1] != '\n';
}

void
out_puts(struct out *o, const char *s)
{
	out_raw(o, s, strlen(s));
}

void
out_escaped(struct out *o, const void *s, size_t n)
{
	if (o->dead || n == 0)
		return;
	if (escape_append(&o->b, s, n, o->json) == -1)
		out_fail(o, errno, 1);
	else
		o->midline = 1;
}

void
out_row(struct out *o)
{
	if (o->b.len >= OUT_FLUSH && !o->feed)
		out_flush(o);
}

int
out_flush(struct out *o)
{
	int saved = errno;

	if (!o->dead && io_write_full(o->fd, o->b.p, o->b.len) == -1)
		out_fail(o, errno, 1);
	o->gone += o->b.len;
	o->b.len = 0;
	errno = o->err != 0 ? o->err : saved;
	return o->err != 0 ? -1 : 0;
}

uint64_t
out_bytes_made(const struct out *o)
{
	return o->gone + o->b.len;
}

struct out *
out_new(int fd, enum out_format format)
{
	struct out *o = calloc(1, sizeof(*o));

	if (o == NULL)
		return NULL;
	/* One row rarely needs more than this beyond a full buffer. */
	if (buf_reserve(&o->b, OUT_FLUSH + 4096) == -1) {
		free(o);
		errno = ENOMEM;
		return NULL;
	}
	o->fd = fd;
	o->json = format == OUT_JSON;
	o->section = -1;
	o->title = "";
	o->kind[0] = '{';
	return o;
}

/* What stands before a value in JSON: comma, line, key. */
static void
json_lead(struct out *o, const char *key, int container)
{
	int i;

	if (!o->begun) {
		out_puts(o, "{");
		o->begun = 1;
	}
	if (o->n[o->level]++ > 0)
		out_puts(o, ",");
	if (!o->feed &&
	    (o->level == 0 || (container && o->kind[o->level] == '['))) {
		out_puts(o, "\n");
		for (i = 0; i < o->level; i++)
			out_puts(o, " ");
	} else if (o->n[o->level] > 1) {
		out_puts(o, " ");
	}
	if (o->kind[o->level] == '[')
		return;
	out_puts(o, "\"");
	out_escaped(o, key, key == NULL ? 0 : strlen(key));
	out_puts(o, "\": ");
}

void
json_open(struct out *o, const char *key, char kind)
{
	if (o->toodeep > 0 || o->level == OUT_DEPTH_MAX) {
		o->toodeep++;
		out_fail(o, EOVERFLOW, 0);
		return;
	}
	json_lead(o, key, 1);
	out_raw(o, &kind, 1);
	o->level++;
	o->kind[o->level] = kind;
	o->n[o->level] = 0;
}

/* Before a value, in either form; 0 when the value must not be written. */
static int
value_begin(struct out *o, const char *key, const char *lead)
{
	if (o->json) {
		if (o->toodeep > 0)
			return 0;
		json_lead(o, key, 0);
		return 1;
	}
	if (lead == OUT_HIDE)
		return 0;
	if (lead != OUT_KEY) {
		if (lead != NULL)
			out_puts(o, lead);
		return 1;
	}
	if (o->section >= 0 && !o->midline)
		out_puts(o, "  ");
	out_escaped(o, key, key == NULL ? 0 : strlen(key));
	out_puts(o, ": ");
	return 1;
}

static void
value_end(struct out *o, const char *lead)
{
	if (o->json) {
		if (o->level == 0 || o->kind[o->level] == '[')
			out_row(o);
	} else if (lead == OUT_KEY) {
		out_puts(o, "\n");
		out_row(o);
	}
}

void
out_bytes(
    struct out *o, const char *key, const char *lead, const void *s, size_t n)
{
	if (!value_begin(o, key, lead))
		return;
	if (o->json)
		out_puts(o, "\"");
	out_escaped(o, s, n);
	if (o->json)
		out_puts(o, "\"");
	value_end(o, lead);
}

/* A value that needs no escaping, in each form. */
static void
out_plain(struct out *o, const char *key, const char *lead, const char *text,
    const char *json)
{
	if (!value_begin(o, key, lead))
		return;
	out_puts(o, o->json ? json : text);
	value_end(o, lead);
}

void
out_str(struct out *o, const char *key, const char *lead, const char *s)
{
	if (s == NULL)
		out_plain(o, key, lead, "-", "null");
	else
		out_bytes(o, key, lead, s, strlen(s));
}

void
out_fmt(struct out *o, const char *key, const char *lead, const char *fmt, ...)
{
	va_list ap;
	char *s;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&s, fmt, ap);
	va_end(ap);
	if (n == -1) {
		out_fail(o, ENOMEM, 1);
		return;
	}
	out_bytes(o, key, lead, s, (size_t)n);
	free(s);
}

void
out_u64(struct out *o, const char *key, const char *lead, uint64_t v)
{
	char s[24], *p;

	s[sizeof(s) - 1] = '\0';
	p = num_digits(s + sizeof(s) - 1, v, 10, 1);
	out_plain(o, key, lead, p, p);
}

void
out_i64(struct out *o, const char *key, const char *lead, int64_t v)
{
	char s[24], *p;

	s[sizeof(s) - 1] = '\0';
	p = num_digits(
	    s + sizeof(s) - 1, v < 0 ? -(uint64_t)v : (uint64_t)v, 10, 1);
	if (v < 0)
		*--p = '-';
	out_plain(o, key, lead, p, p);
}

void
out_hex(struct out *o, const char *key, const char *lead, uint64_t v, int width)
{
	char s[OUT_DIGITS + 8], *end = s + sizeof(s) - 1, *p;

	if (width > OUT_DIGITS)
		width = OUT_DIGITS;
	*end = '\0';
	if (o->json)
		*--end = '"';
	p = num_digits(end, v, 16, width);
	if (o->json || lead == OUT_KEY) {
		*--p = 'x';
		*--p = '0';
	}
	if (o->json)
		*--p = '"';
	out_plain(o, key, lead, p, p);
}

void
out_bool(struct out *o, const char *key, const char *lead, int v)
{
	out_plain(o, key, lead, v ? "yes" : "no", v ? "true" : "false");
}

void
out_obj(struct out *o, const char *key)
{
	if (o->json)
		json_open(o, key, '{');
}

void
out_arr(struct out *o, const char *key)
{
	if (o->json)
		json_open(o, key, '[');
}

void
out_end(struct out *o)
{
	if (!o->json)
		return;
	if (o->toodeep > 0) {
		o->toodeep--;
		return;
	}
	if (o->level == 0) {
		out_fail(o, EINVAL, 0);
		return;
	}
	out_puts(o, o->kind[o->level] == '{' ? "}" : "]");
	o->level--;
	out_row(o);
}

static void out_vfmt(struct out *, const char *, va_list)
    __attribute__((format(printf, 2, 0)));

/* Right into the buffer; most formats are plain text, or short. */
static void
out_vfmt(struct out *o, const char *fmt, va_list ap)
{
	enum { ROOM = 128 };
	va_list again;
	size_t room;
	int n;

	if (strcmp(fmt, "%s") == 0 || strchr(fmt, '%') == NULL) {
		out_puts(o, *fmt == '%' ? va_arg(ap, const char *) : fmt);
		return;
	}
	va_copy(again, ap);
	n = buf_reserve(&o->b, ROOM);
	room = o->b.cap - o->b.len;
	if (n == 0)
		n = vsnprintf(o->b.p + o->b.len, room, fmt, ap);
	if (n >= 0 && (size_t)n >= room && buf_reserve(&o->b, (size_t)n) == 0)
		n = vsnprintf(o->b.p + o->b.len, (size_t)n + 1, fmt, again);
	else if (n >= 0 && (size_t)n >= room)
		n = -1;
	va_end(again);
	if (n == -1)
		out_fail(o, ENOMEM, 1);
	else if (n > 0) {
		o->b.len += (size_t)n;
		o->midline = o->b.p[o->b.len - 1] != '\n';
	}
}

void
out_text(struct out *o, const char *fmt, ...)
{
	va_list ap;

	if (o->json || o->dead)
		return;
	va_start(ap, fmt);
	out_vfmt(o, fmt, ap);
	va_end(ap);
	if (!o->midline)
		out_row(o);
}

int
out_is_text(const struct out *o)
{
	return !o->json;
}

void
out_redirect(struct out *o, int fd)
{
	o->fd = fd;
}

void
out_feed(struct out *o)
{
	o->feed = 1;
}
