/*
 * Names of C++ types for a reader, of the simple kinds that a cause is likely
 * to tell; crashlogctl has c++filt(1) for all others.
 */
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "report/exception.h"

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
