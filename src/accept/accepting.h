/*
 * accepting: crashes that the kernel tells through a socket, one child each.
 *
 * Takes the connection on fd 0, those of a socket that activation passes, or
 * those of its own; finds out who dumps there, agrees with the kernel, and
 * calls crash() in a child.  The process that crashed stands still until the
 * connection is closed: so every wait has a deadline, and one process holds the
 * socket and watches the one that accepts, which is killed and replaced when it
 * does not answer.
 *
 * Hostile: whoever may connect (crash/coresock.h), and all text of the crash.
 * What cannot be served is said in one line, with who it was.
 */
#ifndef ACCEPT_ACCEPTING_H
#define ACCEPT_ACCEPTING_H

#include "accept/corepattern.h"
#include "crash/specifier.h"
#include "net/server.h"

struct accepting {
	struct server net;
	const char *path; /* of the socket; NULL: it is passed */
	unsigned max;	  /* children */
	unsigned wait_s;  /* for a place among them */
	/* What core_pattern is set to at the end, after it was the socket's;
	 * "": it is left alone. */
	char pattern[COREPATTERN_MAX + 1];
	/* In the child, which is as a handler behind a pipe: the core on fd 0,
	 * a pidfd on 3, nothing of ours is open.  Its exit code. */
	int (*crash)(void *arg, struct dumped *);
	void *arg;
	pid_t
	    watcher; /* private: its connections only look whether we answer */
};

enum { ACCEPTING_CHILDREN = 64, ACCEPTING_WAIT_S = 120 };

/* Whether a coredump socket can be at path; else ends with a usage error. */
void accepting_path(const char *path);
/*
 * Takes what was given, or listens at path.  From here on no core of this
 * process comes to itself.  Ends the program, with a line, where it cannot.
 */
void accepting_open(struct accepting *, int inetd, const char *synopsis);
/* Serves the one connection there is, or all until told to stop; exit code. */
int accepting_run(struct accepting *);
/* Says that this core is lost: unable to do what, for err. */
void accepting_lost(const struct dumped *, const char *what, int err);

#endif
