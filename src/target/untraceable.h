/* untraceable: why a process could not be stopped, for whoever asked. */
#ifndef TARGET_UNTRACEABLE_H
#define TARGET_UNTRACEABLE_H

#include <stddef.h>
#include <sys/types.h>

#include "proc/procinfo.h"

/*
 * err is the errno that seizing it failed with, pi what was gathered of it.  1
 * with a whole sentence in text, which is no fault of the system's; else 0,
 * and "unable to trace PID" there for what errno adds.
 */
int
untraceable(const struct procinfo *pi, pid_t, int err, char *text, size_t len);

#endif
