#include "memop_run.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

static struct run *run_now;
static volatile sig_atomic_t run_armed;

#if defined(__x86_64__)

static const int run_order[] = {REG_R15, REG_R14, REG_R13, REG_R12, REG_RBP,
    REG_RBX, REG_R11, REG_R10, REG_R9, REG_R8, REG_RAX, REG_RCX, REG_RDX,
    REG_RSI, REG_RDI, -1, REG_RIP, -1, REG_EFL, REG_RSP};

static gregset_t run_kept;

static void
run_swap(ucontext_t *uc, struct run *r)
{
	greg_t *g = uc->uc_mcontext.gregs;
	size_t i;

	memcpy(run_kept, g, sizeof(run_kept));
	r->want[18] = (uint64_t)g[REG_EFL];
	for (i = 0; i < sizeof(run_order) / sizeof(*run_order); i++)
		if (run_order[i] != -1)
			g[run_order[i]] = (greg_t)r->want[i];
}

static void
run_note(ucontext_t *uc, struct run *r)
{
	greg_t *g = uc->uc_mcontext.gregs;
	size_t i;

	memcpy(r->got, r->want, sizeof(r->got));
	for (i = 0; i < sizeof(run_order) / sizeof(*run_order); i++)
		if (run_order[i] != -1)
			r->got[i] = (uint64_t)g[run_order[i]];
	r->data = g[REG_TRAPNO] == 14 && r->got[RUN_PC] == r->want[RUN_PC];
	r->write = g[REG_ERR] >> 1 & 1;
	memcpy(g, run_kept, sizeof(run_kept));
}

/* What the vector setup may use: 1 AVX2, 2 AVX-512 mask registers. */
static unsigned
run_features(void)
{
	static int known = -1;

	if (known == -1) {
		__builtin_cpu_init();
		known = (__builtin_cpu_supports("avx2") ? 1 : 0) |
		    (__builtin_cpu_supports("avx512bw") ? 2 : 0);
	}
	return (unsigned)known;
}

static void
run_trap(void)
{
	unsigned f = run_features(), mxcsr = 0x1f80;

	__asm__ volatile("pcmpeqd %%mm1, %%mm1\n\t"
			 "pxor %%mm0, %%mm0\n\t"
			 "pcmpeqd %%xmm1, %%xmm1\n\t"
			 "pxor %%xmm2, %%xmm2\n\t"
			 "pxor %%xmm0, %%xmm0\n\t"
			 "testl $1, %0\n\t"
			 "jz 1f\n\t"
			 "vpcmpeqd %%ymm1, %%ymm1, %%ymm1\n\t"
			 "vpxor %%ymm2, %%ymm2, %%ymm2\n"
			 "1: testl $2, %0\n\t"
			 "jz 2f\n\t"
			 "kxnorq %%k1, %%k1, %%k1\n"
			 "2: int3\n\t"
			 "fninit\n\t"
			 "ldmxcsr %1\n\t"
			 "testl $1, %0\n\t"
			 "jz 3f\n\t"
			 "vzeroupper\n"
			 "3:"
			 :
			 : "r"(f), "m"(mxcsr)
			 : "memory", "cc", "xmm0", "xmm1", "xmm2", "xmm8",
			 "xmm9", "mm0", "mm1");
}

#elif defined(__aarch64__)

enum { RUN_ESR = 0x45535201 };

static uint64_t run_kept[34];

static void
run_swap(ucontext_t *uc, struct run *r)
{
	mcontext_t *m = &uc->uc_mcontext;

	memcpy(run_kept, m->regs, 31 * 8);
	run_kept[31] = m->sp;
	run_kept[32] = m->pc + 4; /* behind the brk */
	run_kept[33] = m->pstate;
	memcpy(m->regs, r->want, 31 * 8);
	m->sp = r->want[31];
	m->pc = r->want[32];
}

static void
run_note(ucontext_t *uc, struct run *r)
{
	mcontext_t *m = &uc->uc_mcontext;
	struct {
		uint32_t magic, size;
		uint64_t esr;
	} head;
	const char *p = (const char *)m->__reserved;

	memcpy(r->got, m->regs, 31 * 8);
	r->got[31] = m->sp;
	r->got[32] = m->pc;
	r->got[33] = m->pstate;
	r->data = r->signo == SIGSEGV && r->got[RUN_PC] == r->want[RUN_PC];
	r->write = -1;
	for (;; p += head.size) {
		memcpy(&head, p, sizeof(head));
		if (head.magic == 0 || head.size == 0)
			break;
		if (head.magic == RUN_ESR)
			r->write = head.esr >> 6 & 1;
	}
	memcpy(m->regs, run_kept, 31 * 8);
	m->sp = run_kept[31];
	m->pc = run_kept[32];
	m->pstate = run_kept[33];
}

static void
run_trap(void)
{
	__asm__ volatile("brk #0" : : : "memory", "cc", "v0", "v1", "v2", "v3");
}

#endif

static void
run_handler(int signo, siginfo_t *si, void *ctx)
{
	if (run_now == NULL)
		_exit(99);
	if (!run_armed) {
		run_armed = 1;
		run_swap(ctx, run_now);
		return;
	}
	run_armed = 0;
	run_now->signo = signo;
	run_now->code = si->si_code;
	run_now->addr = (uint64_t)(uintptr_t)si->si_addr;
	run_note(ctx, run_now);
}

void
run_pages(int prot, int behind)
{
	if (mprotect((void *)(uintptr_t)RUN_PAGE, 4096,
		PROT_READ | PROT_WRITE) == -1)
		exit(111);
	memset((void *)(uintptr_t)RUN_PAGE, 0, 4096);
	if (mprotect((void *)(uintptr_t)RUN_PAGE, 4096, prot) == -1 ||
	    mprotect((void *)(uintptr_t)RUN_EDGE, 4096, behind) == -1)
		exit(111);
}

static void
run_map(void)
{
	void *want = (void *)(uintptr_t)(RUN_PAGE - 4096);

	if (mmap(want, 4 * 4096, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1,
		0) != want)
		exit(111);
}

void
run_init(void)
{
	static const int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGFPE};
	struct sigaction sa = {.sa_flags = SA_SIGINFO | SA_ONSTACK};
	static char altstack[1 << 17];
	stack_t ss = {.ss_sp = altstack, .ss_size = sizeof(altstack)};
	size_t i;

	run_map();
	if (sigaltstack(&ss, NULL) == -1)
		exit(111);
	sa.sa_sigaction = run_handler;
	sigfillset(&sa.sa_mask);
	for (i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		if (sigaction(signals[i], &sa, NULL) == -1)
			exit(111);
}

void
run_start(struct run *r)
{
	run_now = r;
	run_armed = 0;
	run_trap();
	run_now = NULL;
}
