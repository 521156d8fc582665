/*
 * crash_dump: the report of a crash, or of a process as it stands.
 *
 * Takes a target and what was gathered, unwinds, names, and writes every
 * section in the order of usercrash-report(5).  A section that fails is a line
 * in the report, never an end of it.  Runs without privileges; all input is
 * hostile.
 */
#ifndef REPORT_CRASH_DUMP_H
#define REPORT_CRASH_DUMP_H

#include <stdint.h>
#include <sys/types.h>

#include "core/corehead.h"
#include "out/out.h"
#include "proc/procinfo.h"
#include "target/target.h"

struct fault;

enum { CRASH_SUMMARY = 320 };

struct crash {
	struct target *t;
	const struct procinfo *pi;    /* NULL: the process is gone */
	const struct core_head *head; /* NULL: there is no core */
	const char *proc_why;	      /* why pi is NULL */
	const char *core_why;	      /* why there is no head, or none of use */

	pid_t pid;	   /* 0: ask head */
	pid_t tid;	   /* that crashed; 0: ask head */
	const char *comm;  /* of the crashing thread; NULL: ask pi, head */
	const char *exe;   /* where pi has none; NULL or "": not known */
	const char *host;  /* NULL: this one */
	int64_t time;	   /* seconds since the epoch; 0: now */
	long uid, gid;	   /* -1: ask pi, head */
	int signo;	   /* 0: ask head; a live process has none */
	int dumpmode;	   /* as %d of core(5), -1 unknown */
	long long rlimit;  /* RLIMIT_CORE as %c, -1 unknown */
	uint64_t pause_ns; /* a live process stood still for so long */
	int offline; /* a core file: of which host and kernel is unknown */
	int live;    /* a process as it stands, no crash */
	int want_environ;
	unsigned access; /* MEMOP_*, where the kernel told; 0: to be found */
	int sampled;	 /* of memory there is code and a piece of stack */
	int sure;	 /* the process is the core's beyond doubt (pidfd) */
	uint64_t
	    report_max;	  /* bytes, of which each section has a share; 0 none */
	int64_t deadline; /* for unwinding (base/deadline.h) */

	const struct fault *fault; /* crash_dump()'s, for its sections */

	/* filled in for the caller's log line; hostile text */
	char summary[CRASH_SUMMARY];
	char signature[17]; /* "none" when there is no frame */
	int partial;	    /* a section that matters is missing */
	int written;	    /* all was made; what fails then is writing */
};

/*
 * For whoever was to wait for a report of which not even the first block came:
 * that block, of what the caller was told (t, pi and head are not looked at),
 * from the start of fd.  EINVAL, ESPIPE: fd is no file.
 */
int crash_head(struct crash *, int fd, enum out_format);
/* Whether what is on fd begins as a report does. */
int crash_has_head(int fd, enum out_format);
/* 0, or -1 with errno when memory ran out. */
int crash_dump(struct crash *, struct out *);

#endif
