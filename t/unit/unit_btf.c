/*
 * unit_btf: bpf/btf with a blob made here, cut and forged; with an argument
 * it answers "STRUCT MEMBER" lines with "STRUCT MEMBER BITOFFSET" from that
 * file.  Prints one line per failed check; exits 0 when there was none.
 */
#include <errno.h>
#include <linux/btf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/btf.h"

#include "check.h"

/* A blob being written. */
static struct {
	uint32_t t[512];
	uint32_t nt;
	char s[512];
	uint32_t ns;
} w;

static uint32_t
str(const char *s)
{
	uint32_t at = w.ns;

	if (*s == '\0')
		return 0;
	strcpy(w.s + w.ns, s);
	w.ns += (uint32_t)strlen(s) + 1;
	return at;
}

static void
type(const char *name, unsigned kind, unsigned flag, unsigned vlen,
    uint32_t size)
{
	w.t[w.nt++] = str(name);
	w.t[w.nt++] = (uint32_t)flag << 31 | kind << 24 | vlen;
	w.t[w.nt++] = size;
}

static void
memb(const char *name, uint32_t id, uint32_t off)
{
	w.t[w.nt++] = str(name);
	w.t[w.nt++] = id;
	w.t[w.nt++] = off;
}

/*
 *	typedef unsigned int u32;			1 INT, 2 TYPEDEF
 *	struct leaf { u32 x, y; };			3 (4 const, 5 volatile)
 *	leaf[4], u32[0]					6, 7 arrays
 *	struct outer {					8
 *		void *p;				9 PTR
 *		union { struct { u32 in; leaf deep; }; u32 other; };
 *		leaf many[4];
 *		u32 a : 3, b : 5;			kflag
 *		const volatile leaf cv;
 *		u32 tail[];
 *	}
 * and one of every other kind before, so that their lengths matter.
 */
static size_t
make(unsigned char *out)
{
	struct btf_head h = {BTF_MAGIC, BTF_VERSION, 0, sizeof(h), 0, 0, 0, 0};

	memset(&w, 0, sizeof(w));
	w.ns = 1;
	type("int", BTF_KIND_INT, 0, 0, 4); /* 1 */
	w.t[w.nt++] = 32;
	type("u32", BTF_KIND_TYPEDEF, 0, 0, 1); /* 2 */
	type("leaf", BTF_KIND_STRUCT, 0, 2, 8); /* 3 */
	memb("x", 2, 0);
	memb("y", 2, 32);
	type("", BTF_KIND_CONST, 0, 0, 5);    /* 4 */
	type("", BTF_KIND_VOLATILE, 0, 0, 3); /* 5 */
	type("", BTF_KIND_ARRAY, 0, 0, 0);    /* 6 */
	memb("", 1, 4);
	w.t[w.nt - 3] = 3;		   /* element, index, number */
	type("", BTF_KIND_ARRAY, 0, 0, 0); /* 7 */
	memb("", 1, 0);
	w.t[w.nt - 3] = 2;
	type("", BTF_KIND_PTR, 0, 0, 0);   /* 8 */
	type("e", BTF_KIND_ENUM, 0, 1, 4); /* 9 */
	w.t[w.nt++] = str("E");
	w.t[w.nt++] = 1;
	type("e64", 19, 0, 1, 8); /* 10 */
	memb("E64", 1, 0);
	type("fwd", BTF_KIND_FWD, 0, 0, 0);	/* 11 */
	type("", BTF_KIND_FUNC_PROTO, 0, 1, 0); /* 12 */
	w.t[w.nt++] = str("arg");
	w.t[w.nt++] = 1;
	type("f", BTF_KIND_FUNC, 0, 0, 12); /* 13 */
	type("v", BTF_KIND_VAR, 0, 0, 1);   /* 14 */
	w.t[w.nt++] = 0;
	type(".data", BTF_KIND_DATASEC, 0, 1, 4); /* 15 */
	memb("", 14, 0);
	type("fl", BTF_KIND_FLOAT, 0, 0, 8);	 /* 16 */
	type("tag", BTF_KIND_DECL_TAG, 0, 0, 1); /* 17 */
	w.t[w.nt++] = 0;
	type("ttag", 18, 0, 0, 3);	     /* 18 TYPE_TAG */
	type("", BTF_KIND_STRUCT, 0, 2, 12); /* 19 */
	memb("in", 2, 0);
	memb("deep", 18, 32);
	type("", BTF_KIND_UNION, 0, 2, 12); /* 20 */
	memb("", 19, 0);
	memb("other", 2, 0);
	type("outer", BTF_KIND_STRUCT, 1, 7, 68); /* 21 */
	memb("p", 8, 0);
	memb("", 20, 64);
	memb("many", 6, 160);
	memb("a", 2, 3u << 24 | 416);
	memb("b", 2, 5u << 24 | 419);
	memb("cv", 4, 448);
	memb("tail", 7, 512);
	type("self", BTF_KIND_TYPEDEF, 0, 0, 22); /* 22: of itself */
	type("round", BTF_KIND_STRUCT, 0, 1, 4);  /* 23: holds itself */
	memb("", 23, 0);
	h.type_len = w.nt * 4;
	h.str_off = h.type_len;
	h.str_len = w.ns;
	memcpy(out, &h, sizeof(h));
	memcpy(out + sizeof(h), w.t, h.type_len);
	memcpy(out + sizeof(h) + h.type_len, w.s, w.ns);
	return sizeof(h) + h.type_len + w.ns;
}

static struct btf_field f;

static int
at(const struct btf *b, const char *path, uint32_t off, uint32_t size)
{
	memset(&f, 0xff, sizeof(f));
	return btf_field(b, "outer", path, &f) == 0 && f.off == off &&
	    f.size == size && f.bits == 0;
}

static int
none(const struct btf *b, const char *s, const char *path)
{
	errno = 0;
	return btf_field(b, s, path, &f) == -1 && errno == ENOENT;
}

static void
test_members(const unsigned char *p, size_t n)
{
	struct btf *b = btf_parse(p, n);

	CHECK(b != NULL);
	if (b == NULL)
		return;
	CHECK(at(b, "p", 0, sizeof(void *)));
	CHECK(at(b, "in", 8, 4));
	CHECK(at(b, "deep", 12, 8));
	CHECK(at(b, "deep.y", 16, 4));
	CHECK(at(b, "other", 8, 4));
	CHECK(at(b, "many", 20, 32));
	CHECK(at(b, "many[3]", 44, 8));
	CHECK(at(b, "many[3].y", 48, 4));
	CHECK(at(b, "cv.x", 56, 4));
	CHECK(at(b, "tail", 64, 0));
	CHECK(at(b, "tail[2]", 72, 4));
	CHECK(btf_field(b, "outer", "a", &f) == 0 && f.off == 52 &&
	    f.bit == 0 && f.bits == 3);
	CHECK(btf_field(b, "outer", "b", &f) == 0 && f.off == 52 &&
	    f.bit == 3 && f.bits == 5);
	CHECK(btf_size(b, "outer") == 68 && btf_size(b, "leaf") == 8);
	CHECK(btf_size(b, "u32") == -1 && errno == ENOENT);
	CHECK(none(b, "outer", "nothing"));
	CHECK(none(b, "nothing", "p"));
	CHECK(none(b, "outer", "p.x"));
	CHECK(none(b, "outer", "many[4]"));
	CHECK(none(b, "outer", "many[x]"));
	CHECK(none(b, "outer", "many["));
	CHECK(none(b, "outer", "in[0]"));
	CHECK(none(b, "outer", "many[0].z"));
	CHECK(none(b, "outer", "man"));
	CHECK(none(b, "outer", "deep..y"));
	CHECK(none(b, "round", "x"));
	btf_free(b);
}

static void
use(const struct btf *b)
{
	static const char *const paths[] = {
	    "p", "deep.y", "many[3].y", "a", "cv.x", "tail[2]", "x", "zz"};
	size_t i;

	for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		btf_field(b, "outer", paths[i], &f);
		btf_field(b, "round", paths[i], &f);
	}
	btf_size(b, "leaf");
}

/* Exactly as long as it is, so that a sanitizer sees what is read beyond. */
static void
try(const unsigned char *p, size_t n)
{
	unsigned char *copy = malloc(n > 0 ? n : 1);
	struct btf *b;

	memcpy(copy, p, n);
	errno = 0;
	b = btf_parse(copy, n);
	free(copy);
	if (b != NULL) {
		use(b);
		btf_free(b);
	} else {
		CHECK(errno == EBADMSG);
	}
}

static void
test_hostile(const unsigned char *p, size_t n)
{
	unsigned char bad[8192];
	uint32_t v, word;
	unsigned seed = 5;
	size_t i, k;

	for (i = 0; i < n; i++) {
		struct btf *b = btf_parse(p, i);

		CHECK(b == NULL && errno == EBADMSG);
		btf_free(b);
	}
	for (i = 0; i + 4 <= n; i += 4) {
		static const uint32_t odd[] = {0, 1, 0x7fffffff, 0xffffffff,
		    0x00ffffff, 0x80000000, 0x04ffffff};

		for (k = 0; k < sizeof(odd) / sizeof(odd[0]); k++) {
			memcpy(bad, p, n);
			memcpy(bad + i, &odd[k], 4);
			try(bad, n);
		}
	}
	for (i = 0; i < 20000; i++) {
		memcpy(bad, p, n);
		for (k = 0; k < 1 + i % 4; k++) {
			seed = seed * 1103515245 + 12345;
			bad[(seed >> 8) % n] = (unsigned char)(seed >> 3);
		}
		try(bad, n);
	}
	/* a kind of later days: what stands before it is still there */
	memcpy(bad, p, n);
	for (i = sizeof(struct btf_head);; i += 4) {
		memcpy(&v, bad + i, 4);
		memcpy(&word, bad + i + 4, 4);
		if (word == ((uint32_t)BTF_KIND_FWD << 24))
			break;
	}
	word = 30u << 24;
	memcpy(bad + i + 4, &word, 4);
	{
		struct btf *b = btf_parse(bad, n);

		CHECK(b != NULL && btf_size(b, "leaf") == 8);
		CHECK(b != NULL && btf_size(b, "outer") == -1);
		btf_free(b);
	}
}

/* A header of later days: longer, and no member of it is missed. */
static void
test_long_head(const unsigned char *p, size_t n)
{
	static unsigned char wide[8192 + 8];
	const size_t head = sizeof(struct btf_head);
	const uint32_t len = (uint32_t)head + 8;
	struct btf *b;

	memcpy(wide, p, head);
	memcpy(wide + offsetof(struct btf_head, hdr_len), &len, sizeof(len));
	memset(wide + head, 0xa5, 8);
	memcpy(wide + len, p + head, n - head);
	b = btf_parse(wide, n + 8);
	CHECK(head == 24);
	CHECK(b != NULL && btf_size(b, "leaf") == 8);
	btf_free(b);
}

static int
answer(const char *path)
{
	struct btf *b = btf_open(path);
	char s[128], m[128];

	if (b == NULL) {
		perror(path);
		return 111;
	}
	while (scanf("%127s %127s", s, m) == 2)
		if (btf_field(b, s, m, &f) == 0)
			printf("%s %s %llu\n", s, m, 8ull * f.off + f.bit);
		else
			printf("%s %s -\n", s, m);
	btf_free(b);
	return 0;
}

int
main(int argc, char **argv)
{
	static unsigned char blob[8192];
	size_t n;

	if (argc > 1)
		return answer(argv[1]);
	n = make(blob);
	test_members(blob, n);
	test_hostile(blob, n);
	test_long_head(blob, n);
	CHECK(btf_open("/nonexistent") == NULL && errno == ENOENT);
	CHECK(btf_open("/dev/null") == NULL && errno == EBADMSG);
	return failed != 0;
}
