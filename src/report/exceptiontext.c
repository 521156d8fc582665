/*
 * What an exception says: the name of its type, as its type_info has it and for
 * a reader, and the words that the standard library's own classes keep.
 *
 * Names for a reader are of the simple kinds that a cause is likely to tell;
 * crashlogctl has c++filt(1) for all others.
 */
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "elf/elfsym.h"
#include "report/exception.h"

enum {
	BASES_MAX = 16, /* of one class */
	TYPES_MAX = 64, /* looked at in all */
	WHAT_SLOT = 16	/* in the vtable: two destructors, what() */
};

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
int
exception_type(struct target *t, uint64_t type, char *out, size_t n)
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
int
exception_type_kind(struct target *t, uint64_t type, char *out, size_t n)
{
	static const char abi[] = "N10__cxxabiv1";
	uint64_t vtable, own;

	if (target_word(t, type, &vtable) == -1 || vtable % 8 != 0 ||
	    target_word(t, vtable - 8, &own) == -1 ||
	    exception_type(t, own, out, n) == -1 ||
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

	if (r->types-- <= 0 ||
	    exception_type(r->t, type, name, sizeof(name)) == -1)
		return -1;
	if (strcmp(name, "St11logic_error") == 0 ||
	    strcmp(name, "St13runtime_error") == 0)
		return 0;
	if (exception_type_kind(r->t, type, kind, sizeof(kind)) == -1)
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

void
exception_words(
    struct target *t, uint64_t type, uint64_t object, struct exception *e)
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

/* --- for a reader ----------------------------------------------------------
 */

/* "<length><that many bytes>"; NULL when it is not. */
static const char *
source_name(const char *s, const char **name, size_t *len)
{
	size_t n = 0;

	if (*s < '1' || *s > '9')
		return NULL;
	for (; *s >= '0' && *s <= '9'; s++)
		if ((n = n * 10 + (size_t)(*s - '0')) > EXCEPTION_TYPE)
			return NULL;
	if (strnlen(s, n) < n)
		return NULL;
	*name = s;
	*len = n;
	return s + n;
}

struct name {
	char text[EXCEPTION_TYPE + 64];
	size_t len;
};

static void
add(struct name *nm, const char *between, const char *s, size_t n)
{
	int r = snprintf(nm->text + nm->len, sizeof(nm->text) - nm->len,
	    "%s%.*s", nm->len > 0 ? between : "", (int)n, s);

	if (r > 0)
		nm->len += (size_t)r;
	if (nm->len >= sizeof(nm->text))
		nm->len = sizeof(nm->text) - 1;
}

/* Names within names (C++ ABI, 5.1): no templates, no substitutions but St. */
static int
nested_name(const char *s, struct name *nm)
{
	int nested = *s == 'N';
	const char *name;
	size_t len;

	if (nested)
		s++;
	if (strncmp(s, "St", 2) == 0) {
		add(nm, "", "std", 3);
		s += 2;
	}
	do {
		s = source_name(s, &name, &len);
		if (s == NULL)
			return -1;
		if (len == 12 && memcmp(name, "_GLOBAL__N_1", 12) == 0)
			add(nm, "::", "(anonymous namespace)", 21);
		else
			add(nm, "::", name, len);
		while (*s == 'B') { /* an ABI tag, such as cxx11 */
			s = source_name(s + 1, &name, &len);
			if (s == NULL)
				return -1;
			add(nm, "[abi:", name, len);
			add(nm, "]", "", 0);
		}
	} while (nested && *s != 'E' && *s != '\0');
	return strcmp(s, nested ? "E" : "") == 0 ? 0 : -1;
}

int
exception_type_name(const char *mangled, char *out, size_t n)
{
	static const struct {
		const char *mangled, *plain;
	} names[] = {{"i", "int"}, {"PKc", "char const*"}, {"Pc", "char*"},
	    {"NSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEE",
		"std::string"}};
	struct name nm = {.len = 0};
	int r = nested_name(mangled, &nm);
	const char *from = r == 0 ? nm.text : mangled;
	size_t i;

	for (i = 0; r == -1 && i < NELEM(names); i++)
		if (strcmp(mangled, names[i].mangled) == 0) {
			from = names[i].plain;
			r = 0;
		}
	if ((size_t)snprintf(out, n, "%s", from) >= n && n > 3)
		memcpy(out + n - 4, "...", 4);
	return r;
}
