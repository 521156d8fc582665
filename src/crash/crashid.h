/*
 * crashargs: what the kernel tells a handler of a crash, as long options.
 *
 * --pid=%P --tid=%I and so on, core(5).  No value may cost a core: one that is
 * empty is not known, and one that makes no sense neither, with a warning for
 * the caller to print.
 */
#ifndef CRASH_CRASHID_H
#define CRASH_CRASHID_H

#include <getopt.h>
#include <stddef.h>

#include "stream/corestream.h"

enum { CRASHARGS = 256, CRASHARGS_END = 512 }; /* values of getopt_long(3) */

/* For a list of long options: --pid --tid --uid --gid --signal --time
 * --dumpmode --pidfd --host --comm --exe. */
#define CRASHARGS_OPTIONS                                         \
	{"pid", required_argument, NULL, CRASHARGS},              \
	    {"tid", required_argument, NULL, CRASHARGS + 1},      \
	    {"uid", required_argument, NULL, CRASHARGS + 2},      \
	    {"gid", required_argument, NULL, CRASHARGS + 3},      \
	    {"signal", required_argument, NULL, CRASHARGS + 4},   \
	    {"time", required_argument, NULL, CRASHARGS + 5},     \
	    {"dumpmode", required_argument, NULL, CRASHARGS + 6}, \
	    {"pidfd", required_argument, NULL, CRASHARGS + 7},    \
	    {"host", required_argument, NULL, CRASHARGS + 8},     \
	    {"comm", required_argument, NULL, CRASHARGS + 9},     \
	{                                                         \
		"exe", required_argument, NULL, CRASHARGS + 10    \
	}

/*
 * Takes the value of option c.  0, or -1 with a warning, which may hold bytes
 * of the value, in why.
 */
int crashargs_take(struct stream_id *, int *pidfd, int c, const char *value,
    char *why, size_t len);
/* What the core is encoded with; -1 when it cannot be called so. */
int crashargs_encoding(struct stream_id *, const char *);
/* Kernels before 5.3 split a comm at its blanks: the words that come before
 * "--" or the last argument belong to it.  How many. */
int crashargs_words(struct stream_id *, int argc, char *const argv[]);

#endif
