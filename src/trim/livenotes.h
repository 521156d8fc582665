/*
 * livenotes: the notes of a core, of a process that stands still.
 *
 * As the kernel writes them (fs/binfmt_elf.c): registers of each thread, what
 * the process is called, its auxiliary vector and the files that are mapped.
 * There is no NT_SIGINFO, as nothing happened to it.
 */
#ifndef TRIM_LIVENOTES_H
#define TRIM_LIVENOTES_H

#include "base/io.h"
#include "proc/procinfo.h"
#include "target/seizure.h"
#include "trim/livemaps.h"

/*
 * Reads what further registers the threads have (ptrace(2), PTRACE_GETREGSET),
 * which have stopped.  The thread called first comes first, where it is there;
 * those of which there are no registers are left out.  -1 with errno; ESRCH:
 * there is none.
 */
int livenotes_make(const struct procinfo *, const struct seizure *,
    const struct livemaps *, struct buf *notes);

#endif
