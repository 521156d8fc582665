/*
 * unwind: backtraces of a target's threads, through libunwind.
 *
 * libunwind sees nothing but our accessors: registers from the target's
 * thread, memory through target_read(), unwind data by handing the module's
 * .eh_frame_hdr to _U<arch>_dwarf_search_unwind_table().  No file is opened
 * and no process is traced here.  Where a module has no unwind data the frame
 * pointer is followed, and such frames are marked.
 */
#ifndef UNWIND_UNWIND_H
#define UNWIND_UNWIND_H

#include <stdint.h>

#include "target/target.h"

struct unwinder;

struct unwind_limits {
	size_t head, tail; /* frames kept from the top and from the end */
	uint64_t frames;   /* counted at most, then it stops and says so */
	int64_t deadline;  /* base/deadline.h; likewise */
};

/* NULL with errno; ENOTSUP when the target's machine is not this one's. */
struct unwinder *unwind_new(struct target *);
void unwind_free(struct unwinder *);
/*
 * Fills th->trace.  0, or -1 with errno when there is nothing to begin with
 * (no registers) or no memory; a trace that merely ends early is 0 and says
 * why in trace.stop.
 */
int unwind_thread(
    struct unwinder *, struct target_thread *, const struct unwind_limits *);

#endif
