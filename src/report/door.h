/* door: the sandbox of whoever makes a report. */
#ifndef REPORT_DOOR_H
#define REPORT_DOOR_H

#include "base/opener.h"
#include "base/sandbox.h"
#include "proc/procinfo.h"

/* What is outside: who waits, whether other files are wanted, and the process
 * (or NULL), which may know what is mounted. */
struct report_outside {
	pid_t parent;
	int other_files;
	const struct procinfo *pi;
};

/*
 * sandbox_enter() as bounds->role, or SANDBOX_REPORT for 0, with the tree of
 * separate debug files as the one in which files may be opened.  0, or -1 with
 * errno; why as there. Where that tree may not answer, or other files are
 * wanted (that everybody may read: those that a core names), an opener is
 * started before, outside; else the opener's askfd is -1.  Where even that
 * cannot be had, none are opened.
 */
int report_door(const struct report_outside *, struct sandbox_bounds *,
    struct opener *, const char **why);

#endif
