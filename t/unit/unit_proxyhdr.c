/*
 * unit_proxyhdr		checks store/proxyhdr
 * unit_proxyhdr make KIND	a header for other tests: v1, v2
 * Prints one line per failed check; exits 0 when there was none.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/proxyhdr.h"
#include "stream/crc32c.h"

#include "check.h"

enum { LOCAL = 0x20, PROXY = 0x21 };

static ssize_t
parse(const char *p, size_t len, struct proxyhdr *h)
{
	/* exactly as long, for the sanitizer's sake */
	char *exact = malloc(len > 0 ? len : 1);
	ssize_t r;

	if (exact == NULL)
		exit(111);
	memcpy(exact, p, len);
	errno = 0;
	r = proxyhdr_parse(exact, len, h);
	CHECK(r != -1 || errno == EPROTO);
	CHECK(h->known == (*h->host != '\0') && (r > 0 || !h->known));
	free(exact);
	return r;
}

/* A header, and no more, whose source is text (NULL: not known). */
static void
good(const char *p, size_t len, const char *text, int line)
{
	struct proxyhdr h;
	char longer[PROXYHDR_MAX + 2];
	size_t n;
	ssize_t r = parse(p, len, &h);

	if (r != (ssize_t)len || h.known != (text != NULL) ||
	    strcmp(h.text, text != NULL ? text : "") != 0) {
		failed++;
		printf("line %d: %zd of %zu, \"%s\"\n", line, r, len, h.text);
	}
	for (n = 0; n < len; n++)
		CHECK(parse(p, n, &h) == 0);
	memcpy(longer, p, len);
	memcpy(longer + len, "us", 2);
	CHECK(parse(longer, len + 2, &h) == (ssize_t)len);
}

static void
bad(const char *p, size_t len, int line)
{
	struct proxyhdr h;
	size_t n;
	ssize_t r = 0;

	for (n = 0; n <= len; n++) {
		if (r == -1)
			CHECK(parse(p, n, &h) == -1);
		r = parse(p, n, &h);
		CHECK(r <= 0);
	}
	if (r != -1) {
		failed++;
		printf("line %d: %zd\n", line, r);
	}
}

#define GOOD(s, text) good(s, sizeof(s) - 1, text, __LINE__)
#define BAD(s) bad(s, sizeof(s) - 1, __LINE__)

static void
test_line(void)
{
	char longest[200];
	struct proxyhdr h;

	GOOD("PROXY TCP4 192.0.2.7 198.51.100.1 56324 64740\r\n",
	    "192.0.2.7:56324");
	GOOD("PROXY TCP4 255.255.255.255 255.255.255.255 65535 0\r\n",
	    "255.255.255.255:65535");
	GOOD("PROXY TCP6 2001:db8::7 2001:db8::1 56324 443\r\n",
	    "[2001:db8::7]:56324");
	GOOD("PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
	     "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n",
	    "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535");
	GOOD("PROXY TCP6 ::ffff:192.0.2.7 ::1 1 2\r\n", "192.0.2.7:1");
	GOOD("PROXY UNKNOWN\r\n", NULL);
	GOOD("PROXY UNKNOWN ffff::1 whatever 1 2\r\n", NULL);

	BAD("GET / HTTP/1.1\r\n");
	BAD("usercrash-core 1\n");
	BAD("PROXY\r\n");
	BAD("PROXY \r\n");
	BAD("PROXY UNKNOWNX\r\n");
	BAD("PROXY UDP4 192.0.2.7 198.51.100.1 1 2\r\n");
	BAD("PROXY TCP4\r\n");
	BAD("PROXY TCP4 192.0.2.7 198.51.100.1 1\r\n");
	BAD("PROXY TCP4 192.0.2.7 198.51.100.1 1 2 \r\n");
	BAD("PROXY TCP4 192.0.2.7 198.51.100.1 1 2 3\r\n");
	BAD("PROXY TCP4  192.0.2.7 198.51.100.1 1 2\r\n");
	BAD("PROXY TCP4 192.0.2.7 198.51.100.1 1 65536\r\n");
	BAD("PROXY TCP4 192.0.2.7 198.51.100.1 01 2\r\n");
	BAD("PROXY TCP4 192.0.2.7 198.51.100.1 -1 2\r\n");
	BAD("PROXY TCP4 192.0.2.256 198.51.100.1 1 2\r\n");
	BAD("PROXY TCP4 192.0.2.7 x 1 2\r\n");
	BAD("PROXY TCP4 ::1 ::1 1 2\r\n");
	BAD("PROXY TCP6 192.0.2.7 ::1 1 2\r\n");
	BAD("PROXY TCP6 fe80::1%lo ::1 1 2\r\n");
	BAD("PROXY TCP4 192.0.2.7 198.51.100.1 1 22\n");
	BAD("PROXY UNKNOWN x\n");
	BAD("PROXY TCP4 192.0.2.7 198.51.100.1 1 2\r\r\n");
	BAD("PROXY TCP4 192.0.2.7 198.51.100.1 1 2\0\r\n");
	BAD("PROXY UNKNOWN \x1b[2J\r\n");

	memset(longest, 'x', sizeof(longest));
	memcpy(longest, "PROXY UNKNOWN ", 14);
	memcpy(longest + 105, "\r\n", 2);
	good(longest, 107, NULL, __LINE__);
	memcpy(longest + 105, "x\r\n", 3);
	bad(longest, 108, __LINE__);
	CHECK(parse(longest, 106, &h) == 0 && parse(longest, 107, &h) == -1);
}

/* --- version 2 --------------------------------------------------------------
 */

static char v2[PROXYHDR_MAX + 100];
static size_t v2len;

static void
set_len(size_t len)
{
	v2[14] = (char)((len - 16) >> 8);
	v2[15] = (char)((len - 16) & 255);
	v2len = len;
}

static void
start(int command, int family, const void *addresses, size_t len)
{
	memcpy(v2, "\r\n\r\n\0\r\nQUIT\n", 12);
	v2[12] = (char)command;
	v2[13] = (char)family;
	memcpy(v2 + 16, addresses, len);
	set_len(16 + len);
}

static void
extra(int type, const void *p, size_t len)
{
	v2[v2len] = (char)type;
	v2[v2len + 1] = (char)(len >> 8);
	v2[v2len + 2] = (char)(len & 255);
	memcpy(v2 + v2len + 3, p, len);
	set_len(v2len + 3 + len);
}

/* The checksum is the last of the extras, or one comes after it. */
static void
checksum(int more)
{
	uint32_t crc;
	size_t at = v2len + 3;
	int i;

	extra(3, "\0\0\0\0", 4);
	if (more)
		extra(4, "padding", 7);
	crc = crc32c(0, v2, v2len);
	for (i = 0; i < 4; i++)
		v2[at + (size_t)i] = (char)(crc >> (24 - 8 * i));
}

static const char four[] = "\300\0\2\7\306\63\144\1\334\4\374\344";
static const char six[] = "\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\7"
			  "\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\1\334\4\374\344";

static void
is(const char *text, int line)
{
	good(v2, v2len, text, line);
}

static void
test_bytes(void)
{
	static const char none[216], filler[PROXYHDR_MAX];
	struct proxyhdr h;
	size_t i;

	start(PROXY, 0x11, four, 12);
	is("192.0.2.7:56324", __LINE__);
	extra(1, "h2", 2);
	extra(0xee, "", 0);
	is("192.0.2.7:56324", __LINE__);
	for (i = 0; i < 2; i++) {
		start(PROXY, 0x21, six, 36);
		checksum((int)i);
		is("[2001:db8::7]:56324", __LINE__);
		v2[20]++;
		bad(v2, v2len, __LINE__);
		v2[20]--;
		v2[16 + 36 + 3]++; /* the checksum itself */
		bad(v2, v2len, __LINE__);
	}
	start(LOCAL, 0x00, "", 0);
	is(NULL, __LINE__);
	start(LOCAL, 0x11, four, 12);
	is(NULL, __LINE__);
	start(LOCAL, 0xff, "anything", 8);
	is(NULL, __LINE__);
	start(PROXY, 0x00, "anything", 8);
	is(NULL, __LINE__);
	start(PROXY, 0x12, four, 12);
	is(NULL, __LINE__);
	start(PROXY, 0x22, six, 36);
	is(NULL, __LINE__);
	start(PROXY, 0x31, none, 216);
	is(NULL, __LINE__);

	start(PROXY, 0x11, four, 11);
	bad(v2, v2len, __LINE__);
	start(PROXY, 0x21, six, 35);
	bad(v2, v2len, __LINE__);
	start(PROXY, 0x31, none, 215);
	bad(v2, v2len, __LINE__);
	start(PROXY, 0x13, four, 12);
	bad(v2, v2len, __LINE__);
	start(PROXY, 0x41, six, 36);
	bad(v2, v2len, __LINE__);
	start(0x22, 0x11, four, 12);
	bad(v2, v2len, __LINE__);
	start(0x11, 0x11, four, 12);
	bad(v2, v2len, __LINE__);
	start(PROXY, 0x11, four, 12);
	v2[11]++;
	bad(v2, v2len, __LINE__);

	/* extras that end beyond the header, or have no room for themselves */
	start(PROXY, 0x11, four, 12);
	extra(4, "abc", 3);
	v2[v2len - 4]++;
	bad(v2, v2len, __LINE__);
	v2[v2len - 4] = (char)0xff;
	bad(v2, v2len, __LINE__);
	start(PROXY, 0x11, four, 12);
	set_len(v2len + 2);
	bad(v2, v2len, __LINE__);
	start(PROXY, 0x11, four, 12);
	extra(3, "abc", 3);
	bad(v2, v2len, __LINE__);

	/* the longest, and one that is known to be too long by its length */
	start(PROXY, 0x11, four, 12);
	extra(4, filler, PROXYHDR_MAX - 28 - 3);
	CHECK(parse(v2, v2len, &h) == PROXYHDR_MAX && h.known);
	CHECK(parse(v2, v2len - 1, &h) == 0);
	set_len(PROXYHDR_MAX + 1);
	CHECK(parse(v2, 16, &h) == -1);
}

int
main(int argc, char **argv)
{
	static const char line[] =
	    "PROXY TCP4 192.0.2.7 198.51.100.1 56324 64740\r\n";

	if (argc == 3 && strcmp(argv[1], "make") == 0) {
		start(PROXY, 0x21, six, 36);
		checksum(1);
		if (strcmp(argv[2], "v1") == 0)
			return write(1, line, sizeof(line) - 1) == -1;
		return write(1, v2, v2len) == -1;
	}
	test_line();
	test_bytes();
	return check_report();
}
