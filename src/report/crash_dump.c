#include "report/crash_dump.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>

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

static const struct {
	const char *name;
	section_fn *dump;
} sections[] = {{"backtrace", dump_backtrace}, {"registers", dump_registers},
    {"fault_registers", dump_fault_registers}, {"memory", dump_memory},
    {"instructions", dump_code}, {"stack", dump_stack},
    {"threads", dump_threads}, {"files", dump_files}, {"maps", dump_maps},
    {"modules", dump_modules}, {"limits", dump_limits}, {"status", dump_status},
    {"environ", dump_environ}};

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
dump_time(const struct crash *c, struct out *o)
{
	time_t t = c->time > 0 ? (time_t)c->time : time(NULL);
	char text[64];
	struct tm tm;

	if (gmtime_r(&t, &tm) == NULL ||
	    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		out_fmt(o, "time", OUT_KEY, "%lld", (long long)t);
	else
		out_str(o, "time", OUT_KEY, text);
}

static void
dump_host(const struct crash *c, struct out *o)
{
	struct utsname u;
	const char *arch = core_machine_name(c->t->machine);

	if (uname(&u) == -1)
		memset(&u, 0, sizeof(u));
	if (c->offline) {
		key_unavailable(o, "host", c->proc_why);
		key_unavailable(o, "kernel", c->proc_why);
	} else {
		/* %h of core(5) is the container's own */
		out_str(o, "host", OUT_KEY,
		    c->host != NULL && *c->host != '\0' &&
			    !(c->pi != NULL && *c->pi->host != '\0')
			? c->host
			: u.nodename);
		out_str(o, "kernel", OUT_KEY, u.release);
	}
	out_str(o, "arch", OUT_KEY, arch != NULL ? arch : u.machine);
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
	out_str(o, "format", OUT_HIDE, "usercrash");
	out_u64(o, "version", OUT_HIDE, 1);
	out_text(o, "usercrash report 1\n");
	dump_time(c, o);
	dump_host(c, o);
	if (c->t->nmaps > 0)
		modules_load(c->t);
	dump_identity(c, o);
	/* should unwinding hang, this much is in the report */
	out_flush(o);
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
		sections[i].dump(c, sy, o);
		out_section_end(o);
	}
	summarize(c, &f, signature);
	c->written = 1;
	c->fault = NULL;
	fault_free(&f);
	symbols_free(sy);
	return 0;
}
