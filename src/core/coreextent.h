/*
 * coreextent: where a core ends, by what its own head says.
 *
 * The head is hostile; what does not fit together is refused (-1), and no sum
 * overflows.  Source: elf_core_dump() in linux fs/binfmt_elf.c, elf(5).
 */
#ifndef CORE_COREEXTENT_H
#define CORE_COREEXTENT_H

#include <stdint.h>

#include "core/corehead.h"

struct core_extent {
	uint64_t size; /* bytes the whole core has */
	/*
	 * It is what the kernel writes: the head, then the PT_LOADs in order,
	 * and where tail is not 0 that many bytes more, at size - tail: the
	 * section header that tells the number of program headers (PN_XNUM).
	 */
	int plain;
	unsigned tail;
	uint64_t phnum;
};

/* h as core_head_read() or core_head_pread() left it.  -1 EINVAL. */
int core_extent(struct core_head *h, struct core_extent *e);
/* Where the memory contents end that the segments promise, 0 none. */
uint64_t core_memory_end(const struct core_head *);
/* That section header, as the kernel fills it in. */
void core_extent_tail(const struct core_extent *e, Elf64_Shdr *);

#endif
