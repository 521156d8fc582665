/*
 * AArch64: what an instruction does to memory.
 *
 * Loads and stores (Arm ARM DDI 0487, C4.1.94) and the cache operations that
 * take an address.  The table gives each class by mask and value; the class
 * reads its own fields.  Anything outside these touches no data.
 *
 * Not understood: memory copy and set (CPY, SET).
 */
#include <errno.h>

#include "base/bytes.h"
#include "memop/memop_impl.h"

enum { G_SP = 31, G_PC = 32 };

struct a64 {
	uint32_t insn;
	const struct memop_in *in;
	struct memop *out;
};

/* Bits hi..lo. */
static unsigned
a64_bits(const struct a64 *d, unsigned hi, unsigned lo)
{
	return d->insn >> lo & (unsigned)((1ul << (hi - lo + 1)) - 1);
}

static int64_t
a64_sbits(const struct a64 *d, unsigned hi, unsigned lo)
{
	unsigned width = hi - lo + 1;
	int64_t v = a64_bits(d, hi, lo);

	return v >> (width - 1) ? v - (1ll << width) : v;
}

/* Rn as a base: 31 is sp. */
static uint64_t
a64_base(const struct a64 *d)
{
	return d->in->gregs[a64_bits(d, 9, 5)];
}

/* As an index or operand: 31 is zero. */
static uint64_t
a64_reg(const struct a64 *d, unsigned r)
{
	return r == G_SP ? 0 : d->in->gregs[r];
}

static int
a64_at(struct a64 *d, int access, uint64_t ea, unsigned size)
{
	d->out->access = access;
	d->out->have_ea = 1;
	d->out->ea = ea;
	d->out->size = size;
	return 0;
}

/* An address that is not to be had from the general registers. */
static int
a64_somewhere(struct a64 *d, int access, unsigned size)
{
	a64_at(d, access, d->in->valid ? d->in->fault : 0, size);
	d->out->have_ea = d->in->valid != 0;
	return 0;
}

/* Load bit set: read; clear: write. */
static int
a64_rw(unsigned load)
{
	return load ? MEMOP_READ : MEMOP_WRITE;
}

/* Exclusive, ordered, compare and swap. */
static int
a64_exclusive(struct a64 *d)
{
	unsigned size = 1u << a64_bits(d, 31, 30);
	unsigned o2 = a64_bits(d, 23, 23), load = a64_bits(d, 22, 22);
	unsigned o1 = a64_bits(d, 21, 21);
	int access = a64_rw(load);

	if (o1 && (o2 || !a64_bits(d, 31, 31)))
		access = MEMOP_READ | MEMOP_WRITE; /* CAS, CASP */
	if (o1 && !o2)
		size = 2 * (4u << a64_bits(d, 30, 30)); /* pairs */
	a64_at(d, access, a64_base(d), size);
	d->out->align = size;
	return 0;
}

/* LD1..LD4, ST1..ST4, whole registers. */
static int
a64_multiple(struct a64 *d)
{
	static const uint8_t regs[16] = {[0x0] = 4,
	    [0x2] = 4,
	    [0x4] = 3,
	    [0x6] = 3,
	    [0x7] = 1,
	    [0x8] = 2,
	    [0xa] = 2};
	unsigned n = regs[a64_bits(d, 15, 12)];

	if (n == 0)
		return -1;
	return a64_at(d, a64_rw(a64_bits(d, 22, 22)), a64_base(d),
	    n * (a64_bits(d, 30, 30) ? 16 : 8));
}

/* One lane each, or one element to all lanes. */
static int
a64_single(struct a64 *d)
{
	unsigned opcode = a64_bits(d, 15, 13), size = a64_bits(d, 11, 10);
	unsigned n = ((opcode & 1) << 1 | a64_bits(d, 21, 21)) + 1;
	unsigned scale = opcode >> 1;

	if (scale == 2 && (size & 1))
		scale = 3;
	else if (scale == 3)
		scale = size;
	return a64_at(d, a64_rw(a64_bits(d, 22, 22)), a64_base(d), n << scale);
}

/* LDR (literal) */
static int
a64_literal(struct a64 *d)
{
	unsigned opc = a64_bits(d, 31, 30), simd = a64_bits(d, 26, 26);
	uint64_t ea = d->in->gregs[G_PC] + (uint64_t)a64_sbits(d, 23, 5) * 4;

	if (opc == 3)
		return simd ? -1 : 0; /* PRFM */
	if (simd)
		return a64_at(d, MEMOP_READ, ea, 4u << opc);
	return a64_at(d, MEMOP_READ, ea, opc == 1 ? 8 : 4);
}

static int
a64_pair(struct a64 *d)
{
	unsigned opc = a64_bits(d, 31, 30), load = a64_bits(d, 22, 22);
	unsigned scale = a64_bits(d, 26, 26) ? 2 + opc : 2 + (opc >> 1);
	uint64_t ea = a64_base(d);

	if (opc == 3)
		return -1;
	if (opc == 1 && !load && !a64_bits(d, 26, 26)) {
		scale = 4; /* STGP: offset in tag granules, 16 bytes */
		opc = 0;
	}
	if (a64_bits(d, 24, 23) != 1) /* post-indexed: the base alone */
		ea += (uint64_t)a64_sbits(d, 21, 15) << scale;
	return a64_at(d, a64_rw(load), ea,
	    scale == 4 && !a64_bits(d, 26, 26) ? 16 : 2u << scale);
}

/*
 * Size and direction of the single register forms, by size, V and opc.
 * 0 with no access for a prefetch, -1 unallocated.
 */
static int
a64_kind(const struct a64 *d, int *access, unsigned *scale)
{
	unsigned size = a64_bits(d, 31, 30), opc = a64_bits(d, 23, 22);

	*scale = size;
	*access = opc == 0 ? MEMOP_WRITE : MEMOP_READ;
	if (a64_bits(d, 26, 26)) {
		*access = a64_rw(opc & 1);
		if (opc > 1) {
			if (size != 0)
				return -1;
			*scale = 4;
		}
	} else if (size == 3 && opc == 2) {
		*access = 0;
	} else if (size >= 2 && opc == 3) {
		return -1;
	}
	return 0;
}

static int
a64_put(struct a64 *d, int access, uint64_t ea, unsigned size)
{
	return access == 0 ? 0 : a64_at(d, access, ea, size);
}

static int
a64_unsigned(struct a64 *d)
{
	unsigned scale;
	int access;

	if (a64_kind(d, &access, &scale) == -1)
		return -1;
	return a64_put(d, access,
	    a64_base(d) + ((uint64_t)a64_bits(d, 21, 10) << scale),
	    1u << scale);
}

/* Unscaled, post- and pre-indexed, unprivileged. */
static int
a64_imm9(struct a64 *d)
{
	uint64_t ea = a64_base(d);
	unsigned scale;
	int access;

	if (a64_kind(d, &access, &scale) == -1)
		return -1;
	if (a64_bits(d, 11, 10) != 1)
		ea += (uint64_t)a64_sbits(d, 20, 12);
	return a64_put(d, access, ea, 1u << scale);
}

static int
a64_index(struct a64 *d)
{
	unsigned scale, option = a64_bits(d, 15, 13);
	uint64_t index = a64_reg(d, a64_bits(d, 20, 16));
	int access;

	if (!(option & 2) || a64_kind(d, &access, &scale) == -1)
		return -1;
	if (option == 2)
		index = (uint32_t)index; /* UXTW */
	else if (option == 6)
		index = (uint64_t)(int32_t)index; /* SXTW */
	if (a64_bits(d, 12, 12))
		index <<= scale;
	return a64_put(d, access, a64_base(d) + index, 1u << scale);
}

/* LSE atomics, LDAPR, LD64B and ST64B. */
static int
a64_atomic(struct a64 *d)
{
	unsigned size = 1u << a64_bits(d, 31, 30), opc = a64_bits(d, 14, 12);
	int access = MEMOP_READ | MEMOP_WRITE;

	if (a64_bits(d, 26, 26))
		return -1;
	if (a64_bits(d, 15, 15) && opc != 0) {
		if (opc == 4 && a64_bits(d, 23, 22) == 2) {
			access = MEMOP_READ;
		} else if (opc <= 5 && size == 8) {
			access = a64_rw(opc == 5);
			size = 64;
		} else {
			return -1;
		}
	}
	a64_at(d, access, a64_base(d), size);
	d->out->align = size;
	return 0;
}

/* LDRAA, LDRAB: the base carries a signature in bits that depend on the
 * system's address size. */
static int
a64_signed(struct a64 *d)
{
	if (a64_bits(d, 31, 30) != 3 || a64_bits(d, 26, 26))
		return -1;
	return a64_somewhere(d, MEMOP_READ, 8);
}

/* LDAPUR, STLUR */
static int
a64_rcpc(struct a64 *d)
{
	unsigned size = a64_bits(d, 31, 30), opc = a64_bits(d, 23, 22);

	if (opc == 3 && size >= 2)
		return -1;
	return a64_at(d, opc == 0 ? MEMOP_WRITE : MEMOP_READ,
	    a64_base(d) + (uint64_t)a64_sbits(d, 20, 12), 1u << size);
}

/* Memory tags: LDG reads one, STG and STZG set one for 16 bytes, ST2G and
 * STZ2G for 32. */
static int
a64_tags(struct a64 *d)
{
	unsigned op1 = a64_bits(d, 23, 22), op2 = a64_bits(d, 11, 10);
	uint64_t ea = a64_base(d);

	if (op2 == 0 && op1 != 1)
		return -1; /* the bulk forms, privileged */
	if (op2 != 1)
		ea += (uint64_t)a64_sbits(d, 20, 12) * 16;
	return a64_at(d, a64_rw(op2 == 0), ea, op1 >= 2 && op2 ? 32 : 16);
}

/* DC and IC by address; the block is the processor's own. */
static int
a64_cache(struct a64 *d)
{
	unsigned crm = a64_bits(d, 11, 8), op2 = a64_bits(d, 7, 5);
	uint64_t ea = a64_reg(d, a64_bits(d, 4, 0));

	/* CRm 4: ZVA, GVA, GZVA */
	return a64_at(d, a64_rw(!(crm == 4 && op2 != 0)), ea, 0);
}

/* Scalable vectors: the vector length is not among the registers. */
static int
a64_sve_load(struct a64 *d)
{
	return a64_somewhere(d, MEMOP_READ, 0);
}

static int
a64_sve_store(struct a64 *d)
{
	return a64_somewhere(d, MEMOP_WRITE, 0);
}

static int
a64_unknown(struct a64 *d)
{
	(void)d;
	return -1;
}

/* The first that fits counts. */
static const struct {
	uint32_t mask, value;
	int (*decode)(struct a64 *);
} classes[] = {
    {0x3f000000, 0x08000000, a64_exclusive},
    {0xbf200000, 0x0c000000, a64_multiple},
    {0xbf000000, 0x0d000000, a64_single}, {0x3b000000, 0x18000000, a64_literal},
    {0x3a000000, 0x28000000, a64_pair}, {0x3b000000, 0x39000000, a64_unsigned},
    {0x3b200000, 0x38000000, a64_imm9}, {0x3b200c00, 0x38200800, a64_index},
    {0x3b200c00, 0x38200000, a64_atomic}, {0x3b200400, 0x38200400, a64_signed},
    {0xff200000, 0xd9200000, a64_tags}, {0x3f200c00, 0x19000000, a64_rcpc},
    {0x3b000000, 0x19000000, a64_unknown}, /* CPY, SET and newer */
    {0xfffff000, 0xd50b7000, a64_cache},
    {0xfe000000, 0x84000000, a64_sve_load}, /* gather, broadcast, LDR */
    {0xfe000000, 0xa4000000, a64_sve_load}, /* contiguous */
    {0xfe000000, 0xc4000000, a64_sve_load}, /* gather */
    {0xfe000000, 0xe4000000, a64_sve_store},
    {0x0a000000, 0x08000000, a64_unknown}, /* the rest of that space */
};

int
memop_a64(const struct memop_in *in, struct memop *out)
{
	struct a64 d = {.in = in, .out = out};
	size_t i;

	if (in->n < 4)
		return fails(ERANGE);
	d.insn = get32(in->code);
	for (i = 0; i < NELEM(classes); i++) {
		if ((d.insn & classes[i].mask) != classes[i].value)
			continue;
		if (classes[i].decode(&d) == 0)
			return 0;
		return fails(EINVAL);
	}
	return 0;
}
