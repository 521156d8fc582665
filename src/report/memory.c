/*
 * Sections of bytes: what the crashed thread's registers point at, the code
 * around its pc, the words of its stack.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "report/sections.h"

enum {
	ROW = 16,
	REG_BELOW = 32, /* bytes shown below a register's target */
	REG_ABOVE = 96,
	CODE_BELOW = 64,
	CODE_ABOVE = 64,
	STACK_WORDS = 128
};

/* Rows over [from, to), both multiples of ROW. */
struct rows {
	const char *indent;
	uint64_t from, to;
	uint64_t mark; /* the address whose row is pointed out */
};

/* "  address  16 bytes in hex  as text"; JSON {"address", "bytes"}. */
static void
hex_row(struct out *o, const struct rows *r, uint64_t addr,
    const unsigned char *p, size_t n)
{
	static const char digit[] = "0123456789abcdef";
	char hex[ROW * 2 + 1], text[ROW + 1], pairs[ROW * 3 + ROW / 8 + 1];
	char *q = pairs;
	size_t i;

	for (i = 0; i < n; i++) {
		if (i % 8 == 0)
			*q++ = ' ';
		*q++ = ' ';
		*q++ = digit[p[i] >> 4];
		*q++ = digit[p[i] & 15];
		hex[2 * i] = digit[p[i] >> 4];
		hex[2 * i + 1] = digit[p[i] & 15];
		text[i] = p[i] >= ' ' && p[i] < 0x7f && p[i] != '\\'
		    ? (char)p[i]
		    : '.';
	}
	hex[2 * n] = text[n] = *q = '\0';
	out_obj(o, NULL);
	out_text(o, "%s", r->indent);
	out_hex(o, "address", "", addr, 16);
	out_text(o, "%s%*s%s%s\n", pairs, (int)((ROW - n) * 3 + 2), "", text,
	    r->mark >= addr && r->mark - addr < ROW ? "  <-" : "");
	out_str(o, "bytes", OUT_HIDE, hex);
	out_end(o);
}

static struct rows
rows_around(const char *indent, uint64_t mark, unsigned below, unsigned above)
{
	uint64_t at = mark - mark % ROW;

	return (struct rows){
	    indent, at > below ? at - below : 0, at + above, mark};
}

/* What cannot be read is left out. */
static void
hex_rows(struct target *t, const struct rows *r, struct out *o)
{
	unsigned char row[ROW];
	uint64_t a;
	size_t n;

	for (a = r->from; a < r->to; a += ROW) {
		n = target_read(t, a, row, ROW);
		if (n != 0)
			hex_row(o, r, a, row, n);
	}
}

/* Registers that point near one another share one block. */
static int
shown_before(const struct arch *a, const struct target_thread *th, size_t i)
{
	uint64_t v = th->regs.r[a->reg[i].greg];
	size_t k;

	for (k = 0; k < i; k++)
		if (a->reg[k].pointer &&
		    th->regs.r[a->reg[k].greg] / ROW == v / ROW)
			return 1;
	return 0;
}

static void
register_memory(const struct crash *c, const struct target_thread *th,
    size_t first, struct out *o)
{
	const struct arch *a = c->t->arch;
	uint64_t v = th->regs.r[a->reg[first].greg];
	struct map *m = target_map(c->t, v);
	const char *lead = "  ";
	unsigned char probe;
	struct rows r;
	size_t i;

	if (m == NULL || target_read(c->t, v, &probe, 1) != 1)
		return;
	out_obj(o, NULL);
	out_arr(o, "registers");
	for (i = first; i < a->nreg; i++) {
		if (!a->reg[i].pointer ||
		    th->regs.r[a->reg[i].greg] / ROW != v / ROW)
			continue;
		out_str(o, NULL, lead, a->reg[i].name);
		lead = " ";
	}
	out_end(o);
	out_hex(o, "address", " ", v, 16);
	out_str(o, "mapping", " ", *m->name ? m->name : "anonymous memory");
	out_text(o, "\n");
	out_arr(o, "rows");
	r = rows_around("    ", v, REG_BELOW, REG_ABOVE);
	hex_rows(c->t, &r, o);
	out_end(o);
	out_end(o);
}

void
dump_memory(const struct crash *c, struct symbols *sy, struct out *o)
{
	const struct target_thread *th = target_crashed(c->t);
	const struct arch *a = c->t->arch;
	size_t i;

	(void)sy;
	if (th == NULL) {
		out_unavailable(o, "no registers");
		return;
	}
	if (c->t->lost != NULL) {
		out_unavailable(o, c->t->lost);
		return;
	}
	out_section(o, '[');
	for (i = 0; i < a->nreg; i++)
		if (a->reg[i].pointer && !shown_before(a, th, i))
			register_memory(c, th, i, o);
}

static void
no_memory(const struct crash *c, struct out *o, const char *at, uint64_t addr)
{
	char why[64];

	snprintf(why, sizeof(why), "no memory at %s 0x%" PRIx64, at, addr);
	out_unavailable(o, c->t->lost != NULL ? c->t->lost : why);
}

void
dump_code(const struct crash *c, struct symbols *sy, struct out *o)
{
	const struct target_thread *th = target_crashed(c->t);
	unsigned char probe;
	uint64_t pc;
	struct rows r;

	(void)sy;
	if (th == NULL) {
		out_unavailable(o, "no registers");
		return;
	}
	pc = thread_pc(c->t, th);
	if (target_read(c->t, pc, &probe, 1) != 1) {
		no_memory(c, o, "pc", pc);
		return;
	}
	r = rows_around("  ", pc, CODE_BELOW, CODE_ABOVE);
	out_section(o, '[');
	hex_rows(c->t, &r, o);
}

int
stack_symbols(const struct crash *c, struct symbols *sy)
{
	const struct target_thread *th = target_crashed(c->t);
	uint64_t sp, v;
	size_t i;

	if (th == NULL)
		return 0;
	sp = thread_sp(c->t, th);
	for (i = 0; i < STACK_WORDS; i++)
		if (target_word(c->t, sp + i * 8, &v) == 0 &&
		    target_code(c->t, v) != NULL && symbols_add(sy, v, 0) == -1)
			return -1;
	return 0;
}

static void
stack_word(const struct crash *c, struct symbols *sy, uint64_t addr, uint64_t v,
    struct out *o)
{
	struct symbol s;

	out_obj(o, NULL);
	out_hex(o, "address", "  ", addr, 16);
	out_hex(o, "value", "  ", v, 16);
	if (target_code(c->t, v) != NULL) {
		symbols_get(sy, v, 0, &s);
		if (s.name != NULL) {
			out_str(o, "function", "  ", s.name);
			out_hex(o, "offset", "+0x", s.off, 0);
		}
		if (s.mod != NULL) {
			out_str(
			    o, "module", s.name ? " (" : "  (", s.mod->base);
			out_hex(o, "module_offset", "+0x", s.vaddr, 0);
			out_text(o, ")");
		}
	}
	out_text(o, "\n");
	out_end(o);
}

void
dump_stack(const struct crash *c, struct symbols *sy, struct out *o)
{
	const struct target_thread *th = target_crashed(c->t);
	uint64_t sp, v;
	size_t i;

	if (th == NULL) {
		out_unavailable(o, "no registers");
		return;
	}
	sp = thread_sp(c->t, th);
	if (target_word(c->t, sp, &v) == -1) {
		no_memory(c, o, "stack pointer", sp);
		return;
	}
	out_section(o, '[');
	for (i = 0; i < STACK_WORDS; i++) {
		if (target_word(c->t, sp + i * 8, &v) == -1)
			break;
		stack_word(c, sy, sp + i * 8, v, o);
	}
}
