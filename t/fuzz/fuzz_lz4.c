/*
 * fuzz_lz4: a block from anywhere, into less room than it may ask for; and any
 * bytes, packed and unpacked again.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "lz4/lz4.h"

#define MUST(e)                  \
	do {                     \
		if (!(e))        \
			abort(); \
	} while (0)

/* malloc'd, so that the sanitizer sees each byte too many. */
static void
fuzz_unpack(const uint8_t *data, size_t len, size_t room)
{
	unsigned char *in = malloc(len + 1), *out = malloc(room + 1);
	ssize_t n;

	MUST(in != NULL && out != NULL);
	memcpy(in + 1, data, len);
	n = lz4_unpack(in + 1, len, out + 1, room);
	MUST(n >= -1 && n <= (ssize_t)room);
	free(in);
	free(out);
}

static void
fuzz_pack(const uint8_t *data, size_t len, size_t room)
{
	unsigned char *in = malloc(len + 1), *out = malloc(room + 1);
	size_t n;

	MUST(in != NULL && out != NULL);
	n = lz4_pack(data, len, out + 1, room);
	MUST(n <= room);
	if (n > 0) {
		MUST(lz4_unpack(out + 1, n, in + 1, len) == (ssize_t)len);
		MUST(memcmp(in + 1, data, len) == 0);
	}
	free(in);
	free(out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	fuzz_unpack(data, len, len * 2);
	fuzz_unpack(data, len, 1 << 16);
	fuzz_pack(data, len, len);
	fuzz_pack(data, len, len + len / 255 + 16);
	return 0;
}
