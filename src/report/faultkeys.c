/*
 * The keys of a report's first block that tell of the fault, and how one that
 * is not known, or has a number and a name, is written.
 */
#include <inttypes.h>
#include <string.h>

#include "base/bytes.h"
#include "memop/memop.h"
#include "report/exception.h"
#include "report/fault.h"
#include "report/panic.h"
#include "report/sections.h"
#include "report/signals.h"

void
key_unavailable(struct out *o, const char *key, const char *why)
{
	out_obj(o, key);
	out_text(o, "%s: ", key);
	out_str(o, "unavailable", "unavailable: ", why);
	out_text(o, "\n");
	out_end(o);
}

void
number_and_name(struct out *o, const char *key, const char *namekey, int n,
    const char *name)
{
	out_text(o, "%s:", key);
	out_i64(o, key, " ", n);
	if (name != NULL)
		out_str(o, namekey, " ", name);
	out_text(o, "\n");
}

static void
dump_access(const char *key, const struct fault *f, struct out *o)
{
	static const struct {
		unsigned bit;
		const char *name;
	} names[] = {{MEMOP_READ, "read"}, {MEMOP_WRITE, "write"},
	    {MEMOP_EXEC, "execute"}};
	char text[32] = "";
	size_t i;

	for (i = 0; i < NELEM(names); i++) {
		if (!(f->access & names[i].bit))
			continue;
		if (*text != '\0')
			strcat(text, ",");
		strcat(text, names[i].name);
	}
	if (*text != '\0')
		out_str(o, key, OUT_KEY, text);
}

/* Signal, code, address and access of what a handler had caught before. */
static void
dump_caught(const struct fault *f, struct out *o)
{
	number_and_name(o, "caught_signal", "caught_signal_name", f->signo,
	    signal_name(f->signo));
	if (f->have_code)
		number_and_name(o, "caught_code", "caught_code_name", f->code,
		    signal_code_name(f->signo, f->code));
	if (f->have_addr)
		out_hex(o, "caught_address", OUT_KEY, f->addr, 0);
	dump_access("caught_access", f, o);
}

static void
dump_words(struct out *o, const char *key, const char *text, int cut)
{
	if (cut)
		out_fmt(o, key, OUT_KEY, "%s ... (cut here)", text);
	else
		out_str(o, key, OUT_KEY, text);
}

static void
dump_exception(const struct exception *e, struct out *o)
{
	out_str(o, "exception", OUT_KEY, e->type);
	if (e->have_text)
		dump_words(o, "exception_text", e->text, e->cut);
}

static void
dump_panic(const struct panic *p, struct out *o)
{
	out_fmt(o, "panic", OUT_KEY, "%s:%" PRIu32 ":%" PRIu32, p->file,
	    p->line, p->column);
	if (p->have_text)
		dump_words(o, "panic_text", p->text, p->cut);
}

void
dump_fault(const struct fault *f, struct out *o)
{
	if (f->have_code)
		number_and_name(o, "code", "code_name", f->code,
		    signal_code_name(f->signo, f->code));
	if (f->have_addr)
		out_hex(o, "address", OUT_KEY, f->addr, 0);
	dump_access("access", f, o);
	if (*f->text != '\0')
		out_str(o, "cause", OUT_KEY, f->text);
	if (f->caught != NULL)
		dump_caught(f->caught, o);
	if (f->abort_msg != NULL)
		out_str(o, "abort_message", OUT_KEY, f->abort_msg);
	if (f->exception != NULL && f->exception->found)
		dump_exception(f->exception, o);
	if (f->panic != NULL && f->panic->found)
		dump_panic(f->panic, o);
}
