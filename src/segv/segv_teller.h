/*
 * segv_teller: the process that names: it reads what was seen
 * (segv/segv_wire.h), unwinds, looks names up in files it is given, writes.
 *
 * All that is hostile in a process - its memory, its files - is parsed here,
 * behind the door of base/sandbox: without a capability, as a uid of its own,
 * and with no way to open, to trace or to connect.  What it counted lies in
 * memory that it shares with who looks.
 */
#ifndef SEGV_SEGV_TELLER_H
#define SEGV_SEGV_TELLER_H

#include <stdint.h>
#include <sys/types.h>

#include "out/out.h"
#include "segv/segv_resolve.h"

/* Whoever looks believes nothing of it: it is only printed. */
struct segv_tally {
	uint64_t told;	 /* events written, */
	uint64_t joined; /* these of them in the record of another */
	uint64_t reliable, truncated, doubtful; /* stacks */
	uint64_t not_run; /* crashes that the runner could not be told of */
	long rss_kib;
};

struct segv_teller_opts {
	struct segv_opts show;
	enum out_format format;
	const char
	    *path;     /* of the output, for messages; NULL: standard output */
	int top;       /* a table in the place of records */
	uint64_t full; /* bytes of a file that is full; 0 none ever is */
	int keepfd;    /* of segv/segv_keeper, -1 none; it alone may have it */
	int runfd;     /* of segv/segv_runner, likewise */
};

struct segv_teller {
	pid_t pid;
	int fd; /* of the wire; -1 */
	struct segv_tally *tally;
};

/*
 * Starts it, behind its door when this returns; 0, or -1 with errno: EPROTO it
 * has ended, or is about to: segv_teller_ended() says why.  It ends with this
 * process.
 */
int segv_teller_start(struct segv_teller *, const struct segv_teller_opts *);
/*
 * After its end: 0 it did all that it was sent.  Else -1, and *status is what
 * to exit with: it has said why, or why is (of room n) what to say.
 */
int segv_teller_ended(int wait_status, int *status, char *why, size_t n);

#endif
