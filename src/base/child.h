/*
 * child: a process of ours that does what may hang or die, and its end.
 *
 * What a child has to say goes through memory that both share, or a pipe; it
 * is hostile as soon as the child parses.
 */
#ifndef BASE_CHILD_H
#define BASE_CHILD_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { CHILD_KILL_MS = 1000 }; /* for a killed one to die */

/* fork(2), such that the child can be waited for: SIGCHLD is set to its
 * default, for where it is ignored children are reaped unseen. */
pid_t child_fork(void);
/* For a child, of itself: no core, and at most mem bytes of address space
 * (no bound with AddressSanitizer, which maps terabytes). */
void child_limit(uint64_t mem);
/* For a program that lives shortly, first of all: its heap grows in few steps
 * and gives nothing back before the end.  For its children, too. */
void child_heap(void);
/* Zeroed memory that is the child's, too; munmap(2) it.  NULL with errno. */
void *child_shared(size_t n);
/* 1 and its wait status when it has ended, 0 when the deadline passed first,
 * -1 with errno when it is none of ours. */
int child_wait(pid_t, int64_t deadline, int *status);
/*
 * The same, and at the deadline it is killed.  0 it ended by itself, 1 it had
 * to be killed, -1 and it is there all the same: not from every sleep in the
 * kernel a process wakes up to die, and nobody can wait for it.
 */
int child_end(pid_t, int64_t deadline, int *status);
/* A wait status as "signal 9", "exit 1" or "": 0 for the last. */
int child_told(int status, char *text, size_t len);
/*
 * Lets go of what is open there; the number stays taken by /dev/null, so that
 * nothing else can land on it.  -1 when that cannot be had: fd is then closed.
 */
int fd_to_null(int fd);
/* Closes all descriptors from that on. */
void fd_close_from(int fd);

#endif
