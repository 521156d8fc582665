/*
 * corefile: what a core in a file says of itself, in bounded memory.
 *
 * For a receiver that took a core it knows nothing of: how long it must be,
 * and whose it is.  Hostile: every byte.  Any class and byte order is
 * measured; names are read in that of the host alone.  Layouts: elf(5).
 */
#ifndef STORE_COREFILE_H
#define STORE_COREFILE_H

#include <stddef.h>
#include <stdint.h>

#include "stream/corestream.h"

enum { COREFILE_HEAD = 20 }; /* bytes that show whether it is one */

/* Do the first COREFILE_HEAD bytes of a file belong to an ELF core? */
int corefile_is(const unsigned char head[COREFILE_HEAD]);

struct corefile {
	/* Where the last of its headers, segments and sections ends. */
	uint64_t extent;
	/* comm, pid, tid, signal, uid, gid as the notes have them. */
	struct crash_id id;
};

/*
 * size: of the file; an extent beyond it is that of a core cut short, and then
 * a lower bound.  -1: ENOEXEC no ELF core, or one whose sizes make no sense;
 * of read(2).
 */
int corefile_read(int fd, uint64_t size, struct corefile *);

#endif
