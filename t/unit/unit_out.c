/*
 * unit_out: the writer, its two forms, the escaping.
 */
#include "out/out.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "out/escape.h"

#include "check.h"
#include "json_check.h"
#include "out_fixture.h"

static int
is_json(const char *s, size_t n)
{
	struct json j;
	int r = json_check(&j, s, n) == 0;

	free(j.v);
	return r;
}

/* --- genuine -------------------------------------------------------------- */

static const char text_form[] =
    "usercrash report 1\n"
    "pid: 1234\n"
    "code: -6\n"
    "comm: a \"b\"\\\\c\\x0a\xc3\xa9\\xff\n"
    "exe: -\n"
    "addr: 0x0018\n"
    "core: yes\n"
    "when: 2024-03\n"
    "\n"
    "threads:\n"
    "  thread 0 w\\x091\n"
    "    #0 pc 0000000000401000\n"
    "\n"
    "limits:\n"
    "  core: 0\n"
    "  x y\n"
    "\n"
    "maps: unavailable: unable to open /proc/1\\x0a/maps\n"
    "\n";

static const char json_form[] =
    "{\n"
    "\"format\": \"usercrash\",\n"
    "\"pid\": 1234,\n"
    "\"code\": -6,\n"
    "\"comm\": \"a \\\"b\\\"\\\\\\\\c\\\\x0a\xc3\xa9\\\\xff\",\n"
    "\"exe\": null,\n"
    "\"addr\": \"0x0018\",\n"
    "\"core\": true,\n"
    "\"when\": \"2024-03\",\n"
    "\"threads\": [\n"
    " {\"tid\": 0, \"name\": \"w\\\\x091\", \"frames\": [\n"
    "   {\"pc\": \"0x0000000000401000\"}]}],\n"
    "\"limits\": {\"core\": 0, \"list\": [\"x\", \"y\"]},\n"
    "\"maps\": {\"unavailable\": "
    "\"unable to open /proc/1\\\\x0a/maps\"}\n"
    "}\n";

static void
test_genuine(void)
{
	struct buf b = sample_of(OUT_TEXT, 1);

	CHECK(strcmp(b.p, text_form) == 0);
	buf_free(&b);
	b = sample_of(OUT_JSON, 1);
	CHECK(strcmp(b.p, json_form) == 0);
	CHECK(is_json(b.p, b.len));
	buf_free(&b);
}

/* Nothing but out_new() and out_finish(). */
static void
test_empty(void)
{
	int fd = file_new("", 0);
	struct buf b;

	CHECK(out_finish(out_new(fd, OUT_JSON)) == 0);
	b = file_read(fd);
	CHECK(strcmp(b.p, "{}\n") == 0);
	buf_free(&b);
	close(fd);
}

/* --- escaping ------------------------------------------------------------- */

static size_t
encode(unsigned cp, char *s)
{
	if (cp < 0x80) {
		s[0] = (char)cp;
		return 1;
	} else if (cp < 0x800) {
		s[0] = (char)(0xc0 | cp >> 6);
		s[1] = (char)(0x80 | (cp & 63));
		return 2;
	} else if (cp < 0x10000) {
		s[0] = (char)(0xe0 | cp >> 12);
		s[1] = (char)(0x80 | (cp >> 6 & 63));
		s[2] = (char)(0x80 | (cp & 63));
		return 3;
	}
	s[0] = (char)(0xf0 | cp >> 18);
	s[1] = (char)(0x80 | (cp >> 12 & 63));
	s[2] = (char)(0x80 | (cp >> 6 & 63));
	s[3] = (char)(0x80 | (cp & 63));
	return 4;
}

static int
stays(unsigned cp)
{
	struct buf b = {0};
	char s[4];
	size_t n = encode(cp, s);
	int r;

	if (escape_append(&b, s, n, 0) == -1)
		exit(111);
	r = b.len == n && memcmp(b.p, s, n) == 0;
	if (!r && cp != '\\')
		CHECK(b.len == 4 * n && b.p[0] == '\\' && b.p[1] == 'x');
	buf_free(&b);
	return r;
}

static void
test_code_points(void)
{
	static const unsigned never[] = {0, 7, 9, 0xa, 0xd, 0x1b, 0x1f, 0x7f,
	    0x80, 0x85, 0x9b, 0x9f, 0xad, 0x61c, 0x180e, 0x200b, 0x200c, 0x200d,
	    0x200e, 0x200f, 0x2028, 0x2029, 0x202a, 0x202b, 0x202c, 0x202d,
	    0x202e, 0x2060, 0x2066, 0x2067, 0x2068, 0x2069, 0x206a, 0xd800,
	    0xdbff, 0xdc00, 0xdfff, 0xfdd0, 0xfeff, 0xfff9, 0xfffe, 0xffff,
	    0x1fffe, 0xe0001, 0xe007f, 0xe0100, 0x10ffff, 0x110000, 0x1fffff,
	    '\\'};
	static const unsigned always[] = {' ', '!', '"', '~', 0xa0, 0xe9, 0x3a9,
	    0x5d0, 0x627, 0x2013, 0x2027, 0x202f, 0x205f, 0x20ac, 0x4e2d,
	    0xac00, 0xd7ff, 0xe000, 0xfffd, 0x1f600, 0x20000};
	size_t i;

	for (i = 0; i < sizeof(never) / sizeof(*never); i++)
		CHECK(!stays(never[i]));
	for (i = 0; i < sizeof(always) / sizeof(*always); i++)
		CHECK(stays(always[i]));
}

/* What escaping keeps must be UTF-8 without controls; going back from it
 * must give the input. */
static void
check_escaped(const unsigned char *s, size_t n)
{
	struct buf b = {0}, q = {0}, back = {0};
	const unsigned char *p;
	size_t i, len;
	unsigned v;
	char c;

	if (escape_append(&b, s, n, 0) == -1 || buf_append(&q, "\"", 1) == -1 ||
	    escape_append(&q, s, n, 1) == -1 || buf_append(&q, "\"", 1) == -1 ||
	    buf_reserve(&b, 0) == -1 || buf_reserve(&back, 0) == -1)
		exit(111);
	CHECK(is_json(q.p, q.len));
	for (i = 0; i < b.len; i += len) {
		p = (const unsigned char *)b.p + i;
		len = json_utf8(p, b.len - i);
		CHECK(len > 0 && *p >= ' ' && *p != 0x7f);
		if (len == 0)
			break;
		if (*p != '\\') {
			buf_append(&back, p, len);
		} else if (p[1] == '\\') {
			buf_append(&back, p, 1);
			len = 2;
		} else {
			CHECK(sscanf((const char *)p, "\\x%2x", &v) == 1);
			c = (char)v;
			buf_append(&back, &c, 1);
			len = 4;
		}
	}
	CHECK(back.len == n && memcmp(back.p, s, n) == 0);
	/* undone from JSON, it is the text form */
	for (i = 1, len = 0; i + 1 < q.len; i++, len++) {
		if (q.p[i] == '\\')
			i++;
		CHECK(len < b.len && q.p[i] == b.p[len]);
	}
	CHECK(len == b.len);
	buf_free(&b);
	buf_free(&q);
	buf_free(&back);
}

static void
test_bytes(void)
{
	static const char *const tricky[] = {"\xc0\x80", "\xc1\xbf",
	    "\xe0\x80\x80", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xf0\x80\x80\x80",
	    "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80",
	    "\xe2\x80", "\xe2\x80x", "\xf0\x9f\x98", "\x80\x80", "\xfe\xff",
	    "\xe2\xe2\x82\xac", "\xc3\xc3\xa9"};
	static const char *const escaped[] = {"\\xc0\\x80", "\\xc1\\xbf",
	    "\\xe0\\x80\\x80", "\\xe0\\x9f\\xbf", "\\xed\\xa0\\x80",
	    "\\xf0\\x80\\x80\\x80", "\\xf0\\x8f\\xbf\\xbf",
	    "\\xf4\\x90\\x80\\x80", "\\xf5\\x80\\x80\\x80", "\\xe2\\x80",
	    "\\xe2\\x80x", "\\xf0\\x9f\\x98", "\\x80\\x80", "\\xfe\\xff",
	    "\\xe2\xe2\x82\xac", "\\xc3\xc3\xa9"};
	unsigned char s[64];
	unsigned i, k, seed = 1;

	for (i = 0; i < sizeof(tricky) / sizeof(*tricky); i++) {
		struct buf b = {0};

		if (escape_append(&b, tricky[i], strlen(tricky[i]), 0) == -1)
			exit(111);
		CHECK(strcmp(b.p, escaped[i]) == 0);
		buf_free(&b);
	}
	for (i = 0; i < 0x10000; i++) {
		s[0] = (unsigned char)(i >> 8);
		s[1] = (unsigned char)i;
		check_escaped(s, 2);
	}
	for (i = 0; i < 20000; i++) {
		for (k = 0; k < sizeof(s); k++) {
			seed = seed * 1103515245 + 12345;
			s[k] = (unsigned char)(seed >> 16);
			if (seed >> 30 == 1)
				s[k] = "\xe2\x80\xa8\xf0\x9f\\\"\xed"[s[k] & 7];
		}
		check_escaped(s, seed >> 8 & 63);
	}
}

/* --- limits and errors ---------------------------------------------------- */

static void
test_errors(void)
{
	struct out *o;
	struct buf b;
	int fd, i, p[2], format;

	for (format = OUT_TEXT; format <= OUT_JSON; format++) {
		fd = open("/dev/full", O_WRONLY);
		o = out_new(fd, (enum out_format)format);
		sample(o, 5000);
		errno = 0;
		CHECK(out_finish(o) == -1 && errno == ENOSPC);
		close(fd);
		o = out_new(-1, (enum out_format)format);
		sample(o, 1);
		CHECK(out_finish(o) == -1 && errno == EBADF);
		if (pipe(p) == -1)
			exit(111);
		close(p[0]);
		o = out_new(p[1], (enum out_format)format);
		sample(o, 5000);
		CHECK(out_finish(o) == -1 && errno == EPIPE);
		close(p[1]);
	}
	/* deeper than allowed: left out, and said so */
	fd = file_new("", 0);
	o = out_new(fd, OUT_JSON);
	for (i = 0; i < 100; i++) {
		out_u64(o, "n", OUT_HIDE, (uint64_t)i);
		out_obj(o, "in");
	}
	for (i = 0; i < 100; i++)
		out_end(o);
	out_u64(o, "last", OUT_HIDE, 7);
	CHECK(out_finish(o) == -1 && errno == EOVERFLOW);
	b = file_read(fd);
	CHECK(is_json(b.p, b.len) && strstr(b.p, "\"last\": 7") != NULL);
	CHECK(strstr(b.p, "\"n\": 64") != NULL);
	CHECK(strstr(b.p, "\"n\": 65") == NULL);
	buf_free(&b);
	close(fd);
	/* one end too many */
	fd = file_new("", 0);
	o = out_new(fd, OUT_JSON);
	out_end(o);
	out_u64(o, "a", OUT_KEY, 1);
	CHECK(out_finish(o) == -1 && errno == EINVAL);
	b = file_read(fd);
	CHECK(strcmp(b.p, "{\n\"a\": 1\n}\n") == 0);
	buf_free(&b);
	close(fd);
}

/* Whatever has reached the file at any moment is whole rows. */
static void
test_flush(void)
{
	struct out *o;
	struct buf b;
	struct stat st;
	off_t seen, end;
	int fd, format, i, flushes;

	for (format = OUT_TEXT; format <= OUT_JSON; format++) {
		fd = file_new("", 0);
		o = out_new(fd, (enum out_format)format);
		out_title(o, "rows");
		out_section(o, '[');
		for (i = 0, seen = 0, flushes = 0; i < 20000; i++) {
			out_obj(o, NULL);
			out_u64(o, "i", "  ", (uint64_t)i);
			out_str(o, "s", " ", "some of the text of a row");
			out_text(o, "\n");
			out_end(o);
			if (fstat(fd, &st) == -1)
				exit(111);
			if (st.st_size == seen)
				continue;
			CHECK(st.st_size - seen >= 65536);
			CHECK(st.st_size - seen < 65536 + 128);
			seen = st.st_size;
			flushes++;
			b = file_read(fd);
			CHECK(b.p[b.len - 1] ==
			    (format == OUT_JSON ? '}' : '\n'));
			buf_free(&b);
		}
		CHECK(flushes >= 5);
		out_text(o, "half a row");
		out_flush(o);
		end = lseek(fd, 0, SEEK_END);
		CHECK(end > seen);
		CHECK(out_finish(o) == 0);
		b = file_read(fd);
		CHECK(format == OUT_TEXT || is_json(b.p, b.len));
		buf_free(&b);
		close(fd);
	}
}

int
main(void)
{
	signal(SIGPIPE, SIG_IGN);
	test_genuine();
	test_empty();
	test_code_points();
	test_bytes();
	test_errors();
	test_flush();
	return check_report();
}
