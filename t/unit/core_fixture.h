/*
 * core_fixture: cores made up by a test, and ways to hand them over.
 */
#ifndef T_CORE_FIXTURE_H
#define T_CORE_FIXTURE_H

#include <stdint.h>
#include <sys/types.h>

#include "base/io.h"

/* A note, padded; a thread's, with registers. */
void add_note(struct buf *b, const char *name, uint32_t type, const void *d,
    size_t len, size_t align);
void add_thread(struct buf *b, int pid, size_t align);

/* nseg PT_LOADs (none with contents) and these notes; memory of 8 bytes. */
void make_core(
    struct buf *core, uint64_t nseg, const struct buf *notes, size_t align);

/* A temporary file of these bytes, at its beginning. */
int as_file(const void *p, size_t len);

/* A child writes len bytes, step at a time; the descriptor to read them. */
int as_stream(const char *p, size_t len, size_t step, int socket, pid_t *child);

#endif
