#include "base/floor.h"

#include <errno.h>
#include <sys/statvfs.h>

int
floor_left(int fd, uint64_t floor, uint64_t most, uint64_t more)
{
	struct statvfs v;

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
	if (floor <= UINT64_MAX - more &&
	    v.f_bavail > (floor + more) / v.f_frsize)
		return 0;
	errno = ENOSPC;
	return -1;
}
