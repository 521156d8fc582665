/*
 * segv_event: one delivered signal, as the program of segv_probe saw it.
 *
 * The program writes two kinds of records into the ring buffer: one header
 * for each signal, and behind it one record for each page of the stack that
 * could be copied.  The header is reserved first and submitted last, so it
 * stands before its pages and says exactly which there are; records of other
 * CPUs may lie between.  A feed puts them together again:
 *
 *	wait on ring.fd without end, let 2 ms pass
 *	drain the perf rings into maptrack: the maps come before the event
 *	while (bpf_ring_next(&ring, &p, &n) == 1) {
 *		if (segv_feed_put(feed, p, n) == -1)
 *			count it, go on
 *		while ((ev = segv_feed_get(feed)) != NULL) {
 *			... maptrack at ev->time, target_sample ...
 *			segv_feed_release(feed, ev);
 *		}
 *	}
 *
 * Times are CLOCK_MONOTONIC in ns (bpf_ktime_get_ns), as those of the perf
 * records; wall-clock time is the reader's to compute.  Ids are those of the
 * initial pid namespace unless they say otherwise.  By the time an event is
 * read its process is usually gone.
 *
 * Hostile: all that comes from a process: comm, names, registers, memory,
 * si_code and si_addr of a signal somebody sent.  A feed also stands records
 * that are cut or forged: they are refused (EBADMSG) and harm no other.
 */
#ifndef SEGV_SEGV_EVENT_H
#define SEGV_SEGV_EVENT_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/arch.h"

enum {
	SEGV_COMM = 16,	     /* TASK_COMM_LEN */
	SEGV_NAME = 64,	     /* bytes kept of a file's name, with the NUL */
	SEGV_PAGE = 4096,    /* the unit of the stack copy, on every machine */
	SEGV_PAGES_MAX = 64, /* pages of one stack copy: 256 KiB */
	SEGV_REDZONE = 128 /* the copy begins so far below sp (x86-64 psABI) */
};

/* What an event has; the fields of what it has not are 0. */
enum {
	SEGV_HAVE_INFO = 1,    /* siginfo; none for a SIGKILL among threads */
	SEGV_HAVE_ACTION = 2,  /* handler and flags */
	SEGV_HAVE_FAULT = 4,   /* error_code, trap_nr, fault_addr are there */
	SEGV_HAVE_REGS = 8,    /* registers of the user context */
	SEGV_HAVE_BASES = 16,  /* and of x86 the segments and their bases */
	SEGV_HAVE_NS = 32,     /* nspid, nstid, pidns */
	SEGV_HAVE_CGROUP = 64, /* id of the cgroup (v2): inode below cgroupfs */
	SEGV_HAVE_LEADER = 128,	  /* leader, start */
	SEGV_HAVE_EXE = 256,	  /* name of the executable */
	SEGV_HAVE_VMA = 512,	  /* mapping of addr, as the kernel had it */
	SEGV_HAVE_STACK = 1024,	  /* a copy was asked for */
	SEGV_HAVE_VMA_ERR = 2048, /* vma_err is what the kernel said */
	/* in the record alone: it has the default action, which is to end the
	 * process */
	SEGV_IS_FATAL = 4096
};

/* What becomes of the process.  Each kind has a ring buffer of its own. */
enum segv_kind { SEGV_LIVES, SEGV_FATAL, SEGV_KINDS };

/* Who made the signal, as the siginfo has it: to itself, though to nobody else,
 * a process may send one that says anything (rt_sigqueueinfo(2)). */
enum segv_origin {
	SEGV_FROM_UNKNOWN, /* there was no siginfo */
	SEGV_FROM_FAULT,   /* the thread's own fault: addr is meant */
	SEGV_FROM_KERNEL,  /* SI_KERNEL: as general protection; addr unknown */
	SEGV_FROM_USER	   /* kill(2) and its kin: see sender_pid */
};

/* How memory was accessed; bits.  0 is unknown, as is every signal but a
 * page fault whose record in the thread agrees with the siginfo. */
enum {
	SEGV_READ = 1,
	SEGV_WRITE = 2,
	SEGV_EXEC = 4,
	SEGV_PRESENT = 8, /* the page was there: protection, not absence */
	SEGV_PKEY = 16,	  /* refused by a protection key */
	SEGV_SHSTK = 32	  /* an access to or of the shadow stack */
};

struct segv_vma {
	uint64_t start, end;
	uint64_t off;	      /* in the file, in bytes */
	uint64_t ino;	      /* 0: no file */
	uint64_t dev;	      /* major << 32 | minor, as in struct map */
	unsigned prot;	      /* MAP_R ... of proc/maps.h */
	char name[SEGV_NAME]; /* last component of the file's; "" anonymous */
	int name_cut;	      /* it is longer */
};

struct segv_page {
	uint64_t addr; /* multiple of SEGV_PAGE */
	unsigned char *p;
};

/* Why the page with that number is not among the pages. */
enum segv_page_state {
	SEGV_PAGE_OUT,	/* beyond the window, or never asked for */
	SEGV_PAGE_HAVE, /* it is */
	SEGV_PAGE_NONE, /* not resident or not mapped: the read failed */
	SEGV_PAGE_LOST	/* the ring buffer was full */
};

struct segv_event {
	unsigned have; /* SEGV_HAVE_* */
	enum segv_kind kind;
	int machine; /* EM_*, for arch_find() */
	uint64_t time;
	pid_t pid, tid;	    /* thread group and thread */
	pid_t nspid, nstid; /* in the innermost pid namespace of the thread */
	uint32_t pidns;	    /* its inode, as /proc/PID/ns/pid has it */
	unsigned nslevel;   /* 0: the initial namespace */
	uid_t uid;	    /* real ones, of the initial user namespace */
	gid_t gid;
	uint64_t cgroup;
	uint64_t start; /* of the process: ns of CLOCK_BOOTTIME; field 22 of
			   /proc/PID/stat is this in clock ticks */
	char comm[SEGV_COMM + 1];   /* of the thread */
	char leader[SEGV_COMM + 1]; /* of the thread group leader */
	char exe[SEGV_NAME]; /* last component of the executable's name */
	int exe_cut;	     /* it is longer */

	int signo, code, err; /* siginfo's si_signo ... si_errno */
	enum segv_origin origin;
	uint64_t addr; /* si_addr; where the signal has one and a fault made
			  it, else 0 */
	int has_addr;
	unsigned pkey;	  /* si_pkey when code is SEGV_PKUERR */
	pid_t sender_pid; /* SEGV_FROM_USER; 0 may be one outside the
			     receiver's namespace */
	uid_t sender_uid;

	uint64_t handler; /* 0 SIG_DFL, 1 SIG_IGN; a fault that is blocked or
			     ignored is made SIG_DFL by the kernel first */
	uint64_t sa_flags;
	int handled; /* a handler is going to run */
	int forced;  /* one could not be called, for a fault before: fault_addr
			and error_code are that one's */
	int joined;  /* and its event is told with this one */

	uint64_t error_code; /* x86 error code, ESR_EL1 of aarch64 */
	uint64_t trap_nr;    /* x86 only */
	uint64_t fault_addr; /* cr2, FAR_EL1: of the thread's last fault */
	int fault_valid;     /* the three above belong to this signal */
	unsigned access;     /* SEGV_READ ...; only then */

	struct regs regs; /* elf_gregset_t order; n 0 without HAVE_REGS, 21
			     of x86-64's 27 without HAVE_BASES */
	uint64_t pc, sp;  /* out of regs */
	int compat;	  /* a 32-bit program: the low halves count */

	struct segv_vma vma;
	int vma_err; /* without HAVE_VMA: ENOENT not mapped, EBUSY the kernel
			could not look, ENOTSUP it was not asked */

	/* The window [stack_lo, stack_hi) of what was tried, page by page;
	 * pages holds what came of it, by rising address. */
	uint64_t stack_lo, stack_hi;
	int stack_whole; /* the window ends where the stack begins, not by
			    its bound: nothing of it lies above */
	struct segv_page page[SEGV_PAGES_MAX];
	size_t npages;
	unsigned pages_none;	/* not resident */
	unsigned pages_lost;	/* the ring was full */
	unsigned pages_missing; /* announced, but they never came */

	struct segv_event *next; /* private to segv_event.c, as are these */
	uint64_t want, lost, none;
};

struct segv_feed;

struct segv_feed_stats {
	uint64_t events, pages;
	uint64_t bad;	  /* records refused */
	uint64_t orphans; /* pages without a header */
	uint64_t partial; /* events given out before all pages had come */
};

/*
 * At most max_waiting events may wait for pages (each up to 256 KiB); when
 * there are more the oldest is given out as it is.  NULL ENOMEM.
 */
struct segv_feed *segv_feed_new(size_t max_waiting);
void segv_feed_free(struct segv_feed *);
/*
 * Takes one record of the ring buffer; nothing points into it afterwards.
 * -1: EBADMSG it is none of ours, cut or forged; ENOMEM.
 */
int segv_feed_put(struct segv_feed *, const void *, size_t);
/*
 * The next event that has all its pages, in the order of the ring buffer; NULL
 * when there is none yet.  The caller hands it back with segv_feed_release().
 */
struct segv_event *segv_feed_get(struct segv_feed *);
/* At the end: what waits for pages is from now on given out without them. */
void segv_feed_flush(struct segv_feed *);
void segv_feed_release(struct segv_feed *, struct segv_event *);
void segv_feed_get_stats(const struct segv_feed *, struct segv_feed_stats *);

/* Copies up to len bytes at addr from the stack copy: bytes copied, short at
 * the first that is not in it. */
size_t
segv_event_read(const struct segv_event *, uint64_t addr, void *, size_t len);
/* Why the page that holds addr is or is not in the copy. */
enum segv_page_state segv_event_page(const struct segv_event *, uint64_t addr);

/* --- the records, as segv_probe's program writes them --------------------- */

enum {
	SEGV_MAGIC = 0x56474553, /* "SEGV" */
	SEGV_REC_EVENT = 1,
	SEGV_REC_PAGE = 2,
	SEGV_REC_REGS =
	    34, /* words: as aarch64 has most; elf_gregset_t order */
};

/* The beginning of both. */
struct segv_rec {
	uint32_t magic;
	uint16_t type;
	uint16_t machine;
	uint64_t time; /* with pid_tgid: which event */
	uint64_t pid_tgid;
};

struct segv_rec_page {
	struct segv_rec rec;
	uint64_t addr;
	unsigned char data[SEGV_PAGE];
};

/*
 * A record ends behind the last part that was asked for: what is behind that
 * is not there, and a storm of plain events touches little memory.  What is
 * not marked in have was not written: it is whatever lay there before.
 */
struct segv_rec_event {
	struct segv_rec rec;
	uint32_t have;
	uint32_t sig;
	uint64_t uid_gid; /* gid << 32 | uid */
	char comm[SEGV_COMM];
	unsigned char info[48];	    /* kernel_siginfo */
	uint64_t handler, sa_flags; /* k_sigaction */
	uint64_t fault[3];	    /* error_code, trap_nr, fault_addr */
	uint64_t regs[SEGV_REC_REGS];
	struct segv_rec_ids {
		uint64_t cgroup;
		uint64_t start;
		char leader[SEGV_COMM];
		uint32_t nspid, nstid, pidns, nslevel;
	} ids;
	struct segv_rec_exe {
		uint32_t len, pad; /* of the whole name */
		char name[SEGV_NAME];
	} exe;
	struct segv_rec_stack {
		/* bit i is the page at addr + i * SEGV_PAGE */
		uint64_t addr, want, have, lost;
		uint64_t top; /* where the stack begins; 0 unknown */
	} stack;
	struct segv_rec_vma {
		int64_t err; /* 0, or the negative errno of find_vma */
		uint64_t start, end, flags, pgoff, ino;
		uint32_t dev; /* kernel's dev_t: major << 20 | minor */
		uint32_t len; /* of the whole name */
		char name[SEGV_NAME];
	} vma;
};

#endif
