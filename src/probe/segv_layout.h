/*
 * segv_layout: where the running kernel keeps what the program reads.
 */
#ifndef SEGV_SEGV_LAYOUT_H
#define SEGV_SEGV_LAYOUT_H

#include <stddef.h>

#include "bpf/btf.h"

/* Members of kernel structures. */
enum segv_member {
	M_TASK_LEADER,
	M_TASK_START,
	M_TASK_COMM,
	M_TASK_MM,
	M_TASK_STACK,
	M_TASK_PID,    /* struct pid of the thread */
	M_TASK_SIGNAL, /* struct signal_struct */
	M_TASK_ERROR,
	M_TASK_TRAP, /* x86 */
	M_TASK_FAULT,
	M_TASK_FSBASE, /* x86, to M_TASK_GS */
	M_TASK_GSBASE,
	M_TASK_DS,
	M_TASK_ES,
	M_TASK_FS,
	M_TASK_GS,
	M_SIGNAL_TGID,
	M_PID_LEVEL,
	M_PID_NR,
	M_PID_NS,
	M_PIDNS_INUM,
	M_MM_EXE,
	M_MM_STACK,
	M_FILE_DENTRY,
	M_FILE_INODE,
	M_DENTRY_LEN,
	M_DENTRY_NAME,
	M_INODE_INO,
	M_INODE_SB,
	M_SB_DEV,
	M_VMA_START,
	M_VMA_END,
	M_VMA_FLAGS,
	M_VMA_PGOFF,
	M_VMA_FILE,
	M_SA_HANDLER,
	M_SA_FLAGS,
	SEGV_MEMBERS
};

struct segv_member_at {
	int off; /* -1: not there */
	unsigned size;
};

struct segv_layout {
	int machine; /* EM_* */
	struct segv_member_at m[SEGV_MEMBERS];
	unsigned upid;	     /* sizeof(struct upid) */
	unsigned ptregs;     /* sizeof(struct pt_regs) */
	unsigned userregs;   /* how many bytes of it are registers */
	unsigned threadsize; /* of a kernel stack */
};

/*
 * b NULL: what needs no BTF.  -1 ENOTSUP for a machine without a table.  The
 * names of members that are missing are appended to lacks, blanks between
 * (at most n bytes with the NUL).
 */
int segv_layout(struct segv_layout *, int machine, const struct btf *b,
    char *lacks, size_t n);
/* Is all there that BLOCK_VMA needs? */
int segv_layout_has_vma(const struct segv_layout *);

#endif
