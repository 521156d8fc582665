/*
 * Sections of threads: backtraces and registers, the crashed one's first, and
 * the threads that the core does not tell of.
 */
#include <inttypes.h>
#include <string.h>

#include "report/fault.h"
#include "report/sections.h"

static void
frame_row(const struct crash *c, const struct frame *f, struct symbols *sy,
    const char *indent, struct out *o)
{
	struct symbol s;

	symbols_frame(sy, f->pc, f->flags, &s);
	out_obj(o, NULL);
	out_text(o, "%s#%02" PRIu64 " pc ", indent, f->n);
	out_u64(o, "n", OUT_HIDE, f->n);
	out_hex(o, "pc", "", f->pc, 16);
	out_hex(o, "sp", OUT_HIDE, f->sp, 16);
	if (s.name != NULL) {
		out_str(o, "function", " ", s.name);
		out_hex(o, "offset", "+0x", s.off, 0);
	} else
		out_text(o, " ??");
	if (s.mod != NULL) {
		out_bytes(o, "module", " (", s.mod->base, s.mod->baselen);
		out_hex(o, "module_offset", "+0x", s.vaddr, 0);
		out_text(o, ")");
	} else if (target_map(c->t, f->pc) != NULL)
		out_str(o, "mapping", " in ",
		    *target_map(c->t, f->pc)->name
			? target_map(c->t, f->pc)->name
			: "anonymous memory");
	if (f->flags & FRAME_SIGNAL)
		out_str(o, "kind", " <", "signal frame");
	else if (f->flags & FRAME_BADPC)
		out_str(o, "kind", " <", "not code");
	else if (f->flags & FRAME_FP)
		out_str(o, "kind", " <", "by frame pointer");
	else if (f->flags & FRAME_POPPED)
		out_str(o, "kind", " <", "return address popped");
	else if (f->flags & FRAME_CALL)
		out_str(o, "kind", " <", "by its call");
	out_text(o, "%s\n",
	    f->flags &
		    (FRAME_SIGNAL | FRAME_BADPC | FRAME_FP | FRAME_POPPED |
			FRAME_CALL)
		? ">"
		: "");
	out_end(o);
}

static void
trace_rows(const struct crash *c, const struct target_thread *th,
    struct symbols *sy, const char *indent, struct out *o)
{
	const struct trace *tr = &th->trace;
	size_t i;

	for (i = 0; i < tr->n && !out_full(o, tr->n - i); i++) {
		if (tr->left_out && i == tr->head) {
			out_text(o, "%s... ", indent);
			out_obj(o, NULL);
			out_u64(o, "left_out", "", tr->left_out);
			out_end(o);
			out_text(o, " frames left out\n");
		}
		frame_row(c, &tr->f[i], sy, indent, o);
	}
	if (*tr->stop != '\0') {
		out_obj(o, NULL);
		out_text(o, "%s", indent);
		out_str(o, "stopped", "stopped: ", tr->stop);
		out_text(o, "\n");
		out_end(o);
	}
}

/* Why the crashing (or first) thread has no backtrace. */
static const char *
no_trace(const struct crash *c)
{
	const struct target *t = c->t;

	if (c->core_why != NULL)
		return c->core_why;
	if (t->nthreads > 0 && t->threads[0].regs.n > 0 && t->lost != NULL)
		return t->lost;
	if (t->nthreads == 0)
		return t->threads_why != NULL ? t->threads_why : "no threads";
	if (t->threads[0].why != NULL)
		return t->threads[0].why;
	return "not unwound";
}

void
dump_backtrace(const struct crash *c, struct symbols *sy, struct out *o)
{
	const struct target *t = c->t;

	if (t->nthreads == 0 || t->threads[0].trace.n == 0) {
		out_unavailable(o, no_trace(c));
		return;
	}
	out_section(o, '[');
	trace_rows(c, &t->threads[0], sy, "  ", o);
}

static void
register_rows(const struct target *t, const struct regs *regs,
    const char *indent, struct out *o)
{
	static const char blanks[] = "         ";
	const struct arch *a = t->arch;
	size_t i, len;

	for (i = 0; i < a->nreg; i++) {
		out_text(o, "%s", i % 3 == 0 ? indent : "  ");
		out_text(o, "%s", a->reg[i].name);
		len = strlen(a->reg[i].name);
		out_hex(o, a->reg[i].name, blanks + (len < 8 ? len : 8),
		    regs->r[a->reg[i].greg], 16);
		if (i % 3 == 2 || i + 1 == a->nreg)
			out_text(o, "\n");
	}
}

void
dump_registers(const struct crash *c, struct symbols *sy, struct out *o)
{
	const struct target *t = c->t;

	(void)sy;
	if (t->nthreads == 0 || t->threads[0].regs.n == 0) {
		out_unavailable(o, no_trace(c));
		return;
	}
	out_section(o, '{');
	register_rows(t, &t->threads[0].regs, "  ", o);
}

/* Of the fault that a handler had caught. */
void
dump_fault_registers(const struct crash *c, struct symbols *sy, struct out *o)
{
	(void)sy;
	if (c->fault->caught == NULL || c->fault->caught->regs.n == 0)
		return;
	out_section(o, '{');
	register_rows(c->t, &c->fault->caught->regs, "  ", o);
}

static void
thread_entry(const struct crash *c, const struct target_thread *th,
    struct symbols *sy, struct out *o)
{
	out_obj(o, NULL);
	out_i64(o, "tid", "  thread ", th->tid);
	if (th->nstid != th->tid)
		out_i64(o, "nstid", OUT_HIDE, th->nstid);
	out_bytes(o, "name", " \"", th->name, th->namelen);
	out_text(o, "\"\n");
	out_arr(o, "backtrace");
	trace_rows(c, th, sy, "    ", o);
	out_end(o);
	if (th->why != NULL) {
		out_str(o, "unavailable", "    unavailable: ", th->why);
		out_text(o, "\n");
	}
	if (th->regs.n > 0) {
		out_obj(o, "registers");
		register_rows(c->t, &th->regs, "    ", o);
		out_end(o);
	}
	out_end(o);
}

/* Threads of the process that the core's notes do not tell of. */
static int
is_told(const struct target *t, pid_t tid)
{
	size_t i;

	for (i = 0; i < t->nthreads; i++)
		if (t->threads[i].tid == tid)
			return 1;
	return 0;
}

static void
silent_threads(const struct crash *c, struct out *o)
{
	const struct procinfo *pi = c->pi;
	size_t i;

	/* no notes at all: the names are still worth having */
	if (pi == NULL || c->t->nthreads > 64)
		return;
	for (i = 0; i < pi->ntasks; i++) {
		if (is_told(c->t, pi->tasks[i].tid))
			continue;
		if (out_full(o, pi->ntasks - i))
			return;
		out_obj(o, NULL);
		out_i64(o, "tid", "  thread ", pi->tasks[i].tid);
		out_bytes(
		    o, "name", " \"", pi->tasks[i].comm, pi->tasks[i].commlen);
		out_text(o, "\"\n");
		out_str(o, "unavailable", "    unavailable: ",
		    "no registers: it had exited, or its notes are missing");
		out_text(o, "\n");
		out_end(o);
	}
}

void
dump_threads(const struct crash *c, struct symbols *sy, struct out *o)
{
	const struct target *t = c->t;
	size_t i;

	out_section(o, '[');
	for (i = 1; i < t->nthreads && !out_full(o, t->nthreads - i); i++)
		thread_entry(c, &t->threads[i], sy, o);
	silent_threads(c, o);
	if (t->threads_why != NULL) {
		out_obj(o, NULL);
		out_str(o, "incomplete", "  incomplete: ", t->threads_why);
		out_text(o, "\n");
		out_end(o);
	}
}
