/*
 * sandbox: the door behind which hostile input is parsed.
 *
 * What a worker needs is opened first; then it goes in here, and for good.  It
 * has a uid that no other process has (0x7f000000 and its own id, where the
 * user namespace has that; nobody of that uid is there to kill or trace it,
 * and it can do neither to anybody), no group, no capability, no_new_privs, it
 * cannot be dumped or traced, it ends with its parent, and every call outside
 * its role's list kills it with SIGSYS: it cannot fork, run a program, make a
 * socket, a connection or a namespace, send a signal but to itself, or open a
 * file, but to read, and that in one tree alone.
 *
 * Who keeps a store has the store's owner as uid, the store as its tree, and
 * makes, names and removes files there; who keeps a log makes and names some.
 */
#ifndef BASE_SANDBOX_H
#define BASE_SANDBOX_H

#include <stdint.h>
#include <sys/types.h>

enum sandbox_role {
	SANDBOX_REPORT = 1, /* usercrash_c's worker, debugger */
	SANDBOX_SEND = 2,   /* core_send's: and a socket that it was given */
	SANDBOX_STORE = 4, /* recv_core's: its connection, files of its store */
	/* what names in segfault_analyzer: it adds to its output, and changes
	 * nothing that it wrote */
	SANDBOX_FEED = 8,
	/* what opens that output anew, and hands it over */
	SANDBOX_LOG = 16
};

struct sandbox_bounds {
	enum sandbox_role role; /* for who goes in by report/door; or 0 */
	uint64_t memory;	/* bytes it may map, 0 as before */
	uint64_t file;	/* bytes a file it writes may have, 0 as before */
	unsigned cpu_s; /* of processor time, 0 as before */
	/*
	 * A directory: in it, and nowhere else, files may be opened to be read,
	 * or for SANDBOX_STORE to be written.  For root it becomes the root;
	 * others need landlock(7), without which as with -1 none are opened
	 * (EACCES); but a store or a log is kept, with all that its owner may
	 * do.
	 */
	int treefd;
	const char *tree; /* the same by its path, for root or who may what it
			     may; or NULL */
	int rooted;	  /* it is the root already */
	/* SANDBOX_STORE, SANDBOX_LOG: the owner; else not looked at */
	uid_t uid;
	gid_t gid;
};

/*
 * On the way in: the own uid, and until the door is shut the right to read any
 * file, where that is wanted and root has it to give.  Whoever opens nothing
 * more has no need of it.  -1 with errno.
 */
int sandbox_approach(int read_any);
enum {
	SANDBOX_ROOTED = 1,  /* the tree is the root now */
	SANDBOX_TREELESS = 2 /* nothing is at the path of the tree */
};

/*
 * Goes in.  parent: the process that waits for this one (getppid(2) before it
 * can have changed), 0 when this one may go on without it.  0, or which of the
 * two is so; or -1 with errno: nothing hostile may be parsed then.
 * A kernel or a machine that lacks something is no error, only *why says so,
 * which is NULL otherwise; it is static.
 */
int sandbox_enter(enum sandbox_role, const struct sandbox_bounds *,
    pid_t parent, const char **why);

/* A worker that did what it may not died of SIGSYS: in words, else NULL. */
const char *sandbox_violation(int status);
/* Waits for a worker; NULL when it did its work, else what became of it, in
 * text; and whether it is there all the same. */
const char *
sandbox_await(pid_t worker, int wait_s, char *text, size_t len, int *there);

#endif
