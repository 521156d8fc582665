/*
 * storehome: where the store lies, and as whom it is kept.
 *
 * What comes over the network is parsed by the owner of the directory, who is
 * nobody else.  Started as root we become that user.  The process that parses
 * has no capability and sees nothing but the directory (chroot(2), or where it
 * was never root landlock(7)), behind the door of base/sandbox.
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
	int rooted; /* the directory is our root */
	uid_t uid;
	gid_t gid;
};

/*
 * Opens the directory, which is made 0750 when it is missing (but not its
 * parents).  user, a name or number, or NULL: who must own it; one that is made
 * goes to that user, or to STORE_USER where there is such a user, or nobody
 * (65534 where nobody is called so).
 * -1 with errno, and *why (static text) where there is more to say.
 */
int storehome_open(
    const char *dir, const char *user, struct storehome *, const char **why);
/* For a process that parses nothing: becomes the owner, for good. */
int storehome_become(const struct storehome *);
/*
 * The same for a server that runs nothing and has children that parse: goes
 * into the directory, and becomes its owner where that is not root; root must
 * be there for each child to leave.
 */
int storehome_settle(struct storehome *);
/*
 * For the process that parses: goes in; parent, why and errno as in
 * base/sandbox.h.
 */
int storehome_confine(const struct storehome *, pid_t parent, const char **why);

#endif
