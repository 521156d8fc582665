/*
 * unit_corestream		checks stream/corestream, streamhead, streamtext
 * unit_corestream check	what the stream on stdin says; exits 0 when it
 *				is whole and undamaged, 1 when it is not
 * unit_corestream core		the core in it instead, as far as it goes
 * unit_corestream make		a stream of the core on stdin, holes skipped
 * unit_corestream KIND		one for the fixtures: overlap, end, name
 */
#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/io.h"
#include "stream/crc32c.h"
#include "stream/streamtext.h"

#include "check.h"
#include "stream_walk.h"

/* --- streams ---------------------------------------------------------------
 */

static void
add_frame(struct buf *b, enum stream_type type, uint64_t off, const void *p,
    size_t len, struct stream_sum *sum)
{
	struct stream_frame f = {type, (uint32_t)len, crc32c(0, p, len), off};
	unsigned char h[STREAM_FRAME];

	if (sum != NULL)
		stream_sum_data(sum, &f);
	stream_frame_put(h, &f);
	MUST(buf_append(b, h, sizeof(h)) == 0 && buf_append(b, p, len) == 0);
}

static void
add_end(struct buf *b, const struct stream_end *end)
{
	struct buf text = {0};

	MUST(stream_end_format(end, &text) == 0);
	add_frame(b, STREAM_END, end->size, text.p, text.len, NULL);
	buf_free(&text);
}

static void
add_head(struct buf *b, const char *host)
{
	struct crash_id id;

	crash_id_init(&id);
	snprintf(id.host, sizeof(id.host), "%s", host);
	snprintf(id.comm, sizeof(id.comm), "%s", "crash");
	snprintf(id.exe, sizeof(id.exe), "%s", "/usr/bin/crash");
	id.pid = 4711;
	id.tid = 4712;
	id.uid = id.gid = 1000;
	id.signal = 11;
	id.dumpmode = 1;
	id.time = 1795244400;
	MUST(stream_head_format(&id, b) == 0);
}

/* All of a stream, of the core in (p, len). */
static void
add_core(struct buf *b, const char *p, size_t len, size_t block, size_t unit)
{
	struct stream_sum sum = {0};
	struct stream_end end = {.size = len, .state = "complete"};
	size_t at, n;

	for (at = 0; at < len; at += n) {
		n = stream_zeros(p + at, len - at, unit);
		if (n > 0)
			continue;
		for (n = unit; n < block && at + n < len &&
		     stream_zeros(p + at + n, len - at - n, unit) == 0;)
			n += unit;
		if (n > len - at)
			n = len - at;
		add_frame(b, STREAM_DATA, at, p + at, n, &sum);
	}
	end.data = sum.data;
	end.crc = stream_sum_end(&sum, end.size);
	add_end(b, &end);
}

/* What hostile senders make, each frame for itself without a fault. */
static int
forge(const char *kind, struct buf *b)
{
	static const char part[] = "a few bytes of a core";
	struct stream_sum sum = {0};
	struct stream_end end = {.size = 4096, .state = "complete"};

	if (strcmp(kind, "name") == 0) {
		add_head(b, "../../x");
		add_core(b, part, sizeof(part), 4096, 64);
		return 0;
	}
	add_head(b, "board7");
	add_frame(b, STREAM_DATA, 0, part, sizeof(part), &sum);
	if (strcmp(kind, "overlap") == 0)
		add_frame(
		    b, STREAM_DATA, sizeof(part) - 1, part, sizeof(part), &sum);
	else if (strcmp(kind, "end") != 0)
		return -1;
	end.data = sum.data;
	end.crc = stream_sum_end(&sum, end.size) ^ (*kind == 'e');
	add_end(b, &end);
	return 0;
}

static int
command(const char *what)
{
	struct buf in = {0}, core = {0};
	struct walked w = {.show = strcmp(what, "check") == 0};
	ssize_t n;
	int r = 0;

	if (forge(what, &core) == -1) {
		core.len = 0;
		do {
			MUST(buf_reserve(&in, 1 << 16) == 0);
			n = io_read_full(0, in.p + in.len, 1 << 16);
			MUST(n != -1);
			in.len += (size_t)n;
		} while (n > 0);
	}
	if (strcmp(what, "make") == 0) {
		add_head(&core, "board7");
		add_core(&core, in.p, in.len, STREAM_BLOCK, 4096);
	} else if (in.p != NULL) {
		w.core = w.show ? NULL : &core;
		r = stream_walk(in.p, in.len, &w);
		if (w.show)
			printf("%s %s %" PRId64 ": %s, %zu bytes behind it\n",
			    w.id.host, w.id.comm, w.id.pid,
			    r == 1	 ? w.end.state
				: r == 0 ? "cut short"
					 : w.why,
			    in.len - (size_t)w.used);
		r = r != 1;
	}
	MUST(io_write_full(1, core.p, core.len) == 0);
	buf_free(&in);
	buf_free(&core);
	return r;
}

/* --- frames ----------------------------------------------------------------
 */

static int
frame(enum stream_type type, uint64_t off, uint32_t len)
{
	struct stream_frame f = {type, len, 0xfeedbeef, off}, got;
	unsigned char h[STREAM_FRAME];
	int i, r;

	stream_frame_put(h, &f);
	r = stream_frame_get(h, &got);
	if (r == 0)
		CHECK(got.type == type && got.off == off && got.len == len &&
		    got.crc == 0xfeedbeef);
	for (i = 0; i < STREAM_FRAME * 8; i++) {
		h[i / 8] ^= (unsigned char)(1 << i % 8);
		FAILS(stream_frame_get(h, &got), EBADMSG);
		h[i / 8] ^= (unsigned char)(1 << i % 8);
	}
	errno = EPROTO;
	return r;
}

static void
test_frames(void)
{
	/* by another's hand */
	static const unsigned char known[STREAM_FRAME] = {'D', 'A', 'T', 'A',
	    0x09, 0x00, 0x00, 0x00, 0xf0, 0xde, 0xbc, 0x9a, 0x78, 0x56, 0x34,
	    0x12, 0x83, 0x92, 0x06, 0xe3, 0x4d, 0xac, 0x15, 0xb3};
	struct stream_frame f = {
	    STREAM_DATA, 9, 0xe3069283, 0x123456789abcdef0};
	struct stream_frame got;
	unsigned char h[STREAM_FRAME];
	uint32_t crc;

	stream_frame_put(h, &f);
	CHECK(memcmp(h, known, sizeof(h)) == 0);
	CHECK(stream_frame_get(known, &got) == 0 && got.off == f.off);

	CHECK(frame(STREAM_DATA, 0, 1) == 0);
	CHECK(frame(STREAM_DATA, 0, STREAM_BLOCK) == 0);
	CHECK(frame(STREAM_DATA, STREAM_SIZE_MAX - 1, 1) == 0);
	CHECK(frame(STREAM_END, 0, 0) == 0);
	CHECK(frame(STREAM_END, STREAM_SIZE_MAX, STREAM_END_MAX) == 0);
	FAILS(frame(STREAM_DATA, 0, 0), EPROTO);
	FAILS(frame(STREAM_DATA, 0, STREAM_BLOCK + 1), EPROTO);
	FAILS(frame(STREAM_DATA, 0, UINT32_MAX), EPROTO);
	FAILS(frame(STREAM_DATA, STREAM_SIZE_MAX, 1), EPROTO);
	FAILS(frame(STREAM_DATA, UINT64_MAX, STREAM_BLOCK), EPROTO);
	FAILS(frame(STREAM_DATA, (uint64_t)INT64_MIN, 1), EPROTO);
	FAILS(frame(STREAM_END, STREAM_SIZE_MAX + 1, 1), EPROTO);
	FAILS(frame(STREAM_END, 0, STREAM_END_MAX + 1), EPROTO);
	memcpy(h, "DATB", 4);
	crc = htole32(crc32c(0, h, 20));
	memcpy(h + 20, &crc, 4);
	FAILS(stream_frame_get(h, &f), EPROTO);
}

static int
sum(struct stream_sum *s, uint64_t off, uint32_t len)
{
	struct stream_frame f = {STREAM_DATA, len, 1, off};
	struct stream_sum before = *s;
	int r = stream_sum_data(s, &f);

	if (r == -1)
		CHECK(memcmp(&before, s, sizeof(before)) == 0);
	return r;
}

static void
test_sum(void)
{
	struct stream_sum s = {0};

	CHECK(stream_sum_end(&s, 0) == 0);
	CHECK(stream_sum_end(&s, 32) == 0x8a9136aa); /* RFC 3720 */
	CHECK(sum(&s, 100, 50) == 0 && s.next == 150 && s.data == 50);
	CHECK(sum(&s, 150, 50) == 0 && s.next == 200 && s.data == 100);
	FAILS(sum(&s, 199, 1), EPROTO);
	FAILS(sum(&s, 0, 1), EPROTO);
	FAILS(sum(&s, 200, 0), EPROTO);
	FAILS(sum(&s, STREAM_SIZE_MAX, 1), EPROTO);
	FAILS(sum(&s, UINT64_MAX, 2), EPROTO);
	FAILS(sum(&s, UINT64_MAX - 1, UINT32_MAX), EPROTO);
	CHECK(sum(&s, STREAM_SIZE_MAX - 2, 1) == 0);
	CHECK(sum(&s, STREAM_SIZE_MAX - 1, 1) == 0);
	FAILS(sum(&s, STREAM_SIZE_MAX - 1, 1), EPROTO);
}

/* --- whole streams ---------------------------------------------------------
 */

static void
fill(char *core, size_t len, uint32_t seed)
{
	size_t i;

	for (i = 0; i < len; i++) {
		seed = seed * 1664525 + 1013904223;
		/* blocks of 64, two of three empty */
		core[i] = (char)(i / 64 % 3 == seed % 2 ? seed >> 24 : 0);
	}
}

/* Cut at each byte it needs more; each bit that flips is found. */
static void
test_stream(void)
{
	char core[1000];
	struct buf b = {0}, copy = {0};
	struct walked w = {.core = &copy};
	size_t n, head_len;

	fill(core, sizeof(core), 1);
	add_head(&b, "board7");
	head_len = b.len;
	add_core(&b, core, sizeof(core), 128, 32);
	CHECK(stream_walk(b.p, b.len, &w) == 1);
	CHECK(stream_is_complete(&w.end) && w.end.size == sizeof(core));
	CHECK(w.end.data < sizeof(core) && w.end.data == w.sum.data);
	CHECK(w.end.crc == crc32c(0, core, sizeof(core)));
	CHECK(copy.len == sizeof(core) && memcmp(copy.p, core, copy.len) == 0);
	w.core = NULL;
	for (n = 0; n < b.len; n++)
		CHECK(stream_walk(b.p, n, &w) == 0);
	for (n = head_len * 8; n < b.len * 8; n++) {
		b.p[n / 8] ^= (char)(1 << n % 8);
		CHECK(stream_walk(b.p, b.len, &w) == -1);
		b.p[n / 8] ^= (char)(1 << n % 8);
	}
	buf_free(&b);
	buf_free(&copy);
}

static void
test_forged(void)
{
	struct walked w = {0};
	struct buf b = {0};

	CHECK(forge("overlap", &b) == 0 && stream_walk(b.p, b.len, &w) == -1);
	CHECK(strcmp(w.why, "a frame out of order") == 0);
	b.len = 0;
	CHECK(forge("end", &b) == 0 && stream_walk(b.p, b.len, &w) == -1);
	CHECK(strcmp(w.why, "the checksum differs") == 0);
	/* a name is the receiver's to look at */
	b.len = 0;
	CHECK(forge("name", &b) == 0 && stream_walk(b.p, b.len, &w) == 1);
	CHECK(strcmp(w.id.host, "../../x") == 0);
	buf_free(&b);
}

static int
end_of(const char *text, struct stream_end *end)
{
	struct stream_frame f = {STREAM_END, (uint32_t)strlen(text),
	    crc32c(0, text, strlen(text)), 5000};

	return stream_end_parse(&f, text, f.len, end);
}

static void
test_end(void)
{
	struct stream_frame f = {STREAM_END, 0, 0, 0};
	struct stream_sum s = {4096, 100, 0x1234};
	struct stream_end end = {.size = 5000, .data = 100}, got;
	struct buf b = {0};
	const char *why;

	memset(end.state, '\t', sizeof(end.state) - 1);
	end.crc = stream_sum_end(&s, end.size);
	CHECK(stream_end_format(&end, &b) == 0 && b.len <= STREAM_END_MAX);
	CHECK(end_of(b.p, &got) == 0);
	CHECK(got.size == 5000 && got.data == 100 && got.crc == end.crc);
	CHECK(strcmp(got.state, end.state) == 0 && !stream_is_complete(&got));
	CHECK(stream_end_check(&got, &s, &why) == 0 && why == NULL);
	got.crc++;
	FAILS(stream_end_check(&got, &s, &why), EBADMSG);
	got.crc--;
	got.data++;
	FAILS(stream_end_check(&got, &s, &why), EBADMSG);
	got.data--;
	got.size++;
	FAILS(stream_end_check(&got, &s, &why), EBADMSG);
	got.size = 4095;
	FAILS(stream_end_check(&got, &s, &why), EBADMSG);
	CHECK(strcmp(why, "more has come than there is") == 0);

	b.len = 0;
	*end.state = '\0';
	CHECK(stream_end_format(&end, &b) == 0 && end_of(b.p, &got) == 0);
	CHECK(strcmp(got.state, "unknown") == 0);
#define REST "checksum: 0000abcd\ndata: 7\n"
	CHECK(end_of("state: complete\n" REST "later: x\n", &got) == 0);
	CHECK(stream_is_complete(&got) && got.crc == 0xabcd && got.data == 7);
	FAILS(end_of("", &got), EPROTO);
	FAILS(end_of(REST, &got), EPROTO);
	FAILS(end_of("state: \n" REST, &got), EPROTO);
	FAILS(end_of("state: complete\nstate: complete\n" REST, &got), EPROTO);
	FAILS(end_of("state: complete\n" REST "data: 7\n", &got), EPROTO);
	FAILS(end_of("state: complete\n" REST "x", &got), EPROTO);
	FAILS(end_of("state: complete\n" REST "\n", &got), EPROTO);
	FAILS(end_of("state: complete\ndata: 7\n", &got), EPROTO);
	FAILS(end_of("state: complete\nchecksum: 12345678\n", &got), EPROTO);
#undef REST
#define REST "state: complete\nchecksum: "
	FAILS(end_of(REST "1234567\ndata: 7\n", &got), EPROTO);
	FAILS(end_of(REST "123456789\ndata: 7\n", &got), EPROTO);
	FAILS(end_of(REST "1234567g\ndata: 7\n", &got), EPROTO);
	FAILS(end_of(REST "12345678\ndata: 5001\n", &got), EPROTO);
	FAILS(end_of(REST "12345678\ndata: -1\n", &got), EPROTO);
#undef REST
	/* not what the frame says */
	FAILS(stream_end_parse(&f, "a", 1, &got), EPROTO);
	f.len = 1;
	FAILS(stream_end_parse(&f, "a", 1, &got), EBADMSG);
	f.type = STREAM_DATA;
	FAILS(stream_end_parse(&f, "a", 1, &got), EPROTO);
	buf_free(&b);
}

/* --- the reply -------------------------------------------------------------
 */

static void
reply(int ok, const char *name, const char *line)
{
	struct stream_reply r = {.ok = ok, .bytes = 4711, .crc = 0xabcd}, got;
	struct buf b = {0};

	snprintf(r.name, sizeof(r.name), "%s", name);
	CHECK(stream_reply_format(&r, &b) == 0);
	CHECK(strcmp(b.p, line) == 0 && b.len <= STREAM_REPLY_MAX);
	CHECK(stream_reply_parse(b.p, b.len - 1, &got) == 0 && got.ok == ok);
	CHECK(strcmp(got.name, name) == 0);
	CHECK(!ok || (got.bytes == 4711 && got.crc == 0xabcd));
	buf_free(&b);
}

static void
test_reply(void)
{
	static const char *const bad[] = {"", "O", "OK", "OK ", "OK a",
	    "OK a 1", "OK a 1 ", "OK a 1 1234567", "OK a 1 123456789",
	    "OK a 1 12345678 ", "OK  1 12345678", "OK a -1 12345678",
	    "OK a 99999999999999999999 12345678", "OK a\\x00 1 12345678",
	    "OK a\tb 1 12345678", "ok a 1 12345678", "ERRa", "ERR \033[2J",
	    "ERR \\x00", "HTTP/1.1 400 Bad Request"};
	struct stream_reply r = {0}, got;
	struct buf b = {0};
	size_t i, n;

	reply(1, "h/core.a.1.2", "OK h/core.a.1.2 4711 0000abcd\n");
	reply(1, "a b\\c", "OK a\\x20b\\x5cc 4711 0000abcd\n");
	reply(0, "the disk is full", "ERR the disk is full\n");
	reply(0, "a\nb", "ERR a\\x0ab\n");
	reply(0, "", "ERR \n");
	CHECK(stream_reply_parse("ERR", 3, &got) == 0 && !got.ok);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		FAILS(stream_reply_parse(bad[i], strlen(bad[i]), &got), EPROTO);
	for (n = 0; n < sizeof(r.name); n++) {
		memset(r.name, n % 2 ? '\001' : 'x', n);
		r.ok = 0;
		b.len = 0;
		CHECK(stream_reply_format(&r, &b) == 0);
		CHECK(b.len <= STREAM_REPLY_MAX && b.p[b.len - 1] == '\n');
		CHECK(stream_reply_parse(b.p, b.len - 1, &got) == 0);
		CHECK(strncmp(got.name, r.name, strlen(got.name)) == 0);
		CHECK(strlen(got.name) == n || strlen(got.name) > 250);
		r.ok = 1;
		b.len = 0;
		if (stream_reply_format(&r, &b) == 0)
			CHECK(b.len <= STREAM_REPLY_MAX && n > 0);
		else
			CHECK(b.len == 0 && errno == (n ? EMSGSIZE : EINVAL));
	}
	buf_free(&b);
}

/* --- small things ----------------------------------------------------------
 */

static void
test_zeros(void)
{
	static char p[20000];
	size_t at;

	CHECK(stream_zeros(p, sizeof(p), 4096) == 16384);
	CHECK(stream_zeros(p, 4095, 4096) == 0);
	CHECK(stream_zeros(p, 0, 4096) == 0 && stream_zeros(p, 9, 0) == 0);
	CHECK(stream_zeros(p, sizeof(p), 6000) == 18000);
	CHECK(stream_zeros(p + 1, 7, 1) == 7);
	for (at = 0; at < sizeof(p); at += at % 67 + 1) {
		p[at] = 1;
		CHECK(stream_zeros(p, sizeof(p), 64) == at / 64 * 64);
		CHECK(stream_zeros(p, 8192, 4096) ==
		    (at < 8192 ? at / 4096 * 4096 : 8192));
		p[at] = 0;
	}
}

static void
test_text(void)
{
	char out[4];
	struct buf b = {0};

	CHECK(streamtext_decode("abc", 3, out, 4) == 3);
	CHECK(strcmp(out, "abc") == 0);
	FAILS(streamtext_decode("abcd", 4, out, 4), EMSGSIZE);
	CHECK(streamtext_decode("\\x0a", 4, out, 4) == 1 && *out == '\n');
	FAILS(streamtext_decode("\\x0a", 3, out, 4), EPROTO);
	CHECK(streamtext_put(&b, "k", "\377 \\", 3) == 0);
	CHECK(streamtext_put_number(&b, "n", -5) == 0);
	CHECK(strcmp(b.p, "k: \\xff \\x5c\nn: -5\n") == 0);
	buf_free(&b);
}

static int
has(const char *line, struct stream_has *h)
{
	return stream_has_parse(line, strlen(line), h);
}

static void
test_has(void)
{
	struct stream_has h = {STREAM_SIZE_MAX, 0xabc}, again;
	char line[STREAM_HAS_MAX];

	stream_has_format(&h, line);
	CHECK(strcmp(line, "HAS 4611686018427387904 00000abc\n") == 0);
	FAILS(has(line, &again), EPROTO); /* the newline is not in it */
	*strchr(line, '\n') = '\0';
	CHECK(
	    has(line, &again) == 0 && again.off == h.off && again.crc == h.crc);
	FAILS(has("HAS", &h), EPROTO);
	FAILS(has("HAS ", &h), EPROTO);
	FAILS(has("HAS 1", &h), EPROTO);
	FAILS(has("HAS 1 ", &h), EPROTO);
	FAILS(has("HAS  00000000", &h), EPROTO);
	FAILS(has("HAS -1 00000000", &h), EPROTO);
	FAILS(has("HAS 1 0000000", &h), EPROTO);
	FAILS(has("HAS 1 000000000", &h), EPROTO);
	FAILS(has("HAS 1 0000000g", &h), EPROTO);
	FAILS(has("HAS 4611686018427387905 00000000", &h), EPROTO);
	FAILS(has("HAS 99999999999999999999 00000000", &h), EPROTO);
	FAILS(has("OK x 1 00000000", &h), EPROTO);
}

static void
test_joint(void)
{
	struct stream_sum from = {.next = 5000, .data = 4000, .crc = 7}, to;
	struct stream_has h = {5000, 7};
	struct stream_frame f = {
	    .type = STREAM_FROM, .len = STREAM_JOINT, .off = 5000};
	unsigned char p[STREAM_JOINT];

	stream_joint_put(p, &from);
	CHECK(stream_joint_get(&f, p, &h, &to) == 0);
	CHECK(
	    to.next == from.next && to.data == from.data && to.crc == from.crc);
	h.crc = 8;
	FAILS(stream_joint_get(&f, p, &h, &to), EPROTO);
	h.crc = 7;
	h.off = 5001;
	FAILS(stream_joint_get(&f, p, &h, &to), EPROTO);
	h.off = f.off = 0; /* nothing is no joint */
	FAILS(stream_joint_get(&f, p, &h, &to), EPROTO);
	h.off = f.off = 3999; /* more data than bytes */
	FAILS(stream_joint_get(&f, p, &h, &to), EPROTO);
	h.off = f.off = 5000;
	f.type = STREAM_DATA;
	FAILS(stream_joint_get(&f, p, &h, &to), EPROTO);
	CHECK(frame(STREAM_FROM, 5000, STREAM_JOINT) == 0);
}

static void
test_key(void)
{
	static const char head[] = STREAM_MAGIC "version: 2\npart: ";
	static const struct {
		const char *part;
		int good;
	} keys[] = {{"0123456789abcdef0123456789abcdef", 1},
	    {"0123456789abcdef0123456789abcde", 0},
	    {"0123456789abcdef0123456789abcdef0", 0},
	    {"0123456789abcdef0123456789abcdeF", 0},
	    {"../../../../../../../../etc/pass", 0}, {"", 0}};
	char key[STREAM_KEY], text[256];
	struct buf b = {0};
	size_t i;

	for (i = 0; i < NELEM(keys); i++) {
		snprintf(text, sizeof(text), "%s%s\n\n", head, keys[i].part);
		CHECK(stream_head_key(text, strlen(text), key) == keys[i].good);
		CHECK((*key != '\0') == keys[i].good);
	}
	/* a shorter name than it seems, which no pass through the keys counts
	 */
	i = (size_t)snprintf(
	    text, sizeof(text), "%s%s\n\n", head, keys[0].part);
	text[sizeof(head) + 1] = '\0';
	CHECK(stream_head_key(text, i, key) == 0 && *key == '\0');
	stream_key_make(key);
	CHECK(strlen(key) == STREAM_KEY - 1);
	CHECK(buf_append(&b, STREAM_MAGIC "\n", sizeof(STREAM_MAGIC)) == 0 &&
	    stream_head_offer(&b, key) == 0);
	CHECK(stream_head_offers(b.p, b.len));
	CHECK(stream_head_key(b.p, b.len, text) == 1 && strcmp(text, key) == 0);
	buf_free(&b);
}

int
main(int argc, char **argv)
{
	if (argc > 1)
		return command(argv[1]);
	test_frames();
	test_sum();
	test_stream();
	test_forged();
	test_end();
	test_reply();
	test_zeros();
	test_text();
	test_has();
	test_joint();
	test_key();
	return check_report();
}
