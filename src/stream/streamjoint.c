/* Where a core goes on whose connection broke: the part of corestream.h that is
 * HAS and FROM. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "base/bytes.h"
#include "stream/corestream.h"
#include "stream/streamtext.h"

#define HAS "HAS "

void
stream_key_make(char key[STREAM_KEY])
{
	unsigned char random[STREAM_KEY / 2];
	size_t i;

	*key = '\0';
	if (getrandom(random, sizeof(random), GRND_NONBLOCK) !=
	    (ssize_t)sizeof(random))
		return;
	for (i = 0; i < sizeof(random); i++)
		snprintf(key + 2 * i, 3, "%02x", random[i]);
}

void
stream_has_format(const struct stream_has *has, char line[STREAM_HAS_MAX])
{
	snprintf(line, STREAM_HAS_MAX, HAS "%" PRIu64 " %08x\n", has->off,
	    (unsigned)has->crc);
}

int
stream_has_parse(const char *s, size_t len, struct stream_has *has)
{
	const char *end = s + len, *blank;
	struct streamtext_line off, crc;
	uint64_t n;

	if (len <= sizeof(HAS) || memcmp(s, HAS, sizeof(HAS) - 1) != 0)
		return fails(EPROTO);
	off.value = s + sizeof(HAS) - 1;
	blank = memchr(off.value, ' ', (size_t)(end - off.value));
	if (blank == NULL)
		return fails(EPROTO);
	off.len = (size_t)(blank - off.value);
	crc.value = blank + 1;
	crc.len = (size_t)(end - crc.value);
	if (crc.len != 8 ||
	    streamtext_number(&off, 10, STREAM_SIZE_MAX, &has->off) == -1 ||
	    streamtext_number(&crc, 16, UINT32_MAX, &n) == -1)
		return fails(EPROTO);
	has->crc = (uint32_t)n;
	return 0;
}

void
stream_joint_put(unsigned char out[STREAM_JOINT], const struct stream_sum *sum)
{
	put32(out, sum->crc);
	put32(out + 4, (uint32_t)sum->data);
	put32(out + 8, (uint32_t)(sum->data >> 32));
}

int
stream_joint_get(const struct stream_frame *f, const void *payload,
    const struct stream_has *has, struct stream_sum *sum)
{
	const unsigned char *p = payload;
	uint64_t data;

	if (f->type != STREAM_FROM || f->len != STREAM_JOINT || f->off == 0 ||
	    f->off != has->off || get32(p) != has->crc)
		return fails(EPROTO);
	data = get32(p + 4) | (uint64_t)get32(p + 8) << 32;
	if (data > f->off)
		return fails(EPROTO);
	sum->next = f->off;
	sum->data = data;
	sum->crc = has->crc;
	return 0;
}
