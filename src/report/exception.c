#include "report/exception.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "elf/elfsym.h"
#include "report/crash_dump.h"
#include "unwind/symbols.h"

enum {
	/* from struct _Unwind_Exception down to struct __cxa_exception's */
	TYPE_BELOW = 80,
	HANDLERS_BELOW = 40,
	NEXT_BELOW = 48,
	REFS_BELOW = 96, /* libstdc++ alone: an int, then 12 bytes of zero */
	OBJECT_ABOVE = 32,
	BASES_MAX = 16, /* of one class */
	TYPES_MAX = 64, /* looked at in all */
	WHAT_SLOT = 16, /* in the vtable: two destructors, what() */
	REFS_MAX = 1 << 20
};

/* Class words, "GNUCC++\0" and "CLNGC++\0" as numbers; the last byte is 1 for
 * a dependent one, made by rethrow_exception(). */
#define GNU_CLASS UINT64_C(0x474e5543432b2b00)
#define LLVM_CLASS UINT64_C(0x434c4e47432b2b00)

struct reader {
	struct target *t;
	int types; /* that may still be looked at */
};

/* A NUL-terminated string; 1 whole, 0 cut at n - 1 bytes, -1 none. */
static int
read_text(struct target *t, uint64_t at, char *out, size_t n)
{
	size_t got = target_read(t, at, out, n - 1);

	out[got] = '\0';
	if (got == 0)
		return -1;
	return strlen(out) < got || got < n - 1;
}

/* The name in a type_info; -1 when it is none. */
static int
type_name(struct target *t, uint64_t type, char *out, size_t n)
{
	uint64_t p;
	char *c;

	if (type % 8 != 0 || target_word(t, type + 8, &p) == -1 ||
	    read_text(t, p, out, n) != 1)
		return -1;
	if (*out == '*') /* not to be compared by its text: not part of it */
		memmove(out, out + 1, strlen(out));
	for (c = out; *c > ' ' && *c < 0x7f; c++)
		;
	return *out != '\0' && *c == '\0' ? 0 : -1;
}

/* What kind of type a type_info is of: its own class's name, behind
 * "N10__cxxabiv1"; -1 when that is not one of the ABI's. */
static int
type_kind(struct target *t, uint64_t type, char *out, size_t n)
{
	static const char abi[] = "N10__cxxabiv1";
	uint64_t vtable, own;

	if (target_word(t, type, &vtable) == -1 || vtable % 8 != 0 ||
	    target_word(t, vtable - 8, &own) == -1 ||
	    type_name(t, own, out, n) == -1 ||
	    strncmp(out, abi, sizeof(abi) - 1) != 0)
		return -1;
	memmove(out, out + sizeof(abi) - 1, strlen(out) - sizeof(abi) + 2);
	return 0;
}

static int find_message(struct reader *, uint64_t type, uint64_t *object);

/* Over the bases of a class that has several, or a virtual one. */
static int
find_among(struct reader *r, uint64_t type, uint64_t *object)
{
	uint64_t base, info, at, vtable;
	uint32_t count, i;

	if (target_read(r->t, type + 20, &count, sizeof(count)) !=
		sizeof(count) ||
	    count > BASES_MAX)
		return -1;
	for (i = 0; i < count; i++) {
		if (target_word(r->t, type + 24 + 16 * i, &base) == -1 ||
		    target_word(r->t, type + 32 + 16 * i, &info) == -1)
			return -1;
		/* flags in the low byte, 1 is virtual: then the offset stands
		 * in the vtable */
		at = (uint64_t)((int64_t)info >> 8);
		if (info & 1 &&
		    (target_word(r->t, *object, &vtable) == -1 ||
			target_word(r->t, vtable + at, &at) == -1))
			continue;
		at += *object;
		if (find_message(r, base, &at) == 0) {
			*object = at;
			return 0;
		}
	}
	return -1;
}

/* Moves *object to the std::logic_error or std::runtime_error in it. */
static int
find_message(struct reader *r, uint64_t type, uint64_t *object)
{
	char name[EXCEPTION_TYPE], kind[64];
	uint64_t base;

	if (r->types-- <= 0 || type_name(r->t, type, name, sizeof(name)) == -1)
		return -1;
	if (strcmp(name, "St11logic_error") == 0 ||
	    strcmp(name, "St13runtime_error") == 0)
		return 0;
	if (type_kind(r->t, type, kind, sizeof(kind)) == -1)
		return -1;
	if (strcmp(kind, "20__si_class_type_infoE") == 0)
		return target_word(r->t, type + 16, &base) == 0
		    ? find_message(r, base, object)
		    : -1;
	if (strcmp(kind, "21__vmi_class_type_infoE") == 0)
		return find_among(r, type, object);
	return -1;
}

/* Is what() of the object the library's own?  A class of the program's may
 * have another, which says something else. */
static int
is_std_what(struct target *t, uint64_t object)
{
	static const char *const names[] = {
	    "_ZNKSt13runtime_error4whatEv", "_ZNKSt11logic_error4whatEv"};
	uint64_t vtable, what, vaddr;
	struct module *m;
	size_t i;

	if (target_word(t, object, &vtable) == -1 ||
	    target_word(t, vtable + WHAT_SLOT, &what) == -1 ||
	    (m = target_module(t, what)) == NULL || m->fd == -1)
		return 0;
	for (i = 0; i < NELEM(names); i++)
		if (elfsym_find(m->fd, names[i], &vaddr) == 0 &&
		    m->bias + vaddr == what)
			return 1;
	return 0;
}

static void
take_text(struct target *t, uint64_t at, struct exception *e)
{
	int r = read_text(t, at, e->text, sizeof(e->text));

	e->have_text = r != -1;
	e->cut = r == 0;
}

/* libstdc++'s keeps its words in an object of its own: two paths of 40 bytes,
 * then a std::string. */
static void
filesystem_text(struct target *t, uint64_t object, struct exception *e)
{
	uint64_t impl, text;

	if (target_word(t, object + 32, &impl) == 0 &&
	    target_word(t, impl + 80, &text) == 0)
		take_text(t, text, e);
	if (e->have_text && strncmp(e->text, "filesystem error", 16) != 0)
		e->have_text = 0;
}

/* Types without bases whose value tells. */
static void
plain_text(struct target *t, uint64_t object, struct exception *e)
{
	uint64_t p;

	if (target_word(t, object, &p) == -1)
		return;
	if (strcmp(e->type, "i") == 0) {
		snprintf(e->text, sizeof(e->text), "%d", (int)p);
		e->have_text = 1;
	} else if (strcmp(e->type, "PKc") == 0 ||
	    strcmp(e->type,
		"NSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEE") == 0) {
		take_text(t, p, e);
	} else if (strcmp(e->type, "St18bad_variant_access") == 0 &&
	    target_word(t, object + 8, &p) == 0) {
		take_text(t, p, e);
	}
}

static void
find_text(struct target *t, uint64_t type, uint64_t object, struct exception *e)
{
	struct reader r = {t, TYPES_MAX};
	uint64_t at = object, p;
	int std =
	    strncmp(e->type, "St", 2) == 0 || strncmp(e->type, "NSt", 3) == 0;

	if (std && strstr(e->type, "16filesystem_error") != NULL) {
		filesystem_text(t, object, e);
		return;
	}
	plain_text(t, object, e);
	if (e->have_text || find_message(&r, type, &at) == -1)
		return;
	if (target_word(t, at + 8, &p) == 0 && (std || is_std_what(t, at)))
		take_text(t, p, e);
}

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

	memset(e, 0, sizeof(*e));
	if (header % 16 != 0 || target_word(t, header, &class) == -1 ||
	    (class >> 1 != GNU_CLASS >> 1 && class >> 1 != LLVM_CLASS >> 1) ||
	    target_word(t, header - TYPE_BELOW, &type) == -1 ||
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
	if (type_name(t, type, e->type, sizeof(e->type)) == -1 ||
	    type_kind(t, type, kind, sizeof(kind)) == -1)
		return -1;
	e->handlers = handlers;
	/* libstdc++ leaves the count of handlers as it was when it frees */
	e->found =
	    class >> 1 == GNU_CLASS >> 1 ? is_alive(t, header) : handlers > 0;
	if (!e->found)
		return -1;
	find_text(t, type, object, e);
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

void
exception_find(const struct crash *c, struct symbols *sy, struct exception *e)
{
	struct found f[FOUND_MAX];
	uint64_t range[2], at, v;
	struct map *m;
	size_t n = 0;
	int thrown;

	memset(e, 0, sizeof(*e));
	if (c->t->nthreads == 0 ||
	    !find_range(&c->t->threads[0].trace, sy, range, &thrown))
		return;
	if (range[1] - range[0] > SCAN_MAX)
		range[0] = range[1] - SCAN_MAX;
	/* from who threw down to the signal */
	for (at = range[1] & ~UINT64_C(7); at > range[0] && n < FOUND_MAX;
	     at -= 8)
		if (target_word(c->t, at - 8, &v) == 0 && v % 16 == 0 &&
		    (m = target_map(c->t, v)) != NULL && m->prot & MAP_W)
			n = take_found(c->t, v, thrown, f, n);
	if (n > 0 && exception_read(c->t, f[latest(f, n)].header, e) == 0)
		e->thrown = thrown;
}
