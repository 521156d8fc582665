#include "report/fault.h"

#include <elf.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memop/memop.h"
#include "report/crash_dump.h"
#include "unwind/symbols.h"

enum {
	NULL_PAGES = 64 << 10, /* below this an address is a null pointer */
	STACK_NEAR = 1 << 20,  /* how far below its stack a push may land */
	ABORT_MAX = 4096,
	CODE_MAX = 16,
	CODE_SI_KERNEL = 128
};

/* The innermost frame with a name. */
static const char *
where(const struct crash *c, struct symbols *sy, size_t from)
{
	const struct trace *tr;
	struct symbol s;
	size_t i;

	if (c->t->nthreads == 0)
		return NULL;
	tr = &c->t->threads[0].trace;
	for (i = from; i < tr->n && i < from + 4; i++) {
		symbols_get(sy, tr->f[i].pc, tr->f[i].flags & FRAME_EXACT, &s);
		if (s.name != NULL)
			return s.name;
	}
	return NULL;
}

/* x86's ret, with or without prefix; aarch64 faults at the target instead. */
static int
is_return(const unsigned char *code, size_t n)
{
	size_t i = n > 1 && (code[0] == 0xf3 || code[0] == 0xf2) ? 1 : 0;

	return n > i && (code[i] == 0xc3 || code[i] == 0xc2);
}

/* Access and, where the kernel gave no address, the address. */
static void
find_access(struct fault *f, const struct crash *c)
{
	const struct target_thread *th = target_crashed(c->t);
	unsigned char code[CODE_MAX];
	struct memop op;
	uint64_t pc;
	size_t n;

	if (th == NULL || (f->signo != SIGSEGV && f->signo != SIGBUS))
		return;
	if (!f->have_addr && f->code != CODE_SI_KERNEL)
		return;
	pc = thread_pc(c->t, th);
	n = target_read(c->t, pc, code, sizeof(code));
	if (f->have_addr && (f->addr == pc || target_code(c->t, pc) == NULL)) {
		f->access = MEMOP_EXEC;
		return;
	}
	if (memop_decode(c->t->machine, code, n, th->regs.r, f->addr,
		f->have_addr, &op) == -1)
		return;
	f->access = (unsigned)op.access;
	if (f->have_addr)
		return;
	f->addr = op.ea;
	f->misaligned = op.have_ea && op.align > 1 && op.ea % op.align != 0;
	/* neither: the instruction is not for user mode, or the like */
	f->have_addr = op.have_ea && (f->misaligned || op.ea >> 47 != 0);
	/* a return to nowhere faults at itself; where to, its stack tells */
	if ((f->access & MEMOP_EXEC) && is_return(code, n) &&
	    target_word(c->t, thread_sp(c->t, th), &f->addr) == 0)
		f->have_addr = 1;
}

/*
 * A stack has run out when the address lies just below a writable mapping (in
 * a guard, or in nothing) and the stack pointer stands at that mapping's end.
 */
static int
is_overflow(const struct fault *f, const struct crash *c)
{
	const struct target_thread *th = target_crashed(c->t);
	struct target *t = c->t;
	struct map *m;
	uint64_t sp;

	if (th == NULL || f->signo != SIGSEGV || !f->have_addr)
		return 0;
	sp = thread_sp(t, th);
	m = maps_above(t->maps, t->nmaps, f->addr);
	if (m != NULL && f->addr >= m->start && !(m->prot & MAP_W))
		m = m + 1 < t->maps + t->nmaps ? m + 1 : NULL;
	if (m == NULL || !(m->prot & MAP_W) || f->addr >= m->start)
		return 0;
	return m->start - f->addr < STACK_NEAR &&
	    (sp >= m->start ? sp - m->start : m->start - sp) < STACK_NEAR &&
	    sp < m->end && (sp < f->addr || sp - f->addr < STACK_NEAR) &&
	    sp < m->start + STACK_NEAR / 8;
}

/* glibc keeps the last words of abort() (assert, stack protector, malloc) at
 * __abort_msg: a pointer to { unsigned size; char msg[]; }. */
static void
find_abort_msg(struct fault *f, const struct crash *c)
{
	struct target *t = c->t;
	uint64_t vaddr, p;
	size_t i, n;
	char *msg;

	for (i = 0; i < t->nmods; i++) {
		if (t->mods[i].fd == -1 || t->mods[i].headers != MODULE_YES ||
		    (!t->mods[i].isexec &&
			strncmp(t->mods[i].base, "libc.so", 7) != 0 &&
			strncmp(t->mods[i].base, "libc-", 5) != 0))
			continue;
		if (elfsym_find(t->mods[i].fd, "__abort_msg", &vaddr) == -1 ||
		    target_word(t, t->mods[i].bias + vaddr, &p) == -1 || p == 0)
			continue;
		msg = malloc(ABORT_MAX + 1);
		if (msg == NULL)
			return;
		n = target_read(t, p + sizeof(unsigned), msg, ABORT_MAX);
		msg[n] = '\0';
		n = strlen(msg);
		while (n > 0 && msg[n - 1] == '\n')
			msg[--n] = '\0';
		if (n == 0) {
			free(msg);
			continue;
		}
		f->abort_msg = msg;
		return;
	}
}

/* Was something called or jumped to that is no code? */
static int
pc_is_bad(const struct crash *c)
{
	const struct trace *tr;

	if (c->t->nthreads == 0)
		return 0;
	tr = &c->t->threads[0].trace;
	return tr->n > 0 && (tr->f[0].flags & FRAME_BADPC);
}

static const char *
access_word(unsigned access)
{
	if (access & MEMOP_EXEC)
		return "execution";
	if (access & MEMOP_WRITE)
		return "write";
	return access & MEMOP_READ ? "read" : "access";
}

static const char *
map_word(const struct map *m)
{
	return *m->name != '\0' ? m->name : "anonymous memory";
}

static void
segv_text(struct fault *f, const struct crash *c, const char *in,
    const char *relation)
{
	struct map *m = target_map(c->t, f->addr);
	const char *what = access_word(f->access);
	char place[128] = "";

	if (in != NULL)
		snprintf(place, sizeof(place), " %s %.100s", relation, in);
	if (f->overflow)
		snprintf(f->text, sizeof(f->text), "stack overflow%s", place);
	else if (!f->have_addr)
		snprintf(f->text, sizeof(f->text), "general protection fault%s",
		    place);
	else if (f->misaligned)
		snprintf(f->text, sizeof(f->text),
		    "misaligned %s at address 0x%" PRIx64 "%s", what, f->addr,
		    place);
	else if (f->code == CODE_SI_KERNEL)
		snprintf(f->text, sizeof(f->text),
		    "%s at non-canonical address 0x%" PRIx64 "%s", what,
		    f->addr, place);
	else if (f->access & MEMOP_EXEC && f->addr < NULL_PAGES)
		snprintf(
		    f->text, sizeof(f->text), "jump to null pointer%s", place);
	else if (f->addr == 0)
		snprintf(
		    f->text, sizeof(f->text), "null pointer %s%s", what, place);
	else if (f->addr < NULL_PAGES)
		snprintf(f->text, sizeof(f->text),
		    "null pointer %s at offset 0x%" PRIx64 "%s", what, f->addr,
		    place);
	else if (m == NULL)
		snprintf(f->text, sizeof(f->text),
		    "%s of unmapped address 0x%" PRIx64 "%s", what, f->addr,
		    place);
	else
		snprintf(f->text, sizeof(f->text),
		    "%s of address 0x%" PRIx64 " without permission "
		    "(%c%c%c %.60s)%s",
		    what, f->addr, m->prot & MAP_R ? 'r' : '-',
		    m->prot & MAP_W ? 'w' : '-', m->prot & MAP_X ? 'x' : '-',
		    map_word(m), place);
}

/* Signals whose code says it all. */
static const char *
code_text(int signo, int code)
{
	if (signo == SIGFPE && code == 1)
		return "integer division by zero";
	if (signo == SIGFPE)
		return "arithmetic error";
	if (signo == SIGILL)
		return "illegal instruction";
	if (signo == SIGTRAP)
		return "breakpoint or trap";
	if (signo == SIGSYS)
		return "system call not permitted (seccomp)";
	if (signo == SIGBUS && code == 1)
		return "misaligned access";
	return NULL;
}

static void
make_text(struct fault *f, const struct crash *c, struct symbols *sy)
{
	int called = (f->access & MEMOP_EXEC) && pc_is_bad(c);
	const char *in = where(c, sy, called ? 1 : 0);
	const char *what;
	struct map *m;

	/* abort() sends the signal to itself, as SI_TKILL; a service manager's
	 * watchdog sends it to others */
	if (f->signo == SIGABRT &&
	    !(f->have_code && f->code <= 0 && c->head->have_psinfo &&
		c->head->sipid != c->head->pspid)) {
		snprintf(f->text, sizeof(f->text), "abort%s%.200s",
		    f->abort_msg != NULL ? ": " : "ed",
		    f->abort_msg != NULL ? f->abort_msg : "");
		return;
	}
	if (f->have_code && f->code <= 0 && c->head != NULL) {
		snprintf(f->text, sizeof(f->text),
		    "signal sent by %s %d (uid %d)",
		    c->head->sipid == c->head->pspid ? "the process itself,"
						     : "process",
		    c->head->sipid, c->head->siuid);
		return;
	}
	if (f->signo == SIGSEGV) {
		segv_text(f, c, in, called ? "called from" : "in");
		return;
	}
	what = code_text(f->signo, f->code);
	if (f->signo == SIGBUS && f->code == 2 &&
	    (m = target_map(c->t, f->addr)) != NULL) {
		snprintf(f->text, sizeof(f->text),
		    "%s beyond the end of %.100s%s%.100s",
		    access_word(f->access), map_word(m), in ? " in " : "",
		    in ? in : "");
		return;
	}
	if (what != NULL)
		snprintf(f->text, sizeof(f->text), "%s%s%.200s", what,
		    in ? " in " : "", in ? in : "");
}

void
fault_find(struct fault *f, const struct crash *c, struct symbols *sy)
{
	const struct core_head *h = c->head;

	memset(f, 0, sizeof(*f));
	f->signo = c->signo;
	if (h == NULL)
		return;
	if (f->signo == 0 && h->nthreads > 0)
		f->signo = h->threads[0].cursig;
	if (h->have_siginfo) {
		if (f->signo == 0)
			f->signo = h->signo;
		f->code = h->sicode;
		f->have_code = 1;
		f->addr = h->siaddr;
		/* si_addr counts for faults only; SI_KERNEL has none */
		f->have_addr = f->code > 0 && f->code != CODE_SI_KERNEL &&
		    (f->signo == SIGSEGV || f->signo == SIGBUS ||
			f->signo == SIGILL || f->signo == SIGFPE ||
			f->signo == SIGTRAP);
		if (!f->have_addr)
			f->addr = 0;
	}
	find_access(f, c);
	if (c->access != 0)
		f->access = c->access;
	f->overflow = is_overflow(f, c);
	if (f->signo == SIGABRT && !c->sampled)
		find_abort_msg(f, c);
	make_text(f, c, sy);
}

void
fault_free(struct fault *f)
{
	free(f->abort_msg);
	f->abort_msg = NULL;
}
