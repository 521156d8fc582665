/* Crashes counted: per program and signature, over time, since a moment. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "crashlog/show.h"

enum { FIELDS = 6 }; /* of a line of the ledger */

/* Those of one key, the latest first. */
struct group {
	const struct seen *seen;
	size_t n, after; /* of them since a moment */
};

static int
by_key(const void *a, const void *b)
{
	const struct seen *x = a, *y = b;
	int c = strcmp(x->key, y->key);

	return c != 0 ? c : x->order < y->order ? 1 : -1;
}

static int
by_count(const void *a, const void *b)
{
	const struct group *x = a, *y = b;

	if (x->n != y->n)
		return x->n < y->n ? 1 : -1;
	return x->seen->order < y->seen->order ? 1 : -1;
}

/* Sorts them by key; the groups, the largest first, or NULL. */
static struct group *
groups(struct seen *seen, size_t n, const char *since, size_t *ngroups)
{
	struct group *g = calloc(n + 1, sizeof(*g)), *last = NULL;

	*ngroups = 0;
	if (g == NULL)
		return NULL;
	if (n > 0)
		qsort(seen, n, sizeof(*seen), by_key);
	for (struct seen *s = seen; n > 0 && s < seen + n; s++) {
		if (last == NULL || strcmp(last->seen->key, s->key) != 0) {
			last = &g[(*ngroups)++];
			last->seen = s;
		}
		last->n++;
		last->after += since != NULL && strcmp(s->time, since) >= 0;
	}
	qsort(g, *ngroups, sizeof(*g), by_count);
	return g;
}

/* What a signature is about. */
static void
put_text(struct screen *s, const struct seen *x, size_t columns)
{
	struct screen line = {.colour = 0};

	put(&line, "%s  %s: %s", x->signature, x->program, x->cause);
	put_cut(s, line.out.p != NULL ? line.out.p : "", columns);
	s->failed |= line.failed;
	buf_free(&line.out);
}

static void
put_group(
    struct screen *s, const struct group *g, size_t count, const char *kind)
{
	char text[32];
	int signature = g->seen->key == g->seen->signature;

	if (s->form == FORM_TSV) {
		put(s, "%s\t%zu\t%s\t%s\t%s\n", kind, count,
		    signature ? g->seen->signature : "-", g->seen->program,
		    signature ? g->seen->cause : "-");
		return;
	}
	snprintf(text, sizeof(text), "%zu", count);
	put_object(s);
	put_member(s, "kind", kind, 0);
	put_member(s, "count", text, 1);
	put_member(s, "program", g->seen->program, 0);
	if (!signature)
		return;
	put_member(s, "signature", g->seen->signature, 0);
	put_member(s, "cause", g->seen->cause, 0);
}

static void
put_top(struct screen *s, struct seen *seen, size_t n, size_t most,
    const char *title)
{
	size_t ngroups, i, columns = 0;
	struct group *g = groups(seen, n, NULL, &ngroups);

	if (s->columns > 20)
		columns = s->columns - screen_bar(s) - 10;
	s->failed |= g == NULL;
	if (s->form == FORM_TABLE)
		put(s, "%s%ss%s\n", BOLD(s), title, PLAIN(s));
	for (i = 0; i < ngroups && i < most; i++) {
		if (s->form != FORM_TABLE) {
			put_group(s, &g[i], g[i].n, title);
			continue;
		}
		put(s, "%5zu  ", g[i].n);
		put_bar(s, g[i].n, g[0].n, 1);
		put(s, "  ");
		if (g[i].seen->key == g[i].seen->signature)
			put_text(s, g[i].seen, columns);
		else
			put_cut(s, g[i].seen->program, columns);
		put(s, "\n");
	}
	if (ngroups > most && s->form == FORM_TABLE)
		put(s, "       and %zu more\n", ngroups - most);
	free(g);
}

void
show_top(struct screen *s, const struct hit *hit, size_t n, size_t most)
{
	struct seen *seen = calloc(n + 1, sizeof(*seen));

	s->failed |= seen == NULL;
	for (int i = 0; seen != NULL && n > 0 && i < 2; i++) {
		for (size_t k = 0; k < n; k++) {
			const char *const *v = hit[k].row->v;

			seen[k] = (struct seen){
			    .key = v[i == 0 ? PROGRAM : SIGNATURE],
			    .program = v[PROGRAM],
			    .signature = v[SIGNATURE],
			    .time = v[TIME],
			    .cause = v[CAUSE],
			    .order = n - k};
		}
		if (s->form == FORM_TABLE && i == 0)
			put(s, "%zu reports, %s to %s\n\n", n,
			    hit[n - 1].row->v[TIME], hit[0].row->v[TIME]);
		else if (s->form == FORM_TABLE)
			put(s, "\n");
		put_top(s, seen, n, most, i == 0 ? "program" : "signature");
	}
	if (s->form == FORM_JSON)
		put_end(s);
	free(seen);
}

struct seen *
ledger_lines(struct buf *b, const char *since, const char *until, size_t *n)
{
	struct seen *seen = NULL;
	char *line, *save = NULL, *f[FIELDS], *p;
	int i;

	*n = 0;
	for (line = b->p == NULL ? NULL : strtok_r(b->p, "\n", &save);
	     line != NULL; line = strtok_r(NULL, "\n", &save)) {
		for (i = 0, p = line; i < FIELDS && p != NULL; i++) {
			f[i] = p;
			p = strchr(p, '\t');
			if (p != NULL)
				*p++ = '\0';
		}
		if (i < FIELDS || (since != NULL && strcmp(f[0], since) < 0) ||
		    (until != NULL && strcmp(f[0], until) > 0))
			continue;
		for (i = 0; i < FIELDS; i++)
			screen_printable(f[i], strlen(f[i]));
		/* which is cut by bytes */
		for (p = f[0]; *p != '\0'; p++)
			if (*p < ' ' || *p > '~')
				*p = '?';
		if (ARRAY_ROOM(seen, *n) == -1)
			break;
		seen[*n] = (struct seen){.key = f[3],
		    .time = f[0],
		    .program = f[1],
		    .signature = f[3],
		    .cause = strcmp(f[5], "-") == 0 ? f[2] : f[5],
		    .order = *n};
		++*n;
	}
	return seen;
}

const char *
ledger_mark(struct buf *b, const char **name)
{
	const char *want = *name, *found = NULL;
	char *line, *save = NULL, *p;

	for (line = b->p == NULL ? NULL : strtok_r(b->p, "\n", &save);
	     line != NULL; line = strtok_r(NULL, "\n", &save)) {
		p = strchr(line, ' ');
		if (p == NULL || (want != NULL && strcmp(p + 1, want) != 0))
			continue;
		*p++ = '\0';
		screen_printable(line, strlen(line));
		screen_printable(p, strlen(p));
		*name = p;
		found = line;
	}
	return found;
}

/* Those of a signature in an hour, day or month. */
struct cell {
	const struct seen *seen;
	size_t n, rank;
};

/* The cells of a group, the first time first; times are of so many bytes. */
static size_t
cells(const struct group *g, size_t rank, size_t wide, struct cell *c)
{
	size_t i, n, made = 0;

	for (i = g->n; i > 0; i -= n) {
		for (n = 1; n < i &&
		     strncmp(g->seen[i - 1].time, g->seen[i - 1 - n].time,
			 wide) == 0;)
			n++;
		c[made++] = (struct cell){&g->seen[i - 1], n, rank};
	}
	return made;
}

static int
by_time(const void *a, const void *b)
{
	const struct cell *x = a, *y = b;
	int c = strcmp(x->seen->time, y->seen->time);

	return c != 0 ? c : x->rank < y->rank ? -1 : 1;
}

static void
put_cell(struct screen *s, const struct cell *c, size_t wide, size_t highest)
{
	char time[64], count[32];

	snprintf(time, sizeof(time), "%.*s",
	    (int)screen_bytes(c->seen->time, wide), c->seen->time);
	snprintf(count, sizeof(count), "%zu", c->n);
	if (s->form == FORM_TSV) {
		put(s, "%s\t%s\t%s\t%s\n", time, c->seen->signature, count,
		    c->seen->program);
	} else if (s->form == FORM_JSON) {
		put_object(s);
		put_member(s, "time", time, 0);
		put_member(s, "signature", c->seen->signature, 0);
		put_member(s, "count", count, 1);
		put_member(s, "program", c->seen->program, 0);
	} else {
		put(s, "  %s %6s  ", time, count);
		put_bar(s, c->n, highest, 0);
		put(s, "\n");
	}
}

void
show_over(
    struct screen *s, struct seen *seen, size_t n, size_t most, const char *by)
{
	size_t wide = *by == 'h' ? 13 : *by == 'd' ? 10 : 7;
	const char *first = n > 0 ? seen[0].time : "";
	const char *last = n > 0 ? seen[n - 1].time : "";
	size_t ngroups, i, k, made = 0, shown = 0, highest = 0;
	struct group *g = groups(seen, n, NULL, &ngroups);
	struct cell *c = calloc(n + 1, sizeof(*c));

	s->failed |= g == NULL || c == NULL;
	for (i = 0; c != NULL && i < ngroups; i++) {
		made += cells(&g[i], i, wide, c + made);
		if (i < most)
			shown = made;
	}
	for (k = 0; k < made; k++)
		highest = c[k].n > highest ? c[k].n : highest;
	if (s->form != FORM_TABLE && shown > 0)
		qsort(c, shown, sizeof(*c), by_time);
	else if (n > 0)
		put(s, "%zu crashes, %s to %s, by %s (UTC)\n", n, first, last,
		    by);
	for (k = 0; k < shown; k++) {
		if (s->form == FORM_TABLE &&
		    (k == 0 || c[k].rank != c[k - 1].rank)) {
			put(s, "\n%s", BOLD(s));
			put_text(s, g[c[k].rank].seen, s->columns);
			put(s, "%s\n", PLAIN(s));
		}
		put_cell(s, &c[k], wide, highest);
	}
	if (s->form == FORM_JSON)
		put_end(s);
	else if (s->form == FORM_TABLE && ngroups > most)
		put(s, "\nand %zu more signatures\n", ngroups - most);
	free(c);
	free(g);
}

static const char *
kind_of(const struct group *g)
{
	return g->after == g->n ? "new" : g->after == 0 ? "gone" : "still";
}

static void
put_kind(struct screen *s, const struct group *g, size_t ngroups, size_t most,
    const char *kind)
{
	size_t n = 0, count;

	for (; ngroups-- > 0; g++) {
		if (strcmp(kind_of(g), kind) != 0 || ++n > most)
			continue;
		count = g->after == 0 ? g->n : g->after;
		if (s->form != FORM_TABLE) {
			put_group(s, g, count, kind);
			continue;
		}
		if (n == 1)
			put(s, "\n%s%s%s\n", BOLD(s), kind, PLAIN(s));
		put(s, "%6zu  ", count);
		put_text(s, g->seen, s->columns > 8 ? s->columns - 8 : 0);
		put(s, "\n");
	}
	if (n > most && s->form == FORM_TABLE)
		put(s, "        and %zu more\n", n - most);
}

/* Six parameters: what show_over() has, with a name for the moment. */
void
show_since(struct screen *s, struct seen *seen, size_t n, size_t most,
    const char *since, const char *name)
{
	size_t ngroups, i, later = 0, fresh = 0, gone = 0;
	struct group *g = groups(seen, n, since, &ngroups);

	s->failed |= g == NULL;
	for (i = 0; i < ngroups; i++) {
		later += g[i].after;
		fresh += g[i].after == g[i].n;
		gone += g[i].after == 0;
	}
	if (s->form == FORM_TABLE) {
		put(s, "since %s", name);
		if (strcmp(name, since) != 0)
			put(s, " (%s)", since);
		put(s, ": %zu crashes, %zu new signatures, %zu gone\n", later,
		    fresh, gone);
	}
	put_kind(s, g, ngroups, most, "new");
	put_kind(s, g, ngroups, most, "still");
	put_kind(s, g, ngroups, most, "gone");
	if (s->form == FORM_JSON)
		put_end(s);
	free(g);
}
