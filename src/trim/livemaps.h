/*
 * livemaps: what a core of a living process has of its memory.
 *
 * The mappings as segments, with as much contents as coredump_filter asks for
 * (core(5); vma_dump_size() in fs/coredump.c), and which pages there are:
 * memory that was never touched is zeros, and is not read, so that the process
 * does not grow.
 */
#ifndef TRIM_LIVEMAPS_H
#define TRIM_LIVEMAPS_H

#include "base/io.h"
#include "core/corehead.h"
#include "proc/maps.h"
#include "trim/pageset.h"

struct livemaps {
	struct buf text; /* of the maps */
	struct map *maps;
	size_t nmaps;
	struct core_seg *segs; /* one a mapping; filesz: what is wanted */
	struct pageset present;
	uint64_t bytes; /* of those pages */
};

/* Of a process that stands still.  -1 with errno. */
int livemaps_read(int procfd, struct livemaps *);
void livemaps_free(struct livemaps *);
/* A file is mapped there, as NT_FILE has it. */
int livemaps_is_file(const struct map *);

#endif
