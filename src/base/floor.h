/*
 * floor: how much of a file system stays free.
 *
 * Whoever keeps what others send stops at a floor, so that a disk it shares
 * never fills.  Where nobody has set one it is a share: what is right for a
 * server would leave a small board nothing to keep.
 */
#ifndef BASE_FLOOR_H
#define BASE_FLOOR_H

#include <stdint.h>

enum { FLOOR_TENTH = 10, FLOOR_CORES = 1 << 30 /* for cores, at most */ };
/* As a floor: a tenth of the file system. */
#define FLOOR_SHARE (UINT64_MAX - 1)

/*
 * 0 when more than floor + more bytes are free, for all users, on the file
 * system of fd; else -1 with ENOSPC, or what fstatvfs(3) said.  floor: bytes, 0
 * none, or FLOOR_SHARE, then at most `most` bytes.  A file system that tells no
 * size (ramfs) has no floor.
 */
int floor_left(int fd, uint64_t floor, uint64_t most, uint64_t more);
/* The same as a number: with less than *room more it holds.  UINT64_MAX where
 * there is no floor. */
int floor_room(int fd, uint64_t floor, uint64_t most, uint64_t *room);

#endif
