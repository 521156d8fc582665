#include "base/floor.h"

#include <errno.h>
#include <sys/statvfs.h>

int
floor_room(int fd, uint64_t floor, uint64_t most, uint64_t *room)
{
	struct statvfs v;
	uint64_t there;

	*room = UINT64_MAX;
	if (floor == 0)
		return 0;
	if (fstatvfs(fd, &v) == -1)
		return -1;
	if (v.f_blocks == 0 || v.f_frsize == 0)
		return 0;
	if (floor == FLOOR_SHARE) {
		floor = v.f_blocks / FLOOR_TENTH * v.f_frsize;
		if (floor > most)
			floor = most;
	}
	if (__builtin_mul_overflow(v.f_bavail, v.f_frsize, &there))
		there = UINT64_MAX;
	*room = there > floor ? there - floor : 0;
	return 0;
}

int
floor_left(int fd, uint64_t floor, uint64_t most, uint64_t more)
{
	uint64_t room;

	if (floor_room(fd, floor, most, &room) == -1)
		return -1;
	if (more < room)
		return 0;
	errno = ENOSPC;
	return -1;
}
