/*
 * fuzz_dump: the whole way of `debugger core exe', either form of the report.
 *
 * An input that says it is a core is one, with the fixture's program.  Any
 * other is a program, and a core is made around it: threads that stand in the
 * functions its .eh_frame_hdr lists, with return addresses into them on their
 * stacks, so that the input's own DWARF is what libunwind reads.
 *
 * libunwind itself is not ours to mend, and the programs run it where it can
 * do no harm (a child without privileges and with a deadline): when it dies or
 * does not return, the input is given up, counted and said at the end, and no
 * failure.
 */
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/procfs.h>
#include <sys/time.h>
#include <ucontext.h>
#include <unistd.h>

#include "base/deadline.h"
#include "base/io.h"
#include "core/corehead.h"
#include "fuzz.h"
#include "report/crash_dump.h"
#include "target/target_core.h"
#include "target/target_notes.h"

#define PROGRAM UINT64_C(0x7f0000000000) /* where it is mapped */
#define STACK UINT64_C(0x7ffd00000000)
#define FIXTURE "t/fixtures/crash.x86_64"

enum { THREADS = 8, STACK_SIZE = 16384, PAGE = 4096, HANG_MS = 2000 };

static struct {
	uint64_t from, to;
} theirs[8]; /* libunwind's code */
static size_t ntheirs;
static sigjmp_buf escape;
static volatile sig_atomic_t within; /* crash_dump() */
static unsigned long died, hung;

/* What a jump out of libunwind leaves behind is no leak of ours (called by
 * LeakSanitizer). */
int __lsan_is_turned_off(void);
const char *__lsan_default_suppressions(void);

int
__lsan_is_turned_off(void)
{
	return died + hung > 0;
}

const char *
__lsan_default_suppressions(void)
{
	return "leak:libunwind\n";
}

static int
is_theirs(uint64_t pc)
{
	size_t i;

	for (i = 0; i < ntheirs; i++)
		if (pc >= theirs[i].from && pc < theirs[i].to)
			return 1;
	return 0;
}

/* libunwind's own abort() ends up here too. */
void
abort(void)
{
	if (within && is_theirs((uint64_t)__builtin_return_address(0))) {
		died++;
		siglongjmp(escape, 1);
	}
	signal(SIGABRT, SIG_DFL);
	raise(SIGABRT);
	_exit(134);
}

static void
set_alarm(int ms)
{
	struct itimerval it = {
	    .it_value = {ms / 1000, ms % 1000 * (suseconds_t)1000}};

	setitimer(ITIMER_REAL, &it, NULL);
}

static void
on_signal(int sig, siginfo_t *si, void *context)
{
	const ucontext_t *uc = context;
#if defined(__x86_64__)
	uint64_t pc = (uint64_t)uc->uc_mcontext.gregs[REG_RIP];
#else
	uint64_t pc = uc->uc_mcontext.pc;
#endif

	(void)si;
	if (sig == SIGALRM) {
		if (within && is_theirs(pc)) {
			hung++;
			siglongjmp(escape, 1);
		}
		if (within)
			set_alarm(1); /* amid our own code: a little later */
		return;
	}
	if (within && is_theirs(pc)) {
		died++;
		siglongjmp(escape, 1);
	}
}

static int
find_theirs(struct dl_phdr_info *info, size_t size, void *arg)
{
	size_t i;

	(void)size;
	(void)arg;
	if (strstr(info->dlpi_name, "libunwind") == NULL)
		return 0;
	for (i = 0; i < info->dlpi_phnum; i++)
		if (info->dlpi_phdr[i].p_flags & PF_X && ntheirs < 8) {
			theirs[ntheirs].from =
			    info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
			theirs[ntheirs].to =
			    theirs[ntheirs].from + info->dlpi_phdr[i].p_memsz;
			ntheirs++;
		}
	return 0;
}

static void
say_theirs(void)
{
	if (died + hung > 0)
		fprintf(stderr,
		    "fuzz_dump: libunwind died %lu times, hung %lu times\n",
		    died, hung);
}

/* ASan's own handler stays where the fault is ours. */
static struct sigaction before[65];

static void
on_fault(int sig, siginfo_t *si, void *context)
{
	on_signal(sig, si, context);
	sigaction(sig, &before[sig], NULL);
}

static void
begin(void)
{
	static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL};
	struct sigaction sa = {.sa_flags = SA_SIGINFO};
	size_t i;

	elfsym_debug_root = "/nonexistent";
	dl_iterate_phdr(find_theirs, NULL);
	if (ntheirs == 0)
		abort();
	sa.sa_sigaction = on_fault;
	for (i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		sigaction(faults[i], &sa, &before[faults[i]]);
	sa.sa_sigaction = on_signal;
	sa.sa_flags |= SA_RESTART;
	sigaction(SIGALRM, &sa, NULL);
	atexit(say_theirs);
}

static int
fill(const char *name, const void *data, size_t len)
{
	int fd = memfd_create(name, MFD_CLOEXEC);

	if (fd == -1 || io_write_full(fd, data, len) == -1)
		abort();
	return fd;
}

/* Adds a note; the contents are made of words. */
static void
add_note(struct buf *b, uint32_t type, const void *desc, size_t len)
{
	Elf64_Nhdr n = {5, (uint32_t)len, type};
	static const char zeros[8];

	if (buf_append(b, &n, sizeof(n)) == -1 ||
	    buf_append(b, "CORE\0\0\0", 8) == -1 ||
	    buf_append(b, desc, len) == -1 ||
	    buf_append(b, zeros, (4 - len % 4) % 4) == -1)
		abort();
}

/* The starts of functions that the program's search table tells. */
static size_t
functions(const uint8_t *p, size_t len, uint64_t f[THREADS])
{
	Elf64_Ehdr eh;
	Elf64_Phdr ph;
	size_t i, n = 0;
	int32_t start;
	uint32_t count, k;

	if (len < sizeof(eh))
		return 0;
	memcpy(&eh, p, sizeof(eh));
	for (i = 0; i < eh.e_phnum && eh.e_phoff < len &&
	     len - eh.e_phoff >= (i + 1) * sizeof(ph);
	     i++) {
		memcpy(&ph, p + eh.e_phoff + i * sizeof(ph), sizeof(ph));
		if (ph.p_type != PT_GNU_EH_FRAME || ph.p_offset >= len ||
		    len - ph.p_offset < 12)
			continue;
		memcpy(&count, p + ph.p_offset + 8, sizeof(count));
		for (k = 0; k < count && n < THREADS &&
		     12 + 8 * (uint64_t)k + 8 <= len - ph.p_offset;
		     k++) {
			memcpy(&start, p + ph.p_offset + 12 + (size_t)k * 8, 4);
			f[n++] = PROGRAM + ph.p_vaddr + (uint64_t)start;
		}
	}
	return n;
}

/* A core of THREADS threads in the program of len bytes. */
static int
core_around(const uint8_t *prog, size_t len)
{
	uint64_t f[THREADS], words[STACK_SIZE / 8], size, nfunc, i;
	uint64_t auxv[] = {AT_ENTRY, PROGRAM + 64, AT_NULL, 0};
	struct {
		uint64_t count, pagesize, start, end, off;
		char name[8];
	} file = {1, 1, PROGRAM, 0, 0, "/prog"};
	siginfo_t si = {.si_signo = SIGSEGV, .si_code = SEGV_MAPERR};
	struct elf_prstatus st;
	struct buf notes = {0};
	Elf64_Phdr ph[3];
	Elf64_Ehdr eh = {.e_type = ET_CORE,
	    .e_version = 1,
	    .e_phoff = sizeof(eh),
	    .e_ehsize = sizeof(eh),
	    .e_phentsize = sizeof(ph[0]),
	    .e_phnum = 3};
	int fd;

	nfunc = functions(prog, len, f);
	for (; nfunc < THREADS; nfunc++)
		f[nfunc] = PROGRAM + (nfunc * 0x28 + 0x480) % (len + 1);
	size = (len + PAGE) / PAGE * PAGE;
	file.end = PROGRAM + size;
	for (i = 0; i < THREADS; i++) {
		memset(&st, 0, sizeof(st));
		st.pr_pid = 100 + (int)i;
		/* every register a stack address, but for pc */
		for (size_t k = 0; k < sizeof(st.pr_reg) / 8; k++)
			((uint64_t *)&st.pr_reg)[k] = STACK + 64 * (i + k);
#if defined(__x86_64__)
		((uint64_t *)&st.pr_reg)[16] = f[i] + i % 5;  /* rip */
		((uint64_t *)&st.pr_reg)[19] = STACK + 8 * i; /* rsp */
		eh.e_machine = EM_X86_64;
#else
		((uint64_t *)&st.pr_reg)[31] = STACK + 16 * i;
		((uint64_t *)&st.pr_reg)[32] = f[i] + i % 5 * 4;
		eh.e_machine = EM_AARCH64;
#endif
		add_note(&notes, NT_PRSTATUS, &st, sizeof(st));
	}
	add_note(&notes, NT_SIGINFO, &si, sizeof(si));
	add_note(&notes, NT_AUXV, auxv, sizeof(auxv));
	add_note(&notes, NT_FILE, &file, sizeof(file));
	for (i = 0; i < STACK_SIZE / 8; i++)
		words[i] = i % 3 == 2 ? STACK + i * 8 + 32
				      : f[(i * 7 + i / 16) % THREADS] + 5;

	memcpy(eh.e_ident, ELFMAG, SELFMAG);
	eh.e_ident[EI_CLASS] = ELFCLASS64;
	eh.e_ident[EI_DATA] = ELFDATA2LSB;
	eh.e_ident[EI_VERSION] = EV_CURRENT;
	memset(ph, 0, sizeof(ph));
	ph[0].p_type = PT_NOTE;
	ph[0].p_offset = sizeof(eh) + sizeof(ph);
	ph[0].p_filesz = notes.len;
	ph[1].p_type = PT_LOAD; /* its contents are in the file */
	ph[1].p_vaddr = PROGRAM;
	ph[1].p_memsz = size;
	ph[1].p_flags = PF_R | PF_X;
	ph[2].p_type = PT_LOAD;
	ph[2].p_offset = ph[0].p_offset + notes.len;
	ph[2].p_vaddr = STACK;
	ph[2].p_filesz = ph[2].p_memsz = STACK_SIZE;
	ph[2].p_flags = PF_R | PF_W;
	fd = fill("core", &eh, sizeof(eh));
	if (io_write_full(fd, ph, sizeof(ph)) == -1 ||
	    io_write_full(fd, notes.p, notes.len) == -1 ||
	    io_write_full(fd, words, sizeof(words)) == -1)
		abort();
	buf_free(&notes);
	return fd;
}

static void
report(struct crash *c, enum out_format format)
{
	struct out *o;
	static int null = -1;

	if (null == -1)
		null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	o = out_new(null, format);
	if (null == -1 || o == NULL)
		abort();
	if (sigsetjmp(escape, 1) == 0) {
		within = 1;
		set_alarm(HANG_MS);
		if (crash_dump(c, o) == -1)
			abort();
		within = 0;
	}
	within = 0;
	set_alarm(0);
	/* EOVERFLOW, EINVAL: calls that do not match */
	if (out_finish(o) == -1)
		abort();
	if (memchr(c->summary, '\0', sizeof(c->summary)) == NULL)
		abort();
}

/* The decoded core and what is left of it. */
static void
debug(int corefd, const char *exe, enum out_format format)
{
	struct core_paths where = {.exe = exe, .rootfd = -1};
	struct core_head h;
	struct target t;
	struct crash c = {.t = &t,
	    .head = &h,
	    .uid = -1,
	    .gid = -1,
	    .dumpmode = -1,
	    .rlimit = -1,
	    .proc_why = "not recorded in a core file"};

	if (core_head_pread(corefd, &h) == -1 && h.nthreads == 0) {
		core_head_free(&h);
		return;
	}
	target_init(&t);
	c.deadline = deadline_in(1000);
	if (target_take_notes(&t, &h, NULL, 0) == -1)
		abort();
	if (target_core_open(corefd, &h, &where, &t) == 0)
		report(&c, format);
	target_free(&t);
	core_head_free(&h);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	/* one form of the two, which the other half of the inputs has */
	const enum out_format format = len % 2 ? OUT_JSON : OUT_TEXT;
	static int begun;
	char exe[32];
	int corefd, exefd = -1;

	if (!begun++)
		begin();
	if (len > 17 && data[16] == ET_CORE && data[17] == 0) {
		corefd = fill("core", data, len);
		debug(corefd, FIXTURE, format);
	} else {
		exefd = fill("prog", data, len);
		corefd = core_around(data, len);
		snprintf(exe, sizeof(exe), "/proc/self/fd/%d", exefd);
		debug(corefd, exe, format);
		close(exefd);
	}
	close(corefd);
	return 0;
}
