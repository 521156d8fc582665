/* door: the sandbox of whoever makes a report. */
#ifndef REPORT_DOOR_H
#define REPORT_DOOR_H

#include "base/sandbox.h"

/*
 * sandbox_enter() as SANDBOX_REPORT, with the tree of separate debug files as
 * the one in which files may be opened; none where any_file is set.  0, or -1
 * with errno; why as there.
 */
int report_door(struct sandbox_bounds *, pid_t parent, const char **why);

#endif
