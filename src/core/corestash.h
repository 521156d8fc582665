/*
 * corestash: the part of a core that a backtrace needs, out of a stream.
 *
 * For a handler whose process can no longer be read: the memory contents that
 * follow the notes are kept, in a memfd and at their own offsets, where they
 * lie in a small segment or near a wanted address (stack pointers); the rest
 * is read and dropped.
 */
#ifndef CORE_CORESTASH_H
#define CORE_CORESTASH_H

#include <stddef.h>
#include <stdint.h>

#include "core/corehead.h"

enum {
	STASH_SMALL = 1 << 20,	  /* segments up to this are kept whole */
	STASH_WINDOW = 256 << 10, /* kept above each wanted address */
	STASH_BELOW = 8 << 10,	  /* and below it */
	STASH_MAX = 256 << 20	  /* all together */
};

struct core_stash {
	const uint64_t *want; /* addresses, ascending */
	size_t n;
	int64_t deadline;
	const char *why; /* set: some memory is missing, or NULL */
};

/*
 * fd stands behind the notes, as core_head_read() leaves it.  Reads up to the
 * end of the stream or until the deadline.  Returns a memfd for the caller to
 * close, or -1 with errno.
 */
int core_stash(int fd, const struct core_head *, struct core_stash *);

#endif
