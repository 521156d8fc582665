/*
 * arch: what differs between machines, as tables.
 *
 * A new machine is a row in arch.c and its name in corekind.c: with these it
 * builds, and a report has its registers.  For the rest it needs code of its
 * own at these places, and does without till then: memop (one decoder a
 * machine), unwind/unwind_impl.h (libunwind's numbers; callsite.c, fallback.c,
 * restart.c, bycall.c, bycode.c, bottom.c, gostep.c, unwind.c),
 * target/sigframe.c, trim/rules.c, trim/livenotes.c, report/caught.c,
 * report/panic.c, report/exception.c, elf/elfnames.c, probe/ (segv_layout.c,
 * segv_blocks.c, segv_memory.c, segv_decode.c), base/seccomp.c,
 * stream/crc32c.c.  lint holds them to be all.
 *
 * Registers travel as an array of 64-bit words in the kernel's
 * elf_gregset_t order (sys/user.h, linux/elfcore.h), as notes and
 * PTRACE_GETREGSET deliver them.
 */
#ifndef CORE_ARCH_H
#define CORE_ARCH_H

#include <stddef.h>
#include <stdint.h>

enum { REGS_MAX = 40 };

struct regs {
	uint64_t r[REGS_MAX];
	size_t n; /* words that are valid */
};

struct arch_reg {
	const char *name;
	int greg;    /* index in elf_gregset_t */
	int unw;     /* number libunwind knows it by (DWARF), -1 none */
	int pointer; /* may hold an address worth showing memory for */
};

struct arch {
	const char *name; /* as uname -m has it */
	int machine;	  /* EM_* */
	const struct arch_reg *reg;
	size_t nreg;
	int pc, sp, fp,
	    lr;	      /* elf_gregset_t indices; lr -1 where there is none */
	size_t gregs; /* words in elf_gregset_t */
};

/* The machine this program was built for. */
extern const struct arch *const arch_native;
/* By EM_* number; NULL for one without a table. */
const struct arch *arch_find(int machine);

#endif
