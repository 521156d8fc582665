/*
 * unit_fault: exceptions, panics and signal frames out of memory: genuine, cut
 * at each byte, forged.
 *
 * unit_fault -w DIR	writes the genuine ones to t/fixtures, for the fuzzer
 */
#include <elf.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <ucontext.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/io.h"
#include "check.h"
#include "exception_fixture.h"
#include "report/crash_dump.h"
#include "report/exception.h"
#include "report/panic.h"
#include "target/sigframe.h"

static int
read_at(unsigned char *m, size_t len, uint64_t at, struct exception *e)
{
	struct piece p = {m, len};
	struct target t;
	int r;

	piece_target(&t, &p, EM_X86_64);
	r = exception_read(&t, at, e);
	t.close = NULL;
	target_free(&t);
	return r;
}

static void
test_genuine(void)
{
	unsigned char m[MEM_SIZE];
	struct exception e;

	exception_fixture(m);
	CHECK(read_at(m, MEM_SIZE, MEM + HEADER, &e) == 0);
	CHECK(e.found && e.handlers == 1 && !e.cut);
	CHECK(strcmp(e.type, "St12made_up_type") == 0);
	CHECK(e.have_text && strcmp(e.text, "the words of it") == 0);
	/* libc++abi's */
	put_word(m, HEADER, UINT64_C(0x434c4e47432b2b00));
	CHECK(read_at(m, MEM_SIZE, MEM + HEADER, &e) == 0 && e.have_text);
	/* a type of the program's own: is what() its own? no file tells */
	strcpy((char *)m + NAMES, "7MadeUp5");
	CHECK(read_at(m, MEM_SIZE, MEM + HEADER, &e) == 0 && !e.have_text);
	/* a name that is not compared by its text */
	strcpy((char *)m + NAMES, "*7MadeUp5");
	CHECK(read_at(m, MEM_SIZE, MEM + HEADER, &e) == 0);
	CHECK(strcmp(e.type, "7MadeUp5") == 0);
}

/* Rethrown through an exception_ptr: the header tells where the object is. */
static void
test_dependent(void)
{
	enum { OTHER = 0x700 };
	unsigned char m[MEM_SIZE];
	struct exception e;

	exception_fixture(m);
	m[OTHER - 40] = 1;
	put_word(m, OTHER, UINT64_C(0x474e5543432b2b01));
	put_word(m, OTHER - 80, MEM + OBJECT);
	CHECK(read_at(m, MEM_SIZE, MEM + OTHER, &e) == 0 && e.have_text);
	put_word(m, OTHER, UINT64_C(0x434c4e47432b2b01));
	CHECK(read_at(m, MEM_SIZE, MEM + OTHER, &e) == -1);
	put_word(m, HEADER, UINT64_C(0x434c4e47432b2b00));
	put_word(m, OTHER - 80, MEM + TYPE);
	put_word(m, OTHER - 88, MEM + OBJECT);
	CHECK(read_at(m, MEM_SIZE, MEM + OTHER, &e) == 0 && e.have_text);
	/* it must be one itself */
	put_word(m, HEADER, 0);
	CHECK(read_at(m, MEM_SIZE, MEM + OTHER, &e) == -1);
}

static void
test_forged(void)
{
	unsigned char m[MEM_SIZE];
	struct exception e;
	size_t len;

	exception_fixture(m);
	for (len = 0; len < TEXT + 16; len++)
		if (read_at(m, len, MEM + HEADER, &e) == 0)
			CHECK(memchr(e.text, '\0', sizeof(e.text)) != NULL &&
			    memchr(e.type, '\0', sizeof(e.type)) != NULL);
	/* freed since, or never one */
	m[HEADER - 40] = 0;
	CHECK(read_at(m, MEM_SIZE, MEM + HEADER, &e) == 0);
	put_word(m, HEADER - 88, 0x5555);
	CHECK(read_at(m, MEM_SIZE, MEM + HEADER, &e) == -1 && !e.found);
	exception_fixture(m);
	put_word(m, HEADER - 80, MEM + TEXT);
	CHECK(read_at(m, MEM_SIZE, MEM + HEADER, &e) == -1);
	CHECK(read_at(m, MEM_SIZE, MEM + HEADER + 8, &e) == -1);
	/* a class that is its own base, a list without an end */
	exception_fixture(m);
	put_word(m, TYPE + 40, MEM + TYPE);
	CHECK(read_at(m, MEM_SIZE, MEM + HEADER, &e) == 0 && !e.have_text);
	memset(m + TYPE + 20, 0xff, 4);
	CHECK(read_at(m, MEM_SIZE, MEM + HEADER, &e) == 0 && !e.have_text);
	/* more words than are shown */
	exception_fixture(m);
	memset(m + TEXT, 'x', MEM_SIZE - TEXT);
	CHECK(read_at(m, MEM_SIZE, MEM + HEADER, &e) == 0);
	CHECK(e.have_text && strlen(e.text) == MEM_SIZE - TEXT);
}

static void
test_names(void)
{
	static const struct {
		const char *mangled, *name;
		int r;
	} names[] = {{"St12out_of_range", "std::out_of_range", 0},
	    {"N3app10ParseErrorE", "app::ParseError", 0}, {"3Own", "Own", 0},
	    {"N3app12_GLOBAL__N_14AnonE", "app::(anonymous namespace)::Anon",
		0},
	    {"NSt8ios_base7failureB5cxx11E",
		"std::ios_base::failure[abi:cxx11]", 0},
	    {"i", "int", 0}, {"PKc", "char const*", 0},
	    {"N3app4TmplIiEE", "N3app4TmplIiEE", -1}, {"", "", -1},
	    {"99999999999999999999x", "99999999999999999999x", -1},
	    {"5Plai", "5Plai", -1}, {"N3appE3foo", "N3appE3foo", -1},
	    {"N3app", "N3app", -1}};
	char out[64], small[8];
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		CHECK(exception_type_name(names[i].mangled, out, sizeof(out)) ==
		    names[i].r);
		CHECK(strcmp(out, names[i].name) == 0);
	}
	exception_type_name("St12out_of_range", small, sizeof(small));
	CHECK(strcmp(small, "std:...") == 0);
}

/* --- signal frames: the kernel's own, from a handler ---------------------- */

/* siginfo, registers and the first records behind them */
enum { COPIED = 1024 };
static unsigned char stack_copy[COPIED];
extern char fault_start[], fault_end[];
static uint64_t stack_at, frame_at, fault_at;
static uint64_t want_pc, want_sp;

static void
on_fault(int sig, siginfo_t *si, void *context)
{
	ucontext_t *uc = context;

	(void)sig;
	fault_at = (uint64_t)si->si_addr;
	/* the frame begins with the ucontext on x86-64, on aarch64 with siginfo
	 */
#if defined(__x86_64__)
	frame_at = (uint64_t)uc;
	want_pc = (uint64_t)uc->uc_mcontext.gregs[REG_RIP];
	want_sp = (uint64_t)uc->uc_mcontext.gregs[REG_RSP];
	stack_at = frame_at;
	memcpy(stack_copy, (void *)frame_at, COPIED);
	uc->uc_mcontext.gregs[REG_RIP] += fault_end - fault_start;
#else
	frame_at = (uint64_t)si;
	want_pc = uc->uc_mcontext.pc;
	want_sp = uc->uc_mcontext.sp;
	stack_at = frame_at;
	memcpy(stack_copy, (void *)frame_at, COPIED);
	uc->uc_mcontext.pc += fault_end - fault_start;
#endif
}

static ssize_t
copy_read(struct target *t, uint64_t addr, void *p, size_t len)
{
	size_t have = *(size_t *)t->src;
	uint64_t off = addr - stack_at;

	if (addr < stack_at) { /* the page's part before it */
		if (stack_at - addr >= len)
			return -1;
		off = stack_at - addr;
		memset(p, 0, off);
		if (len - off > have)
			len = off + have;
		memcpy((char *)p + off, stack_copy, len - off);
		return (ssize_t)len;
	}
	if (off >= have)
		return -1;
	if (len > have - off)
		len = have - off;
	memcpy(p, stack_copy + off, len);
	return (ssize_t)len;
}

static void
test_sigframe(void)
{
	struct sigaction sa = {.sa_flags = SA_SIGINFO};
	struct regs now = {.n = arch_native->gregs};
	struct sigframe f;
	struct target t;
	size_t have;

	sa.sa_sigaction = on_fault;
	sigaction(SIGSEGV, &sa, NULL);
#if defined(__x86_64__)
	__asm__ volatile(
	    "fault_start: movl $1, (%0)\nfault_end:" ::"r"((long)0x18)
	    : "memory");
#else
	__asm__ volatile(
	    "fault_start: str wzr, [%0]\nfault_end:" ::"r"((long)0x18)
	    : "memory");
#endif
	signal(SIGSEGV, SIG_DFL);
	for (have = 0; have <= COPIED; have++) {
		target_init(&t);
		t.read = copy_read;
		t.src = &have;
		t.machine = arch_native->machine;
		t.arch = arch_native;
		if (sigframe_read(&t, frame_at, &now, &f) == 0)
			CHECK(f.regs.r[arch_native->pc] == want_pc);
		else
			CHECK(have < COPIED);
		if (have == COPIED) {
			CHECK(f.regs.r[arch_native->sp] == want_sp);
			CHECK(f.have_info && f.signo == SIGSEGV);
			CHECK(f.code == SEGV_MAPERR && f.addr == fault_at);
			CHECK(f.have_trap && f.trapaddr == 0x18);
			/* not at a frame, or of other registers */
			CHECK(sigframe_read(&t, frame_at + 16, &now, &f) == -1);
			now.n = 3;
			CHECK(sigframe_read(&t, frame_at, &now, &f) == -1);
		}
		target_free(&t);
	}
}

/* One more byte set where siginfo ends: not the kernel's. */
static void
test_siginfo(void)
{
	struct regs now = {.n = arch_native->gregs};
	size_t have = COPIED,
	       info = arch_native->machine == EM_X86_64 ? 304 : 0;
	struct sigframe f;
	struct target t;

	target_init(&t);
	t.read = copy_read;
	t.src = &have;
	t.machine = arch_native->machine;
	t.arch = arch_native;
	stack_copy[info + 120] = 1;
	CHECK(sigframe_read(&t, frame_at, &now, &f) == 0 && !f.have_info);
	target_drop_cache(&t);
	stack_copy[info + 120] = 0;
	stack_copy[info] = 65;
	CHECK(sigframe_read(&t, frame_at, &now, &f) == 0 && !f.have_info);
	target_free(&t);
}

/* --- both machines' frames, made by hand ----------------------------------
 */

static void
frame_x86(unsigned char m[MEM_SIZE])
{
	memset(m, 0, MEM_SIZE);
	m[0] = 3;		     /* uc_flags */
	put_word(m, 40, 0x88);	     /* r8 */
	put_word(m, 160, MEM + 600); /* rsp, rip, cs and ss */
	put_word(m, 168, MEM);
	put_word(m, 184, UINT64_C(0x2b000000000033));
	put_word(m, 192, 6); /* error, trap, cr2 */
	put_word(m, 200, 14);
	put_word(m, 216, 0x18);
	m[304] = SIGSEGV;
	m[312] = SEGV_MAPERR;
	m[320] = 0x18;
}

static void
frame_a64(unsigned char m[MEM_SIZE])
{
	memset(m, 0, MEM_SIZE);
	m[0] = SIGSEGV;
	m[8] = SEGV_MAPERR;
	m[16] = 0x18;
	put_word(m, 304, 0x18); /* fault_address, x0 */
	put_word(m, 312, 0x88);
	put_word(m, 304 + 32 * 8, MEM + 600); /* sp, pc */
	put_word(m, 304 + 33 * 8, MEM);
	/* fpsimd_context: passed over; then esr_context */
	memcpy(m + 592, "\x01\x80\x50\x46\x10\x02\0\0", 8);
	memcpy(m + 592 + 528, "\x01\x52\x53\x45\x10\0\0\0", 8);
	put_word(m, 600 + 528, UINT64_C(0x92000045)); /* data abort, a write */
}

static void
test_frames(void)
{
	static const struct {
		int machine, reg;
		unsigned trap;
		void (*make)(unsigned char *);
	} frames[] = {
	    {EM_X86_64, 9, 14, frame_x86}, {EM_AARCH64, 0, 0x24, frame_a64}};
	unsigned char m[MEM_SIZE];
	struct sigframe f, left;
	struct target t;
	size_t i;

	for (i = 0; i < 2; i++) {
		struct piece p = {m, MEM_SIZE};
		struct regs now = {.n = arch_find(frames[i].machine)->gregs};

		frames[i].make(m);
		piece_target(&t, &p, frames[i].machine);
		CHECK(sigframe_read(&t, MEM, &now, &f) == 0);
		CHECK(f.regs.r[frames[i].reg] == 0x88);
		CHECK(f.regs.r[t.arch->pc] == MEM);
		CHECK(f.regs.r[t.arch->sp] == MEM + 600);
		CHECK(f.have_info && f.signo == SIGSEGV && f.addr == 0x18);
		CHECK(f.have_trap && f.trap == frames[i].trap);
		/* left behind by a handler that has returned */
		CHECK(sigframe_left(&t, &f.regs, &left) == 0);
		CHECK(left.trapaddr == 0x18);
		f.regs.r[1] ^= 1;
		CHECK(sigframe_left(&t, &f.regs, &left) == -1);
		target_free(&t);
	}
}

/* What panic_find() makes of len bytes of it. */
static int
panicked(const unsigned char *m, size_t len, int machine, struct panic *p)
{
	struct frame f[2] = {{.pc = MEM + CALLER_CODE, .sp = MEM},
	    {.pc = MEM + CALLER_PC, .sp = MEM + CALLER_SP}};
	struct target_thread th = {.trace = {.f = f, .n = 2}};
	struct piece piece = {m, len};
	struct target t;
	struct map map;
	struct crash c = {.t = &t};

	piece_target(&t, &piece, machine);
	piece_map(&t, &map);
	t.threads = &th;
	t.nthreads = 1;
	panic_find(&c, p);
	t.threads = NULL;
	t.maps = NULL;
	t.nthreads = t.nmaps = 0;
	target_free(&t);
	return p->found;
}

static void
test_panic(int machine)
{
	/* each by itself makes it no panic */
	static const struct {
		unsigned at;
		uint64_t v;
	} forged[] = {{HOOK + 8, 0}, {HOOK + 16, MEM + LOCATION + 4},
	    {VTABLE, 1}, {VTABLE + 8, 1 << 21}, {VTABLE + 16, 3},
	    {VTABLE + 24, 0}, {LOCATION, 8}, {LOCATION + 8, 0},
	    {LOCATION + 8, 11 + 2}, {LOCATION + 8, UINT64_C(1) << 63},
	    {LOCATION + 16, 7}, {LOCATION + 16, UINT64_C(5) << 32},
	    {CALLER_CODE, 0}, {CALLER_CODE, UINT64_MAX}};
	unsigned char m[MEM_SIZE];
	struct panic p;
	size_t i;

	panic_fixture(m, machine);
	CHECK(panicked(m, MEM_SIZE, machine, &p));
	CHECK(strcmp(p.file, "src/main.rs") == 0 && p.line == 7);
	CHECK(p.column == 5 && p.have_text && !p.cut);
	CHECK(strcmp(p.text, "the words of it.") == 0);
	put_word(m, PAYLOAD + 16, 65); /* longer than it can be */
	CHECK(panicked(m, MEM_SIZE, machine, &p) && !p.have_text);
	put_word(m, VTABLE + 8, 16); /* &str */
	put_word(m, PAYLOAD, MEM + WORDS);
	put_word(m, PAYLOAD + 8, 9);
	CHECK(panicked(m, MEM_SIZE, machine, &p) && p.have_text);
	CHECK(strcmp(p.text, "the words") == 0);
	m[WORDS] = 0xff;
	CHECK(panicked(m, MEM_SIZE, machine, &p) && !p.have_text);
	put_word(m, HOOK + 16, 0); /* as it was before Rust 1.81 */
	put_word(m, HOOK + 24, MEM + LOCATION);
	CHECK(panicked(m, MEM_SIZE, machine, &p) && p.line == 7);
	for (i = 0; i < NELEM(forged); i++) {
		panic_fixture(m, machine);
		put_word(m, forged[i].at, forged[i].v);
		CHECK(!panicked(m, MEM_SIZE, machine, &p));
	}
	panic_fixture(m, machine);
	for (i = 0; i < CALLER_PC; i++)
		CHECK(!panicked(m, i, machine, &p));
}

static void
save(const char *name, const unsigned char m[MEM_SIZE])
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	must(fd != -1 && io_write_full(fd, m, MEM_SIZE) == 0, name);
	close(fd);
}

int
main(int argc, char **argv)
{
	unsigned char m[MEM_SIZE];

	if (argc == 3 && strcmp(argv[1], "-w") == 0) {
		must(chdir(argv[2]) == 0, argv[2]);
		exception_fixture(m);
		save("exception", m);
		frame_x86(m);
		save("sigframe.x86_64", m);
		frame_a64(m);
		save("sigframe.aarch64", m);
		panic_fixture(m, EM_X86_64);
		save("panic", m);
		return 0;
	}
	test_genuine();
	test_dependent();
	test_forged();
	test_names();
	test_frames();
	test_sigframe();
	test_siginfo();
	test_panic(EM_X86_64);
	test_panic(EM_AARCH64);
	return check_report();
}
