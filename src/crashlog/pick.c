#include "crashlog/pick.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/num.h"

static int
is(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

/* A number, and no signature that looks like one. */
static int
digits(const char *w)
{
	size_t n = strspn(w, "0123456789");

	return n > 0 && n < 12 && w[n] == '\0';
}

/* As list writes a slot and nobody a process: with zeros before. */
static enum meaning
numbered(const struct row *r, const char *w, int slots, int pids)
{
	uint64_t n, v;

	if (num_u64(w, 10, 0, UINT32_MAX, &n) == -1)
		return M_NONE;
	if (slots && num_u64(r->v[SLOT], 10, 0, UINT32_MAX, &v) == 0 && v == n)
		return M_SLOT;
	if (!pids || (slots && w[0] == '0' && w[1] != '\0'))
		return M_NONE;
	return num_u64(r->v[PID], 10, 0, UINT32_MAX, &v) == 0 && v == n
	    ? M_PID
	    : M_NONE;
}

static enum meaning
meaning(const struct row *r, const char *w, int first)
{
	const char *exe = r->v[EXE];
	size_t n = strlen(w);

	if (is(w, "latest"))
		return first ? M_LATEST : M_NONE;
	if (strncmp(w, "slot:", 5) == 0)
		return numbered(r, w + 5, 1, 0);
	if (strncmp(w, "pid:", 4) == 0)
		return numbered(r, w + 4, 0, 1);
	/* the name of its file, not of usercrash_c */
	if (strncmp(w, "usercrash_", 10) == 0 && digits(w + 10))
		return numbered(r, w + 10, 1, 0);
	if (digits(w))
		return numbered(r, w, 1, 1);
	if (is(r->v[SIGNATURE], w))
		return M_SIGNATURE;
	if (is(r->v[PATH], w))
		return M_FILE;
	return is(r->v[PROGRAM], w) || is(r->v[COMM], w) || is(exe, w) ||
		(strncmp(exe, w, n) == 0 && is(exe + n, " (deleted)"))
	    ? M_PROGRAM
	    : M_NONE;
}

/* Without what may be left out. */
static int
same_signal(const char *a, const char *b)
{
	a += strncasecmp(a, "SIG", 3) == 0 ? 3 : 0;
	b += strncasecmp(b, "SIG", 3) == 0 ? 3 : 0;
	return strcasecmp(a, b) == 0;
}

static size_t
unit_length(const char *s)
{
	static const char service[] = ".service";
	size_t n = strlen(s), len = sizeof(service) - 1;

	return n > len && is(s + n - len, service) ? n - len : n;
}

static int
same_unit(const char *a, const char *b)
{
	size_t n = unit_length(a);

	return n == unit_length(b) && memcmp(a, b, n) == 0;
}

static int
wanted(const struct pick *p, const struct row *r)
{
	const char *t = r->v[TIME];

	if ((p->since != NULL || p->until != NULL) && is(t, "-"))
		return 0;
	return (p->since == NULL || strcmp(t, p->since) >= 0) &&
	    (p->until == NULL || strcmp(t, p->until) <= 0) &&
	    (p->signal == NULL || is(r->v[SIGNAL], p->signal) ||
		same_signal(r->v[SIGNAL_NAME], p->signal)) &&
	    (p->uid == NULL || is(r->v[UID], p->uid)) &&
	    (p->unit == NULL || same_unit(r->v[UNIT], p->unit) ||
		same_unit(r->v[USER_UNIT], p->unit)) &&
	    (p->host == NULL || is(r->v[HOST], p->host)) &&
	    (p->container == NULL ||
		strncmp(r->v[CONTAINER], p->container, strlen(p->container)) ==
		    0);
}

static void
reverse(struct hit *hit, size_t n)
{
	struct hit h;

	for (size_t i = 0; i < n / 2; i++) {
		h = hit[i];
		hit[i] = hit[n - 1 - i];
		hit[n - 1 - i] = h;
	}
}

int
pick(const struct pick *p, struct rows *rows, struct hit **hits, size_t *n,
    const char **none)
{
	char *meant = calloc(p->words + 1, 1);
	struct hit *hit = calloc(rows->n + 1, sizeof(*hit));
	enum meaning m;
	int first, seen = 0;
	size_t i, w;

	*none = NULL;
	*hits = hit;
	*n = 0;
	if (meant == NULL || hit == NULL) {
		free(meant);
		return -1;
	}
	for (i = 0; i < rows->n; i++) {
		if (!wanted(p, &rows->row[i]))
			continue;
		/* the latest of those that can be read */
		first = rows->row[i].error != EACCES && !seen;
		seen |= first;
		hit[*n] = (struct hit){.row = &rows->row[i]};
		hit[*n].by = p->words == 0 ? M_ALL : M_NONE;
		for (w = 0; w < p->words; w++) {
			m = meaning(&rows->row[i], p->word[w], first);
			if (m == M_NONE)
				continue;
			meant[w] = 1;
			hit[*n].by = m;
			hit[*n].word = w;
		}
		*n += hit[*n].by != M_NONE;
	}
	for (w = p->words; w > 0; w--)
		if (!meant[w - 1])
			*none = p->word[w - 1];
	free(meant);
	if (p->oldest)
		reverse(hit, *n);
	if (p->most != 0 && *n > p->most)
		*n = p->most;
	return 0;
}

enum meaning
pick_double(const struct hit *hit, size_t n, size_t *which)
{
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < n && hit[i].by == M_PID; k++)
			if (k != i && hit[k].word == hit[i].word &&
			    (hit[k].by == M_SLOT || hit[k].by == M_PID)) {
				*which = i;
				/* a slot says more */
				for (k = 0; k < n; k++)
					if (hit[k].word == hit[i].word &&
					    hit[k].by == M_SLOT)
						return M_SLOT;
				return M_PID;
			}
	return M_NONE;
}

static int
same_process(const struct row *a, const struct row *b)
{
	return is(a->v[PID], b->v[PID]) && is(a->v[TIME], b->v[TIME]);
}

int
pick_single(const struct hit *hit, size_t n)
{
	for (size_t i = 1; i < n; i++)
		if (!same_process(hit[0].row, hit[i].row))
			return 0;
	return 1;
}

size_t
pick_readable(struct hit *hit, size_t n)
{
	size_t left = 0;

	for (size_t i = 0; i < n; i++)
		if (hit[i].row->error != EACCES)
			hit[left++] = hit[i];
	return left;
}

void
pick_core(struct row *r, const struct rows *cores, int beside)
{
	const struct row *c = cores->row;
	size_t n = strlen(r->v[PATH]), i;

	for (i = 0; i < cores->n; i++, c++)
		if (beside ? strlen(c->v[PATH]) + 7 == n &&
			    strncmp(c->v[PATH], r->v[PATH], n - 7) == 0
			   : *r->v[PID] != '-' && same_process(c, r))
			break;
	/* a name that would end its column is nobody's of ours */
	if (i < cores->n && strpbrk(c->v[PATH], "\t\n") != NULL)
		i = cores->n;
	r->v[CORE] = i < cores->n ? c->v[PATH] : "-";
	r->v[MIB] = i < cores->n ? c->v[MIB] : "-";
}
