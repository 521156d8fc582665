/*
 * notes: the note segment of a core, decoded.  Private to core/; the contract
 * is in core/corehead.h.
 */
#ifndef CORE_NOTES_H
#define CORE_NOTES_H

#include <stddef.h>

#include "core/corehead.h"

/*
 * Decodes the len bytes at p (in h->raw) into h; align is the segment's
 * p_align.  h->elfclass and h->machine are set, the byte order is the host's.
 * Sets h->trouble where a note makes no sense and goes on with the next.
 * -1 ENOMEM only.
 */
int notes_decode(
    struct core_head *h, const unsigned char *p, size_t len, size_t align);

#endif
