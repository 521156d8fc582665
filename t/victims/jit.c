/*
 * jit: a frame in anonymous executable memory that keeps a frame pointer and
 * has no unwind table, as a JIT compiler makes them.
 *
 * case: - | SIGSEGV SEGV_MAPERR 0x0 | crash_here @none outer main
 */
#include <sys/mman.h>

#include <stdint.h>
#include <string.h>

#include "victim.h"

static int *volatile nowhere;

#if defined(__x86_64__)
static const unsigned char code[] = {
    0x55,		    /* push %rbp */
    0x48, 0x89, 0xe5,	    /* mov %rsp,%rbp */
    0x48, 0x83, 0xec, 0x40, /* sub $64,%rsp */
    0xff, 0xd7,		    /* call *%rdi */
    0xc9,		    /* leave */
    0xc3,		    /* ret */
};
#elif defined(__aarch64__)
static const uint32_t code[] = {
    0xa9be7bfd, /* stp x29, x30, [sp, #-32]! */
    0x910003fd, /* mov x29, sp */
    0xd63f0000, /* blr x0 */
    0xa8c27bfd, /* ldp x29, x30, [sp], #32 */
    0xd65f03c0, /* ret */
};
#endif

NOINLINE static void
crash_here(void)
{
	*nowhere = 1;
	KEEP();
}

NOINLINE static void
outer(void (*jitted)(void (*)(void)))
{
	jitted(crash_here);
	KEEP();
}

int
main(void)
{
	void (*entry)(void (*)(void));
	char *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return 111;
	memcpy(p, code, sizeof(code));
	if (mprotect(p, 4096, PROT_READ | PROT_EXEC) < 0)
		return 111;
	__builtin___clear_cache(p, p + sizeof(code));
	memcpy(&entry, &p, sizeof(entry));
	outer(entry);
	return 0;
}
