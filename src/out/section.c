/*
 * The sections of a report, what each may take of it, and its end (out.h).
 */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "out/out_impl.h"

/* Text: ends a line that was left open. */
static void
out_line(struct out *o)
{
	if (o->midline)
		out_puts(o, "\n");
}

void
out_title(struct out *o, const char *name)
{
	o->title = name;
}

/* In text, at the start of a line. */
static void
heading(struct out *o, const char *rest)
{
	if (o->json)
		return;
	out_line(o);
	out_escaped(o, o->title, strlen(o->title));
	out_puts(o, rest);
}

void
out_section(struct out *o, int kind)
{
	out_section_end(o);
	o->section = o->level;
	if (o->json)
		json_open(o, o->title, kind == '[' ? '[' : '{');
	heading(o, ":\n");
}

void
out_section_end(struct out *o)
{
	if (o->section < 0)
		return;
	if (o->json) {
		while (o->toodeep > 0 || o->level > o->section)
			out_end(o);
	} else {
		out_line(o);
		out_puts(o, "\n");
	}
	o->section = -1;
	out_row(o);
}

void
out_unavailable(struct out *o, const char *why)
{
	out_section_end(o);
	out_obj(o, o->title);
	heading(o, ": unavailable: ");
	out_str(o, "unavailable", "", why);
	out_end(o);
	out_text(o, "\n\n");
	out_row(o);
}

/* Ends whatever is open. */
static void
out_close(struct out *o)
{
	out_section_end(o);
	if (!o->json) {
		out_line(o);
		return;
	}
	while (o->toodeep > 0 || o->level > 0)
		out_end(o);
	if (o->feed)
		out_puts(o, o->begun ? "}\n" : "");
	else
		out_puts(o, o->begun ? "\n}\n" : "{}\n");
	o->begun = 0;
	o->n[0] = 0;
}

int
out_record(struct out *o)
{
	out_close(o);
	if (o->b.len >= OUT_FLUSH || o->err != 0)
		return out_flush(o);
	return 0;
}

int
out_finish(struct out *o)
{
	int err;

	out_close(o);
	out_flush(o);
	err = o->err;
	buf_free(&o->b);
	free(o);
	if (err == 0)
		return 0;
	return fails(err);
}

void
out_share(struct out *o, uint64_t bytes)
{
	o->end = bytes == 0 ? 0 : o->gone + o->b.len + bytes;
}

int
out_full(struct out *o, uint64_t left)
{
	if (o->end == 0 || o->gone + o->b.len < o->end)
		return 0;
	out_obj(o, NULL);
	out_u64(o, "left_out", "  ... ", left);
	out_text(
	    o, " left out: this section has had its share of the report\n");
	out_end(o);
	return 1;
}
