/*
 * crash_dump: the report of a crash, or of a process as it stands.
 *
 * Takes a target and what was gathered, unwinds, names, and writes every
 * section in the order of usercrash(7).  A section that fails is a line in
 * the report, never an end of it.  Runs without privileges; all input is
 * hostile.
 */
#ifndef REPORT_CRASH_DUMP_H
#define REPORT_CRASH_DUMP_H

#include <stdint.h>
#include <sys/types.h>

#include "core/corehead.h"
#include "proc/procinfo.h"
#include "report/out.h"
#include "target/target.h"
#include "unwind/symbols.h"

enum { CRASH_SUMMARY = 320 };

struct crash {
	struct target *t;
	const struct procinfo *pi;    /* NULL: the process is gone */
	const struct core_head *head; /* NULL: there is no core */
	const char *proc_why;	      /* why pi is NULL */
	const char *core_why;	      /* why there is no head, or none of use */

	pid_t pid;	   /* 0: ask head */
	const char *comm;  /* of the crashing thread; NULL: ask pi, head */
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
	unsigned access;  /* MEMOP_*, where the kernel told; 0: to be found */
	int sampled;	  /* of memory there is code and a piece of stack */
	int sure;	  /* the process is the core's beyond doubt (pidfd) */
	int64_t deadline; /* for unwinding (base/deadline.h) */

	/* filled in for the caller's log line; hostile text */
	char summary[CRASH_SUMMARY];
	char signature[17]; /* "none" when there is no frame */
	int partial;	    /* a section that matters is missing */
	int written;	    /* all was made; what fails then is writing */
};

/* 0, or -1 with errno when memory ran out. */
int crash_dump(struct crash *, struct out *);

/* --- shared by the files of this room ----------------------------------- */

/* What is known of the fault itself (report/cause.c). */
struct fault {
	int signo, code, have_code;
	uint64_t addr;
	int have_addr;	 /* addr is where the access went */
	unsigned access; /* MEMOP_* */
	int misaligned;	 /* for an instruction that minds (movaps) */
	int overflow;	 /* the stack ran out */
	char *abort_msg; /* malloc'd, NULL when there is none */
	char text[256];	 /* the cause in plain words; "" unknown */
};

void fault_find(struct fault *, const struct crash *, struct symbols *);
void fault_free(struct fault *);
const char *signal_name(int signo);		/* "SIGSEGV", or NULL */
int signal_number(const char *, size_t len);	/* "SEGV", "SIGSEGV"; or -1 */
const char *signal_code_name(int signo, int c); /* "SEGV_MAPERR", or NULL */

/* The signature of the first thread's trace (report/signature.h). */
void crash_signature(const struct target *, struct symbols *, int signo,
    int recursion, char out[17]);

/* A key of the first block that is not known. */
void key_unavailable(struct out *, const char *key, const char *why);
/* report/process.c: what /proc and the command line tell. */
void dump_identity(const struct crash *, struct out *);
void dump_files(const struct crash *, struct out *);
void dump_maps(const struct crash *, struct out *);
void dump_modules(const struct crash *, const struct symbols *, struct out *);
void dump_status(const struct crash *, struct out *);

/* report/threads.c */
void dump_backtrace(const struct crash *, struct symbols *, struct out *);
void dump_registers(const struct crash *, struct out *);
void dump_threads(const struct crash *, struct symbols *, struct out *);

/* report/memory.c */
void dump_memory(const struct crash *, struct out *);
void dump_code(const struct crash *, struct out *);
/* Adds the code addresses among the stack's words to what is to be named. */
int stack_symbols(const struct crash *, struct symbols *);
void dump_stack(const struct crash *, struct symbols *, struct out *);

#endif
