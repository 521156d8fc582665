/*
 * linkmap: the files of a core without NT_FILE, as its dynamic loader lists
 * them.  Private to target/.
 *
 * AT_PHDR leads to the program's headers, these to its dynamic section,
 * DT_DEBUG there to r_debug and its list of struct link_map (link.h; musl has
 * the same). What kernels before 3.7 and emulators leave out is told by that,
 * in the form of NT_FILE.  All of it is memory of a hostile program: each list
 * and name is bounded, and nothing is taken for true but that it may be looked
 * for.
 */
#ifndef TARGET_LINKMAP_H
#define TARGET_LINKMAP_H

#include "core/corehead.h"
#include "target/target.h"

struct linkmap {
	struct core_file *files; /* names are malloc'd, in names */
	size_t nfiles;
	char **names;
	size_t nnames;
};

struct linkmap_from {
	const char *program;	     /* what to call it, "" nothing */
	const struct core_seg *segs; /* sorted by address */
	size_t nsegs;
	/* opens a file by name for its headers, where memory has none; -1 */
	int (*open)(void *arg, const char *path);
	void *arg;
};

/*
 * t reads the core's memory and has its auxv.  What was found is in *l, maybe
 * nothing; -1 ENOMEM only.  linkmap_free() in any case.
 */
int
linkmap_read(struct target *t, const struct linkmap_from *, struct linkmap *l);
void linkmap_free(struct linkmap *);

#endif
