/* The text that a stream begins with, written and read by the table of
 * crash/crashid; its form is in corestream.h. */
#include "stream/corestream.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "stream/streamtext.h"

#define MAGIC_LEN (sizeof(STREAM_MAGIC) - 1)
#define NAME "usercrash-core "
static int
fail(int err, const char **why, const char *text)
{
	*why = text;
	return fails(err);
}

int
stream_head_format(const struct crash_id *id, struct buf *b)
{
	const struct crash_field *f;
	const char *text;
	int64_t number;
	int r;

	if (!crash_is_encoding(id->encoding))
		return fails(EINVAL);
	if (buf_append(b, STREAM_MAGIC, MAGIC_LEN) == -1)
		return -1;
	for (f = crash_fields; f < crash_fields + CRASH_FIELDS; f++) {
		if (f->here)
			continue;
		text = (const char *)id + f->at;
		r = 0;
		if (f->size > 0) {
			if (*text != '\0')
				r = streamtext_put(b, f->key, text,
				    strnlen(text, f->size - 1));
		} else {
			memcpy(&number, text, sizeof(number));
			/* what no receiver would take is not known */
			if (number >= 0 && number <= f->max)
				r = streamtext_put_number(b, f->key, number);
		}
		if (r == -1)
			return -1;
	}
	return buf_append(b, "\n", 1);
}

#define OFFER "version: 2\n"

int
stream_head_offer(struct buf *b, const char *key)
{
	b->len--; /* the blank line */
	if (buf_append(b, OFFER, sizeof(OFFER) - 1) == -1 ||
	    (*key != '\0' && streamtext_put(b, "part", key, strlen(key)) == -1))
		return -1;
	return buf_append(b, "\n", 1);
}

int
stream_head_offers(const char *p, size_t len)
{
	const char *s = p + MAGIC_LEN;
	struct streamtext_line line;
	uint64_t n;

	while (streamtext_next(&s, p + len, &line) == 1 && line.keylen > 0)
		if (streamtext_is(&line, "version") &&
		    streamtext_number(&line, 10, INT32_MAX, &n) == 0)
			return n >= 2;
	return 0;
}

int
stream_head_key(const char *p, size_t len, char key[STREAM_KEY])
{
	const char *s = p + MAGIC_LEN;
	struct streamtext_line line;
	size_t i, seen = 0;

	*key = '\0';
	while (streamtext_next(&s, p + len, &line) == 1 && line.keylen > 0) {
		if (!streamtext_is(&line, "part"))
			continue;
		/* it is a file's name at the receiver */
		for (i = 0; i < line.len; i++)
			if (strchr("0123456789abcdef", line.value[i]) == NULL)
				break;
		if (seen++ > 0 || i != STREAM_KEY - 1 || i != line.len)
			return (*key = '\0');
		memcpy(key, line.value, i);
		key[i] = '\0';
	}
	return *key != '\0';
}

static int
head_line(const struct streamtext_line *line, struct crash_id *id,
    unsigned *seen, const char **why)
{
	char *to;
	uint64_t n;
	int64_t number;
	size_t i;

	for (i = 0; i < CRASH_FIELDS; i++)
		if (streamtext_is(line, crash_fields[i].key))
			break;
	if (i == CRASH_FIELDS || crash_fields[i].here)
		return 0;
	if (*seen & 1U << i)
		return fail(EPROTO, why, "the header says something twice");
	*seen |= 1U << i;
	to = (char *)id + crash_fields[i].at;
	if (crash_fields[i].size > 0) {
		if (streamtext_decode(
			line->value, line->len, to, crash_fields[i].size) == -1)
			return fail(
			    EPROTO, why, "a value in the header is too long");
		if (to == id->encoding && !crash_is_encoding(to))
			return fail(EPROTO, why,
			    "the encoding has a name it cannot have");
		return 0;
	}
	if (streamtext_number(line, 10, (uint64_t)crash_fields[i].max, &n) ==
	    -1)
		return fail(EPROTO, why, "a number in the header is none");
	number = (int64_t)n;
	memcpy(to, &number, sizeof(number));
	return 0;
}

/* The first line: 1, 0 when more is needed, or -1. */
static int
head_magic(const char *p, size_t len, const char **why)
{
	const size_t name = sizeof(NAME) - 1;
	size_t i;

	if (len >= MAGIC_LEN && memcmp(p, STREAM_MAGIC, MAGIC_LEN) == 0)
		return 1;
	if (len < MAGIC_LEN && memcmp(p, STREAM_MAGIC, len) == 0)
		return 0;
	if (len > name && memcmp(p, NAME, name) == 0) {
		for (i = name; i < len && p[i] >= '0' && p[i] <= '9'; i++)
			;
		if (i > name && p[name] != '0' && (i == len || p[i] == '\n'))
			return fail(EPROTONOSUPPORT, why,
			    "a core stream of a version not known here");
	}
	return fail(EPROTO, why, "no core stream");
}

ssize_t
stream_head_parse(
    const char *p, size_t len, struct crash_id *id, const char **why)
{
	const char *s, *end;
	struct streamtext_line line;
	unsigned seen = 0;
	int r;

	*why = NULL;
	crash_id_init(id);
	r = head_magic(p, len, why);
	if (r <= 0)
		return r;
	end = p + (len < STREAM_HEAD_MAX ? len : STREAM_HEAD_MAX);
	for (s = p + MAGIC_LEN;;) {
		r = streamtext_next(&s, end, &line);
		if (r == -1)
			return fail(EPROTO, why,
			    "a line of the header is no \"key: value\"");
		if (r == 0)
			break;
		if (line.keylen == 0)
			return s - p;
		if (head_line(&line, id, &seen, why) == -1)
			return -1;
	}
	if (len >= STREAM_HEAD_MAX)
		return fail(EMSGSIZE, why, "the header is too long");
	return 0;
}
