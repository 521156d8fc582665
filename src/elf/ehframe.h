/*
 * ehframe: a search table for .eh_frame where the linker made none.
 *
 * Static executables and objects linked with --no-eh-frame-hdr have no
 * PT_GNU_EH_FRAME.  This reads the CIEs and FDEs in a module's memory (LSB
 * Core, "Exception Frames"; DWARF 5 section 6.4) and makes the sorted table of
 * 32-bit pairs that libunwind's search wants.  The bytes are hostile; the
 * table holds at most EHFRAME_MAX entries.
 */
#ifndef ELF_EHFRAME_H
#define ELF_EHFRAME_H

#include <stddef.h>
#include <stdint.h>

enum { EHFRAME_MAX = 4 << 20 };

struct ehentry { /* as in .eh_frame_hdr: relative to the table's segbase */
	int32_t start, fde;
};

struct ehtable {
	uint64_t segbase;
	struct ehentry *e;
	size_t n;
};

/*
 * data holds the section, len bytes, which lies at address addr in the target.
 * NULL with errno (ENOENT: no FDE in it).  Free with ehtable_free().
 */
struct ehtable *
ehtable_make(const unsigned char *data, size_t len, uint64_t addr);
void ehtable_free(struct ehtable *);

#endif
