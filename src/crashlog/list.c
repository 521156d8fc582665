/* Reports and cores, a line each. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "crashlog/show.h"

/* With tabs, for scripts: what they go by may be added to, at the end. */
static const enum col tabs[] = {SLOT, TIME, HOST, PID, TID, COMM, EXE, UID,
    SIGNAL, SIGNAL_NAME, CAUSE, SIGNATURE, PROGRAM, PATH, COUNT, UNIT,
    USER_UNIT, CONTAINER, PACKAGED, NOTE, CORE, MIB, STATE};

static const enum col members[] = {TIME, HOST, PROGRAM, PID, TID, COMM, EXE,
    UID, SIGNAL, SIGNAL_NAME, CAUSE, SIGNATURE, UNIT, USER_UNIT, CONTAINER,
    PACKAGED, NOTE, MIB, STATE, COUNT};

static const char numbers[COLS] = {
    [PID] = 1, [TID] = 1, [UID] = 1, [SIGNAL] = 1, [MIB] = 1, [COUNT] = 1};

static void
put_json(struct screen *s, const struct row *r)
{
	const char *slot = r->v[SLOT];

	put_object(s);
	put_member(s, "path", r->v[PATH], 0);
	put_member(s, "slot", slot + (slot[0] == '0' && slot[1] != '\0'), 1);
	for (size_t i = 0; i < NELEM(members); i++)
		put_member(s, col_name[members[i]], r->v[members[i]],
		    numbers[members[i]]);
}

/* Whether the form is one that has no table. */
static int
put_plain(struct screen *s, const struct hit *hit, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const char *const *v = hit[i].row->v;

		if (s->form == FORM_JSON)
			put_json(s, hit[i].row);
		else if (s->form == FORM_LINE)
			put(s, "%s  %s  %s[%s]  %s  %s  %s\n", v[SLOT], v[TIME],
			    v[PROGRAM], v[PID], v[SIGNAL_NAME], v[SIGNATURE],
			    v[CAUSE]);
		else if (s->form == FORM_TSV)
			for (size_t k = 0; k < NELEM(tabs); k++)
				put(s, "%s%c", v[tabs[k]],
				    k < NELEM(tabs) - 1 ? '\t' : '\n');
	}
	if (s->form == FORM_JSON)
		put_end(s);
	return s->form != FORM_TABLE;
}

/* A table of those columns, which are as many as heads has. */
static void
put_columns(struct screen *s, const struct hit *hit, size_t n,
    const char *heads, const enum col *cols)
{
	const char **cell;
	size_t ncols = 1, i;

	for (i = 0; heads[i] != '\0'; i++)
		ncols += heads[i] == ' ';
	cell = calloc(n * ncols + 1, sizeof(*cell));
	if (cell == NULL) {
		s->failed = 1;
		return;
	}
	for (i = 0; i < n * ncols; i++)
		cell[i] = hit[i / ncols].row->v[cols[i % ncols]];
	put_table(s, heads, cell, n);
	free(cell);
}

/* The cause, and what was noted. */
static void
add_notes(const struct hit *hit, size_t n)
{
	char *p;

	for (size_t i = 0; i < n; i++) {
		const char **v = hit[i].row->v;

		if (strcmp(v[NOTE], "-") != 0 &&
		    asprintf(&p, "%s [%s]", v[CAUSE], v[NOTE]) != -1)
			v[CAUSE] = row_own(hit[i].row, p);
	}
}

void
show_list(struct screen *s, const struct hit *hit, size_t n, int hosts)
{
	static const enum col slots[] = {
	    SLOT, TIME, PROGRAM, PID, SIGNAL_NAME, COUNT, SIGNATURE, CAUSE};
	static const enum col narrow[] = {
	    SLOT, TIME, PROGRAM, PID, SIGNAL_NAME, COUNT, CAUSE};
	static const enum col host[] = {
	    HOST, TIME, PROGRAM, PID, SIGNAL_NAME, COUNT, SIGNATURE, CAUSE};

	for (size_t i = 0; !s->raw && i < n; i++)
		row_show(hit[i].row);
	if (put_plain(s, hit, n))
		return;
	add_notes(hit, n);
	/* what a reader looks for is the cause */
	if (!hosts && s->columns > 0 && s->columns < 100) {
		put_columns(s, hit, n,
		    "SLOT:r WHEN PROGRAM PID:r SIGNAL SAME:r CAUSE", narrow);
		return;
	}
	put_columns(s, hit, n,
	    hosts ? "HOST WHEN PROGRAM PID:r SIGNAL SAME:r SIGNATURE CAUSE"
		  : "SLOT:r WHEN PROGRAM PID:r SIGNAL SAME:r SIGNATURE CAUSE",
	    hosts ? host : slots);
}

void
show_cores(struct screen *s, const struct hit *hit, size_t n, const char *dir)
{
	static const enum col cols[] = {
	    TIME, PROGRAM, PID, SIGNAL, MIB, STATE, PATH};
	size_t len = strlen(dir);

	for (size_t i = 0; i < n; i++) {
		if (s->form == FORM_TABLE &&
		    strncmp(hit[i].row->v[PATH], dir, len) == 0 &&
		    hit[i].row->v[PATH][len] == '/')
			hit[i].row->v[PATH] += len + 1;
		row_show(hit[i].row);
	}
	if (put_plain(s, hit, n))
		return;
	put_columns(
	    s, hit, n, "WHEN PROGRAM PID:r SIGNAL:r MIB:r STATE NAME", cols);
}
