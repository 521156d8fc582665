#include "wrap/conf.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "wrap/trust.h"

enum {
	CONF_MAX = 1 << 20, /* bytes of the file */
	WORDS = 512,	    /* of a line */
	DIGITS = 10,
	MIB = 1 << 30
};

enum kind { PATH, NUMBER, WORD, HOSTS, COMMAND, RATE, PATTERNS, PROGRAM };

/* A key: what it takes, and what holds without it. */
struct row {
	const char *name;
	enum kind kind;
	const char *words; /* that it may be as well, or of which it is one */
	const char *otherwise;
	unsigned min, max;
	int again; /* it may be given again and again */
};

static const struct row rows[CONF_KEYS] = {
    {"reports", PATH, "", "/var/log/usercrashes", 0, 0, 0},
    {"socket", PATH, "", "/run/usercrash/usercrash.sock", 0, 0, 0},
    {"slots", NUMBER, "", "50", 1, 10000, 0},
    {"share", NUMBER, "auto", "auto", 1, 10000, 0},
    {"report-free", NUMBER, "auto", "auto", 0, 1 << 20, 0},
    {"report-format", WORD, "text json", "text", 0, 0, 0},
    {"report-wait", NUMBER, "", "20", 1, 3600, 0},
    {"report-max", NUMBER, "", "8", 1, 1024, 0},
    {"reports-max", NUMBER, "", "256", 1, 1 << 20, 0},
    {"reports-readable", WORD, "root owner", "root", 0, 0, 0},
    {"receiver", HOSTS, "", "", 0, 0, 0},
    {"send-command", COMMAND, "", "", 0, 0, 0},
    {"send-timeout", NUMBER, "", "30", 1, 3600, 0},
    {"send-compress", WORD, "auto yes no", "auto", 0, 0, 0},
    {"release", NUMBER, "no", "no", 1, MIB, 0},
    {"spool", PATH, "no", "/var/spool/usercrash", 0, 0, 0},
    {"spool-max", NUMBER, "", "4096", 1, MIB, 0},
    {"spool-free", NUMBER, "auto", "auto", 0, MIB, 0},
    {"store", PATH, "no auto", "auto", 0, 0, 0},
    {"store-max", NUMBER, "", "4096", 1, MIB, 0},
    {"store-core-max", NUMBER, "no", "no", 1, MIB, 0},
    {"store-free", NUMBER, "auto", "auto", 0, MIB, 0},
    {"store-compress", WORD, "yes no", "no", 0, 0, 0},
    {"suid-cores", WORD, "keep forward", "keep", 0, 0, 0},
    {"suid-dumpable", WORD, "keep 0 1 2", "2", 0, 0, 0},
    {"core-rate", RATE, "no", "5/600", 0, 0, 0},
    {"core-limit", WORD, "ignore honour", "ignore", 0, 0, 0},
    {"pipe-limit", NUMBER, "", "1024", 1, 1000000, 0},
    {"default-app", WORD, "yes no", "yes", 0, 0, 0},
    {"ignore", PATTERNS, "", "", 0, 0, 1},
    {"no-core", PATTERNS, "", "", 0, 0, 1},
    {"small-core", PATTERNS, "", "", 0, 0, 1},
    {"program-share", PROGRAM, "", "", 1, 10000, 1},
    {"hook", COMMAND, "", "", 0, 0, 1},
    {"hook-timeout", NUMBER, "", "30", 1, 3600, 0},
    {"debuginfod", WORD, "yes no", "no", 0, 0, 0},
    {"stall", NUMBER, "", "30", 1, 3600, 0},
};

/* A line's words, and where it stands. */
struct line {
	const struct row *row;
	char *w[WORDS];
	size_t n;
	unsigned number;
	const char *path;
};

const char *
conf_name(enum conf_key k)
{
	return rows[k].name;
}

static int wrong(struct conf *, const struct line *, const char *, ...)
    __attribute__((format(printf, 3, 4)));

static int
wrong(struct conf *c, const struct line *l, const char *fmt, ...)
{
	char *text = NULL, where[16] = "";
	va_list ap;

	c->nerrors++;
	if (l->number > 0)
		snprintf(where, sizeof(where), ":%u", l->number);
	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) != -1 &&
	    buf_append(&c->errors, l->path, strlen(l->path)) == 0 &&
	    buf_append(&c->errors, where, strlen(where)) == 0 &&
	    buf_append(&c->errors, ": ", 2) == 0 &&
	    buf_append(&c->errors, text, strlen(text)) == 0)
		buf_append(&c->errors, "\n", 1);
	va_end(ap);
	free(text);
	return 0;
}

/* --- values; 1, or 0 and it has been said --------------------------------- */

/* Whether s is one of those words, with a blank between. */
static int
is_one_of(const char *s, const char *words)
{
	size_t len = strlen(s);
	const char *p;

	for (p = words; *p != '\0'; p += *p == ' ')
		if (strcspn(p, " ") == len && strncmp(p, s, len) == 0)
			return 1;
		else
			p += strcspn(p, " ");
	return 0;
}

static int
is_number(const char *s, size_t len)
{
	return len > 0 && len <= DIGITS && strspn(s, "0123456789") >= len;
}

static int
is_within(const char *s, size_t len, unsigned min, unsigned max)
{
	return is_number(s, len) && strtoull(s, NULL, 10) >= min &&
	    strtoull(s, NULL, 10) <= max;
}

static int
take_number(struct conf *c, const struct line *l, const char *s)
{
	const struct row *r = l->row;

	return is_within(s, strlen(s), r->min, r->max) ||
	    wrong(c, l, "%s: '%s' is no number of %u to %u", r->name, s, r->min,
		r->max);
}

/* A path that is safe wherever it goes: units, patterns, file lists. */
static int
take_path(struct conf *c, const struct line *l, const char *s)
{
	size_t len = strlen(s);

	if (strstr(s, "/../") != NULL ||
	    (len >= 3 && strcmp(s + len - 3, "/..") == 0) ||
	    s[strspn(s,
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
		"0123456789_./+,:@=-")] != '\0')
		return wrong(c, l,
		    "%s: '%s' has '..' or characters other than letters, "
		    "digits and _./+,:@=-",
		    l->row->name, s);
	return (*s == '/' && len > 1) ||
	    wrong(c, l, "%s: '%s' is no absolute path", l->row->name, s);
}

/* N/SECONDS, or no. */
static int
take_rate(struct conf *c, const struct line *l, const char *s)
{
	size_t n = strcspn(s, "/");

	return (s[n] == '/' && is_within(s, n, 1, 10000) &&
		   is_within(s + n + 1, strlen(s + n + 1), 1, 31536000)) ||
	    wrong(c, l, "%s: '%s' is not N/SECONDS with N of 1 to 10000",
		l->row->name, s);
}

/* HOST[:PORT], with commas or blanks between. */
static int
take_hosts(struct conf *c, const struct line *l)
{
	const char *s;
	size_t i;

	for (i = 0; i < l->n; i++) {
		s = l->w[i];
		if (*s == ',' || *s == '-' || strstr(s, ",,") != NULL ||
		    strstr(s, ",-") != NULL || s[strlen(s) - 1] == ',' ||
		    s[strspn(s,
			"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
			"0123456789._:,%[]-")] != '\0')
			return wrong(c, l, "%s: '%s' is no HOST[:PORT]",
			    l->row->name, s);
	}
	return 1;
}

static int
take_command(struct conf *c, const struct line *l)
{
	const char *s = l->w[0];

	return (*s == '/' && s[1] != '\0' && strstr(s, "/../") == NULL &&
		   strstr(s, "//") == NULL) ||
	    wrong(c, l, "%s: '%s' is no absolute path of a program",
		l->row->name, s);
}

static int
take_program(struct conf *c, const struct line *l)
{
	if (l->n != 2)
		return wrong(
		    c, l, "%s: takes a pattern and a number", l->row->name);
	return take_number(c, l, l->w[1]);
}

/* What takes one value. */
static int
take_one(struct conf *c, const struct line *l)
{
	const struct row *r = l->row;
	const char *s = l->w[0];

	if (l->n != 1)
		return wrong(
		    c, l, "%s: takes one value, not %zu", r->name, l->n);
	if (is_one_of(s, r->words))
		return 1;
	switch (r->kind) {
	case NUMBER:
		return take_number(c, l, s);
	case PATH:
		return take_path(c, l, s);
	case RATE:
		return take_rate(c, l, s);
	default:
		return wrong(
		    c, l, "%s: '%s' is none of: %s", r->name, s, r->words);
	}
}

static int
take(struct conf *c, const struct line *l)
{
	const struct row *r = l->row;

	if (r->kind == PROGRAM)
		return take_program(c, l);
	if (r->kind != HOSTS && r->kind != COMMAND && r->kind != PATTERNS)
		return take_one(c, l);
	if (l->n == 0)
		return wrong(c, l, "%s: a value is missing", r->name);
	return r->kind == HOSTS	 ? take_hosts(c, l)
	    : r->kind == COMMAND ? take_command(c, l)
				 : 1;
}

/* --- lines ---------------------------------------------------------------- */

/* The words in one, with what belongs between; they stand one behind the
 * other, in the file's own text. */
static char *
joined(const struct line *l, char between)
{
	char *to = l->w[0] + strlen(l->w[0]);
	size_t i, len;

	for (i = 1; i < l->n; i++) {
		len = strlen(l->w[i]);
		*to++ = between;
		memmove(to, l->w[i], len);
		to += len;
	}
	*to = '\0';
	return l->w[0];
}

static void
keep(struct conf *c, const struct line *l)
{
	enum conf_key k = (enum conf_key)(l->row - rows);
	size_t i;

	if (l->row->kind == HOSTS)
		c->value[k] = joined(l, ',');
	else if (k == CONF_HOOK)
		words_add(&c->list[k], joined(l, ' '));
	else if (l->row->kind < HOSTS || l->row->kind == RATE)
		c->value[k] = l->w[0];
	else
		for (i = 0; i < l->n; i++)
			words_add(&c->list[k], l->w[i]);
}

static int
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Its words, up to one that begins with "#"; -1: it is not to be used. */
static int
split(struct conf *c, struct line *l, char *s)
{
	size_t i;

	l->n = 0;
	for (;;) {
		while (is_blank(*s))
			s++;
		if (*s == '\0' || *s == '#')
			break;
		if (l->n == WORDS) {
			wrong(c, l, "more than %d words", (int)WORDS);
			return -1;
		}
		l->w[l->n++] = s;
		while (*s != '\0' && !is_blank(*s))
			s++;
		if (*s != '\0')
			*s++ = '\0';
	}
	for (i = 0; i < l->n; i++)
		for (s = l->w[i]; *s != '\0'; s++)
			if (iscntrl((unsigned char)*s)) {
				wrong(c, l, "a control character");
				return -1;
			}
	return l->n > 0 ? 0 : -1;
}

static void
take_line(struct conf *c, struct line *l, char *text, unsigned seen[CONF_KEYS])
{
	unsigned k;

	if (split(c, l, text) == -1)
		return;
	for (k = 0; k < CONF_KEYS; k++)
		if (strcmp(l->w[0], rows[k].name) == 0)
			break;
	if (k == CONF_KEYS) {
		wrong(c, l, "unknown key '%s'", l->w[0]);
		return;
	}
	l->row = &rows[k];
	memmove(l->w, l->w + 1, --l->n * sizeof(*l->w));
	if (seen[k] > 0 && !rows[k].again) {
		wrong(c, l, "%s: given before", rows[k].name);
		return;
	}
	if (take(c, l)) {
		keep(c, l);
		seen[k] = l->number;
	}
}

static void
take_text(struct conf *c, const char *path, struct buf *b)
{
	static struct line l;
	unsigned seen[CONF_KEYS] = {0};
	char *p = b->p, *end = b->p + b->len, *nl;

	l.path = path;
	l.number = 0;
	/* no text has such */
	for (nl = p; (nl = memchr(nl, '\0', (size_t)(end - nl))) != NULL;)
		*nl = '\1';
	for (; p < end; p = nl + 1) {
		nl = memchr(p, '\n', (size_t)(end - p));
		if (nl == NULL)
			nl = end;
		*nl = '\0';
		l.number++;
		take_line(c, &l, p, seen);
	}
	if (seen[CONF_RECEIVER] > 0 && seen[CONF_SEND_COMMAND] > 0) {
		l.number = seen[CONF_SEND_COMMAND];
		wrong(c, &l, "send-command: there is a receiver already");
		c->list[CONF_SEND_COMMAND].n = 0;
	}
}

/* -1 and it has been said. */
static int
read_text(struct conf *c, const char *path, struct buf *b)
{
	const struct line whole = {.path = path};
	char why[TRUST_WHY];
	struct stat st;
	ssize_t n = -1;
	int fd = -1;

	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
		errno = ENODEV;
	else
		fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd == -1) {
		wrong(c, &whole, "%s, ignored",
		    errno == ENODEV || lstat(path, &st) == 0
			? "not a regular file"
			: "unable to open");
		return -1;
	}
	if (!trust_file(fd, why))
		wrong(c, &whole, "%s, ignored", why);
	else if (buf_reserve(b, CONF_MAX) == -1 ||
	    (n = io_read_full(fd, b->p, CONF_MAX)) == -1)
		wrong(c, &whole, "%s, ignored", strerror(errno));
	else if (n == CONF_MAX) {
		wrong(c, &whole, "more than %d bytes, ignored", (int)CONF_MAX);
		n = -1;
	}
	io_close(&fd);
	if (n == -1)
		return -1;
	b->len = (size_t)n;
	return 0;
}

int
conf_read(struct conf *c, const char *path)
{
	struct buf b = {0}; /* stays: values are in it */
	struct stat st;
	unsigned k;

	memset(c, 0, sizeof(*c));
	for (k = 0; k < CONF_KEYS; k++)
		c->value[k] = rows[k].otherwise;
	if (lstat(path, &st) == -1 && errno == ENOENT)
		return 0;
	if (read_text(c, path, &b) == -1)
		return 2;
	take_text(c, path, &b);
	return c->nerrors > 0;
}

/* --- what is asked of it -------------------------------------------------- */

unsigned
conf_number(const struct conf *c, enum conf_key k)
{
	return (unsigned)strtoul(c->value[k], NULL, 10);
}

int
conf_is(const struct conf *c, enum conf_key k, const char *word)
{
	return strcmp(c->value[k], word) == 0;
}

int
conf_match(const char *pattern, const char *path)
{
	const char *last = strrchr(path, '/');

	return fnmatch(pattern, path, 0) == 0 ||
	    (last != NULL && fnmatch(pattern, last + 1, 0) == 0);
}
