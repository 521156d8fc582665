/*
 * unit_streamhead: the header of a core stream, genuine, cut, forged.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stream/corestream.h"

#include "check.h"

static ssize_t
parse(const char *text, size_t len, struct crash_id *id)
{
	const char *why;
	/* exactly as long, for the sanitizer's sake */
	char *exact = malloc(len > 0 ? len : 1);
	ssize_t r;

	MUST(exact != NULL);
	memcpy(exact, text, len);
	errno = 0;
	r = stream_head_parse(exact, len, id, &why);
	CHECK((r == -1) == (why != NULL));
	free(exact);
	return r;
}

/* A header with these lines after the first: what it parses to, or errno. */
static void
head(const char *lines, int err)
{
	struct crash_id id;
	struct buf b = {0};
	size_t n;
	ssize_t r;

	MUST(buf_append(&b, STREAM_MAGIC, sizeof(STREAM_MAGIC) - 1) == 0 &&
	    buf_append(&b, lines, strlen(lines)) == 0);
	r = parse(b.p, b.len, &id);
	if (err == 0 ? r != (ssize_t)b.len : r != -1 || errno != err) {
		failed++;
		printf("header \"%s\": %zd, errno %d\n", lines, r, errno);
	}
	for (n = 0; n < b.len; n++) {
		r = parse(b.p, n, &id);
		CHECK(r == 0 || (err != 0 && r == -1));
	}
	buf_free(&b);
}

static void
test_head(void)
{
	head("\n", 0);
	head("host: a\npid: 1\n\n", 0);
	head("host: \ncomm: \n\n", 0);
	head("later: what nobody knows \\x00", EPROTO);
	head("later_2-x: what nobody knows\nlater_2-x: again\n\n", 0);
	head("time: 253402300799\nuid: 4294967295\ntid: 2147483647\n\n", 0);
	head("encoding: zstd-19\n\n", 0);
	head("host: a\\x2f\\x5C\\xfF\n\n", 0);
	head("host: a\nhost: b\n\n", EPROTO);
	head("pid: 1\npid: 1\n\n", EPROTO);
	head("pid: -1\n\n", EPROTO);
	head("pid: \n\n", EPROTO);
	head("pid: 1 \n\n", EPROTO);
	head("pid: 0x1\n\n", EPROTO);
	head("pid: 2147483648\n\n", EPROTO);
	head("uid: 4294967296\n\n", EPROTO);
	head("time: 253402300800\n\n", EPROTO);
	head("time: 99999999999999999999999999\n\n", EPROTO);
	head("encoding: a/b\n\n", EPROTO);
	head("encoding: .part\n\n", EPROTO);
	head("encoding: a234567890123456789012345678901\n\n", 0);
	head("encoding: a2345678901234567890123456789012\n\n", EPROTO);
	head("host:a\n\n", EPROTO);
	head("host : a\n\n", EPROTO);
	head("Host: a\n\n", EPROTO);
	head(" host: a\n\n", EPROTO);
	head(": a\n\n", EPROTO);
	head("host\n\n", EPROTO);
	head("host: a\r\n\r\n", EPROTO);
	head("host: a\tb\n\n", EPROTO);
	head("host: b\xc3\xb6se\n\n", EPROTO);
	head("host: a\\\\\n\n", EPROTO);
	head("host: a\\x2\n\n", EPROTO);
	head("host: a\\xg0\n\n", EPROTO);
	head("host: a\\x00\n\n", EPROTO);
	head("a23456789012345678901234567890123: 1\n\n", EPROTO);
	head("a2345678901234567890123456789012: 1\n\n", 0);
}

static void
test_magic(void)
{
	static const struct {
		const char *text;
		ssize_t r;
		int err;
	} all[] = {{"", 0, 0}, {"u", 0, 0}, {"usercrash-core ", 0, 0},
	    {"usercrash-core 1", 0, 0}, {"usercrash-core 1\n", 0, 0},
	    {"usercrash-core 2", -1, EPROTONOSUPPORT},
	    {"usercrash-core 12\n", -1, EPROTONOSUPPORT},
	    {"usercrash-core 01\n", -1, EPROTO},
	    {"usercrash-core 1 \n", -1, EPROTO},
	    {"usercrash-core 1\r\n", -1, EPROTO},
	    {"usercrash-core x", -1, EPROTO}, {"usercrash-coreX", -1, EPROTO},
	    {"GET / HTTP/1.1\r\n", -1, EPROTO}, {"\177ELF", -1, EPROTO}};
	struct crash_id id;
	size_t i;

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (parse(all[i].text, strlen(all[i].text), &id) != all[i].r ||
		    errno != all[i].err) {
			failed++;
			printf("magic \"%s\": errno %d\n", all[i].text, errno);
		}
}

static void
test_head_limits(void)
{
	struct crash_id id;
	struct buf b = {0};
	size_t n;

	MUST(buf_append(&b, STREAM_MAGIC, sizeof(STREAM_MAGIC) - 1) == 0 &&
	    buf_append(&b, "x: ", 3) == 0);
	while (b.len < STREAM_HEAD_MAX)
		MUST(buf_append(&b, "y", 1) == 0);
	/* one line without an end, the longest, one too many */
	CHECK(parse(b.p, b.len - 1, &id) == 0);
	CHECK(parse(b.p, b.len, &id) == -1 && errno == EMSGSIZE);
	b.p[b.len - 1] = b.p[b.len - 2] = '\n';
	CHECK(parse(b.p, b.len, &id) == STREAM_HEAD_MAX);
	for (n = 0; n < 10; n++)
		MUST(buf_append(&b, "\n", 1) == 0);
	CHECK(parse(b.p, b.len, &id) == STREAM_HEAD_MAX);
	b.p[STREAM_HEAD_MAX - 1] = 'y';
	CHECK(parse(b.p, b.len, &id) == -1 && errno == EMSGSIZE);
	/* lines without an end */
	for (n = sizeof(STREAM_MAGIC) - 1; n + 5 <= b.len; n += 5)
		memcpy(b.p + n, "a: b\n", 5);
	CHECK(parse(b.p, b.len, &id) == -1 && errno == EMSGSIZE);
	buf_free(&b);
}

static void
test_head_round(void)
{
	struct crash_id id, got;
	struct buf b = {0};
	size_t i;

	crash_id_init(&id);
	CHECK(stream_head_format(&id, &b) == 0);
	CHECK(strcmp(b.p, STREAM_MAGIC "\n") == 0);
	CHECK(parse(b.p, b.len, &got) == (ssize_t)b.len);
	CHECK(memcmp(&id, &got, sizeof(id)) == 0);

	/* each byte, everything as long as it can be: still a header */
	for (i = 0; i < sizeof(id.exe) - 1; i++)
		id.exe[i] = (char)(i % 255 + 1);
	memset(id.host, '\n', sizeof(id.host) - 1);
	memset(id.comm, '\\', sizeof(id.comm) - 1);
	memset(id.encoding, 'z', sizeof(id.encoding) - 1);
	id.pid = id.tid = id.dumpmode = INT32_MAX;
	id.signal = 128;
	id.uid = id.gid = UINT32_MAX;
	id.time = 1;
	b.len = 0;
	CHECK(stream_head_format(&id, &b) == 0);
	CHECK(parse(b.p, b.len, &got) == (ssize_t)b.len);
	CHECK(memcmp(&id, &got, sizeof(id)) == 0);
	for (i = 0; i < b.len; i++)
		CHECK(b.p[i] == '\n' || (b.p[i] >= ' ' && b.p[i] <= '~'));

	/* what cannot be told is not */
	crash_id_init(&id);
	id.time = INT64_MAX;
	id.uid = (int64_t)UINT32_MAX + 1;
	id.pid = INT64_MIN;
	b.len = 0;
	CHECK(stream_head_format(&id, &b) == 0);
	CHECK(strcmp(b.p, STREAM_MAGIC "\n") == 0);
	strcpy(id.encoding, "a\nb");
	FAILS(stream_head_format(&id, &b), EINVAL);
	buf_free(&b);
}

int
main(void)
{
	test_head();
	test_magic();
	test_head_limits();
	test_head_round();
	return check_report();
}
