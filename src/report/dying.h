/*
 * dying: the report of a process that the kernel is dumping right now.
 */
#ifndef REPORT_DYING_H
#define REPORT_DYING_H

#include "base/opener.h"
#include "core/corehead.h"
#include "proc/procinfo.h"
#include "report/crash_dump.h"
#include "target/target.h"

/* Private; what the crash points to until its report is made. */
struct dying {
	struct crash *c;
	struct procinfo pi;
	struct core_head head;
	struct target t;
	int readable; /* the process is, through t */
	/* who opens the files that a core names, from within the sandbox;
	 * the caller's to start, askfd -1: nobody */
	struct opener opener;
};

/*
 * Two steps: the first opens what privileges are needed for, the second
 * parses, so between them the caller drops all it has, for good (0, or -1).
 * To be called in a process of its own: the second may hang or crash on what
 * it parses, and nothing is freed.
 *
 * The crash holds what the caller was told; procfd is a checked /proc/TID, -1
 * when there is none; what was seen of it, or NULL.
 */
int dying_open(
    struct dying *, struct crash *, int procfd, const struct procinfo_seen *);
/*
 * Reads the head of the core from corefd and writes the report to reportfd.
 * Where the process cannot be read, or is not the one the core is of, the
 * report is made from the core alone.  The crash gets its summary.
 */
int dying_report(struct dying *, int corefd, int reportfd, enum out_format);

#endif
