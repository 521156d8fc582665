/*
 * unit_crc32c: stream/crc32c, by the instruction and by the table, against
 * known answers (RFC 3720, B.4) and one bit at a time.
 * Prints one line per failed check; exits 0 when there was none.
 */
#include <stdio.h>
#include <string.h>

#include "stream/crc32c.h"

#include "check.h"

static unsigned char data[16384];

static uint32_t
by_bits(uint32_t crc, const unsigned char *p, size_t len)
{
	int i;

	for (crc = ~crc; len > 0; len--)
		for (crc ^= *p++, i = 0; i < 8; i++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0);
	return ~crc;
}

static void
answer(const void *p, size_t len, uint32_t want)
{
	CHECK(crc32c(0, p, len) == want);
	CHECK(crc32c_by_table(0, p, len) == want);
	CHECK(by_bits(0, p, len) == want);
}

static void
test_answers(void)
{
	static const unsigned char pdu[48] = {0x01,
	    0xc0, [16] = 0x14, [22] = 0x04, [27] = 0x14, [31] = 0x18,
	    0x28, [40] = 0x02};
	unsigned char b[32];
	unsigned char i;

	answer("", 0, 0);
	answer("123456789", 9, 0xe3069283);
	memset(b, 0, sizeof(b));
	answer(b, 32, 0x8a9136aa);
	memset(b, 0xff, sizeof(b));
	answer(b, 32, 0x62a8ab43);
	for (i = 0; i < 32; i++)
		b[i] = i;
	answer(b, 32, 0x46dd794e);
	for (i = 0; i < 32; i++)
		b[i] = (unsigned char)(31 - i);
	answer(b, 32, 0x113fdb5c);
	answer(pdu, sizeof(pdu), 0xd9963a56);
}

/* Around the strides of both ways, at each alignment, from any state. */
static void
test_lengths(void)
{
	static const size_t around[] = {0, 24, 64, 3072, 6144, 9216, 12288};
	size_t i, len, at, from;
	uint32_t want;

	for (i = 0; i < sizeof(around) / sizeof(around[0]); i++) {
		from = around[i] < 24 ? 0 : around[i] - 18;
		for (len = from; len <= around[i] + 18; len++)
			for (at = 0; at < 8; at++) {
				want = by_bits((uint32_t)len, data + at, len);
				CHECK(crc32c((uint32_t)len, data + at, len) ==
				    want);
				CHECK(crc32c_by_table((uint32_t)len, data + at,
					  len) == want);
			}
	}
}

static void
test_zeros(void)
{
	static const unsigned char none[sizeof(data)];
	static const uint64_t far[] = {1, 4096, 1 << 20, UINT64_C(1) << 32,
	    (UINT64_C(1) << 47) - 4095, UINT64_C(1) << 61,
	    (UINT64_C(1) << 62) - 1};
	size_t n, i, k;
	uint32_t c;

	for (n = 0; n < sizeof(none); n += n / 3 + 1)
		for (c = 0; c < 0xf0000000; c += 0x1ba1ba19)
			CHECK(crc32c_zeros(c, n) == crc32c(c, none, n));
	/* As far as nobody can go by bytes: in two steps. */
	for (i = 0; i < sizeof(far) / sizeof(far[0]); i++)
		for (k = 0; k < sizeof(far) / sizeof(far[0]); k++)
			CHECK(crc32c_zeros(0x12345678, far[i] + far[k]) ==
			    crc32c_zeros(
				crc32c_zeros(0x12345678, far[k]), far[i]));
	CHECK(crc32c_zeros(77, UINT64_MAX) ==
	    crc32c_zeros(crc32c_zeros(77, UINT64_MAX - 9), 9));
	/* The polynomial is x + 1 times a primitive one of degree 31. */
	CHECK(crc32c_zeros(0x12345678, INT32_MAX) == 0x12345678);
	CHECK(crc32c_zeros(0x12345678, INT32_MAX / 8) != 0x12345678);
}

static void
test_join(void)
{
	uint32_t whole = crc32c(0, data, sizeof(data)), c;
	size_t cut, i, n;

	for (cut = 0; cut <= sizeof(data); cut += cut % 97 + 1)
		CHECK(crc32c_join(crc32c(0, data, cut),
			  crc32c(0, data + cut, sizeof(data) - cut),
			  sizeof(data) - cut) == whole);
	for (c = 0, i = 0; i < sizeof(data); i += n) {
		n = i % 613 + 1;
		if (n > sizeof(data) - i)
			n = sizeof(data) - i;
		c = i % 2 ? crc32c(c, data + i, n)
			  : crc32c_by_table(c, data + i, n);
	}
	CHECK(c == whole);
}

int
main(void)
{
	size_t i;
	uint32_t x = 1;

	for (i = 0; i < sizeof(data); i++) {
		x = x * 1664525 + 1013904223;
		data[i] = (unsigned char)(x >> 24);
	}
	test_answers();
	test_lengths();
	test_zeros();
	test_join();
	return check_report();
}
