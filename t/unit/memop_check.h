/*
 * memop_check: what is asked of memop for each machine's instructions.
 */
#ifndef T_MEMOP_CHECK_H
#define T_MEMOP_CHECK_H

#include <stddef.h>
#include <stdint.h>

#include "memop/memop.h"

extern unsigned absent; /* instructions unknown to this processor */

/* Decodes from a copy that ends where the code ends, for the sanitizer. */
int decode(int machine, const void *code, size_t n, const uint64_t *regs,
    uint64_t fault, int valid, struct memop *m);

/* Cut short anywhere, an instruction is not taken for another one that
 * touches memory elsewhere, and nothing behind its end is read. */
void check_cut(const char *text, int machine, const unsigned char *code,
    size_t n, const uint64_t *regs, const struct memop *whole);

/* Each machine's encodings; run too, where it is this one. */
void check_a64(void);
void check_x86(void);

#endif
