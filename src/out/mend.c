/*
 * out_mend: a report whose writer died ends well; the contract is in out/out.h.
 *
 * JSON: a strict scanner (RFC 8259, UTF-8 checked) runs over the file in
 * pieces and keeps two offsets: where it is, and behind the last complete
 * value, together with the containers open there.  At the first byte that
 * does not fit, or the end, the file is cut at the latter.
 *
 * Text: the file is cut behind its last newline.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "out/escape.h"
#include "out/out.h"

enum { MEND_PIECE = 16384, MEND_LINE_MAX = 1 << 20 };

struct scan {
	int fd, err;
	uint64_t base; /* file offset of piece[0] */
	size_t pos, len;
	unsigned char piece[MEND_PIECE];
	int depth;		      /* open containers */
	char kind[OUT_DEPTH_MAX + 2]; /* '{' or '[', by depth from 1 */
	uint64_t cut;		      /* behind the last complete value ... */
	int cutdepth;		      /* ... and the containers open there */
	int members;		      /* the outermost object has some */
};

/* The next byte without taking it; -1 at the end or on error. */
static int
scan_peek(struct scan *s)
{
	ssize_t r;

	if (s->pos == s->len) {
		s->base += s->len;
		s->pos = s->len = 0;
		r = io_pread_full(s->fd, s->piece, MEND_PIECE, s->base);
		if (r == -1)
			s->err = errno;
		if (r <= 0)
			return -1;
		s->len = (size_t)r;
	}
	return s->piece[s->pos];
}

static int
scan_get(struct scan *s)
{
	int c = scan_peek(s);

	if (c != -1)
		s->pos++;
	return c;
}

static int
scan_blank(struct scan *s)
{
	int c;

	while ((c = scan_peek(s)) == ' ' || c == '\n' || c == '\t' || c == '\r')
		s->pos++;
	return c;
}

static void
scan_complete(struct scan *s)
{
	s->cut = s->base + s->pos;
	s->cutdepth = s->depth;
	s->members = 1;
}

/* 0 when the bytes that follow c make it a well-formed character. */
static int
scan_utf8(struct scan *s, int c)
{
	unsigned char u[4] = {(unsigned char)c};
	size_t n = c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4, i;
	unsigned cp;

	for (i = 1; i < n; i++) {
		if ((c = scan_get(s)) == -1)
			return -1;
		u[i] = (unsigned char)c;
	}
	return escape_utf8(u, n, &cp) == n ? 0 : -1;
}

/* A string behind its opening quote; its first bytes go to start (NUL
 * terminated, n bytes) when that is not NULL. */
static int
scan_string(struct scan *s, char *start, size_t n)
{
	size_t len = 0, i;
	int c;

	while ((c = scan_get(s)) != '"') {
		if (c < ' ')
			return -1;
		if (start != NULL && len + 1 < n)
			start[len++] = (char)c;
		if (c >= 0x80 && scan_utf8(s, c) == -1)
			return -1;
		if (c != '\\')
			continue;
		c = scan_get(s);
		if (c <= 0 || strchr("\"\\/bfnrtu", c) == NULL)
			return -1;
		for (i = 0; c == 'u' && i < 4; i++) {
			int h = scan_get(s);

			if (h <= 0 ||
			    strchr("0123456789abcdefABCDEF", h) == NULL)
				return -1;
		}
	}
	if (start != NULL)
		start[len] = '\0';
	return 0;
}

static int
scan_digits(struct scan *s)
{
	int c, n = 0;

	for (; (c = scan_peek(s)) >= '0' && c <= '9'; n = 1)
		s->pos++;
	return n ? 0 : -1;
}

/* A number is complete only when a byte that ends it has been seen. */
static int
scan_number(struct scan *s)
{
	int c;

	if (scan_peek(s) == '-')
		s->pos++;
	if (scan_peek(s) == '0')
		s->pos++;
	else if (scan_digits(s) == -1)
		return -1;
	if (scan_peek(s) == '.') {
		s->pos++;
		if (scan_digits(s) == -1)
			return -1;
	}
	c = scan_peek(s);
	if (c == 'e' || c == 'E') {
		s->pos++;
		c = scan_peek(s);
		if (c == '+' || c == '-')
			s->pos++;
		if (scan_digits(s) == -1)
			return -1;
	}
	c = scan_peek(s);
	return c > 0 && strchr(",]} \n\t\r", c) != NULL ? 0 : -1;
}

static int
scan_word(struct scan *s, const char *word)
{
	for (; *word != '\0'; word++)
		if (scan_get(s) != *word)
			return -1;
	return 0;
}

/* A value, or only the opening of a container. */
static int
scan_value(struct scan *s)
{
	int c = scan_blank(s);

	if (c == '{' || c == '[') {
		if (s->depth > OUT_DEPTH_MAX)
			return -1;
		s->pos++;
		s->kind[++s->depth] = (char)c;
		return 0;
	}
	if (c == '"') {
		s->pos++;
		if (scan_string(s, NULL, 0) == -1)
			return -1;
	} else if (c == 't' || c == 'f' || c == 'n') {
		if (scan_word(s,
			c == 't'       ? "true"
			    : c == 'f' ? "false"
				       : "null") == -1)
			return -1;
	} else if (scan_number(s) == -1) {
		return -1;
	}
	scan_complete(s);
	return 0;
}

/*
 * One member of the innermost container, or its end.  first: nothing stands
 * in it yet.  0, or -1 where the good part ends.
 */
static int
scan_member(struct scan *s, int first)
{
	char key[16];
	int c = scan_blank(s), object = s->kind[s->depth] == '{';

	if (c == (object ? '}' : ']')) {
		/* The outermost object is not closed: the cut comes first. */
		if (s->depth == 1)
			return -1;
		s->pos++;
		s->depth--;
		scan_complete(s);
		return 0;
	}
	if (!first) {
		if (c != ',')
			return -1;
		s->pos++;
	}
	if (object) {
		if (scan_blank(s) != '"')
			return -1;
		s->pos++;
		if (scan_string(s, key, sizeof(key)) == -1)
			return -1;
		/* Mended before: the new reason takes this one's place. */
		if (s->depth == 1 && strcmp(key, "incomplete") == 0)
			return -1;
		if (scan_blank(s) != ':')
			return -1;
		s->pos++;
	}
	return scan_value(s);
}

/* Scans up to where the good part ends. */
static void
scan_report(struct scan *s)
{
	int depth, first = 1;

	if (scan_blank(s) != '{')
		return;
	s->pos++;
	s->kind[s->depth = 1] = '{';
	s->cut = s->base + s->pos;
	s->cutdepth = 1;
	for (;;) {
		depth = s->depth;
		if (scan_member(s, first) == -1)
			return;
		first = s->depth > depth;
	}
}

/* Cuts the file and puts the tail there. */
static int
mend_write(int fd, uint64_t cut, const struct buf *tail)
{
	if (ftruncate(fd, (off_t)cut) == -1 ||
	    lseek(fd, (off_t)cut, SEEK_SET) == -1)
		return -1;
	return io_write_full(fd, tail->p, tail->len);
}

static int
mend_json(int fd, const char *reason, struct buf *b)
{
	struct scan s = {.fd = fd};
	int i;

	scan_report(&s);
	if (s.err != 0) {
		errno = s.err;
		return -1;
	}
	if (s.cut == 0 && buf_append(b, "{", 1) == -1)
		return -1;
	for (i = s.cutdepth; i > 1; i--)
		if (buf_append(b, s.kind[i] == '{' ? "}" : "]", 1) == -1)
			return -1;
	if (buf_append(b, ",", s.members ? 1 : 0) == -1 ||
	    buf_append(b, "\n\"incomplete\": \"", 16) == -1 ||
	    escape_append(b, reason, strlen(reason), 1) == -1 ||
	    buf_append(b, "\"\n}\n", 4) == -1)
		return -1;
	return mend_write(fd, s.cut, b);
}

/*
 * Offset behind the last newline before end, 0 when there is none.  A line
 * beyond MEND_LINE_MAX is not one of ours: end itself, so that no file is
 * read whole here.
 */
static int
mend_line(int fd, uint64_t end, uint64_t *start)
{
	unsigned char piece[MEND_PIECE], *nl;
	uint64_t at = end;
	size_t n;
	ssize_t r;

	while (at > 0 && end - at < MEND_LINE_MAX) {
		n = at < MEND_PIECE ? (size_t)at : MEND_PIECE;
		r = io_pread_full(fd, piece, n, at - n);
		if (r != (ssize_t)n) {
			if (r != -1)
				errno = EIO;
			return -1;
		}
		nl = memrchr(piece, '\n', n);
		at -= n;
		if (nl != NULL) {
			*start = at + (uint64_t)(nl - piece) + 1;
			return 0;
		}
	}
	*start = at == 0 ? 0 : end;
	return 0;
}

/*
 * What must stand between the text before cut and a line of its own: the end
 * of a line, and of a section (its rows are indented, its name ends in a
 * colon).  -1 on error.
 */
static int
mend_gap(int fd, uint64_t cut, const char **gap)
{
	char end[2] = {'\n', '\n'}, start;
	uint64_t last;
	size_t n = cut > 1 ? 2 : 1;

	if (io_pread_full(fd, end + 2 - n, n, cut - n) == -1 ||
	    mend_line(fd, cut - 1, &last) == -1 ||
	    io_pread_full(fd, &start, 1, last) == -1)
		return -1;
	*gap = "";
	if (end[1] != '\n')
		*gap = "\n\n";
	else if (start == ' ' || end[0] == ':')
		*gap = "\n";
	return 0;
}

static int
mend_text(int fd, uint64_t size, const char *reason, struct buf *b)
{
	const char *gap = "";
	uint64_t cut;

	if (mend_line(fd, size, &cut) == -1 ||
	    (cut > 0 && mend_gap(fd, cut, &gap) == -1))
		return -1;
	if (buf_append(b, gap, strlen(gap)) == -1 ||
	    buf_append(b, "incomplete: ", 12) == -1 ||
	    escape_append(b, reason, strlen(reason), 0) == -1 ||
	    buf_append(b, "\n", 1) == -1)
		return -1;
	return mend_write(fd, cut, b);
}

int
out_mend(int fd, enum out_format format, const char *reason)
{
	struct buf b = {0};
	off_t size;
	int r, fl, saved;

	fl = fcntl(fd, F_GETFL);
	if (fl == -1)
		return -1;
	size = lseek(fd, 0, SEEK_END);
	if ((fl & O_ACCMODE) != O_RDWR || size == -1)
		return fails(EINVAL);
	if (format == OUT_JSON)
		r = mend_json(fd, reason, &b);
	else
		r = mend_text(fd, (uint64_t)size, reason, &b);
	saved = errno;
	buf_free(&b);
	errno = saved;
	return r;
}
