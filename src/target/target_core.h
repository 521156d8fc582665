/*
 * target_core: a core file (or what was kept of a stream) as a target.
 *
 * Memory comes from the core; what it left out of files that were mapped
 * read-only comes from those files, if they are still the same (build-id).
 * The core and every file it names are hostile.
 */
#ifndef TARGET_TARGET_CORE_H
#define TARGET_TARGET_CORE_H

#include "core/corehead.h"
#include "target/target.h"

/*
 * Fills in maps, memory and modules; the head must outlive the target, corefd
 * stays the caller's.  exe, when not NULL, is the program's file whatever the
 * core calls it.  Opens the files the core names, so some right to read them
 * must be left.  0, or -1 with errno.
 */
int target_core_open(
    int corefd, const struct core_head *, const char *exe, struct target *);

#endif
