/*
 * segv_prog: the BPF program of segv_probe, instruction by instruction.
 * Private to this room; the contract is in probe/segv_probe.h and segv_event.h.
 *
 * It is made for a layout (where the running kernel keeps what), options and
 * the blocks this kernel's verifier lets pass; a member the kernel has not,
 * or a block that is left out, costs only what it would have told.
 */
#ifndef SEGV_SEGV_PROG_H
#define SEGV_SEGV_PROG_H

#include <stddef.h>
#include <stdint.h>

#include "bpf/insn.h"
#include "probe/segv_event.h"
#include "probe/segv_gen.h"
#include "probe/segv_layout.h"
#include "probe/segv_probe.h"

struct segv_prog {
	struct insns insns;
	int vma;       /* label of the callback, -1 none */
	unsigned have; /* SEGV_HAVE_* that it can set */
};

/* -1 EINVAL for options that make no sense. */
int segv_prog_check(const struct segv_probe_opts *);

/*
 * Makes the program for options with all defaults filled in.  -1: errno of
 * insns_finish() or segv_prog_check().  The caller frees insns in any case.
 */
int segv_prog_make(struct segv_prog *, const struct segv_layout *,
    const struct segv_probe_opts *, unsigned blocks,
    const struct segv_prog_maps *);
/* BTF that func_info of a program with BLOCK_VMA needs: main is type
 * *main_type, the callback *vma_type. */
const void *segv_prog_btf(size_t *len, uint32_t *main_type, uint32_t *vma_type);

#endif
