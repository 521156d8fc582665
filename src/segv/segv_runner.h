/*
 * segv_runner: a command for what ends a process, at a bounded rate.
 *
 * The process that runs it is started first of all, has the rights that the
 * program was started with, and looks at nothing but texts of a fixed length.
 * Those come from the process that names, which is hostile, as is what it tells
 * of: they leave escaped (out/escape.h), in the environment alone.
 *
 * No shell.  RUNNER_BURST at once, then RUNNER_RATE a second, RUNNER_TOGETHER
 * at a time, RUNNER_WAITING wait, each has so many ms, with all that it starts.
 * Nobody ever waits for a command; what was not run is told.
 */
#ifndef SEGV_SEGV_RUNNER_H
#define SEGV_SEGV_RUNNER_H

#include "segv/segv_resolve.h"

enum {
	RUNNER_BURST = 10,
	RUNNER_RATE = 1,
	RUNNER_TOGETHER = 4,
	RUNNER_WAITING = 32,
	RUNNER_MS = 60000
};

/* Starts it; the descriptor to write to, of which a write fails where it would
 * wait; when that is closed it ends what is left.  -1 with errno. */
int segv_runner_start(char *const argv[], int64_t ms);
/* A crash; what cannot be passed on now is counted by the caller: -1. */
int segv_runner_tell(int fd, const struct segv_resolved *);

#endif
