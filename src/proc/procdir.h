/*
 * procdir: one process of /proc, held by a directory descriptor.
 *
 * A /proc/PID directory descriptor stays bound to the process it was opened
 * for: after that one has gone, lookups below it fail with ESRCH, whatever
 * process has the number by then.  So the only doubtful moment is the open
 * itself; proc_open_crashed() settles it.
 */
#ifndef PROC_PROCDIR_H
#define PROC_PROCDIR_H

#include <stdint.h>
#include <sys/types.h>

#include "base/io.h"

/* A descriptor for /proc/PID; -1 with errno (ESRCH when there is none). */
int proc_open(pid_t);
/*
 * The same for a process that is dumping core: /proc/PID/status must say
 * CoreDumping (proc(5), Linux 4.15), and where pidfd is not -1 its fdinfo must
 * name the same process (pidfd_open(2)).  When the leader has exited its
 * mm-based files are empty: the directory of a thread that still has them is
 * then returned (tid, when not 0, is tried first).  -1: ESRCH gone or never
 * was, ESTALE the number now belongs to another.
 * The status that is in the directory is then in *status, an empty buffer
 * before, where it was read; NULL: nobody wants it.
 */
int proc_open_crashed(pid_t, pid_t tid, int pidfd, struct buf *status);
/*
 * A live process; when its leader has exited, the directory of a thread that
 * still has its memory (or the leader's, if there is none).
 */
int proc_open_thread(pid_t);
/*
 * Looks through /proc for the one process that is dumping core and is called
 * nspid in its own pid namespace; for handlers that were given %p instead of
 * %P.  -1 when there is none or more than one.
 */
pid_t proc_find_crashed(pid_t nspid);

/*
 * May the user of a process not see its memory?  For where the kernel did not
 * tell (%d of core(5)).  Files below /proc/PID belong to root, but the
 * directory to the effective user, of a process that is not dumpable (proc(5),
 * task_dump_owner() in fs/proc/base.c); setuid shows in the uids as well.
 * Unknown (procfd -1 too) is yes.
 */
int proc_is_secret(int procfd);

/*
 * The value of field name ("NSpid") in the text of a status file: a pointer
 * behind the colon and blanks, *len up to the end of the line.  NULL when
 * there is none.  The Name: line comes first and holds an escaped comm, so a
 * comm cannot forge a field.
 */
const char *proc_status_field(
    const char *text, size_t textlen, const char *name, size_t *len);
/* The number at the start (last = 0) or end (last = 1) of a field, or -1. */
long proc_status_number(
    const char *text, size_t textlen, const char *name, int last);
/* Field n (3 or more), as proc(5) numbers them, of the stat file at path below
 * dirfd; -1 when it is not there or is no number from 0 on. */
int64_t proc_stat_number(int dirfd, const char *path, int n);

#endif
