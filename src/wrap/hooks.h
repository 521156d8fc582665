/*
 * hooks: commands that are run when there is a report.
 *
 * No shell.  They run one after the other, in a process that is nobody's child
 * and holds nothing of the crash, neither the descriptor of the process nor who
 * waits for it; what they are to know is in the environment.
 */
#ifndef WRAP_HOOKS_H
#define WRAP_HOOKS_H

#include <stddef.h>

#include "wrap/words.h"

/*
 * Each command is a line of words with a blank between.  about: the report, for
 * what is said in the log.  A hook that somebody else could change is not run.
 * Returns while they run; in the caller's environment there is nothing new.
 */
void hooks_run(const struct words *commands, unsigned seconds,
    const struct words *environment, const char *about);

#endif
