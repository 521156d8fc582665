/*
 * coremem: the memory of a process that is dumping core, without its pipe.
 *
 * What the kernel would write for a segment of the core is read from
 * /proc/PID/mem, and what it would write as zeros because it was never touched
 * is found in /proc/PID/pagemap and skipped (proc(5), linux
 * Documentation/admin-guide/mm/pagemap.rst).  Reads through /proc/PID/mem
 * override page protections, as the kernel's own dump does, and need no
 * privilege once it is open: process_vm_readv(2) would need it to the end.
 *
 * The process is hostile, its memory any bytes.  It may be killed at any
 * moment; then what was read may be wrong without any error (the OOM reaper
 * empties memory of the dead), and only coremem_intact() can tell.
 * A read may hang as long as a file system behind a mapping does.
 */
#ifndef SEND_COREMEM_H
#define SEND_COREMEM_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/corehead.h"

struct coremem;

/*
 * Opens what is needed of /proc/PID (procfd, from proc_open_crashed(); stays
 * the caller's), with the privileges that takes.  NULL with errno.
 */
struct coremem *coremem_open(int procfd);
void coremem_close(struct coremem *);
/* Reads and parses the mappings; privileges may be gone by now.  -1. */
int coremem_load(struct coremem *);
/*
 * Whether this is the process that the notes of a core tell of: it calls itself
 * nspid and was given that auxv, which address randomisation makes unlike any
 * other's.  Both come from the kernel.
 */
int
coremem_is(struct coremem *, const unsigned char *auxv, size_t len, int nspid);
/*
 * Whether [addr, end) can be read as the kernel reads it: 0 when there are
 * pages without PROT_READ and the kernel was told not to let us.
 */
int coremem_can(struct coremem *, uint64_t addr, uint64_t end);
/*
 * The next part of [*from, end) that may hold anything but zeros: 1 with
 * [*from, *to), never longer than max (at least a page); 0 when there is none;
 * -1 when the process has gone (ESRCH).
 */
int coremem_next(
    struct coremem *, uint64_t *from, uint64_t end, size_t max, uint64_t *to);
/*
 * Reads len bytes; pages that cannot be read are zeros, as in the kernel's
 * core.  -1 when the process has gone.
 */
int coremem_read(struct coremem *, uint64_t addr, void *, size_t len);
/*
 * Whether the process is still there, dumping and not killed, so that all that
 * was read until now is what the kernel would have written: 1 or 0.
 */
int coremem_intact(struct coremem *);
struct coremem_beat { /* called again and again while it goes on */
	void (*beat)(void *);
	void *arg;
};

/*
 * Copies what there is of the segments to memory of ours, where that is no more
 * than max bytes, and the process is intact then: from now on all of the above
 * comes from there, and the process may go.  -1: nothing has changed.
 */
int coremem_copy(struct coremem *, const struct core_head *, uint64_t max,
    const struct coremem_beat *);

#endif
