/*
 * x86-64: what an instruction does to memory.
 *
 * Prefixes, opcode, table row, ModRM and SIB, displacement; the immediate's
 * length counts for RIP-relative addresses only.  Each memory operand,
 * explicit or implied, becomes a candidate; x86_choose() picks the one to
 * blame.
 */
#include <errno.h>
#include <string.h>

#include "memop/memop_impl.h"

/* Indices in elf_gregset_t. */
enum { G_RIP = 16, G_RSP = 19, G_FSBASE = 21, G_GSBASE = 22 };

/* ModRM register numbers to elf_gregset_t. */
static const uint8_t greg_index[16] = {
    10, 11, 12, 5, G_RSP, 4, 13, 14, 9, 8, 7, 6, 3, 2, 1, 0};

enum { RAX = 0, RBX = 3, RSP = 4, RBP = 5, RSI = 6, RDI = 7 };

struct x86 {
	const struct memop_in *in;
	size_t pos;
	int shortage; /* code ended too early */
	struct x86_enc e;
	int adsz; /* prefix 67 */
	uint64_t segbase;
	unsigned r, x, b; /* REX, VEX and EVEX bits, as 0 or 8 */
	unsigned mod, reg, rm;
	int vsib, popped; /* popped: bytes rsp has moved before r/m is used */
	unsigned size, align;
	struct memop cand[3];
	size_t ncand;
};

static unsigned
x86_u8(struct x86 *d)
{
	if (d->pos >= d->in->n) {
		d->shortage = 1;
		return 0;
	}
	return d->in->code[d->pos++];
}

/* Little-endian, n bytes. */
static uint64_t
x86_uint(struct x86 *d, unsigned n)
{
	uint64_t v = 0;
	unsigned i;

	for (i = 0; i < n; i++)
		v |= (uint64_t)x86_u8(d) << (8 * i);
	return v;
}

static uint64_t
x86_reg(const struct x86 *d, unsigned r)
{
	return d->in->gregs[greg_index[r & 15]];
}

/* An address as the address-size prefix leaves it. */
static uint64_t
x86_addr(const struct x86 *d, uint64_t a)
{
	return d->adsz ? (uint32_t)a : a;
}

static void
x86_add(struct x86 *d, int access, uint64_t ea, unsigned size, unsigned align)
{
	struct memop *m = &d->cand[d->ncand++];

	m->access = access;
	m->have_ea = 1;
	m->ea = ea;
	m->size = size;
	m->align = align;
}

static int
x86_prefixes(struct x86 *d)
{
	unsigned c, rex = 0, rep = 0;

	for (;;) {
		c = x86_u8(d);
		if (d->shortage)
			return -1;
		if ((c & 0xf0) == 0x40) {
			rex = c;
			continue;
		}
		if (c == 0x66)
			d->e.opsz = 1;
		else if (c == 0x67)
			d->adsz = 1;
		else if (c == 0xf2 || c == 0xf3)
			rep = c;
		else if (c == 0x64)
			d->segbase = d->in->gregs[G_FSBASE];
		else if (c == 0x65)
			d->segbase = d->in->gregs[G_GSBASE];
		else if (c != 0xf0 && c != 0x2e && c != 0x36 && c != 0x3e &&
		    c != 0x26)
			break;
		rex = 0; /* it counts only right before the opcode */
	}
	d->e.op = c;
	d->e.w = rex >> 3 & 1;
	d->r = rex << 1 & 8;
	d->x = rex << 2 & 8;
	d->b = rex << 3 & 8;
	d->e.pfx = rep == 0xf3 ? X86_F3
	    : rep == 0xf2      ? X86_F2
	    : d->e.opsz	       ? X86_66
			       : X86_NP;
	return 0;
}

/* C5, C4 and 62: their bits stand in for the prefixes. */
static int
x86_vex(struct x86 *d)
{
	static const uint8_t pp[4] = {X86_NP, X86_66, X86_F3, X86_F2};
	unsigned p0 = x86_u8(d), p1, p2;

	d->e.enc = X86_VEX;
	d->r = ~p0 >> 4 & 8;
	if (d->e.op == 0xc5) {
		d->e.map = 1;
		d->e.w = d->x = d->b = 0;
		p1 = p0;
	} else {
		p1 = x86_u8(d);
		d->x = ~p0 >> 3 & 8;
		d->b = ~p0 >> 2 & 8;
		d->e.w = p1 >> 7;
		d->e.map = p0 & (d->e.op == 0x62 ? 7 : 0x1f);
	}
	d->e.vl = p1 & 4 ? 32 : 16;
	if (d->e.op == 0x62) {
		/* Bit 3 of the first byte and bit 2 of the second are fixed
		 * outside of APX, which is not decoded here. */
		if ((p0 & 8) || !(p1 & 4))
			return -1;
		p2 = x86_u8(d);
		d->e.enc = X86_EVX;
		d->e.vl = 16u << (p2 >> 5 & 3);
		d->e.bcast = p2 >> 4 & 1;
		if (d->e.vl > 64)
			return -1;
	}
	d->e.pfx = pp[p1 & 3];
	d->e.opsz = d->e.pfx == X86_66;
	d->e.op = x86_u8(d);
	return 0;
}

static int
x86_opcode(struct x86 *d)
{
	if (x86_prefixes(d) == -1)
		return -1;
	d->e.enc = X86_LEG;
	d->e.vl = 16;
	if (d->e.op == 0xc4 || d->e.op == 0xc5 || d->e.op == 0x62)
		return x86_vex(d);
	if (d->e.op != 0x0f)
		return 0;
	d->e.map = 1;
	d->e.op = x86_u8(d);
	if (d->e.op == 0x38 || d->e.op == 0x3a) {
		d->e.map = d->e.op == 0x38 ? 2 : 3;
		d->e.op = x86_u8(d);
	}
	return 0;
}

/* Effective address of r/m (mod is not 3); rip-relative ones lack the end of
 * the instruction, *rip says so. */
static uint64_t
x86_ea(struct x86 *d, int *rip)
{
	unsigned base = d->rm, sib, index;
	uint64_t a = 0;

	*rip = 0;
	if (d->rm == 4) {
		sib = x86_u8(d);
		base = sib & 7;
		index = (sib >> 3 & 7) | d->x;
		if (!d->vsib && index != RSP)
			a = x86_reg(d, index) << (sib >> 6);
	}
	if (base == 5 && d->mod == 0) {
		*rip = d->rm == 5;
		return a + (uint64_t)(int32_t)x86_uint(d, 4);
	}
	a += x86_reg(d, base | d->b);
	if ((base | d->b) == RSP)
		a += (uint64_t)d->popped;
	if (d->mod == 2)
		a += (uint64_t)(int32_t)x86_uint(d, 4);
	else if (d->mod == 1)
		/* EVEX scales a short displacement by the operand. */
		a += (uint64_t)(int8_t)x86_u8(d) *
		    (d->e.enc == X86_EVX && d->size ? d->size : 1);
	return a;
}

static unsigned
x86_immlen(const struct x86 *d, char imm)
{
	unsigned z = d->e.opsz && !d->e.w ? 2 : 4;

	if (imm == 'g')
		imm = d->reg > 1 ? '0' : d->e.op & 1 ? 'z' : 'b';
	return imm == 'b' ? 1 : imm == 'z' ? z : 0;
}

/* rsp moves by 8, or 2 with prefix 66. */
static void
x86_stack(struct x86 *d, int access, unsigned size)
{
	uint64_t sp = d->in->gregs[G_RSP];

	x86_add(d, access, access == MEMOP_WRITE ? sp - size : sp, size, 0);
}

/* With 48-bit addresses: what else may be valid faults with an address. */
static int
x86_canonical(uint64_t a)
{
	int64_t top = (int64_t)a >> 47;

	return top == 0 || top == -1;
}

/*
 * Call, jump and push through r/m.  A non-canonical target in a register
 * faults at the jump; any other at the target, which memop_decode() sees.
 */
static void
x86_group5(struct x86 *d)
{
	uint64_t target;

	if (d->reg == 2)
		x86_stack(d, MEMOP_WRITE, 8);
	if (d->reg == 6)
		x86_stack(d, MEMOP_WRITE, d->e.opsz ? 2 : 8);
	if ((d->reg != 2 && d->reg != 4) || d->mod != 3 || d->in->valid)
		return;
	target = x86_reg(d, d->rm | d->b);
	if (!x86_canonical(target)) {
		d->ncand = 0;
		x86_add(d, MEMOP_EXEC, target, 0, 0);
	}
}

/* enter pushes rbp and the display, and checks that the new top of the stack
 * could be written. */
static void
x86_enter(struct x86 *d, unsigned word)
{
	uint64_t frame = x86_uint(d, 2);
	unsigned level = x86_u8(d) & 31;

	x86_stack(d, MEMOP_WRITE, word);
	x86_add(d, MEMOP_WRITE,
	    d->in->gregs[G_RSP] - word * (level + 1ul) - frame, word, 0);
}

/* Operands of an opcode without ModRM. */
static int
x86_implied(struct x86 *d, const struct x86_row *row)
{
	unsigned word = d->e.opsz ? 2 : 8;
	uint64_t rsi = x86_addr(d, x86_reg(d, RSI)) + d->segbase;
	uint64_t rdi = x86_addr(d, x86_reg(d, RDI));

	if (row->size != NULL)
		d->size = x86_opsize(&d->e, *row->size, &d->align);
	switch (row->special) {
	case X_PUSH:
		x86_stack(d, MEMOP_WRITE, word);
		break;
	case X_POP:
		x86_stack(d, MEMOP_READ, word);
		break;
	case X_CALL:
		x86_stack(d, MEMOP_WRITE, 8);
		break;
	case X_RET:
		x86_stack(d, MEMOP_READ, 8);
		break;
	case X_LEAVE:
		x86_add(d, MEMOP_READ, x86_reg(d, RBP), word, 0);
		break;
	case X_ENTER:
		x86_enter(d, word);
		break;
	case X_MOVS:
		x86_add(d, MEMOP_READ, rsi, d->size, 0);
		x86_add(d, MEMOP_WRITE, rdi, d->size, 0);
		break;
	case X_CMPS:
		x86_add(d, MEMOP_READ, rsi, d->size, 0);
		x86_add(d, MEMOP_READ, rdi, d->size, 0);
		break;
	case X_STOS:
		x86_add(d, MEMOP_WRITE, rdi, d->size, 0);
		break;
	case X_LODS:
		x86_add(d, MEMOP_READ, rsi, d->size, 0);
		break;
	case X_SCAS:
		x86_add(d, MEMOP_READ, rdi, d->size, 0);
		break;
	case X_XLAT:
		x86_add(d, MEMOP_READ,
		    x86_addr(d, x86_reg(d, RBX) + (uint8_t)x86_reg(d, RAX)) +
			d->segbase,
		    1, 0);
		break;
	case X_MOFFSR:
	case X_MOFFSW:
		x86_add(d, row->special == X_MOFFSR ? MEMOP_READ : MEMOP_WRITE,
		    x86_uint(d, d->adsz ? 4 : 8) + d->segbase, d->size, 0);
		break;
	default:
		break;
	}
	return 0;
}

/* r/m and what the row says besides. */
static int
x86_explicit(struct x86 *d, const struct x86_row *row)
{
	unsigned modrm = x86_u8(d);
	uint64_t ea, bit;
	char acc;
	int rip;

	d->mod = modrm >> 6;
	d->reg = modrm >> 3 & 7;
	d->rm = modrm & 7;
	acc = row->acc[1] == '\0' ? *row->acc : row->acc[d->reg];
	d->size = x86_opsize(&d->e,
	    row->size[1] == '\0' ? *row->size : row->size[d->reg], &d->align);
	d->vsib = row->special == X_VSIB;
	/* A popped word is stored through the rsp that has moved already. */
	if (row->special == X_POP) {
		x86_stack(d, MEMOP_READ, d->size);
		d->popped = (int)d->size;
	}
	if (d->mod != 3) {
		if (acc == '.')
			return -1;
		ea = x86_ea(d, &rip);
		if (rip)
			ea += d->in->gregs[G_RIP] + d->pos +
			    x86_immlen(d, row->imm);
		if (row->special == X_BIT) {
			bit = x86_reg(d, d->reg | d->r);
			if (!d->e.w)
				bit = d->e.opsz ? (uint64_t)(int16_t)bit
						: (uint64_t)(int32_t)bit;
			ea += (uint64_t)((int64_t)bit >> (d->e.w ? 6
								 : d->e.opsz
								 ? 4
								 : 5)) *
			    d->size;
		}
		ea = x86_addr(d, ea) + d->segbase;
		if (acc != '-')
			x86_add(d,
			    acc == 'r'	     ? MEMOP_READ
				: acc == 'w' ? MEMOP_WRITE
					     : MEMOP_READ | MEMOP_WRITE,
			    ea, d->size, d->align);
	}
	if (row->special == X_GROUP5)
		x86_group5(d);
	else if (row->special == X_MASKMOV)
		x86_add(d, MEMOP_WRITE,
		    x86_addr(d, x86_reg(d, RDI)) + d->segbase, d->size, 0);
	else if (row->special == X_DIR64)
		x86_add(d, MEMOP_WRITE, x86_addr(d, x86_reg(d, d->reg | d->r)),
		    64, 64);
	return 0;
}

/* How far the fault lies from an operand; 0 within. */
static uint64_t
x86_distance(const struct memop *m, uint64_t fault)
{
	if (fault >= m->ea)
		return fault - m->ea < m->size ? 0 : fault - m->ea;
	return m->ea - fault;
}

static int
x86_misaligned(const struct memop *m)
{
	return m->align > 1 && m->ea % m->align != 0;
}

static const struct memop *
x86_choose(const struct x86 *d)
{
	const struct memop *best = &d->cand[0];
	size_t i;

	if (d->in->valid) {
		for (i = 1; i < d->ncand; i++)
			if (x86_distance(&d->cand[i], d->in->fault) <
			    x86_distance(best, d->in->fault))
				best = &d->cand[i];
		return best;
	}
	for (i = 0; i < d->ncand; i++)
		if (!x86_canonical(d->cand[i].ea))
			return &d->cand[i];
	for (i = 0; i < d->ncand; i++)
		if (x86_misaligned(&d->cand[i]))
			return &d->cand[i];
	return best;
}

/* The row of the instruction, with all that it says before its immediate read;
 * NULL: not understood. */
static const struct x86_row *
x86_read(struct x86 *d)
{
	const struct x86_row *row = NULL;

	if (x86_opcode(d) == 0 && !d->shortage)
		row = x86_lookup(&d->e);
	if (row == NULL ||
	    (row->acc == NULL ? x86_implied(d, row) : x86_explicit(d, row)) ==
		-1 ||
	    d->shortage)
		return NULL;
	return row;
}

size_t
memop_x86_length(const unsigned char *code, size_t n)
{
	static const uint64_t none[G_GSBASE + 1];
	struct memop_in in = {.code = code, .n = n, .gregs = none};
	struct x86 d = {.in = &in};
	const struct x86_row *row = x86_read(&d);
	size_t len;

	if (row == NULL)
		return 0;
	len = d.pos +
	    (row->acc == NULL ? x86_immediate(&d.e) : x86_immlen(&d, row->imm));
	return len <= n ? len : 0;
}

int
memop_x86(const struct memop_in *in, struct memop *out)
{
	struct x86 d = {.in = in};
	const struct x86_row *row = x86_read(&d);
	int jump;

	if (row == NULL) {
		errno = d.shortage ? ERANGE : EINVAL;
		return -1;
	}
	if (d.ncand == 0)
		return 0;
	*out = *x86_choose(&d);
	if (d.vsib) {
		out->have_ea = in->valid != 0;
		out->ea = in->valid ? in->fault : 0;
	}
	/* Through memory that can be had the target itself is to blame. */
	jump = row->special == X_RET ||
	    (row->special == X_GROUP5 && d.mod != 3 &&
		(d.reg == 2 || d.reg == 4));
	if (jump && !in->valid && x86_canonical(out->ea)) {
		memset(out, 0, sizeof(*out));
		out->access = MEMOP_EXEC;
		out->have_via = 1;
		out->via = d.cand[0].ea;
	}
	return 0;
}
