/* fuzz_report: a report is the input, what stands beside a core, the ledger,
 * and frames; what is shown of them is printable, whatever the form. */
#include <stdlib.h>
#include <string.h>

#include "crashlog/info.h"
#include "crashlog/show.h"
#include "fuzz.h"
#include "out/escape.h"

static struct buf
copy(const uint8_t *data, size_t len)
{
	struct buf b = {0};

	if (buf_append(&b, data, len) == -1)
		abort();
	return b;
}

static void
check(struct screen *s)
{
	const unsigned char *p = (unsigned char *)s->out.p;
	const unsigned char *end = p == NULL ? p : p + s->out.len;
	unsigned cp;
	size_t n;

	for (; s->out.len > 0 && p < end; p += n) {
		n = escape_utf8(p, (size_t)(end - p), &cp);
		if (n == 0 || escape_hidden(cp) ||
		    (cp < ' ' && cp != '\n' && cp != '\t'))
			abort();
	}
	if (s->failed)
		abort();
	buf_free(&s->out);
}

static void
show(struct rows *rows, struct buf *frames, enum form form)
{
	static char latest[] = "latest", seven[] = "7", one[] = "usercrash_1",
		    a[] = "a";
	static char *const words[] = {latest, seven, one, a};
	const struct pick p = {
	    .word = words, .words = 4, .signal = "SEGV", .unit = "a"};
	struct screen s = {.form = form, .columns = 80};
	struct info info = {.row = rows->row,
	    .all = rows,
	    .now = 1700000000,
	    .next = "gdb",
	    .frames = frames};
	const struct pick any = {.oldest = 1};
	struct hit *hit;
	const char *none;
	size_t n, which;

	if (pick(&p, rows, &hit, &n, &none) == -1)
		abort();
	pick_double(hit, n, &which);
	free(hit);
	if (pick(&any, rows, &hit, &n, &none) == -1 || n != 2)
		abort();
	show_list(&s, hit, n, 0);
	check(&s);
	s = (struct screen){.form = form};
	show_top(&s, hit, n, 1);
	info_show(&s, &info);
	check(&s);
	free(hit);
}

static void
count(const uint8_t *data, size_t len, enum form form)
{
	struct buf b = copy(data, len);
	struct screen s = {.form = form, .columns = 60};
	size_t n;
	struct seen *seen = ledger_lines(&b, NULL, NULL, &n);

	show_over(&s, seen, n, 3, "day");
	show_since(&s, seen, n, 3, "2026", "2026");
	check(&s);
	free(seen);
	buf_free(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct row row[2] = {0};
	struct rows rows = {calloc(2, sizeof(*rows.row)), 2};
	struct buf notes = copy(data, len), frames;
	size_t half = len > 0 ? data[0] * len / 256 : 0;

	row[0].head = copy(data, len);
	row[0].info = copy(data + half, len - half);
	row[0].v[PATH] = "/a/usercrash_00";
	row[0].v[SLOT] = "00";
	row[1].info = copy(data, len);
	row[1].v[PATH] = "/a/core.a";
	row[1].v[STATE] = "partial";
	memcpy(rows.row, row, sizeof(row));
	for (int i = 0; i < 2; i++)
		row_fill(&rows.row[i]);
	if (rows_relate(&rows, &notes) == -1)
		abort();
	for (int form = FORM_TABLE; form <= FORM_LINE; form++) {
		frames = copy(data, len);
		show(&rows, &frames, (enum form)form);
		buf_free(&frames);
		count(data, len, (enum form)form);
	}
	buf_free(&notes);
	rows_free(&rows);
	return 0;
}
