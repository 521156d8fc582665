/*
 * exception_fixture: memory as an uncaught exception leaves it, at MEM.
 *
 *   derived (a class of the program's, two bases) -> St13runtime_error
 */
#ifndef T_EXCEPTION_FIXTURE_H
#define T_EXCEPTION_FIXTURE_H

#include <stdint.h>
#include <string.h>

#include "target/target.h"

#define MEM UINT64_C(0x10000)
enum {
	MEM_SIZE = 4096,
	HEADER = 0x100, /* of struct _Unwind_Exception */
	OBJECT = HEADER + 32,
	TYPE = 0x200,	 /* the thrown type's type_info */
	PLAIN = 0x280,	 /* a base that tells nothing */
	RUNTIME = 0x2c0, /* std::runtime_error's */
	VMI = 0x300,	 /* type_infos of the ABI's own classes, */
	SI = 0x340,	 /* their vtables 16 behind */
	NAMES = 0x400,
	TEXT = 0x600
};

static inline void
word(unsigned char *m, unsigned at, uint64_t v)
{
	memcpy(m + at, &v, sizeof(v));
}

/* A type_info: its vtable, its name (at NAMES + i * 64). */
static inline void
type_info(unsigned char *m, unsigned at, unsigned vtable, unsigned i,
    const char *name)
{
	word(m, at, MEM + vtable);
	word(m, at + 8, MEM + NAMES + i * 64);
	strcpy((char *)m + NAMES + i * 64, name);
}

static inline void
exception_fixture(unsigned char m[MEM_SIZE])
{
	memset(m, 0, MEM_SIZE);
	word(m, HEADER - 96, 1); /* references */
	word(m, HEADER - 80, MEM + TYPE);
	m[HEADER - 40] = 1; /* handlers */
	word(m, HEADER, UINT64_C(0x474e5543432b2b00));
	type_info(m, TYPE, VMI + 24, 0, "St12made_up_type");
	m[TYPE + 20] = 2; /* bases */
	word(m, TYPE + 24, MEM + PLAIN);
	word(m, TYPE + 32, 8 << 8 | 2);
	word(m, TYPE + 40, MEM + RUNTIME);
	word(m, TYPE + 48, 16 << 8 | 2); /* lies at 16 of the object */
	type_info(m, PLAIN, VMI + 24, 1, "5Plain"); /* no bases */
	type_info(m, RUNTIME, SI + 24, 2, "St13runtime_error");
	type_info(m, VMI, VMI, 3, "N10__cxxabiv121__vmi_class_type_infoE");
	word(m, VMI + 16, MEM + VMI);
	type_info(m, SI, SI, 4, "N10__cxxabiv120__si_class_type_infoE");
	word(m, SI + 16, MEM + SI);
	word(m, OBJECT + 24, MEM + TEXT);
	strcpy((char *)m + TEXT, "the words of it");
}

/* A target of nothing but those bytes, len of them. */
struct piece {
	const unsigned char *p;
	size_t len;
};

static inline ssize_t
piece_read(struct target *t, uint64_t addr, void *p, size_t len)
{
	const struct piece *m = t->src;
	uint64_t off = addr - MEM;

	if (off >= m->len)
		return -1;
	if (len > m->len - off)
		len = m->len - off;
	memcpy(p, m->p + off, len);
	return (ssize_t)len;
}

static inline void
piece_target(struct target *t, struct piece *m, int machine)
{
	target_init(t);
	t->read = piece_read;
	t->src = m;
	t->machine = machine;
	t->arch = arch_find(machine);
}

#endif
