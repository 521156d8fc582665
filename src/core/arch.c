#include "core/arch.h"

#include <elf.h>

#include "base/bytes.h"

/* struct user_regs_struct; DWARF numbers from the x86-64 psABI. */
static const struct arch_reg x86_64_reg[] = {{"rax", 10, 0, 1},
    {"rbx", 5, 3, 1}, {"rcx", 11, 2, 1}, {"rdx", 12, 1, 1}, {"rsi", 13, 4, 1},
    {"rdi", 14, 5, 1}, {"rbp", 4, 6, 1}, {"rsp", 19, 7, 1}, {"r8", 9, 8, 1},
    {"r9", 8, 9, 1}, {"r10", 7, 10, 1}, {"r11", 6, 11, 1}, {"r12", 3, 12, 1},
    {"r13", 2, 13, 1}, {"r14", 1, 14, 1}, {"r15", 0, 15, 1}, {"rip", 16, 16, 1},
    {"eflags", 18, -1, 0}, {"orig_rax", 15, -1, 0}, {"cs", 17, -1, 0},
    {"ss", 20, -1, 0}, {"ds", 23, -1, 0}, {"es", 24, -1, 0}, {"fs", 25, -1, 0},
    {"gs", 26, -1, 0}, {"fs_base", 21, -1, 1}, {"gs_base", 22, -1, 1}};

#define X(n)                    \
	{                       \
		"x" #n, n, n, 1 \
	}
/* struct user_pt_regs; DWARF numbers from the AArch64 DWARF ABI (aadwarf64);
 * libunwind keeps the pc at 32. */
static const struct arch_reg aarch64_reg[] = {X(0), X(1), X(2), X(3), X(4),
    X(5), X(6), X(7), X(8), X(9), X(10), X(11), X(12), X(13), X(14), X(15),
    X(16), X(17), X(18), X(19), X(20), X(21), X(22), X(23), X(24), X(25), X(26),
    X(27), X(28), X(29), {"lr", 30, 30, 1}, {"sp", 31, 31, 1},
    {"pc", 32, 32, 1}, {"pstate", 33, -1, 0}};
#undef X

static const struct arch x86_64 = {"x86_64", EM_X86_64, x86_64_reg,
			     NELEM(x86_64_reg), 16, 19, 4, -1, 27},
			 aarch64 = {"aarch64", EM_AARCH64, aarch64_reg,
			     NELEM(aarch64_reg), 32, 31, 29, 30, 34};

static const struct arch *const archs[] = {&x86_64, &aarch64};

#if defined(__x86_64__)
const struct arch *const arch_native = &x86_64;
#elif defined(__aarch64__)
const struct arch *const arch_native = &aarch64;
#else
/* Registers and backtraces stay out of the report, everything else is in. */
static const struct arch arch_none = {"unknown", EM_NONE, 0, 0, 0, 0, 0, -1, 0};
const struct arch *const arch_native = &arch_none;
#endif

const struct arch *
arch_find(int machine)
{
	size_t i;

	for (i = 0; i < NELEM(archs); i++)
		if (archs[i]->machine == machine)
			return archs[i];
	return NULL;
}
