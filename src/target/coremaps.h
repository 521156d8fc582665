/*
 * coremaps: the mappings of a core, which nobody lists.  Private to target/.
 *
 * Segments (PT_LOAD) have addresses and permissions, files (NT_FILE, or what
 * the link map tells) have addresses, names and offsets.  Kernels write both
 * for each mapping; gdb writes no segment for what is in a file unchanged, and
 * old kernels and emulators no files.  Both lists are hostile.
 */
#ifndef TARGET_COREMAPS_H
#define TARGET_COREMAPS_H

#include "core/corehead.h"
#include "proc/maps.h"

struct coremaps {
	const struct core_seg *segs; /* sorted by address */
	size_t nsegs;
	const struct core_file *files; /* in any order */
	size_t nfiles;
	uint64_t vdso; /* where that is, or 0 */
};

/*
 * Cuts the addresses that either list has into mappings, sorted; a mapping
 * without a segment takes the permissions of one of the same file range, or
 * has MAP_GUESS.  What overlaps is forged: the first counts.  *out is malloc'd
 * and points to the files' names.  0 or -1 ENOMEM.
 */
int coremaps_make(const struct coremaps *, struct map **out, size_t *n);

#endif
