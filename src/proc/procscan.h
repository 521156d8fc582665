/*
 * procscan: the mappings of running processes, from /proc.
 *
 * Names and comm are hostile.  A process may end at any moment while it is
 * read: then it counts as gone.
 */
#ifndef PROC_PROCSCAN_H
#define PROC_PROCSCAN_H

#include <stdint.h>
#include <sys/types.h>

#include "base/io.h"
#include "proc/maps.h"

struct procseen {
	pid_t pid, ppid;
	uint64_t start; /* CLOCK_BOOTTIME in ns, to a clock tick */
	char comm[64];
	char exe[4096]; /* "": unknown */
	struct map *maps;
	size_t n;
	struct buf text; /* that the names of maps point into */
};

/* all: also what is not executable.  0 (free it with procscan_free()), or -1
 * with errno ESRCH, ENOMEM: nothing is left to free then. */
int procscan_read(pid_t, int all, struct procseen *);
void procscan_free(struct procseen *);
/* pid, comm, ppid and start from the text of /proc/PID/stat; -1 EINVAL. */
int procscan_parse_stat(const char *text, size_t len, struct procseen *);
/* Is the process that has that number now one that was there at that time (ns
 * of CLOCK_MONOTONIC)?  -1 ESRCH: none has it. */
int procscan_was(pid_t, uint64_t time);

#endif
