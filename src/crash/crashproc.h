/*
 * crashproc: the process of a core that is being dumped.
 */
#ifndef CRASH_CRASHPROC_H
#define CRASH_CRASHPROC_H

#include "stream/corestream.h"

/*
 * A descriptor of its /proc directory, by what id and pidfd (-1: none) say; -1
 * when it is not to be had.  Where its number is that of another pid namespace
 * (%p for %P, core(5)) id gets the one it has here.  Where there is no number,
 * and corefd is a pipe, it is the process that is dumping, if only one is: then
 * it may be another, and its core has to be compared.
 */
int crashproc_open(struct stream_id *id, int pidfd, int corefd);
/* What can be told besides: host, time, and of the process its program. */
void crashproc_complete(struct stream_id *id, int procfd);

#endif
