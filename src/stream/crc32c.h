/*
 * crc32c: the Castagnoli CRC (RFC 3720, appendix B.4), by the CPU's
 * instruction where it has one.
 *
 * A checksum of nothing is 0; crc32c(crc32c(0, a), b) is that of a and b
 * together.
 */
#ifndef STREAM_CRC32C_H
#define STREAM_CRC32C_H

#include <stddef.h>
#include <stdint.h>

uint32_t crc32c(uint32_t crc, const void *, size_t);
/* The same without the instruction, as on a CPU that has none. */
uint32_t crc32c_by_table(uint32_t crc, const void *, size_t);
/* The same as for n bytes of zero, in time proportional to log n. */
uint32_t crc32c_zeros(uint32_t crc, uint64_t n);
/* Of a followed by b, from the checksums of both and b's length. */
uint32_t crc32c_join(uint32_t a, uint32_t b, uint64_t blen);

#endif
