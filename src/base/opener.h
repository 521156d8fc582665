/*
 * opener: another process that opens files, for where that may take for ever.
 *
 * A look-up or a first read may wait on a server that never answers: of FUSE,
 * which may be the very process that crashed, or of a network.  From some of
 * these sleeps not even SIGKILL wakes a process.  So it is another that does
 * it; whoever asks waits for so long, and then has another one started.
 *
 *	asker --- ask ---> opener          (a socket pair; it hands back the
 *	   \                 ^ fork, kill	descriptor)
 *	    +-- next --> keeper
 *
 * What comes back has been read from once.  A file that a program serves
 * (FUSE) is copied whole, so that nobody has to ask that program again.
 */
#ifndef BASE_OPENER_H
#define BASE_OPENER_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum {
	OPENER_MS = 1000,     /* for one file, */
	OPENER_ALL_MS = 3000, /* and for all that take long together */
	OPENER_COPY = 64,     /* MiB of a file on FUSE */
	OPENER_NAME = 4200,   /* bytes of what is asked for, with NUL */
	OPENER_WHY = 128
};

struct opener { /* private */
	int askfd, nextfd;
	pid_t keeper;
	uint32_t serial;
	int64_t spent, each, all; /* ms */
	char why[OPENER_WHY];
};

struct opener_how {
	/* In the opener: a descriptor of what is meant, or -1 with errno, and
	 * *why (NULL before) where there is more to say. */
	int (*open)(void *arg, const char *what, const char **why);
	void *arg;
	int keepfd; /* the one descriptor that this needs, or -1 */
	int drop;   /* root is left behind: for who asks from the sandbox */
	int64_t connect_ms; /* each is a connection, which may take so long */
};

/* Starts it; 0, or -1 with errno.  One that has started, or a zeroed one with
 * askfd -1, may be ended, and that is all the latter may. */
int opener_start(struct opener *, const struct opener_how *);
/*
 * The descriptor of a file that can be read, or -1: errno of the opening,
 * EFBIG (too large to be copied), ETIMEDOUT, or EPIPE (it died); why is then in
 * o->why, or "".
 * Works behind the door.
 */
int opener_open(struct opener *, const char *what);
/* Never waits. */
void opener_end(struct opener *);

#endif
