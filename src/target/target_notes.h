/*
 * target_notes: threads, registers and auxv out of the notes of a core.
 *
 * With target_proc (maps and memory of the process while the kernel waits for
 * its handler, core(5)) this makes a target of a dying process; with
 * target_core, of a core file.  A dying process is never traced: that would
 * abort its dump.
 */
#ifndef TARGET_TARGET_NOTES_H
#define TARGET_TARGET_NOTES_H

#include "core/corehead.h"
#include "proc/procinfo.h"
#include "target/target.h"

/* Notes are hostile, and a thread takes much more room than its note: those
 * beyond are left out, and threads_why says so.  No machine of ours has as many
 * in a process. */
enum { TARGET_THREADS_MAX = 65536 };

/*
 * Names and thread ids as they are here come from what was gathered of the
 * process (NULL: nothing).  crash_tid: the crashing thread as the kernel named
 * it (%I), or 0.  The head may go afterwards, but for h->trouble.  0, or -1
 * with errno ENOMEM.
 */
int target_take_notes(struct target *, const struct core_head *,
    const struct procinfo *, pid_t crash_tid);

#endif
