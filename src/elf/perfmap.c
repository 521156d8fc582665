#include "elf/perfmap.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/array.h"
#include "base/io.h"
#include "elf/elfsym.h"

enum {
	PIECE = 64 * 1024,
	SPENT_MAX = 1 << 24 /* answers given, most of them given again */
};

struct found {
	uint64_t start, size;
	uint64_t at; /* of the name in the file */
	size_t len;  /* 0: none */
};

struct pass {
	const struct elfsym_query *q;
	struct found *f; /* beside q */
	size_t n;
	unsigned spent;
};

/* Digits of 16, without 0x or with; the value saturates. */
static const char *
hex(const char *p, const char *end, uint64_t *v)
{
	const char *from;
	unsigned d;

	*v = 0;
	if (end - p > 2 && p[0] == '0' && (p[1] == 'x' || p[1] == 'X'))
		p += 2;
	for (from = p; p < end; p++) {
		if (*p >= '0' && *p <= '9')
			d = (unsigned)(*p - '0');
		else if ((*p | 32) >= 'a' && (*p | 32) <= 'f')
			d = (unsigned)((*p | 32) - 'a') + 10;
		else
			break;
		*v = *v >> 60 ? UINT64_MAX : *v << 4 | d;
	}
	return p > from && p < end && *p == ' ' ? p + 1 : NULL;
}

static size_t
first_from(const struct pass *s, uint64_t addr)
{
	return addr > 0 ? ARRAY_ABOVE(s->q, s->n, vaddr, addr - 1) : 0;
}

/* A line at offset at of the file.  -1 when too much was spent. */
static int
take_line(struct pass *s, const char *p, const char *end, uint64_t at)
{
	const char *line = p;
	struct found f;
	size_t i;

	p = hex(p, end, &f.start);
	p = p != NULL ? hex(p, end, &f.size) : NULL;
	if (p == NULL || p == end)
		return 0;
	f.at = at + (uint64_t)(p - line);
	f.len = (size_t)(end - p);
	for (i = first_from(s, f.start);
	     i < s->n && s->q[i].vaddr - f.start < f.size; i++) {
		if (s->spent++ == SPENT_MAX)
			return -1;
		s->f[i] = f;
	}
	return 0;
}

/* What p holds of whole lines; how much of it they are, or -1. */
static ssize_t
take_lines(struct pass *s, const char *p, size_t n, uint64_t at)
{
	const char *nl, *from = p;

	while ((nl = memchr(p, '\n', n - (size_t)(p - from))) != NULL) {
		if (take_line(s, p, nl, at + (uint64_t)(p - from)) == -1)
			return -1;
		p = nl + 1;
	}
	return p - from;
}

static int
take_file(struct pass *s, int fd, uint64_t at, uint64_t end, char *piece)
{
	ssize_t r, used;
	size_t n;

	/* begun within a line */
	int broken = at > 0;

	while (at < end) {
		n = end - at < PIECE ? (size_t)(end - at) : PIECE;
		r = io_pread_full(fd, piece, n, at);
		if (r <= 0)
			break;
		if (broken) {
			char *nl = memchr(piece, '\n', (size_t)r);

			broken = nl == NULL;
			at += nl != NULL ? (uint64_t)(nl + 1 - piece)
					 : (uint64_t)r;
			continue;
		}
		used = take_lines(s, piece, (size_t)r, at);
		if (used == -1)
			return -1;
		/* a line that is longer than a piece, or has no end yet */
		broken = used == 0;
		at += used == 0 ? (uint64_t)r : (uint64_t)used;
	}
	return 0;
}

static int
give_names(const struct pass *s, int fd, struct elfsym_query *q)
{
	static const char more[] = "...";
	const struct found *f;
	size_t i, len;
	ssize_t r;

	for (i = 0; i < s->n; i++) {
		f = &s->f[i];
		if (f->len == 0 || q[i].name != NULL)
			continue;
		len = f->len < ELFSYM_NAME_MAX ? f->len : ELFSYM_NAME_MAX;
		q[i].name = malloc(len + 1);
		if (q[i].name == NULL)
			return -1;
		r = io_pread_full(fd, q[i].name, len, f->at);
		q[i].name[r > 0 ? r : 0] = '\0';
		if (f->len > len)
			memcpy(q[i].name + len - 3, more, sizeof(more));
		q[i].start = f->start;
		q[i].size = f->size;
		if (*q[i].name == '\0') { /* it has been written anew */
			free(q[i].name);
			q[i].name = NULL;
		}
	}
	return 0;
}

int
perfmap_resolve(int fd, struct elfsym_query *q, size_t n)
{
	struct pass s = {.q = q, .n = n};
	struct stat st;
	uint64_t size;
	char *piece;
	int r = -1, err = EOVERFLOW;

	if (fstat(fd, &st) == -1)
		return -1;
	size = (uint64_t)st.st_size;
	s.f = calloc(n + 1, sizeof(*s.f));
	piece = malloc(PIECE);
	if (s.f != NULL && piece != NULL) {
		r = take_file(&s, fd,
		    size > PERFMAP_BYTES ? size - PERFMAP_BYTES : 0, size,
		    piece);
		if (give_names(&s, fd, q) == -1) {
			r = -1;
			err = ENOMEM;
		}
	} else
		err = ENOMEM;
	free(s.f);
	free(piece);
	errno = err;
	return r;
}
