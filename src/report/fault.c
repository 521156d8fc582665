#include "report/fault.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "report/crash_dump.h"
#include "report/exception.h"
#include "report/panic.h"

enum {
	STACK_NEAR = 1 << 20, /* how far below its stack a push may land */
	ABORT_MAX = 4096,
	CODE_CPERR = 10 /* control protection: its address is always 0 */
};

/*
 * A stack has run out when the address lies just below a writable mapping (in
 * a guard, or in nothing) and the stack pointer stands at that mapping's end;
 * or in what is writable and yet refused, beside the stack pointer: the guard
 * is no mapping of its own (MADV_GUARD_INSTALL of Linux 6.13, by glibc 2.42),
 * and what the kernel tells of it is SEGV_MAPERR.
 */
static int
is_overflow(const struct fault *f, const struct crash *c)
{
	struct target *t = c->t;
	struct map *m;
	uint64_t sp;

	if (f->regs.n == 0 || t->arch == NULL || f->signo != SIGSEGV ||
	    !f->have_addr)
		return 0;
	sp = f->regs.r[t->arch->sp];
	m = maps_above(t->maps, t->nmaps, f->addr);
	if (m != NULL && f->addr >= m->start && (m->prot & MAP_W) &&
	    f->have_code && (f->code == SEGV_ACCERR || f->code == SEGV_MAPERR))
		return sp >= m->start && sp < m->end &&
		    (sp > f->addr ? sp - f->addr : f->addr - sp) <
		    STACK_NEAR / 8;
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

static void
take_siginfo(struct fault *f, const struct core_head *h)
{
	if (f->signo == 0)
		f->signo = h->signo;
	f->code = h->sicode;
	f->have_code = 1;
	f->pid = h->sipid;
	f->uid = h->siuid;
	f->by_itself = h->have_psinfo && h->sipid == h->pspid;
	/* si_addr counts for faults only; SI_KERNEL has none */
	f->have_addr = f->code > 0 && f->code != FAULT_SI_KERNEL &&
	    fault_is_raised(f->signo) &&
	    !(f->signo == SIGSEGV && f->code == CODE_CPERR);
	f->addr = f->have_addr ? h->siaddr : 0;
}

void
fault_find(struct fault *f, const struct crash *c, struct symbols *sy)
{
	const struct target_thread *th = target_crashed(c->t);
	const struct core_head *h = c->head;

	memset(f, 0, sizeof(*f));
	f->signo = c->signo;
	if (h == NULL)
		return;
	if (f->signo == 0 && h->nthreads > 0)
		f->signo = h->threads[0].cursig;
	if (h->have_siginfo)
		take_siginfo(f, h);
	if (th != NULL)
		f->regs = th->regs;
	f->access = c->access;
	if (h->have_siginfo)
		fault_look(f, c);
	else if (!c->live)
		fault_guess(f, c);
	f->overflow = is_overflow(f, c);
	if (!c->sampled && th != NULL) {
		if (f->signo == SIGABRT) {
			find_abort_msg(f, c);
			f->panic = calloc(1, sizeof(*f->panic));
		}
		if (f->panic != NULL)
			panic_find(c, f->panic);
		f->caught = caught_find(f, c, sy);
		if (f->caught != NULL)
			f->caught->overflow = is_overflow(f->caught, c);
		f->exception = calloc(1, sizeof(*f->exception));
		if (f->exception != NULL)
			exception_find(c, sy, f->signo, f->exception);
		/* only what calls abort() means it, perhaps */
		if (f->exception != NULL && f->signo != SIGABRT &&
		    f->exception->how == EXCEPTION_HANDLED)
			f->exception->found = 0;
	}
	cause_text(f, c, sy);
}

void
fault_free(struct fault *f)
{
	free(f->abort_msg);
	free(f->caught);
	free(f->exception);
	free(f->panic);
	f->panic = NULL;
	f->abort_msg = NULL;
	f->caught = NULL;
	f->exception = NULL;
}
