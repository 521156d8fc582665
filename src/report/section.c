/*
 * The sections of a report, and what each may take of it (out.h).
 */
#include <string.h>

#include "report/out_impl.h"

void
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
