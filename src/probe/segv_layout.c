#include "probe/segv_layout.h"

#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"

static const struct {
	const char *type, *path;
	int machine; /* 0: all */
} members[SEGV_MEMBERS] = {[M_TASK_LEADER] = {"task_struct", "group_leader", 0},
    [M_TASK_START] = {"task_struct", "start_boottime", 0},
    [M_TASK_COMM] = {"task_struct", "comm", 0},
    [M_TASK_MM] = {"task_struct", "mm", 0},
    [M_TASK_STACK] = {"task_struct", "stack", 0},
    [M_TASK_PID] = {"task_struct", "thread_pid", 0},
    [M_TASK_SIGNAL] = {"task_struct", "signal", 0},
    [M_TASK_ERROR] = {"task_struct", "thread.error_code", EM_X86_64},
    [M_TASK_TRAP] = {"task_struct", "thread.trap_nr", EM_X86_64},
    [M_TASK_FAULT] = {"task_struct", "thread.cr2", EM_X86_64},
    [M_TASK_FSBASE] = {"task_struct", "thread.fsbase", EM_X86_64},
    [M_TASK_GSBASE] = {"task_struct", "thread.gsbase", EM_X86_64},
    [M_TASK_DS] = {"task_struct", "thread.ds", EM_X86_64},
    [M_TASK_ES] = {"task_struct", "thread.es", EM_X86_64},
    [M_TASK_FS] = {"task_struct", "thread.fsindex", EM_X86_64},
    [M_TASK_GS] = {"task_struct", "thread.gsindex", EM_X86_64},
    [M_SIGNAL_TGID] = {"signal_struct", "pids[1]", 0},
    [M_PID_LEVEL] = {"pid", "level", 0},
    [M_PID_NR] = {"pid", "numbers[0].nr", 0},
    [M_PID_NS] = {"pid", "numbers[0].ns", 0},
    [M_PIDNS_INUM] = {"pid_namespace", "ns.inum", 0},
    [M_MM_EXE] = {"mm_struct", "exe_file", 0},
    [M_MM_STACK] = {"mm_struct", "start_stack", 0},
    [M_FILE_DENTRY] = {"file", "f_path.dentry", 0},
    [M_FILE_INODE] = {"file", "f_inode", 0},
    [M_DENTRY_LEN] = {"dentry", "d_name.len", 0},
    [M_DENTRY_NAME] = {"dentry", "d_name.name", 0},
    [M_INODE_INO] = {"inode", "i_ino", 0},
    [M_INODE_SB] = {"inode", "i_sb", 0},
    [M_SB_DEV] = {"super_block", "s_dev", 0},
    [M_VMA_START] = {"vm_area_struct", "vm_start", 0},
    [M_VMA_END] = {"vm_area_struct", "vm_end", 0},
    [M_VMA_FLAGS] = {"vm_area_struct", "vm_flags", 0},
    [M_VMA_PGOFF] = {"vm_area_struct", "vm_pgoff", 0},
    [M_VMA_FILE] = {"vm_area_struct", "vm_file", 0},
    [M_SA_HANDLER] = {"k_sigaction", "sa.sa_handler", 0},
    [M_SA_FLAGS] = {"k_sigaction", "sa.sa_flags", 0}};

/* thread_struct of arm64 has the syndrome where x86 has the error code. */
static const char *
path_of(int machine, enum segv_member m)
{
	if (members[m].machine == 0 || members[m].machine == machine)
		return members[m].path;
	if (machine == EM_AARCH64 && m == M_TASK_ERROR)
		return "thread.fault_code";
	if (machine == EM_AARCH64 && m == M_TASK_FAULT)
		return "thread.fault_address";
	return NULL;
}

int
segv_layout_has_vma(const struct segv_layout *l)
{
	int i;

	for (i = M_VMA_START; i <= M_VMA_FILE; i++)
		if (l->m[i].off == -1)
			return 0;
	return 1;
}

static void
say(char *lacks, size_t n, const char *type, const char *path)
{
	size_t len = strlen(lacks);

	if (len < n)
		snprintf(lacks + len, n - len, "%s%s.%s",
		    *lacks == '\0' ? "" : " ", type, path);
}

int
segv_layout(struct segv_layout *l, int machine, const struct btf *b,
    char *lacks, size_t n)
{
	struct btf_field f;
	const char *path;
	long size;
	int i;

	memset(l, 0, sizeof(*l));
	l->machine = machine;
	if (machine == EM_X86_64) {
		/* 21 words: struct pt_regs begins like user_regs_struct */
		l->userregs = l->ptregs = 168;
	} else if (machine == EM_AARCH64) {
		/* struct user_pt_regs, with which struct pt_regs begins */
		l->userregs = 272;
		l->ptregs = 336;
	} else {
		return fails(ENOTSUP);
	}
	/* THREAD_SIZE is in no BTF; it is four pages of 4 KiB, one that is
	 * larger on arm64 (without CONFIG_KASAN) */
	l->threadsize = 16384;
	if (machine == EM_AARCH64 && sysconf(_SC_PAGESIZE) > 16384)
		l->threadsize = (unsigned)sysconf(_SC_PAGESIZE);
	l->upid = 16;
	for (i = 0; i < SEGV_MEMBERS; i++) {
		l->m[i].off = -1;
		if ((path = path_of(machine, i)) == NULL || b == NULL)
			continue;
		if (btf_field(b, members[i].type, path, &f) == -1 ||
		    f.bits != 0 || f.off > INT16_MAX) {
			say(lacks, n, members[i].type, path);
			continue;
		}
		l->m[i].off = (int)f.off;
		l->m[i].size = f.size;
	}
	if (b == NULL) {
		/* of these no kernel and no machine here differs */
		l->m[M_SA_HANDLER].off = 0;
		l->m[M_SA_FLAGS].off = 8;
		l->m[M_SA_HANDLER].size = l->m[M_SA_FLAGS].size = 8;
		return 0;
	}
	if ((size = btf_size(b, "upid")) > 0)
		l->upid = (unsigned)size;
	if ((size = btf_size(b, "pt_regs")) >= (long)l->userregs)
		l->ptregs = (unsigned)size;
	return 0;
}
