/*
 * unit_signature: signature_make().  The expected values come from another
 * program, written from the definition in signature.h.
 */
#include <stdio.h>
#include <string.h>

#include "report/signature.h"

#include "check.h"

static int
signature_is(const char *want, int signo, const struct signature_frame *f,
    size_t n, int recursion)
{
	char got[17];

	signature_make(signo, f, n, recursion, got);
	return strcmp(got, want) == 0;
}

static int
signature_same(const struct signature_frame *a, size_t na,
    const struct signature_frame *b, size_t nb, int recursion)
{
	char x[17], y[17];

	signature_make(11, a, na, recursion, x);
	signature_make(11, b, nb, recursion, y);
	return strcmp(x, y) == 0;
}

#define F(m, f)                            \
	{                                  \
		.module = m, .function = f \
	}

static void
test_signature_vectors(void)
{
	static const unsigned char id[] = {0x0a, 0xff, 0x10};
	const struct signature_frame named[] = {
	    {.module = "libc.so.6", .function = "strlen", .off = 5},
	    {.module = "/usr/bin/prog (deleted)", .function = "main"}};
	const struct signature_frame nameless[] = {
	    {.module = "x", .id = id, .idlen = 3, .off = 0x1f40},
	    {.module = "lib.so", .off = 7}, {.off = 0x7f0012345678}};

	CHECK(signature_is("456c2d18181f91d5", 11, NULL, 0, 0));
	CHECK(signature_is("456c2d18181f91d5", 11, NULL, 0, 1));
	CHECK(signature_is("a80b3847b5f033ee", 11, named, 2, 0));
	CHECK(signature_is("d0872e1172cde3fb", 6, nameless, 3, 0));
}

/* What must not matter, and what must. */
static void
test_signature_frames(void)
{
	const struct signature_frame once[] = {F("p", "a"), F("p", "b")},
				     again[] = {F("p", "a"), F("p", "a"),
					 F("/x/p", "b"), F("p", "a"),
					 F("p (deleted)", "b")},
				     other[] = {F("p", "b"), F("p", "a")},
				     split[] = {F("pa", ""), F("p", "b")};
	struct signature_frame many[12];
	char names[12][8];
	size_t i;

	CHECK(signature_same(once, 2, again, 5, 0));
	CHECK(!signature_same(once, 2, other, 2, 0));
	CHECK(!signature_same(once, 2, once, 1, 0));
	CHECK(!signature_same(once, 2, split, 2, 0));
	CHECK(!signature_is("a24ebc238cc0064e", 6, once, 2, 0));
	CHECK(signature_is("a24ebc238cc0064e", 11, once, 2, 0));
	memset(many, 0, sizeof(many));
	for (i = 0; i < 12; i++) {
		snprintf(names[i], sizeof(names[i]), "f%zu", i);
		many[i].module = "p";
		many[i].function = names[i];
	}
	CHECK(signature_same(many, 12, many, 8, 0));
	CHECK(!signature_same(many, 12, many, 7, 0));
}

/* A cycle of three, entered anywhere, with and without a leaf, deep or
 * deeper, through any callers: one signature. */
static void
test_signature_recursion(void)
{
	static const char *const cycle[] = {"c", "a", "b"};
	static struct signature_frame f[2000];
	struct signature_frame g[2] = {F("p", "b"), F("p", "a")};
	char first[17] = "", got[17];
	size_t start, leaf, n, i;

	for (start = 0; start < 3; start++) {
		for (leaf = 0; leaf < 2; leaf++) {
			for (n = 30; n <= 2000; n += 985) {
				memset(f, 0, sizeof(f));
				for (i = 0; i < n; i++) {
					f[i].module = "p";
					f[i].function = cycle[(i + start) % 3];
				}
				f[n - 1].function = "main";
				f[n - 2].function = leaf ? "one" : "two";
				if (leaf)
					f[0].function = "memset";
				signature_make(11, f, n, 1, got);
				if (*first == '\0')
					strcpy(first, got);
				CHECK(strcmp(first, got) == 0);
			}
		}
	}
	/* nothing twice: all of them, sorted */
	CHECK(signature_is("a24ebc238cc0064e", 11, g, 2, 1));
}

int
main(void)
{
	test_signature_vectors();
	test_signature_frames();
	test_signature_recursion();
	return check_report();
}
