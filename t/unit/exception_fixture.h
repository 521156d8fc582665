/*
 * exception_fixture: memory as an uncaught exception leaves it, at MEM.
 *
 *   derived (a class of the program's, two bases) -> St13runtime_error
 *
 * panic_fixture: as a Rust program's panic does.  A hook's words on the stack,
 * a caller that named the Location.
 */
#ifndef T_EXCEPTION_FIXTURE_H
#define T_EXCEPTION_FIXTURE_H

#include <elf.h>
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

enum {
	HOOK = 0x100,	   /* struct PanicHookInfo */
	CALLER_SP = 0x180, /* the frame of who panicked */
	PAYLOAD = 0x200,
	VTABLE = 0x240,
	LOCATION = 0x280,
	PLACE_NAME = 0x300,
	WORDS = 0x400,
	CALLER_CODE = 0x800,
	CALLER_PC = CALLER_CODE + 12
};

void panic_fixture(unsigned char m[MEM_SIZE], int machine);

/* A target of nothing but those bytes, len of them. */
struct piece {
	const unsigned char *p;
	size_t len;
};

void piece_target(struct target *t, struct piece *m, int machine);

/* All of it may be run; *m stays the caller's. */
void piece_map(struct target *t, struct map *m);

#endif
