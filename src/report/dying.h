/*
 * dying: the report of a process that the kernel is dumping right now.
 */
#ifndef REPORT_DYING_H
#define REPORT_DYING_H

#include "report/crash_dump.h"

/*
 * Gathers from procfd (a checked /proc/TID, -1 when there is none), drops all
 * privileges for good, reads the head of the core from corefd, and writes the
 * report to reportfd.  Where the process cannot be read, or is not the one
 * the core is of, the report is made from the core alone.  c holds what the
 * caller was told; summary and partial are filled in.  crash_tid: 0 unknown.
 * To be called in a process of its own: it may hang or crash on what it
 * parses.  0, or -1.
 */
int dying_report(struct crash *c, int procfd, pid_t crash_tid, int corefd,
    int reportfd, enum out_format);

#endif
