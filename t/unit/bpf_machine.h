/*
 * bpf_machine: runs a BPF program in this process, against a kernel that is
 * made of plain memory.
 *
 * For unit_segv_prog.c alone.  Registers hold addresses of this process; each
 * access must lie within what the program may touch just then (its stack, the
 * context, a reserved record, a map value), each read helper within what was
 * declared readable.  Anything else ends the run with a complaint.
 */
#ifndef BPF_MACHINE_H
#define BPF_MACHINE_H

#include <stdalign.h>

#include "bpf/insn.h"

enum {
	M_RINGFD = 101,
	M_FATALFD = 104,
	M_COUNTSFD = 102,
	M_RATEFD = 103,
	M_SHAREFD = 105
};
enum { M_AREAS = 64, M_RECORDS = 128, M_STEPS = 1000000 };

struct area {
	uint64_t at;
	size_t len;
};

struct machine {
	const struct insns *p;
	struct area may[M_AREAS]; /* what instructions may touch */
	size_t nmay;
	struct area kernel[M_AREAS], user[M_AREAS]; /* what helpers may read */
	size_t nkernel, nuser;
	/* what the helpers say */
	uint64_t pid_tgid, uid_gid, ktime, cgroup, task, regs;
	char comm[16];
	long (*find_vma)(struct machine *, uint64_t addr, uint64_t *vma);
	unsigned char *counts;
	size_t countslen;
	uint64_t rate[2];
	/* the map of shares: as many as there is room for */
	struct {
		uint32_t key;
		alignas(8) unsigned char value[64]; /* as the kernel has it */
	} share[8];
	unsigned nshares;
	long room; /* bytes left in the ring */
	struct {
		unsigned char *p;
		size_t len;
		int state; /* 1 reserved, 2 submitted, 3 discarded */
		uint64_t flags;
		int ring;
	} rec[M_RECORDS];
	size_t nrec;
	unsigned used[256]; /* helpers called */
	size_t steps;
	const char *wrong;
	size_t wrong_at;
};

/* What may be touched: one area more, one less. */
void m_area(struct area *a, size_t *n, const void *p, size_t len);
void m_forget(struct machine *m, const void *p);

/* From the instruction at pc to its end; what it returns, or m->wrong. */
uint64_t
m_run(struct machine *m, size_t pc, uint64_t r1, uint64_t r2, uint64_t r3);

#endif
