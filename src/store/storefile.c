#include "store/storefile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/deadline.h"
#include "base/owned.h"

const char *const store_beside[] = {".info", ".report", NULL};

int
store_lock(const struct corestore *s)
{
	struct stat st;

	return owned_lock(s->dirfd, ".lock", deadline_in(STORE_LOCK_MS), &st);
}

int
store_unlink(int hostfd, const char *name)
{
	char beside[STORE_NAME_MAX + 8];

	if (unlinkat(hostfd, name, 0) == -1 && errno != ENOENT)
		return -1;
	for (int i = 0; store_beside[i] != NULL; i++) {
		snprintf(beside, sizeof(beside), "%s%s", name, store_beside[i]);
		unlinkat(hostfd, beside, 0);
	}
	return 0;
}

int
store_evict(const struct corestore *s, const char *host, const char *name,
    uint64_t bytes, const char *why)
{
	int hostfd = owned_sub(s->dirfd, host), r;

	if (hostfd == -1)
		return -1;
	r = store_unlink(hostfd, name);
	close(hostfd);
	if (r == -1)
		return -1;
	unlinkat(s->dirfd, host, AT_REMOVEDIR);
	if (s->removed != NULL)
		s->removed(host, name, bytes, why);
	return 0;
}
