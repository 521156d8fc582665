#include "target/target_notes.h"

#include <stdlib.h>
#include <string.h>

#define TOO_MANY "the core has more than 65536 threads"

_Static_assert((int)TARGET_THREADS_MAX == 65536, "as TOO_MANY says");

static void
take_regs(
    struct target *t, const struct core_thread *ct, struct target_thread *th)
{
	size_t n = ct->regslen / sizeof(uint64_t);

	if (t->arch == NULL || n < t->arch->gregs) {
		th->why =
		    "registers of a machine this program has no table for";
		return;
	}
	th->regs.n = t->arch->gregs;
	memcpy(th->regs.r, ct->regs, th->regs.n * sizeof(uint64_t));
}

int
target_take_notes(struct target *t, const struct core_head *h,
    const struct procinfo *pi, pid_t crash_tid)
{
	const struct proc_task *task;
	struct target_thread *th;
	size_t i, n = h->nthreads;

	if (n > TARGET_THREADS_MAX)
		n = TARGET_THREADS_MAX;
	t->machine = h->machine;
	t->elfclass = h->elfclass;
	t->arch = h->elfclass == 2 ? arch_find(h->machine) : NULL;
	t->auxv = malloc(h->auxvlen + 1);
	t->threads = calloc(n + 1, sizeof(*t->threads));
	if (t->auxv == NULL || t->threads == NULL)
		return -1;
	if (h->auxvlen > 0)
		memcpy(t->auxv, h->auxv, h->auxvlen);
	t->auxvlen = h->auxvlen;
	t->threads_why = n < h->nthreads ? TOO_MANY : h->trouble;
	for (i = 0; i < n; i++) {
		th = &t->threads[t->nthreads++];
		th->nstid = th->tid = h->threads[i].pid;
		take_regs(t, &h->threads[i], th);
		task = pi != NULL ? procinfo_task(pi, th->nstid) : NULL;
		if (task != NULL) {
			th->tid = task->tid;
			memcpy(th->name, task->comm, sizeof(th->name));
			th->namelen = task->commlen;
		}
		if (i == 0 && crash_tid > 0)
			th->tid = crash_tid;
		if (i == 0 && th->namelen == 0 && h->have_psinfo) {
			memcpy(th->name, h->psname, sizeof(h->psname));
			th->namelen = strlen(th->name);
		}
	}
	return 0;
}
