/*
 * crashproc: the process of a core that is being dumped.
 */
#ifndef CRASH_CRASHPROC_H
#define CRASH_CRASHPROC_H

#include "base/io.h"
#include "crash/crashid.h"

/*
 * A descriptor of its /proc directory, by what id says; -1 when it is not
 * to be had, for the reason in *why (static text).  Where its number is that of
 * another pid namespace
 * (%p for %P, core(5)) id gets the one it has here.  Where there is no number,
 * and corefd is a pipe, it is the process that is dumping, if only one is: then
 * it may be another, and its core has to be compared.  status: as of
 * proc_open_crashed().
 */
int crashproc_open(
    struct crash_id *id, int corefd, struct buf *status, const char **why);
/* What can be told besides: host, time, and of the process its program. */
void crashproc_complete(struct crash_id *id, int procfd);

#endif
