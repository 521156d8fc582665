/*
 * unit_mend: out_mend(), what a killed writer leaves made whole.  With -w DIR
 * it also writes mended reports there, for a JSON reader of somebody else's.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "json_check.h"
#include "out_fixture.h"

static const char *keep;
static const char reason[] = "killed by \"x\"\n";
static const char reason_text[] = "incomplete: killed by \"x\"\\x0a\n";

static struct buf
mended(const void *s, size_t n, enum out_format format)
{
	int fd = file_new(s, n);
	struct buf b;

	CHECK(out_mend(fd, format, reason) == 0);
	b = file_read(fd);
	close(fd);
	return b;
}

/* JSON with the reason in the outermost object, as its last member. */
static int
is_mended(const struct buf *b)
{
	const struct json_value *v;
	struct json j;
	int r;

	r = json_check(&j, b->p, b->len) == 0 && j.v[j.n - 1].kind == '{';
	v = r ? json_member(&j, "incomplete") : NULL;
	r = v != NULL && v == &j.v[j.n - 2] &&
	    strncmp(b->p + v->start, "\"killed by \\\"x\\\"\\\\x0a\"",
		v->end - v->start) == 0;
	free(j.v);
	return r;
}

/* Where the last value ends that is complete in the first n bytes; 1, behind
 * the brace, when there is none. */
static size_t
complete_upto(const struct json *whole, size_t n)
{
	size_t i, cut = n > 0 ? 1 : 0;
	const struct json_value *v;

	for (i = 0; i < whole->n; i++) {
		v = &whole->v[i];
		if (v->depth == 0)
			continue;
		/* a number's end shows by the byte behind it */
		if (v->end + (strchr("-0123456789", v->kind) ? 1 : 0) <= n &&
		    v->end > cut)
			cut = v->end;
	}
	return cut;
}

static void
mend_keep(const struct buf *b, size_t n)
{
	char name[4096];
	int fd;

	if (keep == NULL || n % 13 != 0)
		return;
	snprintf(name, sizeof(name), "%s/%zu.json", keep, n);
	fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (fd == -1 || io_write_full(fd, b->p, b->len) == -1)
		exit(111);
	close(fd);
}

/* A report torn at each of its bytes. */
static void
test_mend_cut(void)
{
	struct buf s = sample_of(OUT_JSON, 3), b, again, big;
	struct json whole;
	size_t n, cut;

	CHECK(json_check(&whole, s.p, s.len) == 0);
	for (n = 0; n <= s.len; n++) {
		b = mended(s.p, n, OUT_JSON);
		CHECK(is_mended(&b));
		cut = complete_upto(&whole, n);
		CHECK(memcmp(b.p, s.p, cut) == 0);
		/* and nothing else but ends and the reason */
		CHECK(strspn(b.p + cut, n ? "]},\n" : "{\n") > 0);
		CHECK(
		    strncmp(b.p + cut + strspn(b.p + cut, n ? "]},\n" : "{\n"),
			"\"incomplete\"", 12) == 0);
		mend_keep(&b, n);
		again = mended(b.p, b.len, OUT_JSON);
		CHECK(strcmp(again.p, b.p) == 0);
		buf_free(&again);
		buf_free(&b);
	}
	free(whole.v);
	buf_free(&s);
	/* longer than the scanner's pieces */
	big = sample_of(OUT_JSON, 2000);
	CHECK(json_check(&whole, big.p, big.len) == 0);
	for (n = 1; n<big.len; n += n % 16384> 16300 ? 1 : 997) {
		b = mended(big.p, n, OUT_JSON);
		CHECK(is_mended(&b));
		CHECK(memcmp(b.p, big.p, complete_upto(&whole, n)) == 0);
		buf_free(&b);
	}
	free(whole.v);
	buf_free(&big);
}

static void
test_mend_hostile(void)
{
	/* each with how many bytes of it may stay */
	static const struct {
		const char *s;
		size_t n, stay;
	} cases[] = {
#define S(s, stay) {s, sizeof(s) - 1, stay}
	    S("[1,2]", 0),
	    S("garbage", 0),
	    S("\0\0\0\0", 0),
	    S("\xef\xbb\xbf{\"a\": 1}", 0),
	    S("{", 1),
	    S(" {", 2),
	    S("{}", 1),
	    S("{} trailing", 1),
	    S("{,", 1),
	    S("{\"a\"", 1),
	    S("{\"a\":", 1),
	    S("{\"a\":01,", 1),
	    S("{\"a\":1.,", 1),
	    S("{\"a\":-,", 1),
	    S("{\"a\":1e,", 1),
	    S("{\"a\":1e+5,", 9),
	    S("{\"a\":12", 1),
	    S("{\"a\":12}", 7),
	    S("{\"a\":tru", 1),
	    S("{\"a\":truex", 9),
	    S("{\"a\":\"\x01\",", 1),
	    S("{\"a\":\"\0\",", 1),
	    S("{\"a\":\"\\x\",", 1),
	    S("{\"a\":\"\\u12g4\",", 1),
	    S("{\"a\":\"\xff\",", 1),
	    S("{\"a\":\"\xc0\x80\",", 1),
	    S("{\"a\":\"\xed\xa0\x80\",", 1),
	    S("{\"a\":\"\xf4\x90\x80\x80\",", 1),
	    S("{\"a\":\"\xc3\xa9\",", 9),
	    S("{\"a\":1,\"b\":[1,2,{\"c\":[[", 15),
	    S("{\"a\":1,\"b\":[1,2,}", 15),
	    S("{\"a\":1,\"b\":{1:2", 6),
	    S("{\"a\":[]]", 7),
	    S("{\"a\":1 \"b\":2}", 6),
	    S("{\"a\":1,}", 6),
	    S("{\"incomplete\":\"no\",\"b\":2}", 1),
	    S("{\"b\":2,\"incomplete\":\"no\"}", 6),
#undef S
	};
	struct buf s = sample_of(OUT_JSON, 1), b, deep = {0};
	unsigned seed = 7;
	size_t i, k, at;

	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		b = mended(cases[i].s, cases[i].n, OUT_JSON);
		CHECK(is_mended(&b));
		CHECK(memcmp(b.p, cases[i].s, cases[i].stay) == 0);
		/* the tail: ends, and the one member */
		at = cases[i].stay + strspn(b.p + cases[i].stay, "{]},\n");
		CHECK(strncmp(b.p + at, "\"incomplete\": \"killed", 21) == 0);
		buf_free(&b);
	}
	/* deeper than any report */
	buf_append(&deep, "{\"a\":1,\"b\":", 11);
	for (i = 0; i < 100000; i++)
		buf_append(&deep, "[", 1);
	b = mended(deep.p, deep.len, OUT_JSON);
	CHECK(is_mended(&b) && b.len < 100);
	buf_free(&b);
	buf_free(&deep);
	/* damaged anywhere */
	for (i = 0; i < 20000; i++) {
		struct buf t = {0};

		buf_append(&t, s.p, s.len);
		for (k = 0; k < 1 + i % 3; k++) {
			seed = seed * 1103515245 + 12345;
			at = (seed >> 8) % t.len;
			t.p[at] = i & 1 ? (char)(seed >> 4)
					: "{}[],:\"\\0-et\n"[seed % 13];
		}
		b = mended(t.p, t.len, OUT_JSON);
		CHECK(is_mended(&b));
		buf_free(&b);
		buf_free(&t);
	}
	buf_free(&s);
}

static void
test_mend_text(void)
{
	struct buf s = sample_of(OUT_TEXT, 3), b, longer = {0};
	size_t n, rows, i;
	int section;

	for (n = 0; n <= s.len; n++) {
		b = mended(s.p, n, OUT_TEXT);
		for (rows = n; rows > 0 && s.p[rows - 1] != '\n'; rows--)
			continue;
		/* is a section open? its name is alone on a line */
		for (i = 0, section = 0; i < rows; i++) {
			if (s.p[i] != '\n')
				continue;
			if (i > 0 && s.p[i - 1] == ':')
				section = 1;
			else if (i > 0 && s.p[i - 1] == '\n')
				section = 0;
		}
		CHECK(memcmp(b.p, s.p, rows) == 0);
		CHECK(section == (b.p[rows] == '\n'));
		CHECK(strcmp(b.p + rows + section, reason_text) == 0);
		buf_free(&b);
	}
	buf_free(&s);
	b = mended("no newline", 10, OUT_TEXT);
	CHECK(strcmp(b.p, reason_text) == 0);
	buf_free(&b);
	b = mended("\n", 1, OUT_TEXT);
	CHECK(b.p[0] == '\n' && strcmp(b.p + 1, reason_text) == 0);
	buf_free(&b);
	/* a line beyond all bounds stays, the reason has its own */
	buf_reserve(&longer, 3 << 20);
	memset(longer.p, 'a', 3 << 20);
	longer.len = 3 << 20;
	b = mended(longer.p, longer.len, OUT_TEXT);
	CHECK(b.len > longer.len);
	CHECK(strcmp(b.p + longer.len + strspn(b.p + longer.len, "\n"),
		  reason_text) == 0);
	CHECK(b.p[longer.len] == '\n');
	buf_free(&b);
	buf_free(&longer);
}

static void
test_mend_errors(void)
{
	char name[] = "/tmp/unit_out.XXXXXX";
	int p[2], fd = mkstemp(name), other, i;
	static const int modes[] = {O_RDONLY, O_WRONLY};

	if (fd == -1 || pipe(p) == -1)
		exit(111);
	for (i = 0; i < 2; i++) {
		other = open(name, modes[i]);
		errno = 0;
		CHECK(out_mend(other, OUT_JSON, "x") == -1 && errno == EINVAL);
		errno = 0;
		CHECK(out_mend(other, OUT_TEXT, "x") == -1 && errno == EINVAL);
		close(other);
		CHECK(out_mend(p[i], OUT_JSON, "x") == -1 && errno == EINVAL);
	}
	CHECK(lseek(fd, 0, SEEK_END) == 0);
	CHECK(out_mend(-1, OUT_TEXT, "x") == -1 && errno == EBADF);
	/* the writer may have appended: the offset and O_APPEND do not matter
	 */
	other = open(name, O_RDWR | O_APPEND);
	CHECK(io_write_full(other, "a: 1\nb: ", 8) == 0);
	CHECK(out_mend(other, OUT_TEXT, "x") == 0);
	close(other);
	lseek(fd, 0, SEEK_SET);
	{
		struct buf b = file_read(fd);

		CHECK(strcmp(b.p, "a: 1\nincomplete: x\n") == 0);
		buf_free(&b);
	}
	unlink(name);
	close(fd);
	close(p[0]);
	close(p[1]);
}

int
main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "-w") == 0)
		keep = argv[2];
	test_mend_cut();
	test_mend_hostile();
	test_mend_text();
	test_mend_errors();
	return check_report();
}
