/*
 * codemaps: the files in which running processes tell of code that they made
 * themselves (target/jitmap.h), held open beyond the end of their processes.
 *
 * A process maps such memory first and writes of it later, so its file is
 * looked for again and again as long as the process is there.  At most
 * CODEMAPS_MAX processes are known, the newest; the others' code has no name.
 */
#ifndef TRACK_CODEMAPS_H
#define TRACK_CODEMAPS_H

#include <stdint.h>
#include <sys/types.h>

enum { CODEMAPS_MAX = 64 };

/* A process as the book has it (track/mapbook.h): until it calls exec. */
struct codemap {
	pid_t pid; /* 0: nobody's */
	uint64_t since;
	uint64_t asked;	 /* when it mapped that memory: it was there then */
	uint64_t gone;	 /* when it was found to have gone; 0: it is there */
	int fd;		 /* -1: not found yet */
	uint64_t serial; /* of what is open there; never used again */
};

struct codemaps {
	struct codemap of[CODEMAPS_MAX];
	unsigned next; /* to be used */
	uint64_t serial;
};

void codemaps_init(struct codemaps *);
void codemaps_free(struct codemaps *);
/* A process has code in no file.  Times are ns of CLOCK_MONOTONIC. */
void codemaps_add(struct codemaps *, pid_t, uint64_t since, uint64_t now);
/* Looks for what was not found yet; lets go what ended longer than keep ago. */
void codemaps_idle(struct codemaps *, uint64_t now, uint64_t keep);
/* Such a process whose file is open, or NULL; stays ours.  Looks for it once
 * more. */
const struct codemap *codemaps_get(struct codemaps *, pid_t, uint64_t since);

#endif
