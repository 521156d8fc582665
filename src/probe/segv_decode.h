/*
 * segv_decode: a header record into an event.  Private to segv_event.c.
 */
#ifndef SEGV_SEGV_DECODE_H
#define SEGV_SEGV_DECODE_H

#include "probe/segv_event.h"

/*
 * e is all zero but for page buffers.  Pages that are to come are the bits of
 * e->want.  -1 when the record is cut or makes no sense.
 */
int segv_decode(struct segv_event *e, const void *rec, size_t len);
/* How many bits are set. */
unsigned segv_bits(uint64_t);

#endif
