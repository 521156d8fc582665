/*
 * faults: one bad access of each kind.  "sp" spoils the stack pointer; the
 * frame pointer still tells the way.
 *
 * case: read | SIGSEGV SEGV_MAPERR 0x18 | crash_here outer main
 * case: write | SIGSEGV SEGV_MAPERR 0x18 | crash_here outer main
 * case: constant | SIGSEGV SEGV_ACCERR * | crash_here outer main
 * case: data | SIGSEGV SEGV_ACCERR * | (data|\?\?|@none) crash_here outer main
 * case: wild | SIGSEGV SI_KERNEL 0x4141414141414141 | crash_here outer main
 * case: high | SIGSEGV SEGV_MAPERR 0x123456789000 | crash_here outer main
 * case: sp | SIGSEGV SEGV_MAPERR * | crash_here outer main
 */
#include <stdint.h>
#include <string.h>

#include "victim.h"

struct record {
	char head[0x18];
	int field;
};

static struct record *volatile nowhere;
static const int constant = 1;
static int data = 1;

NOINLINE static int
crash_here(const char *how)
{
	static volatile uintptr_t at;
	void (*f)(void);
	uintptr_t p;

	switch (how[0]) {
	case 'r':
		return nowhere->field;
	case 'c':
		at = (uintptr_t)&constant;
		*(int *)at = 2;
		return 1;
	case 'd':
		p = (uintptr_t)&data;
		memcpy(&f, &p, sizeof(f));
		f();
		return 2;
	case 'h':
		at = 0x123456789000;
		return *(int *)at;
	case 's':
#if defined(__x86_64__)
		__asm__ volatile("movq $0x10000, %rsp; pushq $1");
#elif defined(__aarch64__)
		__asm__ volatile(
		    "mov x9, #0x10000; mov sp, x9; str x9, [sp, #-16]!");
#endif
		return 3;
	default:
		if (strcmp(how, "wild") == 0) {
			at = 0x4141414141414141;
			return *(int *)at;
		}
		nowhere->field = 1;
		return 4;
	}
}

NOINLINE static int
outer(const char *how)
{
	int r = crash_here(how);

	KEEP();
	return r;
}

int
main(int argc, char *argv[])
{
	return argc < 2 ? 100 : outer(argv[1]);
}
