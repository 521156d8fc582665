#include "report/crash_dump.h"

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/deadline.h"
#include "core/corekind.h"
#include "report/fault.h"
#include "report/sections.h"
#include "report/signals.h"
#include "report/signature.h"
#include "unwind/unwind.h"

enum {
	FRAMES_HEAD = 256, /* shown of each backtrace */
	FRAMES_TAIL = 64,
	FRAMES_MAX = 4 << 20 /* counted */
};

/* Of a report's bytes at most so many 64ths, when those are bounded. */
static const struct {
	const char *name;
	section_fn *dump;
	unsigned share;
} sections[] = {{"backtrace", dump_backtrace, 8},
    {"registers", dump_registers, 1},
    {"fault_registers", dump_fault_registers, 1}, {"memory", dump_memory, 2},
    {"instructions", dump_code, 1}, {"stack", dump_stack, 2},
    {"threads", dump_threads, 16}, {"files", dump_files, 6},
    {"maps", dump_maps, 11}, {"modules", dump_modules, 6},
    {"limits", dump_limits, 1}, {"status", dump_status, 1},
    {"environ", dump_environ, 4}};

_Static_assert(
    (int)FRAMES_HEAD >= (int)SIGNATURE_FRAMES, "frames of a signature");

static int
unwind_all(struct crash *c)
{
	struct unwind_limits lim = {.head = FRAMES_HEAD,
	    .tail = FRAMES_TAIL,
	    .frames = FRAMES_MAX,
	    .deadline = c->deadline};
	struct target *t = c->t;
	struct unwinder *u;
	size_t i;

	if (t->nthreads == 0 || t->nmaps == 0)
		return 0;
	u = unwind_new(t);
	if (u == NULL)
		return 0;
	for (i = 0; i < t->nthreads; i++) {
		if (t->threads[i].regs.n == 0)
			continue;
		if (i > 0 && deadline_left(c->deadline) == 0) {
			t->threads_why = "no time left for further backtraces";
			c->partial = 1;
			break;
		}
		unwind_thread(u, &t->threads[i], &lim);
	}
	unwind_free(u);
	return 0;
}

static int
name_all(struct crash *c, struct symbols *sy)
{
	const struct target *t = c->t;
	const struct trace *tr;
	size_t i, k;

	for (i = 0; i < t->nthreads; i++) {
		tr = &t->threads[i].trace;
		for (k = 0; k < tr->n; k++)
			if (symbols_add(sy, tr->f[k].pc,
				tr->f[k].flags & FRAME_EXACT) == -1)
				return -1;
	}
	if (stack_symbols(c, sy) == -1)
		return -1;
	return symbols_run(sy);
}

static void
summarize(struct crash *c, const struct fault *f, const char *signature)
{
	const char *name = signal_name(f->signo);
	char number[32];

	if (name == NULL) {
		snprintf(number, sizeof(number), "signal %d", f->signo);
		name = f->signo ? number : "live";
	}
	snprintf(c->signature, sizeof(c->signature), "%s", signature);
	snprintf(c->summary, sizeof(c->summary), "%s%s%.200s signature %s",
	    name, *f->text ? ": " : "", f->text, signature);
}

int
crash_dump(struct crash *c, struct out *o)
{
	struct symbols *sy = symbols_new(c->t);
	char signature[17] = "none";
	struct fault f;
	size_t i;

	if (sy == NULL)
		return -1;
	/* where there is no process, they tell the program's name */
	if (c->pi == NULL && c->t->nmaps > 0)
		modules_load(c->t);
	dump_head(c, o);
	/* should what follows hang or die, this much is in the report */
	out_flush(o);
	if (c->pi != NULL && c->t->nmaps > 0)
		modules_load(c->t);
	dump_program_package(c, o);
	unwind_all(c);
	if (name_all(c, sy) == -1) {
		symbols_free(sy);
		return -1;
	}
	fault_find(&f, c, sy);
	c->fault = &f;
	dump_fault(&f, o);
	if (c->pause_ns != 0)
		out_u64(o, "pause_us", OUT_KEY, c->pause_ns / 1000);
	if (c->t->nthreads > 0 && c->t->threads[0].trace.n > 0)
		crash_signature(c->t, sy, f.signo, f.overflow, signature);
	else
		c->partial = 1;
	out_str(o, "signature", OUT_KEY, signature);
	out_text(o, "\n");
	out_flush(o);

	for (i = 0; i < NELEM(sections); i++) {
		out_title(o, sections[i].name);
		out_share(o, c->report_max / 64 * sections[i].share);
		sections[i].dump(c, sy, o);
		out_section_end(o);
	}
	out_share(o, 0);
	if (c->t->lost != NULL) {
		c->partial = 1;
		out_str(o, "incomplete", OUT_KEY, c->t->lost);
	}
	summarize(c, &f, signature);
	c->written = 1;
	c->fault = NULL;
	fault_free(&f);
	symbols_free(sy);
	return 0;
}
