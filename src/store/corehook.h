/*
 * corehook: a command run after a core is stored.
 *
 * The facts travel as "NAME=VALUE" strings, each with its NUL, from the
 * process that received the core to the one that runs the command, which takes
 * them as hostile: only names of its own list and a bounded length.  No shell:
 * the command gets them in its environment.
 */
#ifndef STORE_COREHOOK_H
#define STORE_COREHOOK_H

#include <stdint.h>

#include "base/io.h"
#include "store/corerecv.h"

enum { HOOK_MS = 600000, HOOK_FACTS_MAX = 16 << 10 };

/*
 * CORE_FILE, CORE_INFO (below dir), CORE_HOST, CORE_COMM, CORE_PID,
 * CORE_SIGNAL, CORE_TIME, CORE_BYTES, CORE_CHECKSUM and CORE_PEER, empty where
 * unknown; appended.  -1 ENOMEM.
 */
int
hook_facts(const struct corerecv_outcome *, const char *dir, struct buf *facts);
/*
 * Reads them to the end of a pipe: 1 when they are exactly those, with files
 * below dir; 0 when nothing came; -1 EPROTO.
 */
int hook_take(int fd, const char *dir, struct buf *facts);
/* The file they are about. */
const char *hook_file(const struct buf *facts);
/*
 * Runs argv with those facts, stdin /dev/null, stdout as stderr, in a process
 * group of its own, which is ended after ms.  0 when it exits 0, else -1 and
 * why (text).
 */
int hook_run(
    char *const argv[], const struct buf *facts, int64_t ms, char why[128]);

#endif
