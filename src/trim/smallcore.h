/*
 * smallcore: an ELF core with some of its memory.
 *
 * Each run of pages that is wanted is a segment, and what the core itself left
 * out (coredump_filter, core(5)) one without contents, as there.  What is left
 * out here has none: gdb takes a segment without contents for zeros.  What was
 * mapped is in a note (core/corehead.h).
 */
#ifndef TRIM_SMALLCORE_H
#define TRIM_SMALLCORE_H

#include <elf.h>
#include <sys/types.h>

#include "core/corehead.h"
#include "trim/pageset.h"

enum { SMALLCORE_NOTES = CORE_NOTES_MAX + 1 };

struct smallcore {
	Elf64_Ehdr head; /* e_ident, e_machine and e_flags are taken over */
	struct {
		const void *p;
		size_t len;
		uint64_t align;
	} note[SMALLCORE_NOTES];
	size_t nnotes;
	const struct core_seg *segs; /* filesz: what may be asked for */
	size_t nsegs;
	int trimmed;		    /* it has the note of what was mapped */
	const struct pageset *keep; /* settled */
	/* settled: what is not in it is zeros and is not read; NULL: all is */
	const struct pageset *present;
	/* reads memory as target's read does; what it cannot is zeros */
	ssize_t (*read)(void *arg, uint64_t addr, void *p, size_t len);
	void *arg;
	uint64_t max; /* bytes of memory at most (EFBIG): segments that lie
			 over each other could have any number */
	/* filled in */
	uint64_t size; /* bytes it has */
	int began;     /* something was written */
	int seekable;  /* private: the output can have holes */
};

/* Its notes and segments, out of a head as it was read; ENODATA: the notes are
 * not all there. */
int smallcore_from(struct smallcore *, const struct core_head *);
/* Writes it; zeros are holes where fd is a file.  -1 with errno. */
int smallcore_write(int fd, struct smallcore *);
/* A core as it is, from a file that can be read anywhere.  -1 with errno. */
int smallcore_pass_on(int from, int to);

#endif
