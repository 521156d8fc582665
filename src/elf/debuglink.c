#include "elf/debuglink.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/bytes.h"
#include "base/io.h"
#include "elf/elfsym.h"

enum { SLICES = 8, BLOCK = 256 << 10 };

static uint32_t table[SLICES][256];

/* Reflected, polynomial 0x04c11db7; slice k is for a byte with k more behind
 * it, so that eight go at once. */
static void
make_table(void)
{
	uint32_t c, i, k;

	for (i = 0; i < 256; i++) {
		for (c = i, k = 0; k < 8; k++)
			c = c & 1 ? c >> 1 ^ 0xedb88320 : c >> 1;
		table[0][i] = c;
	}
	for (i = 0; i < 256; i++)
		for (k = 1; k < SLICES; k++)
			table[k][i] = table[k - 1][i] >> 8 ^
			    table[0][table[k - 1][i] & 0xff];
}

static uint32_t
crc_add(uint32_t c, const unsigned char *p, size_t n)
{
	for (; n >= SLICES; n -= SLICES, p += SLICES) {
		c ^= (uint32_t)p[0] | (uint32_t)p[1] << 8 |
		    (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
		c = table[7][c & 0xff] ^ table[6][c >> 8 & 0xff] ^
		    table[5][c >> 16 & 0xff] ^ table[4][c >> 24] ^
		    table[3][p[4]] ^ table[2][p[5]] ^ table[1][p[6]] ^
		    table[0][p[7]];
	}
	for (; n > 0; n--)
		c = c >> 8 ^ table[0][(c ^ *p++) & 0xff];
	return c;
}

int
debuglink_read(int fd, char name[DEBUGLINK_NAME], uint32_t *crc)
{
	char text[DEBUGLINK_NAME + 8];
	uint64_t off, addr, size;
	size_t len, n;

	if (elfsym_section(fd, ".gnu_debuglink", &off, &addr, &size) == -1 ||
	    size > sizeof(text))
		return -1;
	len = (size_t)size;
	if (io_pread_full(fd, text, len, off) != (ssize_t)len)
		return -1;
	/* the name, a NUL, padding to 4, the checksum */
	n = strnlen(text, len);
	if (n == 0 || n >= DEBUGLINK_NAME || (n + 4) / 4 * 4 + 4 > len ||
	    memchr(text, '/', n) != NULL || *text == '.')
		return -1;
	memcpy(name, text, n + 1);
	memcpy(crc, text + (n + 4) / 4 * 4, sizeof(*crc));
	return 0;
}

int
debuglink_check(int fd, uint32_t crc)
{
	uint32_t c = 0xffffffff;
	uint64_t off = 0;
	unsigned char *p;
	struct stat st;
	ssize_t n;

	if (fstat(fd, &st) == -1)
		return -1;
	if ((uint64_t)st.st_size > DEBUGLINK_FILE_MAX)
		return fails(EFBIG);
	p = malloc(BLOCK);
	if (p == NULL)
		return -1;
	if (table[0][1] == 0)
		make_table();
	while ((n = io_pread_full(fd, p, BLOCK, off)) > 0 &&
	    (off += (uint64_t)n) <= DEBUGLINK_FILE_MAX)
		c = crc_add(c, p, (size_t)n);
	free(p);
	return n == -1 ? -1 : ~c == crc;
}
