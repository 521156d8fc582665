#include "proc/maps.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/array.h"
#include "base/bytes.h"
#include "base/io.h"
#include "base/num.h"

/* The kernel gives whole lines, a page at a time. */
enum { PIECE = 64 << 10 };

/* Stand for a name; the kernel's begin with '/' or '['. */
#define SAME "\""
#define LEFT_OUT "!"

/* Number in base, then the separator sep (a run of them when it is ' '). */
static int
maps_field(const char **p, const char *end, int base, char sep, uint64_t *out)
{
	if (num_scan(*p, end, base, out, p) == -1)
		return -1;
	if (sep == '\0' || *p == end)
		return sep == '\0' || sep == ' ' ? 0 : -1;
	if (**p != sep)
		return -1;
	while (*p < end && **p == sep) {
		++*p;
		if (sep != ' ')
			break;
	}
	return 0;
}

/* start-end perms offset major:minor inode [name] */
static int
maps_line(char *line, char *end, struct map *m)
{
	const char *p = line;
	uint64_t major, minor;

	memset(m, 0, sizeof(*m));
	m->module = -1;
	if (maps_field(&p, end, 16, '-', &m->start) == -1 ||
	    maps_field(&p, end, 16, ' ', &m->end) == -1 || end - p < 5 ||
	    m->end <= m->start)
		return -1;
	m->prot = (p[0] == 'r' ? MAP_R : 0) | (p[1] == 'w' ? MAP_W : 0) |
	    (p[2] == 'x' ? MAP_X : 0) | (p[3] == 's' ? MAP_S : 0);
	p += 5;
	if (maps_field(&p, end, 16, ' ', &m->off) == -1 ||
	    maps_field(&p, end, 16, ':', &major) == -1 ||
	    maps_field(&p, end, 16, ' ', &minor) == -1 ||
	    maps_field(&p, end, 10, ' ', &m->ino) == -1)
		return -1;
	m->dev = major << 32 | (minor & 0xffffffff);
	m->name = p;
	return 0;
}

static void
name_map(struct map *m, const struct map *before)
{
	if (before != NULL && strcmp(m->name, SAME) == 0)
		m->name = before->name;
	else if (strcmp(m->name, LEFT_OUT) == 0)
		m->name = "(its name is left out: there are too many)";
}

/* The name of a line of n bytes begins there, n when it has none: behind five
 * fields and the blanks after them. */
static size_t
name_at(const char *line, size_t n)
{
	size_t i = 0, field;

	for (field = 0; field < 5; field++) {
		while (i < n && line[i] != ' ')
			i++;
		while (i < n && line[i] == ' ')
			i++;
	}
	return i;
}

struct squeeze {
	struct buf *b;
	size_t name, len; /* of the last that was kept, in b */
	size_t names;	  /* bytes of names so far */
};

static int
squeeze_line(struct squeeze *s, const char *line, size_t n)
{
	size_t at = name_at(line, n), len = n - at;
	const char *name = line + at;

	if (len > 1 && len == s->len &&
	    memcmp(s->b->p + s->name, name, len) == 0) {
		name = SAME;
		len = 1;
	} else if (len > 1 && s->names + len > MAPS_NAMES) {
		name = LEFT_OUT;
		len = 1;
		s->len = 0;
	} else {
		s->names += len;
		s->len = len;
		s->name = s->b->len + at;
	}
	if (buf_append(s->b, line, at) == -1 ||
	    buf_append(s->b, name, len) == -1)
		return -1;
	return buf_append(s->b, "\n", 1);
}

/* The lines that are whole in piece; the rest moves to its start. */
static int
squeeze_piece(struct squeeze *s, char *piece, size_t *n)
{
	char *p = piece, *end = piece + *n, *nl;

	for (; (nl = memchr(p, '\n', (size_t)(end - p))) != NULL; p = nl + 1)
		if (squeeze_line(s, p, (size_t)(nl - p)) == -1)
			return -1;
	*n = (size_t)(end - p);
	memmove(piece, p, *n);
	return 0;
}

/* The line of a page that every process has and none maps, x86's [vsyscall]:
 * of all addresses that one is the kernel's, and the list ends with it. */
static int
is_last(const char *p, size_t n)
{
	const char *nl =
	    n > 0 && p[n - 1] == '\n' ? memrchr(p, '\n', n - 1) : NULL;

	return nl != NULL && p + n - nl > 17 && nl[17] == '-' && nl[1] == 'f';
}

/* Behind what is there of a piece up to its end or that of the list. */
static ssize_t
fill(int fd, char *piece, size_t n)
{
	size_t start = n;
	ssize_t r = 1;

	while (n < PIECE && r > 0 && !(n > start && is_last(piece, n))) {
		r = read(fd, piece + n, PIECE - n);
		if (r == -1 && errno == EINTR)
			r = 1;
		else if (r > 0)
			n += (size_t)r;
	}
	return r == -1 ? -1 : (ssize_t)(n - start);
}

int
maps_read(int procfd, size_t max, struct buf *b, int *cut)
{
	struct squeeze s = {.b = b};
	size_t n = 0, want;
	char *piece; /* no array: a small list touches little of it */
	ssize_t r;
	int fd;

	*cut = 0;
	fd = openat(procfd, "maps", O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		return -1;
	piece = malloc(PIECE);
	do {
		want = PIECE - n;
		r = piece != NULL ? fill(fd, piece, n) : -1;
		if (r <= 0)
			break;
		n += (size_t)r;
		if (squeeze_piece(&s, piece, &n) == -1)
			r = -1;
		else if (b->len > max)
			*cut = 1;
	} while (r == (ssize_t)want && n < PIECE && !*cut);
	free(piece);
	io_done(fd);
	return r == -1 ? -1 : 0;
}

int
maps_parse(char *text, size_t len, struct map **out, size_t *n)
{
	char *p = text, *end = text + len, *nl;
	size_t lines = 1;

	*n = 0;
	for (p = text; (p = memchr(p, '\n', (size_t)(end - p))) != NULL; p++)
		lines++;
	*out = calloc(lines, sizeof(**out));
	if (*out == NULL)
		return -1;
	for (p = text; p < end; p = nl + 1) {
		nl = memchr(p, '\n', (size_t)(end - p));
		if (nl == NULL) /* cut in the middle of a line */
			break;
		*nl = '\0';
		if (maps_line(p, nl, &(*out)[*n]) == -1 ||
		    (*n > 0 && (*out)[*n].start < (*out)[*n - 1].end))
			return fails(EINVAL);
		name_map(&(*out)[*n], *n > 0 ? &(*out)[*n - 1] : NULL);
		++*n;
	}
	return 0;
}

struct map *
maps_above(struct map *m, size_t n, uint64_t addr)
{
	size_t i = ARRAY_ABOVE(m, n, end, addr);

	return i < n ? &m[i] : NULL;
}

struct map *
maps_find(struct map *m, size_t n, uint64_t addr)
{
	struct map *a = maps_above(m, n, addr);

	return a != NULL && addr >= a->start ? a : NULL;
}

int
map_is_made(const struct map *m)
{
	return m->ino == 0 &&
	    (*m->name == '\0' || strncmp(m->name, "[anon", 5) == 0);
}

int
map_begins_empty(const struct map *m)
{
	return !(m->prot & MAP_S) && m->ino == 0 &&
	    (map_is_made(m) || strcmp(m->name, "[heap]") == 0 ||
		strcmp(m->name, "[stack]") == 0);
}

int
map_dev_is(uint64_t dev, dev_t st_dev)
{
	return major(st_dev) == dev >> 32 && minor(st_dev) == (uint32_t)dev;
}

int
map_find(int procfd, const struct map *m)
{
	char path[64];

	snprintf(path, sizeof(path), "map_files/%" PRIx64 "-%" PRIx64, m->start,
	    m->end);
	return openat(procfd, path, O_PATH | O_CLOEXEC);
}

int
map_open(int procfd, const struct map *m)
{
	int fd = map_find(procfd, m);

	return fd == -1 ? -1 : io_reopen_regular(fd);
}
