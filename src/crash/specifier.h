/*
 * specifier: what the kernel's %-specifiers of core(5) say of a process that
 * is dumping, for those who are not told by the kernel itself.
 *
 * All of it is read where the kernel has it; what cannot be is left out, and
 * never guessed.  comm, exe and host are hostile: bytes of anybody's choice,
 * which get the kernel's own treatment ('/' is '!').
 * Source: format_corename() in fs/coredump.c.
 */
#ifndef CRASH_SPECIFIER_H
#define CRASH_SPECIFIER_H

#include <stdint.h>
#include <sys/types.h>

#include "base/io.h"
#include "crash/coresock.h"
#include "crash/crashid.h"

struct dumped {
	pid_t pid, tid;	    /* here; 0 unknown, as all of these */
	pid_t nspid, nstid; /* in its own pid namespace */
	int64_t uid, gid;   /* -1 unknown */
	int signal, dumpmode;
	int64_t time;	/* seconds since the epoch */
	long cpu;	/* -1 unknown */
	int limited;	/* the next is known */
	uint64_t limit; /* RLIMIT_CORE, the soft one */
	int pidfd;	/* the number that %F says; -1 none */
	char comm[CRASH_COMM_MAX], host[CRASH_HOST_MAX];
	char exe[CRASH_EXE_MAX]; /* as its own root has it */
};

/* Fills all but pidfd, time being now.  procfd is its /proc directory. */
void dumped_read(struct dumped *, const struct coresock *, int procfd);
/* The same as the kernel's options tell it, but for exe, which /proc has. */
void dumped_id(const struct dumped *, struct crash_id *);
/*
 * Appends the words of a template with its specifiers told; an unknown one
 * says nothing, as the kernel has it.  -1 ENOMEM.
 */
int specifier_expand(const struct dumped *, const char *template, struct buf *);

#endif
