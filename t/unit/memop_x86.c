/*
 * memop_x86: memop against the processor, where that is an x86-64.
 */
#include "memop_check.h"

#if !defined(__x86_64__)

void
check_x86(void)
{
}

#else

#include <elf.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "check.h"
#include "memop_run.h"
#include "memop_x86tab.h"

static void fail(const char *text, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static void
fail(const char *text, const char *fmt, ...)
{
	va_list ap;

	printf("FAIL %s: ", text);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	failed++;
}

static const uint64_t good = 0x20000800;

enum { ARCH_SET_GS = 0x1001, ARCH_GET_FS = 0x1003 };

/* Registers for a case whose operand is at `at'. */
static void
x86_setup(struct run *r, const struct x86_case *c, uint64_t at)
{
	char stack;
	uint64_t own = (((uint64_t)(uintptr_t)&stack) & ~0xffull) - 4096;
	uint64_t src = c->where == 0 ? at : good, *w = r->want;

	memset(r, 0, sizeof(*r));
	w[1] = (uint64_t)-16;		   /* r14 */
	w[2] = w[3] = w[5] = w[13] = src;  /* r13 r12 rbx rsi */
	w[14] = c->where == 1 ? at : good; /* rdi */
	w[4] = c->where == 2 ? at : src;   /* rbp */
	w[RUN_SP] = c->where == 2 ? at : own;
	w[8] = 5;				    /* r9 */
	w[9] = 1;				    /* r8 */
	w[10] = strstr(c->text, "xlat") ? 0 : 0x40; /* rax */
	w[11] = 3;				    /* rcx */
	w[12] = 1000;				    /* rdx */
	w[22] = RUN_PAGE + 2048;		    /* gs base */
	w[RUN_PC] = (uint64_t)(uintptr_t)c->start;
	syscall(SYS_arch_prctl, ARCH_GET_FS, &w[21]);
}

static void
x86_run(struct run *r, const struct x86_case *c, uint64_t at)
{
	x86_setup(r, c, at);
	run_start(r);
}

static int
x86_decode(
    const struct x86_case *c, const struct run *r, int valid, struct memop *m)
{
	return decode(EM_X86_64, c->start, (size_t)(c->end - c->start), r->got,
	    r->addr, valid, m);
}

static void
rip_page(int prot)
{
	if (mprotect(memop_rip, sizeof(memop_rip), prot) == -1)
		exit(111);
}

/* An odd address, and all of it may be touched: what the processor says. */
static void
run_misaligned(const struct x86_case *c, int64_t delta, const struct memop *m)
{
	uint64_t at = RUN_PAGE + 1024 + 1 - (uint64_t)delta;
	struct memop again;
	struct run r;

	run_pages(PROT_READ | PROT_WRITE, PROT_READ | PROT_WRITE);
	x86_run(&r, c, at);
	CHECK_OF(c->text, !r.data);
	if (m->align <= 1 ||
	    ((c->flags & LAX) && r.got[RUN_PC] != r.want[RUN_PC])) {
		CHECK_OF(c->text,
		    r.signo != SIGSEGV || r.got[RUN_PC] != r.want[RUN_PC]);
		return;
	}
	CHECK_OF(c->text, r.signo == SIGSEGV && r.code == SI_KERNEL);
	CHECK_OF(c->text, x86_decode(c, &r, 0, &again) == 0);
	CHECK_OF(
	    c->text, again.ea == RUN_PAGE + 1025 && again.align == m->align);
}

/* The operand against the end of what may be touched. */
static void
run_edges(const struct x86_case *c, int64_t delta, const struct memop *m)
{
	uint64_t at = RUN_EDGE - m->size - (uint64_t)delta;
	struct run r;

	run_pages(PROT_READ | PROT_WRITE, PROT_NONE);
	x86_run(&r, c, at);
	CHECK_OF(c->text, !r.data);
	if (m->align <= 1) {
		x86_run(&r, c, at + 1);
		CHECK_OF(c->text,
		    r.data && r.addr >= RUN_EDGE - 1 && r.addr <= RUN_EDGE);
	}
	if (m->size > 1)
		run_misaligned(c, delta, m);
}

/* No fault address: general protection, or a stack fault. */
static void
run_noncanonical(const struct x86_case *c, int64_t delta)
{
	const uint64_t at = 0x1111222233334440;
	struct memop m;
	struct run r;

	x86_run(&r, c, at);
	CHECK_OF(c->text, r.signo == SIGSEGV || r.signo == SIGBUS);
	CHECK_OF(
	    c->text, r.code == SI_KERNEL && r.got[RUN_PC] == r.want[RUN_PC]);
	CHECK_OF(c->text, x86_decode(c, &r, 0, &m) == 0);
	CHECK_OF(c->text, m.access == c->access);
	if (strstr(c->text, "gather") || strstr(c->text, "scatter"))
		CHECK_OF(c->text, !m.have_ea);
	else
		CHECK_OF(c->text, m.have_ea && m.ea == at + (uint64_t)delta);
}

/* Most operands fault at their first byte; the processor may take the parts
 * of a wide or masked one in another order. */
static int
same_place(const struct x86_case *c, const struct memop *m, uint64_t fault)
{
	if (m->size < 128 && !(c->flags & PART))
		return m->ea == fault;
	return fault >= m->ea && fault - m->ea < (m->size ? m->size : 64);
}

static void
run_one(const struct x86_case *c)
{
	const uint64_t at = RUN_PAGE + 2048;
	struct memop m;
	struct run r;
	int64_t delta;

	run_pages(PROT_NONE, PROT_NONE);
	rip_page(PROT_NONE);
	x86_run(&r, c, at);
	if (r.signo == SIGILL && r.got[RUN_PC] == r.want[RUN_PC] &&
	    (c->flags & OPT)) {
		/* Not on this processor: the table alone; which of two
		 * operands it is, where it would have faulted tells. */
		absent++;
		r.addr = at;
		CHECK_OF(c->text, x86_decode(c, &r, 1, &m) == 0);
		CHECK_OF(c->text, m.access == c->access && m.size == c->size);
		return;
	}
	CHECK_OF(c->text, r.data == (c->access != 0));
	memcpy(r.got, r.want, c->access ? 0 : sizeof(r.got));
	CHECK_OF(c->text, x86_decode(c, &r, r.data, &m) == 0);
	if (m.access != c->access || m.size != c->size ||
	    (m.access && !same_place(c, &m, r.addr))) {
		fail(c->text,
		    "access %d size %u ea %" PRIx64 ", fault %" PRIx64,
		    m.access, m.size, m.ea, r.addr);
		return;
	}
	check_cut(c->text, EM_X86_64, c->start, (size_t)(c->end - c->start),
	    r.got, &m);
	if (c->access == 0)
		return;
	if (c->access != (MEMOP_READ | MEMOP_WRITE))
		CHECK_OF(c->text, r.write == (c->access == MEMOP_WRITE));
	delta = (int64_t)(m.ea - at);

	run_pages(PROT_READ, PROT_READ);
	rip_page(PROT_READ);
	x86_run(&r, c, at);
	CHECK_OF(c->text, r.data == ((c->access & MEMOP_WRITE) != 0));
	if (r.data)
		CHECK_OF(c->text, r.write == 1);
	rip_page(PROT_READ | PROT_WRITE);

	if (c->flags & FIXED)
		return;
	if (!(c->flags & PART) && strstr(c->text, "%gs:") == NULL)
		run_edges(c, delta, &m);
	if (strstr(c->text, "%gs:") == NULL)
		run_noncanonical(c, delta);
}

static void
run_x86(void)
{
	const struct x86_case *c;

	syscall(SYS_arch_prctl, ARCH_SET_GS, RUN_PAGE + 2048);
	for (c = __start_memop_cases; c < __stop_memop_cases; c++)
		run_one(c);
	syscall(SYS_arch_prctl, ARCH_SET_GS, 0ul);
	rip_page(PROT_READ | PROT_WRITE);
}

/* Each instruction of the list, and some that touch no memory: as long as the
 * assembler made them, and nothing when a byte is missing. */
static void
run_lengths(void)
{
	static const struct {
		const char *bytes;
		size_t n;
	} more[] = {{"\x74\x10", 2}, {"\x0f\x84\x01\x02\x03\x04", 6},
	    {"\xe8\x01\x02\x03\x04", 5}, {"\xeb\x01", 2},
	    {"\xe9\x01\x02\x03\x04", 5}, {"\xe3\x01", 2},
	    {"\xb8\x01\x02\x03\x04", 5}, {"\x66\xb8\x01\x02", 4},
	    {"\x48\xb8\x01\x02\x03\x04\x05\x06\x07\x08", 10}, {"\xb0\x01", 2},
	    {"\x3c\x01", 2}, {"\x3d\x01\x02\x03\x04", 5}, {"\xa8\x01", 2},
	    {"\xa9\x01\x02\x03\x04", 5}, {"\x66\xa9\x01\x02", 4},
	    {"\x6a\x01", 2}, {"\x68\x01\x02\x03\x04", 5}, {"\xc2\x08\x00", 3},
	    {"\xcd\x80", 2}, {"\xc8\x10\x00\x00", 4}, {"\x55", 1},
	    {"\xf3\x0f\x1e\xfa", 4}, {"\x48\x83\xec\x08", 4},
	    {"\x48\x81\xec\x01\x02\x03\x04", 7}, {"\xf6\xc1\x01", 3},
	    {"\xf7\xc1\x01\x02\x03\x04", 6}, {"\xf7\xd1", 2}, {"\x0f\x05", 2},
	    {"\x90", 1}, {"\xc3", 1}};
	const struct x86_case *c;
	size_t i, n;

	for (c = __start_memop_cases; c < __stop_memop_cases; c++) {
		n = (size_t)(c->end - c->start);
		CHECK_OF(c->text, memop_x86_length(c->start, n) == n);
		CHECK_OF(c->text, memop_x86_length(c->start, n - 1) == 0);
	}
	for (i = 0; i < sizeof(more) / sizeof(*more); i++) {
		const unsigned char *p = (const unsigned char *)more[i].bytes;

		CHECK(memop_x86_length(p, more[i].n) == more[i].n);
		CHECK(memop_x86_length(p, more[i].n - 1) == 0);
	}
}

/* What no instruction of the list shows. */
void
check_x86(void)
{
	static const struct {
		const char *text, *bytes;
		size_t n;
		int result, access, have_ea;
		uint64_t via;
	} cases[] = {
	    {"jmp *%rbx", "\xff\xe3", 2, 0, MEMOP_EXEC, 1, 0},
	    {"call *%rbx", "\xff\xd3", 2, 0, MEMOP_EXEC, 1, 0},
	    {"jmp *%rcx", "\xff\xe1", 2, 0, 0, 0, 0},
	    {"ret", "\xc3", 1, 0, MEMOP_EXEC, 0, 0x7fff0000},
	    {"jmp *(%rcx)", "\xff\x21", 2, 0, MEMOP_EXEC, 0, 0x1000},
	    {"call *24(%rcx)", "\xff\x51\x18", 3, 0, MEMOP_EXEC, 0, 0x1018},
	    {"call *8(%rcx,%rcx,8)", "\xff\x54\xc9\x08", 4, 0, MEMOP_EXEC, 0,
		0x9008},
	    {"jmp *256(%rip)", "\xff\x25\x00\x01\x00\x00", 6, 0, MEMOP_EXEC, 0,
		0x400106},
	    {"jmp *(%rbx)", "\xff\x23", 2, 0, MEMOP_READ, 1, 0},
	    {"ljmp *(%rbx)", "\xff\x2b", 2, -1, 0, 0, 0},
	    {"lret", "\xcb", 1, -1, 0, 0, 0},
	    {"iretq", "\x48\xcf", 2, -1, 0, 0, 0},
	    {"lss (%rbx), %eax", "\x0f\xb2\x03", 3, -1, 0, 0, 0},
	    {"push %es", "\x06", 1, -1, 0, 0, 0},
	    {"15 prefixes",
		"\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66"
		"\x66\x90",
		16, -1, 0, 0, 0},
	};
	const uint64_t wild = 0x8000000000000000;
	uint64_t regs[27] = {0};
	struct memop m;
	size_t i;

	regs[5] = wild;
	regs[11] = 0x1000;
	regs[RUN_PC] = 0x400000;
	regs[RUN_SP] = 0x7fff0000;
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const char *text = cases[i].text;

		CHECK_OF(text,
		    decode(EM_X86_64, cases[i].bytes, cases[i].n, regs, 0, 0,
			&m) == cases[i].result);
		CHECK_OF(text, m.access == cases[i].access);
		CHECK_OF(text, m.have_ea == cases[i].have_ea);
		CHECK_OF(text, !m.have_ea || m.ea == wild);
		CHECK_OF(text, m.have_via == (cases[i].via != 0));
		CHECK_OF(text, m.via == cases[i].via);
	}
	/* a fetch: at pc, or where the code bytes end */
	CHECK_OF("fetch",
	    decode(EM_X86_64, "\x90", 1, regs, 0x400000, 1, &m) == 0 &&
		m.access == MEMOP_EXEC && m.have_ea && m.ea == 0x400000);
	CHECK_OF("fetch across pages",
	    decode(EM_X86_64, "\x48\x8b", 2, regs, 0x400002, 1, &m) == 0 &&
		m.access == MEMOP_EXEC && m.ea == 0x400002);
	CHECK_OF("no fetch",
	    decode(EM_X86_64, "\x48\x8b\x01", 3, regs, 0x1000, 1, &m) == 0 &&
		m.access == MEMOP_READ && m.ea == 0x1000);
	run_lengths();
	run_x86();
}

#endif
