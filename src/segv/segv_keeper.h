/*
 * segv_keeper: the process that opens the output file anew.
 *
 * Who writes the output can open nothing, and who watches has no right to
 * change a directory.  So a third process stays behind that can do two things
 * in one directory, as its owner, in the sandbox of base/sandbox
 * (SANDBOX_LOG), and hands over the file: give it the next name of a row
 * (FILE.1 the last that was full, FILE.2 the one before), or open what has that
 * name now, after somebody else renamed the old one.  Whoever asks is hostile:
 * it gets no other file, and no file moves on before it is full.
 */
#ifndef SEGV_SEGV_KEEPER_H
#define SEGV_SEGV_KEEPER_H

#include <stdint.h>

enum { KEEPER_COUNT_MAX = 1000 };

/* What is asked for; a byte on the wire. */
enum segv_keeper_ask { KEEPER_NEXT = 'n', KEEPER_AGAIN = 'a' };

struct segv_keeper_opts {
	const char *path;
	uint64_t size;	/* of a file that is full; 0: none ever is */
	unsigned count; /* of full ones that stay */
};

/*
 * Starts it; the descriptor to ask with, for one process alone: when that is
 * closed, or the caller ends, it ends.  -1 with errno: ENOTSUP what has that
 * name is no regular file.
 */
int segv_keeper_start(const struct segv_keeper_opts *);
/* Behind the door: the file, open to add to it, or -1 with errno; EAGAIN: it
 * is not full. */
int segv_keeper_ask(int askfd, enum segv_keeper_ask);

#endif
