#include "store/storefile.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/deadline.h"
#include "base/owned.h"

int
store_lock(const struct corestore *s)
{
	return owned_lock(s->dirfd, ".lock", deadline_in(STORE_LOCK_MS));
}

int
store_unlink(int hostfd, const char *name)
{
	char info[STORE_NAME_MAX + 8];

	snprintf(info, sizeof(info), "%s.info", name);
	if (unlinkat(hostfd, name, 0) == -1 && errno != ENOENT)
		return -1;
	unlinkat(hostfd, info, 0);
	return 0;
}
