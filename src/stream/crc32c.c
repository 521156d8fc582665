#include "stream/crc32c.h"

#include "base/bytes.h"

#if defined(__aarch64__)
#include <sys/auxv.h>
#endif

/*
 * Polynomials modulo P over GF(2), reflected: bit 31 is the coefficient of
 * x^0.  The register of the CRC is one, and a byte of zero multiplies it by
 * x^8.  A checksum is the register inverted, so that zeros count.
 */
#define POLY UINT32_C(0x82f63b78)
#define ONE UINT32_C(0x80000000)

enum {
	POWERS = 67, /* x^(2^k) up to the top bit of 8 * 2^63 */
	LANE = 1024  /* bytes in each of three streams; a multiple of 8 */
};

static uint32_t table[8][256];	/* of byte b with 0-7 bytes of zero behind */
static uint32_t beyond[4][256]; /* of register byte n, LANE bytes later */
static uint32_t power[POWERS];

static uint32_t
times(uint32_t a, uint32_t b)
{
	uint32_t sum = 0;

	for (; a != 0; a <<= 1) {
		sum ^= b & -(a >> 31);
		b = b >> 1 ^ (POLY & -(b & 1));
	}
	return sum;
}

/* x^(8n) */
static uint32_t
shift(uint64_t n)
{
	uint32_t product = ONE;
	size_t k;

	for (k = 3; n != 0; k++, n >>= 1)
		if (n & 1)
			product = times(power[k], product);
	return product;
}

static uint32_t
by_table(uint32_t reg, const unsigned char *p, size_t len)
{
	uint64_t v;

	for (; len >= 8; p += 8, len -= 8) {
		v = get64(p) ^ reg;
		reg = table[7][v & 255] ^ table[6][v >> 8 & 255] ^
		    table[5][v >> 16 & 255] ^ table[4][v >> 24 & 255] ^
		    table[3][v >> 32 & 255] ^ table[2][v >> 40 & 255] ^
		    table[1][v >> 48 & 255] ^ table[0][v >> 56];
	}
	for (; len > 0; p++, len--)
		reg = reg >> 8 ^ table[0][(reg ^ *p) & 255];
	return reg;
}

/*
 * CRC32 of SSE4.2 (Intel SDM, volume 2) and CRC32CX of ARMv8.1 (optional
 * before; Arm ARM, C6.2): each takes 8 bytes into the register.
 */
#if defined(__x86_64__)
#define WITH_INSTRUCTION __attribute__((target("sse4.2")))
#define STEP(reg, v) (reg) = (uint32_t)__builtin_ia32_crc32di((reg), (v))
#define STEP_BYTE(reg, v) (reg) = __builtin_ia32_crc32qi((reg), (v))

static int
has_instruction(void)
{
	__builtin_cpu_init();
	return __builtin_cpu_supports("sse4.2");
}
#elif defined(__aarch64__) && __BYTE_ORDER == __LITTLE_ENDIAN
#define WITH_INSTRUCTION
#define STEP(reg, v)                                           \
	__asm__(".arch_extension crc\n\tcrc32cx %w0, %w0, %x1" \
		: "+r"(reg)                                    \
		: "r"(v))
#define STEP_BYTE(reg, v)                                      \
	__asm__(".arch_extension crc\n\tcrc32cb %w0, %w0, %w1" \
		: "+r"(reg)                                    \
		: "r"((uint32_t)(v)))

#ifndef HWCAP_CRC32
#define HWCAP_CRC32 (1 << 7) /* linux, arch/arm64/include/uapi/asm/hwcap.h */
#endif

static int
has_instruction(void)
{
	return (getauxval(AT_HWCAP) & HWCAP_CRC32) != 0;
}
#endif

#ifdef WITH_INSTRUCTION
/* The register, LANE bytes of zero later. */
static uint32_t
pass_lane(uint32_t reg)
{
	return beyond[0][reg & 255] ^ beyond[1][reg >> 8 & 255] ^
	    beyond[2][reg >> 16 & 255] ^ beyond[3][reg >> 24];
}

/*
 * The instruction takes three cycles and one can begin in each: so three
 * stretches at once, put together afterwards.
 */
WITH_INSTRUCTION static uint32_t
by_instruction(uint32_t reg, const unsigned char *p, size_t len)
{
	uint32_t second, third;
	size_t i;

	for (; len >= 3 * LANE; p += 3 * LANE, len -= 3 * LANE) {
		second = third = 0;
		for (i = 0; i < LANE; i += 8) {
			STEP(reg, get64(p + i));
			STEP(second, get64(p + LANE + i));
			STEP(third, get64(p + 2 * LANE + i));
		}
		reg = pass_lane(pass_lane(reg) ^ second) ^ third;
	}
	for (; len >= 8; p += 8, len -= 8)
		STEP(reg, get64(p));
	for (; len > 0; p++, len--)
		STEP_BYTE(reg, *p);
	return reg;
}
#else
#define by_instruction by_table

static int
has_instruction(void)
{
	return 0;
}
#endif

static uint32_t (*update)(uint32_t, const unsigned char *, size_t);

/* Before main(), so that no thread can find half of it. */
__attribute__((constructor)) static void
crc32c_prepare(void)
{
	uint32_t b, k, low, lane;

	power[0] = ONE >> 1;
	for (k = 1; k < POWERS; k++)
		power[k] = times(power[k - 1], power[k - 1]);
	lane = shift(LANE);
	/* All of it is linear: a product for each bit, sums for the rest. */
	for (b = 1; b < 256; b++) {
		low = b & -b;
		table[0][b] = b == low ? times(b, power[3])
				       : table[0][b ^ low] ^ table[0][low];
		for (k = 0; k < 4; k++)
			beyond[k][b] = b == low
			    ? times(b << 8 * k, lane)
			    : beyond[k][b ^ low] ^ beyond[k][low];
	}
	for (b = 0; b < 256; b++)
		for (k = 1; k < 8; k++)
			table[k][b] = table[k - 1][b] >> 8 ^
			    table[0][table[k - 1][b] & 255];
	update = has_instruction() ? by_instruction : by_table;
}

uint32_t
crc32c(uint32_t crc, const void *p, size_t len)
{
	return ~update(~crc, p, len);
}

uint32_t
crc32c_by_table(uint32_t crc, const void *p, size_t len)
{
	return ~by_table(~crc, p, len);
}

uint32_t
crc32c_zeros(uint32_t crc, uint64_t n)
{
	return ~times(shift(n), ~crc);
}

uint32_t
crc32c_join(uint32_t a, uint32_t b, uint64_t blen)
{
	return times(shift(blen), a) ^ b;
}
