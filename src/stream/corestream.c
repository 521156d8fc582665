#include "stream/corestream.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "lz4/lz4.h"
#include "stream/crc32c.h"
#include "stream/streamtext.h"

/* --- frames --------------------------------------------------------------- */

static const char types[][5] = {[STREAM_DATA] = "DATA",
    [STREAM_END] = "END.",
    [STREAM_LZ4] = "LZ4 ",
    [STREAM_FROM] = "FROM"};

void
stream_frame_put(unsigned char out[STREAM_FRAME], const struct stream_frame *f)
{
	memcpy(out, types[f->type], 4);
	put32(out + 4, f->len);
	put32(out + 8, (uint32_t)f->off);
	put32(out + 12, (uint32_t)(f->off >> 32));
	put32(out + 16, f->crc);
	put32(out + 20, crc32c(0, out, 20));
}

int
stream_frame_get(const unsigned char in[STREAM_FRAME], struct stream_frame *f)
{
	if (get32(in + 20) != crc32c(0, in, 20))
		return fails(EBADMSG);
	f->len = get32(in + 4);
	f->off = get32(in + 8) | (uint64_t)get32(in + 12) << 32;
	f->crc = get32(in + 16);
	if (f->off > STREAM_SIZE_MAX)
		return fails(EPROTO);
	if (memcmp(in, types[STREAM_LZ4], 4) == 0) {
		f->type = STREAM_LZ4;
		if (f->len <= STREAM_PACKED + 1 || f->len > STREAM_BLOCK)
			return fails(EPROTO);
		return 0;
	}
	if (memcmp(in, types[STREAM_DATA], 4) == 0) {
		f->type = STREAM_DATA;
		if (f->len == 0 || f->len > STREAM_BLOCK ||
		    f->len > STREAM_SIZE_MAX - f->off)
			return fails(EPROTO);
		return 0;
	}
	if (memcmp(in, types[STREAM_FROM], 4) == 0) {
		f->type = STREAM_FROM;
		if (f->len == STREAM_JOINT)
			return 0;
	}
	if (memcmp(in, types[STREAM_END], 4) == 0) {
		f->type = STREAM_END;
		if (f->len <= STREAM_END_MAX)
			return 0;
	}
	return fails(EPROTO);
}

int
stream_frame_pack(
    struct stream_frame *f, const void *payload, void *to, size_t room)
{
	unsigned char *p = to;
	size_t most = f->len - f->len / 16, n;

	if (most > room)
		most = room;
	if (f->type != STREAM_DATA || most <= STREAM_PACKED)
		return -1;
	n = lz4_pack(payload, f->len, p + STREAM_PACKED, most - STREAM_PACKED);
	if (n == 0)
		return -1;
	put32(p, f->len);
	put32(p + 4, f->crc);
	f->type = STREAM_LZ4;
	f->len = (uint32_t)n + STREAM_PACKED;
	f->crc = crc32c(0, p, f->len);
	return 0;
}

int
stream_frame_unpack(struct stream_frame *f, const void *payload, void *to)
{
	const unsigned char *p = payload;
	uint32_t len = get32(p), crc = get32(p + 4);

	if (f->type != STREAM_LZ4 || len == 0 || len > STREAM_BLOCK ||
	    len > STREAM_SIZE_MAX - f->off)
		return fails(EPROTO);
	if (lz4_unpack(p + STREAM_PACKED, f->len - STREAM_PACKED, to, len) !=
		(ssize_t)len ||
	    crc32c(0, to, len) != crc)
		return fails(EBADMSG);
	f->type = STREAM_DATA;
	f->len = len;
	f->crc = crc;
	return 0;
}

int
stream_sum_data(struct stream_sum *sum, const struct stream_frame *f)
{
	if (f->type != STREAM_DATA || f->len == 0 || f->off < sum->next ||
	    f->off > STREAM_SIZE_MAX || f->len > STREAM_SIZE_MAX - f->off)
		return fails(EPROTO);
	sum->crc = crc32c_zeros(sum->crc, f->off - sum->next);
	sum->crc = crc32c_join(sum->crc, f->crc, f->len);
	sum->next = f->off + f->len;
	sum->data += f->len;
	return 0;
}

uint32_t
stream_sum_end(const struct stream_sum *sum, uint64_t size)
{
	return crc32c_zeros(sum->crc, size - sum->next);
}

/* --- the end -------------------------------------------------------------- */

static int
fail(int err, const char **why, const char *text)
{
	*why = text;
	return fails(err);
}

int
stream_is_complete(const struct stream_end *end)
{
	return strcmp(end->state, "complete") == 0;
}

int
stream_end_format(const struct stream_end *end, struct buf *b)
{
	const char *state = *end->state != '\0' ? end->state : "unknown";
	char crc[9];

	snprintf(crc, sizeof(crc), "%08x", (unsigned)end->crc);
	if (streamtext_put(b, "state", state,
		strnlen(state, STREAM_REASON_MAX - 1)) == -1 ||
	    streamtext_put(b, "checksum", crc, 8) == -1)
		return -1;
	return streamtext_put_number(b, "data", (int64_t)end->data);
}

int
stream_end_parse(const struct stream_frame *f, const char *payload, size_t len,
    struct stream_end *end)
{
	const char *s = payload, *stop = payload + len;
	struct streamtext_line line;
	unsigned seen = 0, bit;
	uint64_t n = 0;
	ssize_t r = 0;

	if (f->type != STREAM_END || f->len != len)
		return fails(EPROTO);
	if (crc32c(0, payload, len) != f->crc)
		return fails(EBADMSG);
	memset(end, 0, sizeof(*end));
	end->size = f->off;
	while (s < stop) {
		if (streamtext_next(&s, stop, &line) != 1 || line.keylen == 0)
			return fails(EPROTO);
		bit = 0;
		if (streamtext_is(&line, "state")) {
			bit = 1;
			r = streamtext_decode(line.value, line.len, end->state,
			    sizeof(end->state));
			if (r == 0)
				return fails(EPROTO);
		} else if (streamtext_is(&line, "checksum")) {
			bit = 2;
			r = line.len == 8
			    ? streamtext_number(&line, 16, UINT32_MAX, &n)
			    : -1;
			end->crc = (uint32_t)n;
		} else if (streamtext_is(&line, "data")) {
			bit = 4;
			r = streamtext_number(&line, 10, end->size, &end->data);
		}
		if (r == -1 || (seen & bit))
			return fails(EPROTO);
		seen |= bit;
	}
	if (seen == 7)
		return 0;
	return fails(EPROTO);
}

int
stream_end_check(const struct stream_end *end, const struct stream_sum *sum,
    const char **why)
{
	*why = NULL;
	if (end->data != sum->data)
		return fail(EBADMSG, why, "not all that was sent has come");
	if (end->size < sum->next)
		return fail(EBADMSG, why, "more has come than there is");
	if (end->crc != stream_sum_end(sum, end->size))
		return fail(EBADMSG, why, "the checksum differs");
	return 0;
}

/* --- the reply ------------------------------------------------------------ */

int
stream_reply_format(const struct stream_reply *r, struct buf *b)
{
	char numbers[48];
	size_t from = b->len, len = strnlen(r->name, STREAM_REPLY_MAX - 1);
	int n;

	if (!r->ok) {
		/* An escape has four bytes: what is too long is cut before. */
		while (buf_append(b, "ERR ", 4) == 0 &&
		    streamtext_escape(b, r->name, len, 0) == 0) {
			if (b->len - from < STREAM_REPLY_MAX)
				return buf_append(b, "\n", 1);
			len -= (b->len - from - STREAM_REPLY_MAX) / 4 + 1;
			b->len = from;
		}
		return -1;
	}
	n = snprintf(numbers, sizeof(numbers), " %llu %08x\n",
	    (unsigned long long)r->bytes, (unsigned)r->crc);
	if (len == 0)
		return fails(EINVAL);
	if (buf_append(b, "OK ", 3) == -1 ||
	    streamtext_escape(b, r->name, len, 1) == -1 ||
	    buf_append(b, numbers, (size_t)n) == -1)
		return -1;
	if (b->len - from <= STREAM_REPLY_MAX)
		return 0;
	b->len = from;
	return fails(EMSGSIZE);
}

int
stream_reply_parse(const char *s, size_t len, struct stream_reply *r)
{
	struct streamtext_line number;
	const char *blank, *end = s + len;
	uint64_t crc;

	memset(r, 0, sizeof(*r));
	if (len >= 3 && memcmp(s, "ERR", 3) == 0 && (len == 3 || s[3] == ' ')) {
		s += len == 3 ? 3 : 4;
		if (streamtext_decode(
			s, (size_t)(end - s), r->name, sizeof(r->name)) == -1)
			return fails(EPROTO);
		return 0;
	}
	if (len < 3 || memcmp(s, "OK ", 3) != 0)
		return fails(EPROTO);
	s += 3;
	blank = memchr(s, ' ', (size_t)(end - s));
	if (blank == NULL || blank == s ||
	    streamtext_decode(
		s, (size_t)(blank - s), r->name, sizeof(r->name)) == -1)
		return fails(EPROTO);
	number.value = blank + 1;
	blank = memchr(number.value, ' ', (size_t)(end - number.value));
	if (blank == NULL)
		return fails(EPROTO);
	number.len = (size_t)(blank - number.value);
	if (streamtext_number(&number, 10, UINT64_MAX, &r->bytes) == -1)
		return fails(EPROTO);
	number.value = blank + 1;
	number.len = (size_t)(end - number.value);
	if (number.len != 8 ||
	    streamtext_number(&number, 16, UINT32_MAX, &crc) == -1)
		return fails(EPROTO);
	r->crc = (uint32_t)crc;
	r->ok = 1;
	return 0;
}

size_t
stream_zeros(const void *p, size_t len, size_t unit)
{
	static const unsigned char zeros[4096];
	const unsigned char *s = p;
	size_t n = 0, i, part;

	for (; unit > 0 && len - n >= unit; n += unit)
		for (i = 0; i < unit; i += part) {
			part =
			    unit - i < sizeof(zeros) ? unit - i : sizeof(zeros);
			if (memcmp(s + n + i, zeros, part) != 0)
				return n;
		}
	return n;
}
