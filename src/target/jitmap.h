/*
 * jitmap: the file in which a process tells of code that it made itself
 * (elf/perfmap.h), opened for a target.
 */
#ifndef TARGET_JITMAP_H
#define TARGET_JITMAP_H

#include "base/io.h"
#include "proc/procinfo.h"
#include "target/target.h"

/*
 * /tmp/perf-PID.map as the process sees it, PID being what it takes itself
 * for.  Only a regular file, no link, of the process's user, written since the
 * process began, and on no file system that may keep us waiting.  status is
 * the text of /proc/PID/status.  -1: there is none.
 */
int jitmap_find(int procfd, const struct buf *status);
/* Whether the process has such code at all. */
int jitmap_wanted(const struct target *);

#endif
