#include "store/storehome.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/num.h"
#include "base/owned.h"
#include "base/privdrop.h"
#include "base/sandbox.h"
#include "store/corestore.h"

enum { MEMORY_MAX = 64 }; /* MiB, for who parses; a block has one */

static int
fail(int err, const char **why, const char *text)
{
	*why = text;
	errno = err;
	return -1;
}

/* The user of that name or number. */
static int
find_user(const char *name, uid_t *uid, gid_t *gid)
{
	struct passwd *pw = getpwnam(name);
	uint64_t n;

	if (pw == NULL && num_u64(name, 10, 0, UINT32_MAX - 1, &n) == 0) {
		*uid = (uid_t)n;
		*gid = (gid_t)n;
		pw = getpwuid(*uid);
		if (pw == NULL)
			return 0;
	}
	if (pw == NULL)
		return -1;
	*uid = pw->pw_uid;
	*gid = pw->pw_gid;
	return 0;
}

/* Opens the directory, made if need be and given to its owner then. */
static int
open_home(const char *dir, uid_t uid, gid_t gid)
{
	int fd, made;

	fd = owned_dir(dir, OWNED_ANY, &made);
	if (fd != -1 && made &&
	    ((geteuid() == 0 && fchown(fd, uid, gid) == -1) ||
		fchmod(fd, 0750) == -1))
		io_close(&fd);
	return fd;
}

int
storehome_open(
    const char *dir, const char *user, struct storehome *h, const char **why)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();
	struct passwd *pw;
	struct stat st;

	*why = NULL;
	memset(h, 0, sizeof(*h));
	h->wasroot = uid == 0;
	if (user != NULL) {
		if (find_user(user, &uid, &gid) == -1)
			return fail(ENOENT, why, "there is no such user");
		if (!h->wasroot && uid != geteuid())
			return fail(
			    EPERM, why, "only root may become another user");
	} else if (h->wasroot && find_user(STORE_USER, &uid, &gid) == -1 &&
	    find_user("nobody", &uid, &gid) == -1) {
		uid = gid = NOBODY; /* a board without users */
	}
	h->dirfd = open_home(dir, uid, gid);
	if (h->dirfd == -1) {
		if (errno == EPERM)
			*why = "others than its owner may write there";
		return -1;
	}
	if (fstat(h->dirfd, &st) == -1 || realpath(dir, h->path) == NULL)
		goto fail;
	if ((user != NULL || !h->wasroot) && st.st_uid != uid) {
		fail(EPERM, why, "it belongs to another user");
		goto fail;
	}
	h->uid = st.st_uid;
	h->gid = st.st_gid;
	if (h->uid == uid)
		h->gid = gid;
	else if ((pw = getpwuid(h->uid)) != NULL)
		h->gid = pw->pw_gid;
	return 0;
fail:
	close(h->dirfd);
	h->dirfd = -1;
	return -1;
}

int
storehome_become(const struct storehome *h)
{
	return privdrop(h->uid, h->gid);
}

int
storehome_settle(struct storehome *h)
{
	if (h->wasroot) {
		if (fchdir(h->dirfd) == -1 || chroot(".") == -1)
			return -1;
		h->rooted = 1;
	}
	return h->uid == 0 && h->wasroot ? 0 : storehome_become(h);
}

int
storehome_confine(const struct storehome *h, pid_t parent, const char **why)
{
	struct sandbox_bounds b = {.memory = (uint64_t)MEMORY_MAX << 20,
	    .treefd = h->dirfd,
	    .rooted = h->rooted,
	    .uid = h->uid,
	    .gid = h->gid};

	return sandbox_enter(SANDBOX_STORE, &b, parent, why) == -1 ? -1 : 0;
}
