/*
 * exception_fixture: memory as an uncaught exception leaves it, at MEM.
 *
 *   derived (a class of the program's, two bases) -> St13runtime_error
 */
#ifndef T_EXCEPTION_FIXTURE_H
#define T_EXCEPTION_FIXTURE_H

#include <stdint.h>

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

/* A word of memory, at that offset. */
void put_word(unsigned char *m, unsigned at, uint64_t v);

void exception_fixture(unsigned char m[MEM_SIZE]);

/* A target of nothing but those bytes, len of them. */
struct piece {
	const unsigned char *p;
	size_t len;
};

void piece_target(struct target *t, struct piece *m, int machine);

#endif
