/*
 * The fault in words.  No sentence says more than si_code: nothing is without
 * permission that was not mapped, and the reverse.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "memop/memop.h"
#include "report/crash_dump.h"
#include "report/exception.h"
#include "report/fault.h"
#include "report/panic.h"
#include "report/signals.h"
#include "unwind/symbols.h"

enum {
	NULL_PAGES = 64 << 10, /* below this an address is a null pointer */
	CALLERS = 4,	       /* looked at for one with a name */
	NAME_MAX_SHOWN = 160,
	PLACE = 400
};

static void say(struct fault *f, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Appends; what does not fit ends in "...". */
static void
say(struct fault *f, const char *fmt, ...)
{
	size_t len = strlen(f->text), room = sizeof(f->text) - len;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(f->text + len, room, fmt, ap);
	va_end(ap);
	if (n >= 0 && (size_t)n >= room)
		memcpy(f->text + sizeof(f->text) - 4, "...", 4);
}

/* --- where -----------------------------------------------------------------
 */

static void
append(char *out, size_t n, const char *a, const char *b)
{
	size_t len = strlen(out);

	snprintf(out + len, n - len, "%s%.*s%s", a, (int)NAME_MAX_SHOWN, b,
	    strlen(b) > NAME_MAX_SHOWN ? "..." : "");
}

/* A frame by its function, or by what it lies in; 1 when that is a function,
 * -1 when it lies in nothing. */
static int
frame_place(const struct crash *c, struct symbols *sy, const struct frame *fr,
    const char *relation, char out[PLACE])
{
	struct symbol s;
	struct map *m;
	char off[32];

	symbols_get(sy, fr->pc, fr->flags & FRAME_EXACT, &s);
	if (s.name != NULL) {
		append(out, PLACE, relation, s.name);
		return 1;
	}
	m = target_map(c->t, fr->pc);
	if (s.mod != NULL) {
		append(out, PLACE, relation, s.mod->base);
		snprintf(off, sizeof(off), "+0x%" PRIx64, s.vaddr);
		append(out, PLACE, "", off);
		return 0;
	}
	if (m == NULL)
		return -1;
	append(out, PLACE, relation, *m->name ? m->name : "anonymous memory");
	return 0;
}

/* " in f", " called from f", " in libx.so+0x10f9, called from f". */
static void
find_place(const struct fault *f, const struct crash *c, struct symbols *sy,
    char out[PLACE])
{
	const char *relation = " in ";
	const struct trace *tr;
	struct symbol s;
	size_t i = f->frame, end;
	int r;

	*out = '\0';
	if (c->t->nthreads == 0)
		return;
	tr = &c->t->threads[0].trace;
	/* something that is no code was called */
	if (i < tr->n && (f->access & MEMOP_EXEC) &&
	    tr->f[i].flags & FRAME_BADPC) {
		i++;
		relation = " called from ";
	}
	if (i >= tr->n)
		return;
	end = i + CALLERS < tr->n ? i + CALLERS : tr->n;
	r = frame_place(c, sy, &tr->f[i], relation, out);
	for (i++; r != 1 && i < end; i++) {
		symbols_get(sy, tr->f[i].pc, tr->f[i].flags & FRAME_EXACT, &s);
		if (s.name == NULL || tr->f[i].flags & FRAME_SIGNAL)
			continue;
		append(out, PLACE, r == 0 ? ", called from " : " called from ",
		    s.name);
		return;
	}
}

/* --- what ------------------------------------------------------------------
 */

static const char *
access_word(unsigned access)
{
	if (access & MEMOP_EXEC)
		return "execution";
	if (access & MEMOP_WRITE)
		return "write";
	return access & MEMOP_READ ? "read" : "access";
}

static const char *
map_word(const struct map *m)
{
	return *m->name != '\0' ? m->name : "anonymous memory";
}

static void
say_null(struct fault *f)
{
	if (f->access & MEMOP_EXEC)
		say(f, "jump to null pointer");
	else
		say(f, "null pointer %s", access_word(f->access));
	if (f->addr != 0)
		say(f, " at offset 0x%" PRIx64, f->addr);
}

/* The mapping was there and did not allow it. */
static void
say_forbidden(struct fault *f, const struct map *m)
{
	say(f, "%s of address 0x%" PRIx64 " without permission",
	    access_word(f->access), f->addr);
	if (m != NULL)
		say(f, " (%c%c%c %.60s)", m->prot & MAP_R ? 'r' : '-',
		    m->prot & MAP_W ? 'w' : '-', m->prot & MAP_X ? 'x' : '-',
		    map_word(m));
}

/* Codes of SIGSEGV that are none of the usual two (asm-generic/siginfo.h). */
static const char *
code_words(int code)
{
	static const struct {
		int code;
		const char *words;
	} words[] = {{3, "beyond its bounds"},
	    {4, "forbidden by its protection key"},
	    {8, "with a tag that does not match, found late"},
	    {9, "with a tag that does not match"}};
	size_t i;

	for (i = 0; i < NELEM(words); i++)
		if (words[i].code == code)
			return words[i].words;
	return NULL;
}

/* SIGSEGV, and a SIGBUS for a non-canonical address on the stack. */
static void
say_segv(struct fault *f, const struct crash *c)
{
	const struct map *m = target_map(c->t, f->addr);
	const char *what = access_word(f->access);

	if (f->overflow)
		say(f, "stack overflow");
	else if (f->signo == SIGSEGV && f->code == 10)
		say(f, "control protection fault");
	else if (!f->have_addr && !f->have_code)
		say(f, "segmentation fault");
	else if (!f->have_addr)
		say(f,
		    f->signo == SIGSEGV ? "general protection fault"
					: "stack fault");
	else if (f->misaligned)
		say(f, "misaligned %s at address 0x%" PRIx64, what, f->addr);
	else if (f->code == FAULT_SI_KERNEL)
		say(f, "%s at non-canonical address 0x%" PRIx64, what, f->addr);
	else if (code_words(f->code) != NULL)
		say(f, "%s of address 0x%" PRIx64 " %s", what, f->addr,
		    code_words(f->code));
	else if (f->addr < NULL_PAGES && (m == NULL || f->code != SEGV_ACCERR))
		say_null(f);
	else if (f->code == SEGV_ACCERR)
		say_forbidden(f, m);
	else
		say(f, "%s of unmapped address 0x%" PRIx64, what, f->addr);
}

/* Signals whose code says it all. */
static const char *
code_text(int signo, int code)
{
	switch (signo) {
	case SIGFPE:
		return code == FPE_INTDIV ? "integer division by zero"
					  : "arithmetic error";
	case SIGILL:
		return "illegal instruction";
	case SIGTRAP:
		return "breakpoint or trap";
	case SIGSYS:
		return "system call not permitted (seccomp)";
	case SIGBUS:
		return code == BUS_ADRALN ? "misaligned access" : NULL;
	default:
		return NULL;
	}
}

/* The fault alone. */
static void
say_fault(struct fault *f, const struct crash *c, struct symbols *sy)
{
	const char *what = code_text(f->signo, f->code);
	const struct map *m;
	char place[PLACE];

	if (f->signo == SIGSEGV ||
	    (f->signo == SIGBUS && f->code == FAULT_SI_KERNEL))
		say_segv(f, c);
	else if (f->signo == SIGBUS && f->code == BUS_ADRERR &&
	    (m = target_map(c->t, f->addr)) != NULL)
		say(f, "%s beyond the end of %.100s", access_word(f->access),
		    map_word(m));
	else if (what != NULL)
		say(f, "%s", what);
	else
		return;
	find_place(f, c, sy, place);
	say(f, "%s", place);
}

/* --- who sent it -----------------------------------------------------------
 */

static int
is_sent(const struct fault *f)
{
	return f->have_code && f->code <= 0;
}

static void
say_sender(struct fault *f)
{
	say(f, "signal sent by %s %d (uid %d)",
	    f->by_itself ? "the process itself," : "process", f->pid, f->uid);
}

static void
say_handler(struct fault *f, const char *before)
{
	const char *name = signal_name(f->caught->signo);

	say(f, "%sits handler of %s%s%s", before,
	    name != NULL ? name : "a signal", *f->caught->text ? ": " : "",
	    f->caught->text);
}

static void
say_exception(struct fault *f)
{
	static const char *const how[] = {
	    [EXCEPTION_UNCAUGHT] = "aborted: uncaught",
	    [EXCEPTION_TERMINATE] =
		"aborted: std::terminate() in the handler of",
	    [EXCEPTION_HANDLED] = "aborted while handling"};
	const struct exception *e = f->exception;
	char type[EXCEPTION_TYPE];

	exception_type_name(e->type, type, sizeof(type));
	say(f, "%s %.200s", how[e->how], type);
	if (e->have_text)
		say(f, ": %s%s", e->text, e->cut ? "..." : "");
}

static void
say_panic(struct fault *f)
{
	const struct panic *p = f->panic;

	say(f, "aborted: Rust panic at %.200s%s:%" PRIu32 ":%" PRIu32, p->file,
	    strlen(p->file) > 200 ? "..." : "", p->line, p->column);
	if (p->have_text)
		say(f, ": %s%s", p->text, p->cut ? "..." : "");
}

/* abort() sends the signal to itself; a service manager's watchdog sends it to
 * others. */
static void
say_abort(struct fault *f)
{
	int handled = f->exception != NULL && f->exception->found;

	if (handled && f->exception->how != EXCEPTION_HANDLED)
		say_exception(f);
	else if (f->panic != NULL && f->panic->found)
		say_panic(f);
	else if (f->caught != NULL)
		say_handler(f, "aborted by ");
	else if (f->abort_msg != NULL)
		say(f, "abort: %.200s%s", f->abort_msg,
		    strlen(f->abort_msg) > 200 ? "..." : "");
	else if (handled)
		say_exception(f);
	else
		say(f, "aborted");
}

void
cause_text(struct fault *f, const struct crash *c, struct symbols *sy)
{
	if (f->caught != NULL && is_sent(f->caught))
		say_sender(f->caught);
	else if (f->caught != NULL)
		say_fault(f->caught, c, sy);
	if (f->signo == SIGABRT &&
	    (!is_sent(f) || f->by_itself || !c->head->have_psinfo)) {
		say_abort(f);
	} else if (is_sent(f) && f->caught != NULL && f->by_itself &&
	    f->caught->signo == f->signo) {
		say(f, "%s, raised again by its handler", f->caught->text);
	} else {
		if (is_sent(f))
			say_sender(f);
		else
			say_fault(f, c, sy);
		if (f->caught != NULL && *f->text != '\0')
			say_handler(f, ", in ");
	}
}
