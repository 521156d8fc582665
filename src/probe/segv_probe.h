/*
 * segv_probe: the BPF program on signal_deliver, loaded and attached.
 *
 * Raw tracepoint signal_deliver: it runs in the thread that is about to take
 * a signal, with interrupts off, for handled signals too.  The program
 * filters, limits the rate, and writes the records of segv_event.h.  A fault
 * that is blocked or ignored arrives as one with default action.  When the
 * stack is so full that no handler can be called, the kernel sends a second
 * SIGSEGV with code SI_KERNEL: two events.
 *
 * What ends a process goes through a ring buffer of its own, so however many
 * others there are, they cannot fill it.
 *
 * For how to read events see segv_event.h.  The process is attached to
 * nothing after close or death, however it dies.
 *
 * Measured on Linux 6.18: a handled signal with a plain event costs 1.15 of a
 * bare one, 1.22 with everything but the stack, 1.45 with a page of that too.
 * Two processes that only fault, 900,000 times a second on two CPUs: the
 * default ring drops none.  Sixteen of them: a reader of ordinary priority
 * gets too little time and loses half, one of nice -20 less than 0.3 %.
 */
#ifndef SEGV_SEGV_PROBE_H
#define SEGV_SEGV_PROBE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "bpf/bpfsys.h"
#include "probe/segv_event.h"

enum {
	SEGV_WANT_VMA = 1,   /* the mapping of the fault address, when there
				is no handler (else: the process lives) */
	SEGV_WANT_STACK = 2, /* stack pages */
	SEGV_WANT_EXE = 4,   /* name of the executable */
	SEGV_WANT_IDS = 8,   /* pid namespace, cgroup, leader, start */
	SEGV_WANT_ALL = 15
};

enum {
	SEGV_FILTER_MAX = 64, /* bytes of a name filter */
	SEGV_LIST_MAX = 16,   /* names or pids of a filter, and bytes of all */
	SEGV_NAMES_MAX = 512, /* names: the verifier follows a million steps */
	SEGV_SHARE_DEFAULT = 3,
	SEGV_PATIENCE = 262144, /* bytes of others before what ends a process */
	SEGV_SHARES = 8192,	/* processes whose shares are remembered */
	SEGV_RING_DEFAULT = 8 << 20,
	SEGV_PAGES_DEFAULT = 17, /* 64 KiB from anywhere in a page */
	SEGV_RATE_MAX = 1000000000,
	SEGV_RING_MAX = 1 << 30
};

/* Each is part of the thread's name, its leader's, or the executable's; of 1 to
 * SEGV_FILTER_MAX bytes. */
struct segv_names {
	const char *of[SEGV_LIST_MAX];
	unsigned n;
};

struct segv_pids { /* thread groups, initial pid namespace */
	pid_t of[SEGV_LIST_MAX];
	unsigned n;
};

struct segv_probe_opts {
	uint64_t signals; /* bit n - 1: signal n; 0: SIGSEGV alone */
	/* one of those, any if there is none; and none of the others */
	struct segv_pids pids, not_pids;
	struct segv_names names, not_names;
	enum { SEGV_ONLY_NONE, SEGV_ONLY_FATAL, SEGV_ONLY_HANDLED } only;
	/* Events a second of a process that the signal does not end, and as
	 * many at once; 0 no limit. */
	uint64_t share;
	uint64_t rate;	/* events a second of a kind; 0 no limit */
	uint64_t burst; /* as many at once; 0: what the ring can hold half of,
			   but at most a second's worth */
	unsigned want;	/* SEGV_WANT_* */
	unsigned stack_pages; /* 0: SEGV_PAGES_DEFAULT */
	size_t ring_size; /* of each of the two; 0: SEGV_RING_DEFAULT; else a
			     power of two and a multiple of the page size */
	const char *btf;  /* NULL: BTF_KERNEL */
};

/*
 * Of one CPU, or of all.  seen = sent + dropped + limited + shared, once no CPU
 * is in the midst of one.
 */
struct segv_counts {
	uint64_t seen;	     /* passed the filters */
	uint64_t sent;	     /* events in the ring */
	uint64_t dropped;    /* the ring was full */
	uint64_t limited;    /* by rate */
	uint64_t shared;     /* beyond the share of a process */
	uint64_t named;	     /* refused by the name filter */
	uint64_t pages;	     /* stack pages in the ring */
	uint64_t pages_lost; /* the ring was full */
	uint64_t no_info;    /* events without siginfo */
	uint64_t no_regs;    /* without registers */
	uint64_t no_vma;     /* find_vma could not look (-EBUSY) */
	uint64_t missed;     /* not run at all, as a program ran already; of
				all CPUs together only (Linux 5.12) */
};

/* What the map of shares has for a thread group. */
struct segv_share {
	uint64_t due;
	uint64_t limited;     /* events left out so far */
	char comm[SEGV_COMM]; /* of its leader, may lack the NUL */
};

struct segv_ahead {
	const void *rec; /* NULL: none was looked at */
	size_t len;
};

struct segv_probe {
	int ringfd[SEGV_KINDS], countsfd, ratefd, sharefd, progfd, linkfd;
	int pollfd; /* epoll(7): readable when one of the rings is */
	struct bpf_ring ring[SEGV_KINDS];
	struct segv_ahead ahead[SEGV_KINDS]; /* private */
	unsigned ncpus;
	unsigned have; /* SEGV_HAVE_*: what events may have here */
	/* What cannot be had that was asked for, and why; "" if all can. */
	char lacks[512];
	/* When open failed: one line; and the verifier's log, or NULL. */
	char why[BPF_REASON];
	char *log;
	unsigned insns; /* how many the program has */
};

/*
 * Loads the program, attaches it, and opens the ring.  Options a kernel
 * cannot give are left out (have, lacks); what is left of the program without
 * them is the last try.  -1: EINVAL for options that make no sense, else the
 * errno of what failed; why and log say more.  The caller closes in any case.
 */
int segv_probe_open(struct segv_probe *, const struct segv_probe_opts *);
void segv_probe_close(struct segv_probe *);
/* No more events; those in the ring can still be read. */
void segv_probe_detach(struct segv_probe *);
/*
 * The next record, as bpf_ring_next(); *kind is whose ring it is from, for
 * bpf_ring_done().  By time, but what ends a process waits for no more than
 * SEGV_PATIENCE bytes of others.
 */
int segv_probe_next(
    struct segv_probe *, const void **, size_t *len, enum segv_kind *);
/* Calls told for each process that has a share: 0, or -1 with errno. */
int segv_probe_shares(const struct segv_probe *,
    void (*told)(void *ctx, pid_t, const struct segv_share *), void *ctx);
/*
 * The counts of all CPUs together, and of each when percpu is not NULL (room
 * for probe->ncpus, unplugged ones are counted on).  They never go back.
 */
int segv_probe_counts(const struct segv_probe *, struct segv_counts *,
    struct segv_counts *percpu);

#endif
