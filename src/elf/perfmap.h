/*
 * perfmap: names for code that a program made itself, out of the text file it
 * wrote of it (/tmp/perf-PID.map, as perf(1) reads it): lines of START SIZE
 * NAME, numbers in hexadecimal, the name to the end of the line.
 *
 * The program's own file, and hostile: read with pread in pieces, a line at a
 * time, at most PERFMAP_BYTES of it, and of a longer one the end: what was
 * written last holds, since memory is used again.
 */
#ifndef ELF_PERFMAP_H
#define ELF_PERFMAP_H

#include <stddef.h>
#include <stdint.h>

#define PERFMAP_BYTES ((uint64_t)64 << 20)

struct elfsym_query;

/*
 * Answers queries, sorted by vaddr (here: address), that have no name.  A name
 * is cut at ELFSYM_NAME_MAX.  0, or -1 with errno: ENOMEM, EOVERFLOW when the
 * file was made to cost time (each line over all there is); what was found
 * stays.
 */
int perfmap_resolve(int fd, struct elfsym_query *, size_t n);

#endif
