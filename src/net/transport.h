/*
 * transport: a command that carries what we write to its standard input and
 * gives back, on its standard output, what the other side says.
 *
 * No shell: an argument list, looked up in PATH (execvp(3)).  Our ends are
 * close-on-exec and non-blocking.  Where nobody would see its standard error,
 * the first 4 KiB of that are caught.
 */
#ifndef NET_TRANSPORT_H
#define NET_TRANSPORT_H

#include <stddef.h>
#include <sys/types.h>

struct transport {
	pid_t pid;   /* -1: not running */
	int in, out; /* ours: to write to, to read from; the caller closes */
	int errfd;
};

/* catch: catch its standard error.  -1 with errno when it cannot be run. */
int transport_start(struct transport *, char *const argv[], int catch);
/*
 * Waits for its end, ms long, then ends it.  What became of it, with the first
 * line of what was caught: "exit 255: ssh: no route"; "" when it ended well.
 */
void transport_end(struct transport *, int ms, char *text, size_t len);

#endif
