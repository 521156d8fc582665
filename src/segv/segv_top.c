#include "segv/segv_top.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/num.h"
#include "base/utc.h"
#include "out/escape.h"
#include "segv/segv_print.h"

/* HEAD_LINES: and the end, where the cursor stays */
enum { HEAD_LINES = 3, WIDE = 4096, BLOCK_LINES = 2, LINE_MIN = 20 };

/* --- the table -------------------------------------------------------------
 */

static uint64_t
key_of(int fatal, const char *comm, const char *signature)
{
	uint64_t h = fnv1a(FNV1A, fatal ? "f" : "h", 1);

	h = fnv1a(h, comm, strlen(comm) + 1);
	return fnv1a(h, signature, strlen(signature));
}

/* Who goes first. */
static int
is_less(const struct segv_top_row *a, const struct segv_top_row *b)
{
	if (a->fatal != b->fatal)
		return !a->fatal;
	return a->n != b->n ? a->n < b->n : a->last < b->last;
}

static struct segv_top_row *
find(struct segv_top *t, int fatal, const char *comm, const char *signature)
{
	uint64_t key = key_of(fatal, comm, signature);
	struct segv_top_row *row = t->row;
	size_t i;

	for (i = 0; i < t->n; i++)
		if (t->row[i].key == key)
			return &t->row[i];
	if (t->n < TOP_ROWS)
		row = &t->row[t->n++];
	else {
		for (i = 1; i < TOP_ROWS; i++)
			if (is_less(&t->row[i], row))
				row = &t->row[i];
		t->others[row->fatal] += row->n;
	}
	memset(row, 0, sizeof(*row));
	row->key = key;
	row->fatal = fatal;
	snprintf(row->comm, sizeof(row->comm), "%s", comm);
	snprintf(row->signature, sizeof(row->signature), "%s", signature);
	return row;
}

/* Its cause, in words; without one, where it is. */
static void
say_what(struct segv_top_row *row, const struct segv_resolved *l)
{
	if (*l->cause != '\0' && l->opts->redact)
		segv_redact(l->cause, row->what, sizeof(row->what));
	else if (*l->cause != '\0')
		snprintf(row->what, sizeof(row->what), "%s", l->cause);
	else if (l->at.function != NULL)
		snprintf(row->what, sizeof(row->what), "in %s", l->at.function);
	else if (l->at.module != NULL)
		snprintf(row->what, sizeof(row->what), "in %s", l->at.module);
}

void
segv_top_add(struct segv_top *t, const struct segv_resolved *l)
{
	const struct segv_event *ev = l->ev;
	struct segv_top_row *row = find(t, ev->kind == SEGV_FATAL,
	    ev->have & SEGV_HAVE_LEADER ? ev->leader : ev->comm, l->signature);

	if (*row->what == '\0')
		say_what(row, l);
	row->n += ev->joined ? 2 : 1;
	row->last = l->time.tv_sec;
}

void
segv_top_add_limited(
    struct segv_top *t, const char *comm, uint64_t n, time_t when)
{
	struct segv_top_row *row;

	if (*comm == '\0') {
		t->others[0] += n;
		return;
	}
	row = find(t, 0, comm, "");
	if (*row->what == '\0')
		snprintf(row->what, sizeof(row->what), "not looked at");
	row->n += n;
	row->last = when;
}

static int
by_count(const void *a, const void *b)
{
	return is_less(a, b) - is_less(b, a);
}

static uint64_t
sum_of(const struct segv_top *t, int fatal)
{
	uint64_t n = t->others[fatal];
	size_t i;

	for (i = 0; i < t->n; i++)
		if (t->row[i].fatal == fatal)
			n += t->row[i].n;
	return n;
}

/* --- lines -----------------------------------------------------------------
 */

/* One line of a screen: cut where that ends.  What is not ASCII may be two
 * columns wide. */
static void
line(struct out *o, const struct segv_top_screen *s, const char *text)
{
	size_t room = s->columns > LINE_MIN ? s->columns - 1U : WIDE, i = 0;
	size_t width = 0;

	if (s->rows == 0)
		room = WIDE;
	for (; text[i] != '\0' && width < room; i++)
		width += (unsigned char)text[i] < 0x80 ? 1
		    : (text[i] & 0x40)		       ? 2
						       : 0;
	/* not within a character */
	while ((text[i] & 0xc0) == 0x80)
		i++;
	out_text(o, "%.*s%s\n", (int)i, text, s->rows > 0 ? "\033[K" : "");
}

/* Faults a second since the last screen. */
static double
rate(const struct segv_top *t, const struct segv_top_screen *s, uint64_t more)
{
	double seconds = (double)(s->when.tv_sec - t->at.tv_sec) +
	    (double)(s->when.tv_nsec - t->at.tv_nsec) / 1e9;

	return t->at.tv_sec == 0 || seconds <= 0 ? 0 : (double)more / seconds;
}

static void
row_line(const struct segv_top *t, struct out *o,
    const struct segv_top_screen *s, const struct segv_top_row *row)
{
	char text[WIDE], when[UTC_TEXT];
	struct buf name = {0}, what = {0};

	utc_text(row->last, when);
	if (escape_append(&name, row->comm, strlen(row->comm), 0) == 0 &&
	    escape_append(&what, row->what, strlen(row->what), 0) == 0) {
		snprintf(text, sizeof(text),
		    "%9" PRIu64 " %8.1f  %.8s  %-15.60s  %-16s  %s", row->n,
		    rate(t, s, row->n - row->was), when + 11,
		    name.p != NULL ? name.p : "",
		    *row->signature != '\0' ? row->signature : "-",
		    what.p != NULL ? what.p : "");
		line(o, s, text);
	}
	buf_free(&name);
	buf_free(&what);
}

/* One kind, in at most so many lines. */
static void
block(const struct segv_top *t, struct out *o, const struct segv_top_screen *s,
    int fatal, size_t lines)
{
	static const char *const heads[] = {"HANDLED", "FATAL"};
	uint64_t rest = t->others[fatal];
	char text[128];
	size_t i;

	snprintf(text, sizeof(text), "%9s %8s  %-8s  %-15s  %-16s  %s",
	    heads[fatal], "/s", "LAST", "PROGRAM", "SIGNATURE", "WHAT");
	line(o, s, text);
	for (i = 0; i < t->n; i++) {
		if (t->row[i].fatal != fatal)
			continue;
		if (lines > BLOCK_LINES) {
			row_line(t, o, s, &t->row[i]);
			lines--;
		} else
			rest += t->row[i].n;
	}
	snprintf(
	    text, sizeof(text), "%9" PRIu64 "           %s", rest, "others");
	if (rest > 0)
		line(o, s, text);
}

/* How many lines each kind has: half, and what the other does not need. */
static void
share_lines(const struct segv_top *t, size_t lines, size_t has[2])
{
	size_t want[2] = {BLOCK_LINES + 1, BLOCK_LINES + 1}, i;

	for (i = 0; i < t->n; i++)
		want[t->row[i].fatal]++;
	has[1] = lines / 2 > want[1] ? want[1] : lines / 2;
	has[0] = lines - has[1] > want[0] ? want[0] : lines - has[1];
	has[1] = lines - has[0] > want[1] ? want[1] : lines - has[0];
}

static void
show_text(
    const struct segv_top *t, struct out *o, const struct segv_top_screen *s)
{
	size_t has[2] = {SIZE_MAX, SIZE_MAX};
	uint64_t all = sum_of(t, 0) + sum_of(t, 1);
	char text[256], when[UTC_TEXT];

	if (s->rows > HEAD_LINES + 2 * (BLOCK_LINES + 1))
		share_lines(t, s->rows - (size_t)HEAD_LINES, has);
	else if (s->rows > 0)
		has[0] = has[1] = BLOCK_LINES + 1;
	utc_text(s->when.tv_sec, when);
	if (s->rows > 0)
		out_text(o, "\033[H");
	when[10] = ' ';
	snprintf(text, sizeof(text),
	    "[%.19s] %" PRIu64 " fatal, %" PRIu64 " handled, %.1f/s, %" PRIu64
	    " dropped",
	    when, sum_of(t, 1), sum_of(t, 0), rate(t, s, all - t->shown),
	    s->dropped);
	line(o, s, text);
	block(t, o, s, 1, has[1]);
	block(t, o, s, 0, has[0]);
	out_text(o, s->rows > 0 ? "\033[J" : "\n");
}

/* --- JSON ------------------------------------------------------------------
 */

static void
show_row(struct out *o, const struct segv_top_row *row)
{
	char when[UTC_TEXT];

	utc_text(row->last, when);
	out_obj(o, NULL);
	out_str(o, "comm", OUT_HIDE, row->comm);
	out_str(o, "signature", OUT_HIDE,
	    *row->signature != '\0' ? row->signature : NULL);
	out_bool(o, "fatal", OUT_HIDE, row->fatal);
	out_u64(o, "faults", OUT_HIDE, row->n);
	out_str(o, "last", OUT_HIDE, when);
	out_str(o, "what", OUT_HIDE, *row->what != '\0' ? row->what : NULL);
	out_end(o);
}

static int
show_record(
    const struct segv_top *t, struct out *o, const struct segv_top_screen *s)
{
	char when[UTC_TEXT];
	size_t i;

	utc_text(s->when.tv_sec, when);
	out_str(o, "timestamp", OUT_HIDE, when);
	out_u64(o, "fatal", OUT_HIDE, sum_of(t, 1));
	out_u64(o, "handled", OUT_HIDE, sum_of(t, 0));
	out_arr(o, "top");
	for (i = 0; i < t->n; i++)
		show_row(o, &t->row[i]);
	out_end(o);
	out_obj(o, "others");
	out_u64(o, "fatal", OUT_HIDE, t->others[1]);
	out_u64(o, "handled", OUT_HIDE, t->others[0]);
	out_end(o);
	return out_record(o);
}

int
segv_top_show(
    struct segv_top *t, struct out *o, const struct segv_top_screen *s)
{
	uint64_t all = sum_of(t, 0) + sum_of(t, 1);
	size_t i;
	int r = 0;

	qsort(t->row, t->n, sizeof(*t->row), by_count);
	if (!out_is_text(o)) {
		if (s->last)
			r = show_record(t, o, s);
		return r;
	}
	/* lines are for those who were not there: only what is new */
	if (s->rows > 0 || all != t->shown || s->last)
		show_text(t, o, s);
	for (i = 0; i < t->n; i++)
		t->row[i].was = t->row[i].n;
	t->shown = all;
	t->at = s->when;
	return out_record(o);
}
