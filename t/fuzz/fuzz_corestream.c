/*
 * fuzz_corestream: what recv_core takes from the network, and core_send from a
 * receiver or its command line.
 *
 * Chance seldom finds a checksum: the input is also read as frames whose
 * checksums are put right, held against a core that is filled in by hand.
 */
#include <stdlib.h>
#include <string.h>

#include "../unit/stream_walk.h"
#include "base/io.h"
#include "fuzz.h"
#include "net/tcp.h"
#include "store/proxyhdr.h"
#include "stream/crc32c.h"
#include "stream/streamtext.h"

#define MUST(e)                  \
	do {                     \
		if (!(e))        \
			abort(); \
	} while (0)

enum { CORE_MAX = 1 << 15 };

/* The first n bytes, exactly as long for the sanitizer's sake. */
static char *
copy(const uint8_t *data, size_t n)
{
	char *p = malloc(n > 0 ? n : 1);

	MUST(p != NULL);
	memcpy(p, data, n);
	return p;
}

/* Of a header no beginning is one, nor wrong; of a wrong one no end is right.
 */
static void
fuzz_head(const uint8_t *data, size_t len)
{
	struct crash_id id, again;
	struct buf b = {0};
	const char *why;
	ssize_t whole, r;
	size_t n;
	char *p = copy(data, len);

	whole = stream_head_parse(p, len, &id, &why);
	MUST((whole == -1) == (why != NULL) && whole <= (ssize_t)len);
	free(p);
	for (n = len; n > 0; n = n * 7 / 8) {
		p = copy(data, n - 1);
		r = stream_head_parse(p, n - 1, &again, &why);
		if (whole == -1)
			MUST(r <= 0);
		else if (whole == 0 || (ssize_t)n - 1 < whole)
			MUST(r == 0);
		else
			MUST(r == whole);
		free(p);
	}
	if (whole <= 0)
		return;
	MUST(stream_head_format(&id, &b) == 0 && b.len <= STREAM_HEAD_MAX);
	MUST(stream_head_parse(b.p, b.len, &again, &why) == (ssize_t)b.len);
	MUST(memcmp(&id, &again, sizeof(id)) == 0);
	buf_free(&b);
}

static void
fuzz_stream(const uint8_t *data, size_t len)
{
	struct walked w = {0};
	char *p = copy(data, len);

	if (stream_walk(p, len, &w) == 1)
		MUST(w.end.size >= w.sum.next && w.end.data == w.sum.data);
	free(p);
}

/* Frames of which all but the checksums come from the input. */
static void
fuzz_frames(const uint8_t *data, size_t len)
{
	static unsigned char core[CORE_MAX];
	unsigned char h[STREAM_FRAME];
	struct stream_sum sum = {0};
	struct stream_frame f, g;
	struct stream_end end;
	struct buf b = {0};
	const char *why;
	uint32_t crc, have;
	size_t at = 0;
	int in_core = 1;

	memset(core, 0, sizeof(core));
	for (; len - at >= STREAM_FRAME; at += have) {
		memcpy(h, data + at, STREAM_FRAME);
		at += STREAM_FRAME;
		memcpy(&have, h + 4, sizeof(have));
		have = have < len - at ? have : (uint32_t)(len - at);
		memcpy(h + 4, &have, sizeof(have));
		crc = crc32c(0, data + at, have);
		memcpy(h + 16, &crc, sizeof(crc));
		crc = crc32c(0, h, 20);
		memcpy(h + 20, &crc, sizeof(crc));
		if (stream_frame_get(h, &f) == -1)
			continue;
		stream_frame_put(h, &f);
		MUST(stream_frame_get(h, &g) == 0 && g.off == f.off &&
		    g.len == f.len && g.crc == f.crc && g.type == f.type);
		if (f.type == STREAM_END) {
			if (stream_end_parse(
				&f, (const char *)data + at, f.len, &end) == -1)
				continue;
			stream_end_check(&end, &sum, &why);
			MUST(stream_end_format(&end, &b) == 0);
			MUST(b.len <= STREAM_END_MAX);
			b.len = 0;
			continue;
		}
		if (stream_sum_data(&sum, &f) == -1)
			continue;
		MUST(sum.next == f.off + f.len && sum.next <= STREAM_SIZE_MAX);
		in_core = in_core && sum.next <= CORE_MAX;
		if (!in_core)
			continue;
		memcpy(core + f.off, data + at, f.len);
		MUST(sum.crc == crc32c(0, core, sum.next));
		MUST(stream_sum_end(&sum, CORE_MAX) ==
		    crc32c(0, core, CORE_MAX));
	}
	buf_free(&b);
}

static void
fuzz_reply(const uint8_t *data, size_t len)
{
	struct stream_reply r, again;
	struct buf b = {0};
	char *p = copy(data, len);

	if (stream_reply_parse(p, len, &r) == 0 &&
	    stream_reply_format(&r, &b) == 0) {
		MUST(b.len <= STREAM_REPLY_MAX);
		MUST(stream_reply_parse(b.p, b.len - 1, &again) == 0);
		MUST(r.ok == again.ok && r.bytes == again.bytes);
		MUST(!r.ok || strcmp(r.name, again.name) == 0);
	}
	buf_free(&b);
	free(p);
}

static void
fuzz_proxy(const uint8_t *data, size_t len, int mend)
{
	struct proxyhdr h, again;
	char *p = copy(data, len);
	size_t size;
	ssize_t r;

	if (mend && len >= 16) {
		memcpy(p, "\r\n\r\n\0\r\nQUIT\n", 12);
		p[12] = (char)(0x20 | (p[12] & 1));
		p[14] = 0;
	}
	r = proxyhdr_parse(p, len, &h);
	MUST(r <= (ssize_t)len && r <= PROXYHDR_MAX);
	MUST(h.known == (*h.host != '\0'));
	if (r > 0)
		for (size = 0; size < (size_t)r; size++)
			MUST(proxyhdr_parse(p, size, &again) == 0);
	free(p);
}

static void
fuzz_place(const uint8_t *data, size_t len)
{
	struct tcp_place place;
	char *p = copy(data, len);

	if (tcp_place_parse(p, len, 1, &place) == 0)
		MUST(*place.host != '\0' && *place.port != '\0' &&
		    strchr(place.host, '/') == NULL);
	free(p);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	size_t head;

	fuzz_head(data, len);
	fuzz_stream(data, len);
	fuzz_frames(data, len);
	/* behind what looks like a header */
	for (head = 0; head + 1 < len; head++)
		if (data[head] == '\n' && data[head + 1] == '\n')
			break;
	if (head + 2 < len)
		fuzz_frames(data + head + 2, len - head - 2);
	fuzz_reply(data, len);
	fuzz_proxy(data, len, 0);
	fuzz_proxy(data, len, 1);
	fuzz_place(data, len);
	return 0;
}
