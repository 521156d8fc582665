/*
 * Immediates behind x86 opcodes that have no ModRM byte (Intel SDM volume 2,
 * appendix A): they count for an instruction's length alone.
 */
#include "memop/memop_impl.h"

unsigned
x86_immediate(const struct x86_enc *e)
{
	unsigned op = e->op, z = e->opsz && !e->w ? 2 : 4;

	if (e->enc != X86_LEG || e->map > 1)
		return 0;
	if (e->map == 1)
		return op >= 0x80 && op <= 0x8f ? 4 : 0;
	if (op < 0x40)
		return (op & 7) == 4 ? 1 : (op & 7) == 5 ? z : 0;
	if (op == 0x68 || op == 0xa9)
		return z;
	if ((op & 0xf8) == 0xb8)
		return e->w ? 8 : z;
	if (op == 0xe8 || op == 0xe9)
		return 4;
	if (op == 0xc2)
		return 2;
	return op == 0x6a || (op & 0xf0) == 0x70 || op == 0xa8 ||
	    (op & 0xf8) == 0xb0 || op == 0xcd || (op & 0xf8) == 0xe0 ||
	    op == 0xeb;
}
