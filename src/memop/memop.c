#include "memop/memop.h"

#include <elf.h>
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "memop/memop_impl.h"

/* Index of the program counter in elf_gregset_t. */
enum { PC_X86 = 16, PC_A64 = 32 };

/* Bytes from pc an instruction may reach. */
enum { REACH_X86 = 15, REACH_A64 = 4 };

int
memop_decode(const struct memop_in *whole, struct memop *out)
{
	struct memop_in in = *whole;
	int x86 = in.machine == EM_X86_64;
	uint64_t pc;
	size_t reach;

	memset(out, 0, sizeof(*out));
	if (!x86 && in.machine != EM_AARCH64)
		return fails(EINVAL);
	pc = in.gregs[x86 ? PC_X86 : PC_A64];
	reach = x86 ? REACH_X86 : REACH_A64;
	if (in.n > reach)
		in.n = reach;
	/* A fetch fails at pc itself, or at a page behind it of which no
	 * byte can be had. */
	if (in.valid &&
	    (in.fault == pc ||
		(in.fault - pc < reach && in.fault - pc >= in.n))) {
		out->access = MEMOP_EXEC;
		out->have_ea = 1;
		out->ea = in.fault;
		return 0;
	}
	if ((x86 ? memop_x86 : memop_a64)(&in, out) == 0)
		return 0;
	memset(out, 0, sizeof(*out));
	return -1;
}
