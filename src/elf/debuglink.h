/*
 * debuglink: the separate debug file that .gnu_debuglink names, for objects
 * without a build-id (GDB manual, "Debugging Information in Separate Files").
 *
 * Both files are hostile: the name is one part of a path, and the file's CRC-32
 * must be the one in the section before a name is taken from it.
 */
#ifndef ELF_DEBUGLINK_H
#define ELF_DEBUGLINK_H

#include <stdint.h>

enum { DEBUGLINK_NAME = 256 };
/* A larger file is not read through: no. */
#define DEBUGLINK_FILE_MAX ((uint64_t)2 << 30)

/* What the section of an ELF file says; 0, or -1 when it says nothing that
 * could be a file's name. */
int debuglink_read(int fd, char name[DEBUGLINK_NAME], uint32_t *crc);
/* 1 when the file has that CRC-32 (of IEEE 802.3, as zlib's), 0 when not, -1
 * with errno when it cannot be read or is too large (EFBIG). */
int debuglink_check(int fd, uint32_t crc);

#endif
