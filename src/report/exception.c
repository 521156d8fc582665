#include "report/exception.h"

#include <elf.h>
#include <signal.h>
#include <string.h>

#include "base/bytes.h"
#include "report/crash_dump.h"
#include "unwind/symbols.h"

enum {
	/* from struct _Unwind_Exception down to struct __cxa_exception's */
	TYPE_BELOW = 80,
	HANDLERS_BELOW = 40,
	NEXT_BELOW = 48,
	LANDING_BELOW = 16, /* where its handler begins; 0: nobody has one */
	REFS_BELOW = 96,    /* libstdc++ alone: an int, then 12 bytes of zero */
	OBJECT_ABOVE = 32,
	REFS_MAX = 1 << 20
};

/* Class words, "GNUCC++\0" and "CLNGC++\0" as numbers; the last byte is 1 for
 * a dependent one, made by rethrow_exception(). */
#define GNU_CLASS UINT64_C(0x474e5543432b2b00)
#define LLVM_CLASS UINT64_C(0x434c4e47432b2b00)

/* Memory that was freed since holds the allocator's words where libstdc++
 * counts references and has zeros. */
static int
is_alive(struct target *t, uint64_t header)
{
	uint32_t w[4];

	return target_read(t, header - REFS_BELOW, w, sizeof(w)) == sizeof(w) &&
	    w[0] > 0 && w[0] < REFS_MAX && (w[1] | w[2] | w[3]) == 0;
}

int
exception_read(struct target *t, uint64_t header, struct exception *e)
{
	uint64_t class, own, type, object;
	int32_t handlers;
	char kind[64];

	e->found = 0;
	if (header % 16 != 0 || target_word(t, header, &class) == -1 ||
	    (class >> 1 != GNU_CLASS >> 1 && class >> 1 != LLVM_CLASS >> 1))
		return -1;
	memset(e, 0, sizeof(*e));
	if (target_word(t, header - TYPE_BELOW, &type) == -1 ||
	    target_read(t, header - HANDLERS_BELOW, &handlers,
		sizeof(handlers)) != sizeof(handlers))
		return -1;
	object = header + OBJECT_ABOVE;
	if (class & 1) {
		/* a dependent one tells where the object is: libstdc++'s has
		 * that for the type, libc++abi's before it */
		if (class >> 1 == GNU_CLASS >> 1)
			object = type;
		else if (target_word(t, header - TYPE_BELOW - 8, &object) == -1)
			return -1;
		header = object - OBJECT_ABOVE;
		if (target_word(t, header, &own) == -1 ||
		    own != (class & ~UINT64_C(1)) ||
		    target_word(t, header - TYPE_BELOW, &type) == -1)
			return -1;
	}
	if (exception_type(t, type, e->type, sizeof(e->type)) == -1 ||
	    exception_type_kind(t, type, kind, sizeof(kind)) == -1)
		return -1;
	e->handlers = handlers;
	/* libstdc++ leaves the count of handlers as it was when it frees */
	e->found =
	    class >> 1 == GNU_CLASS >> 1 ? is_alive(t, header) : handlers > 0;
	if (!e->found)
		return -1;
	exception_words(t, type, object, e);
	return 0;
}

/* --- which of them ---------------------------------------------------------
 */

enum {
	SCAN_MAX = 64 << 10,
	FRAMES_LOOKED_AT = 64,
	LAST_FRAME = 512,
	FOUND_MAX = 16
};

static int
begins_with_any(const char *s, const char *const *with, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (strncmp(s, with[i], strlen(with[i])) == 0)
			return 1;
	return 0;
}

static int
is_terminate(const char *name)
{
	static const char *const names[] = {"_ZSt9terminatev",
	    "_ZN10__cxxabiv111__terminateEPFvvE", "_ZSt11__terminatePFvvE"};

	return begins_with_any(name, names, NELEM(names));
}

/* Of the library, between the throw and std::terminate(). */
static int
is_throwing(const char *name)
{
	static const char *const names[] = {"__cxa_throw", "__cxa_rethrow",
	    "__cxa_call_terminate", "__clang_call_terminate",
	    "__gxx_personality", "_Unwind_", "_ZSt17rethrow_exception",
	    "_ZN10__cxxabiv1L22failed_throw", "__cxa_call_unexpected"};

	return begins_with_any(name, names, NELEM(names));
}

/*
 * The part of the stack where it can be found: up to who threw, or through the
 * frame of who called std::terminate() by itself.  1 when there is one.
 */
static int
find_range(
    const struct trace *tr, struct symbols *sy, uint64_t range[2], int *thrown)
{
	size_t i, end = 0;
	struct symbol s;

	*thrown = 0;
	for (i = 0; i < tr->n && i < FRAMES_LOOKED_AT; i++) {
		symbols_get(sy, tr->f[i].pc, tr->f[i].flags & FRAME_EXACT, &s);
		/* the library's own helpers have no name */
		if (s.name == NULL)
			continue;
		if (is_throwing(s.name))
			*thrown = 1;
		else if (!is_terminate(s.name) && end > 0)
			break;
		else if (!is_terminate(s.name))
			continue;
		end = i + 1;
	}
	if (end > 0 && !*thrown)
		end++;
	if (end == 0)
		return 0;
	range[0] = tr->f[0].sp;
	/* clang's __clang_call_terminate() has no unwind data */
	range[1] =
	    end < tr->n ? tr->f[end].sp : tr->f[tr->n - 1].sp + LAST_FRAME;
	return range[1] > range[0];
}

struct found {
	uint64_t header, next; /* next: the one caught before it */
};

/* Adds the exception that v points to, or to whose object; n so far. */
static size_t
take_found(struct target *t, uint64_t v, int thrown, struct found *f, size_t n)
{
	struct exception e;
	size_t i;

	if (exception_read(t, v, &e) == -1) {
		v -= OBJECT_ABOVE;
		if (exception_read(t, v, &e) == -1)
			return n;
	}
	if (!thrown && e.handlers <= 0)
		return n;
	for (i = 0; i < n; i++)
		if (f[i].header == v)
			return n;
	f[n].header = v;
	if (target_word(t, v - NEXT_BELOW, &f[n].next) == -1)
		f[n].next = 0;
	return n + 1;
}

/* The latest: the first that is not the one before another.  A link leads to
 * where struct __cxa_exception begins. */
static size_t
latest(const struct found *f, size_t n)
{
	size_t i, k;

	for (i = 0; i < n; i++) {
		for (k = 0; k < n; k++)
			if (f[k].next == f[i].header - TYPE_BELOW ||
			    f[k].next == f[i].header - REFS_BELOW)
				break;
		if (k == n)
			return i;
	}
	return 0;
}

/*
 * The exception that the thread's library calls caught, which std::terminate()
 * has it do first: struct __cxa_eh_globals, a thread's own variable, begins
 * with a pointer to the latest __cxa_exception.  Looked for in n words; 0 when
 * it is not there.
 */
static uint64_t
caught_in(struct target *t, uint64_t at, size_t n, struct exception *e)
{
	uint64_t v;
	uint32_t thrown; /* and not caught yet */

	for (; n > 0; n--, at += 8) {
		if (target_word(t, at, &v) == -1 || v % 16 != 0 ||
		    target_map(t, v) == NULL ||
		    target_read(t, at + 8, &thrown, sizeof(thrown)) !=
			sizeof(thrown) ||
		    thrown > REFS_MAX)
			continue;
		if (exception_read(t, v + TYPE_BELOW, e) == 0)
			return v + TYPE_BELOW;
		if (exception_read(t, v + REFS_BELOW, e) == 0)
			return v + REFS_BELOW;
	}
	return 0;
}

/* x86-64: a thread's variables lie below fs; those of libraries that were
 * loaded later stand in the vector that the next word points to. */
static uint64_t
caught_now(const struct crash *c, struct exception *e)
{
	enum { FS_BASE = 21, WORDS = 2048, LATER = 16, MODULES = 64 };
	const struct regs *r = &c->t->threads[0].regs;
	uint64_t fs, dtv, at, header;
	const struct map *m;
	size_t i;

	if (c->t->machine != EM_X86_64 || r->n <= FS_BASE)
		return 0;
	fs = r->r[FS_BASE];
	if (fs == 0 || fs % 8 != 0)
		return 0;
	at = fs - WORDS * 8;
	m = target_map(c->t, fs - 8);
	if (m != NULL && m->start > at)
		at = (m->start + 7) & ~UINT64_C(7);
	header = caught_in(c->t, at, (fs - at) / 8, e);
	if (header != 0 || target_word(c->t, fs + 8, &dtv) == -1)
		return header;
	for (i = 1; i <= MODULES && header == 0; i++)
		if (target_word(c->t, dtv + 16 * i, &at) == 0 && at % 8 == 0)
			header = caught_in(c->t, at, LATER, e);
	return header;
}

static int
is_gnu(struct target *t, uint64_t header)
{
	uint64_t class;

	return target_word(t, header, &class) == 0 &&
	    class >> 1 == GNU_CLASS >> 1;
}

/* What is sure without a name: no function had a handler for it, and yet it
 * counts as caught. */
static int
has_no_handler(struct target *t, uint64_t header)
{
	uint64_t landing;

	return is_gnu(t, header) &&
	    target_word(t, header - LANDING_BELOW, &landing) == 0 &&
	    landing == 0;
}

void
exception_find(
    const struct crash *c, struct symbols *sy, int signo, struct exception *e)
{
	struct found f[FOUND_MAX];
	uint64_t range[2], at, v;
	struct map *m;
	size_t n = 0;
	int thrown, named;

	memset(e, 0, sizeof(*e));
	if (c->t->nthreads == 0)
		return;
	named = find_range(&c->t->threads[0].trace, sy, range, &thrown);
	/* a fault that std::terminate() has no part in; a handler of its own
	 * may end in a trap */
	if (!named && signo != SIGABRT && signo != SIGILL && signo != SIGTRAP)
		return;
	v = caught_now(c, e);
	if (v != 0) {
		if (thrown || has_no_handler(c->t, v))
			e->how = EXCEPTION_UNCAUGHT;
		else
			e->how =
			    named ? EXCEPTION_TERMINATE : EXCEPTION_HANDLED;
		return;
	}
	e->found = 0;
	if (!named)
		return;
	if (range[1] - range[0] > SCAN_MAX)
		range[0] = range[1] - SCAN_MAX;
	/* from who threw down to the signal */
	for (at = range[1] & ~UINT64_C(7); at > range[0] && n < FOUND_MAX;
	     at -= 8)
		if (target_word(c->t, at - 8, &v) == 0 && v % 16 == 0 &&
		    (m = target_map(c->t, v)) != NULL && m->prot & MAP_W)
			n = take_found(c->t, v, thrown, f, n);
	if (n == 0 || exception_read(c->t, f[latest(f, n)].header, e) == -1)
		return;
	e->how = thrown ? EXCEPTION_UNCAUGHT : EXCEPTION_TERMINATE;
	/* libstdc++ does not count down for one that somebody still points to,
	 * though its handler has ended */
	e->found = thrown || !is_gnu(c->t, f[latest(f, n)].header);
}
