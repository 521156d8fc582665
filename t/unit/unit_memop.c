/*
 * unit_memop: memop against the processor that runs it.
 *
 * Each instruction meets a page it may not touch: the page fault's address and
 * error code say what it would have done, memop must say the same.  Then a
 * page it may only read (a write must fault, a read must not), an operand that
 * just fits before such a page and one that does not (the size), a misaligned
 * one (the alignment), and a non-canonical address (no fault address at all).
 * The other machine's encodings are checked against a table.
 */
#include "memop/memop.h"

#include <elf.h>
#include <errno.h>
#include <sys/mman.h>

#include "check.h"
#include "memop_a64.h"
#include "memop_run.h"

static unsigned absent;

/* A page apart; the one before it is always good. */
static const uint64_t page = 0x20001000, edge = 0x20002000;

static void
pages(int prot, int behind)
{
	if (mprotect((void *)(uintptr_t)page, 4096, PROT_READ | PROT_WRITE) ==
	    -1)
		exit(111);
	memset((void *)(uintptr_t)page, 0, 4096);
	if (mprotect((void *)(uintptr_t)page, 4096, prot) == -1 ||
	    mprotect((void *)(uintptr_t)edge, 4096, behind) == -1)
		exit(111);
}

static void
pages_map(void)
{
	void *want = (void *)(uintptr_t)(page - 4096);

	if (mmap(want, 4 * 4096, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1,
		0) != want)
		exit(111);
}

/* Decodes from a copy that ends where the code ends, for the sanitizer. */
static int
decode(int machine, const void *code, size_t n, const uint64_t *regs,
    uint64_t fault, int valid, struct memop *m)
{
	unsigned char *copy = malloc(n + 1);
	struct memop_in in = {machine, copy + 1, n, regs, fault, valid};
	int r;

	if (copy == NULL)
		exit(111);
	memcpy(copy + 1, code, n);
	r = memop_decode(&in, m);
	free(copy);
	return r;
}

/* Cut short anywhere, an instruction is not taken for another one that
 * touches memory elsewhere, and nothing behind its end is read. */
static void
check_cut(const char *text, int machine, const unsigned char *code, size_t n,
    const uint64_t *regs, const struct memop *whole)
{
	struct memop m;
	size_t i;

	for (i = 0; i < n; i++) {
		errno = 0;
		if (decode(machine, code, i, regs, 0, 0, &m) == -1)
			CHECK_OF(text, errno == ERANGE && m.access == 0);
		else if (m.have_ea)
			CHECK_OF(text, m.ea == whole->ea);
	}
}

#if defined(__x86_64__)
#include "unit_memop_x86.h"
#endif

static void
check_a64(void)
{
	uint64_t regs[34] = {0};
	const uint64_t at = 0x1230000, pc = 0x400000;
	struct memop m;
	unsigned char code[4];
	size_t i;
	int r;

	regs[1] = regs[31] = at;
	regs[2] = 3;
	regs[32] = pc;
	for (i = 0; i < sizeof(a64_cases) / sizeof(*a64_cases); i++) {
		const struct a64_case *c = &a64_cases[i];
		uint64_t ea = (uint64_t)c->off;

		ea += c->flags & A64_PCREL ? pc : at;
		code[0] = (unsigned char)c->insn;
		code[1] = (unsigned char)(c->insn >> 8);
		code[2] = (unsigned char)(c->insn >> 16);
		code[3] = (unsigned char)(c->insn >> 24);
		errno = 0;
		r = decode(EM_AARCH64, code, 4, regs, ea, 1, &m);
		if (c->access == -1) {
			CHECK_OF(c->text, r == -1 && errno == EINVAL);
			continue;
		}
		CHECK_OF(c->text, r == 0);
		CHECK_OF(c->text, m.access == c->access && m.size == c->size);
		CHECK_OF(c->text, m.have_ea == (c->access != 0));
		CHECK_OF(c->text, !m.have_ea || m.ea == ea);
		/* without a fault address only what the registers tell */
		r = decode(EM_AARCH64, code, 4, regs, 0, 0, &m);
		CHECK_OF(c->text, r == 0 && m.access == c->access);
		CHECK_OF(c->text, m.have_ea == !!(c->flags & A64_EA));
		CHECK_OF(c->text, !m.have_ea || m.ea == ea);
		check_cut(c->text, EM_AARCH64, code, 4, regs, &m);
	}
}

#if defined(__aarch64__)
/* The same table on the processor (or an emulator, which may not have all). */
static void
run_a64(void)
{
	uint32_t *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	const uint64_t at = page + 2048;
	struct memop m;
	size_t i;

	if (code == MAP_FAILED)
		exit(111);
	for (i = 0; i < sizeof(a64_cases) / sizeof(*a64_cases); i++) {
		const struct a64_case *c = &a64_cases[i];
		struct run r = {0};

		if (c->flags & A64_STATIC)
			continue;
		code[0] = c->insn;
		code[1] = 0xd4200000; /* brk */
		__builtin___clear_cache((char *)code, (char *)(code + 2));
		r.want[1] = r.want[31] = at;
		r.want[2] = 3;
		r.want[RUN_PC] = (uint64_t)(uintptr_t)code;
		pages(PROT_NONE, PROT_NONE);
		run_start(&r);
		if (r.signo == SIGILL) {
			absent++;
			continue;
		}
		CHECK_OF(c->text, r.data == (c->access != 0));
		if (!r.data)
			continue;
		CHECK_OF(c->text,
		    decode(EM_AARCH64, code, 4, r.got, r.addr, 1, &m) == 0);
		CHECK_OF(c->text, m.access == c->access);
		CHECK_OF(c->text,
		    r.addr >= m.ea && r.addr - m.ea < (m.size ? m.size : 64));
		if (r.write != -1 && m.access != 3)
			CHECK_OF(c->text, r.write == (m.access == MEMOP_WRITE));
		pages(PROT_READ, PROT_READ);
		run_start(&r);
		CHECK_OF(c->text, r.data == ((c->access & MEMOP_WRITE) != 0));
	}
}
#endif

/* Whatever the bytes: an answer within bounds, the same one twice. */
static void
check_hostile(void)
{
	uint64_t regs[40] = {0}, seed = 88172645463325252u;
	unsigned char code[16];
	struct memop a, b;
	size_t i, n;
	int k, machine;

	for (i = 0; i < 400000; i++) {
		for (k = 0; k < 16; k++) {
			seed ^= seed << 13;
			seed ^= seed >> 7;
			seed ^= seed << 17;
			code[k] = (unsigned char)(seed >> 32);
		}
		if (i & 1) /* more of the long encodings */
			code[0] = "\x0f\x62\xc4\xc5\x66\xf2\x48\x8f"[seed & 7];
		n = seed >> 8 & 15;
		machine = i & 2 ? EM_X86_64 : EM_AARCH64;
		for (k = 0; k < 40; k++)
			regs[k] = seed * (uint64_t)k;
		if (decode(machine, code, n, regs, seed, i & 4, &a) == 0) {
			CHECK_OF("hostile", (a.access & ~7) == 0);
			CHECK_OF("hostile", a.have_ea == 0 || a.have_ea == 1);
			CHECK_OF("hostile", a.have_ea == 0 || a.access != 0);
		} else {
			CHECK_OF("hostile", errno == EINVAL || errno == ERANGE);
			CHECK_OF("hostile", a.access == 0 && !a.have_ea);
		}
		decode(machine, code, n, regs, seed, i & 4, &b);
		CHECK_OF("hostile", memcmp(&a, &b, sizeof(a)) == 0);
	}
	CHECK_OF("machine",
	    decode(EM_386, code, 16, regs, 0, 0, &a) == -1 && errno == EINVAL);
}

int
main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	check_a64();
	check_hostile();
	pages_map();
	run_init();
#if defined(__x86_64__)
	check_x86();
	run_x86();
#elif defined(__aarch64__)
	run_a64();
#endif
	printf("%d checks, %d failed; %u instructions unknown to this "
	       "processor\n",
	    checks, failed, absent);
	return failed != 0;
}
