/*
 * storehome: where the store lies, and as whom it is kept.
 *
 * What comes over the network is parsed by the owner of the directory, who is
 * nobody else.  Started as root we become that user.  Where that is root (a
 * local store) the process that parses gives up every capability, and sees
 * nothing but the directory (chroot(2)).
 */
#ifndef STORE_STOREHOME_H
#define STORE_STOREHOME_H

#include <limits.h>
#include <sys/types.h>

#define STORE_DIR "/var/lib/recv_core"
#define STORE_USER "usercrash"

struct storehome {
	char path[PATH_MAX]; /* absolute, without links */
	int dirfd;
	int wasroot;
	uid_t uid;
	gid_t gid;
};

/*
 * Opens the directory, which is made 0750 when it is missing (but not its
 * parents).  user, a name or number, or NULL: who must own it; one that is made
 * goes to that user, or to STORE_USER where there is such a user, or nobody.
 * -1 with errno, and *why (static text) where there is more to say.
 */
int storehome_open(
    const char *dir, const char *user, struct storehome *, const char **why);
/* For a process that parses nothing: becomes the owner, for good. */
int storehome_become(const struct storehome *);
/* For the process that parses: the same, and in a root's store the chroot.
 * Goes with storehome_become() before it where the owner is not root. */
int storehome_confine(const struct storehome *);

#endif
