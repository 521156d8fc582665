#include "proc/maps.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/num.h"

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
		    (*n > 0 && (*out)[*n].start < (*out)[*n - 1].end)) {
			errno = EINVAL;
			return -1;
		}
		++*n;
	}
	return 0;
}

struct map *
maps_above(struct map *m, size_t n, uint64_t addr)
{
	size_t lo = 0, hi = n, mid;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (m[mid].end > addr)
			hi = mid;
		else
			lo = mid + 1;
	}
	return lo < n ? &m[lo] : NULL;
}

struct map *
maps_find(struct map *m, size_t n, uint64_t addr)
{
	struct map *a = maps_above(m, n, addr);

	return a != NULL && addr >= a->start ? a : NULL;
}
