#include "probe/segv_shares.h"

#include <stdlib.h>
#include <string.h>

int
segv_shares_init(struct segv_shares *s)
{
	memset(s, 0, sizeof(*s));
	s->was = calloc(SEGV_SHARES, sizeof(*s->was));
	s->now = calloc(SEGV_SHARES, sizeof(*s->now));
	return s->was == NULL || s->now == NULL ? -1 : 0;
}

void
segv_shares_free(struct segv_shares *s)
{
	free(s->was);
	free(s->now);
	memset(s, 0, sizeof(*s));
}

static void
take(void *ctx, pid_t pid, const struct segv_share *share)
{
	struct segv_shares *s = ctx;
	struct segv_told *t;

	if (s->nnow == SEGV_SHARES || share->limited == 0)
		return;
	t = &s->now[s->nnow++];
	t->pid = pid;
	t->limited = share->limited;
	memcpy(t->comm, share->comm, SEGV_COMM);
	t->comm[SEGV_COMM] = '\0';
}

static int
by_pid(const void *a, const void *b)
{
	const struct segv_told *x = a, *y = b;

	return x->pid < y->pid ? -1 : x->pid > y->pid;
}

int
segv_shares_look(struct segv_shares *s, const struct segv_probe *p)
{
	struct segv_told *t = s->was, *old;
	size_t i;

	s->was = s->now;
	s->nwas = s->nnow;
	s->now = t;
	s->nnow = 0;
	if (segv_probe_shares(p, take, s) == -1)
		return -1;
	qsort(s->now, s->nnow, sizeof(*s->now), by_pid);
	for (i = 0; i < s->nnow; i++) {
		t = &s->now[i];
		/* met twice while the map changed */
		if (i > 0 && t[-1].pid == t->pid)
			t->limited = t[-1].limited > t->limited ? t[-1].limited
								: t->limited;
		old = s->nwas == 0
		    ? NULL
		    : bsearch(t, s->was, s->nwas, sizeof(*s->was), by_pid);
		if (i > 0 && t[-1].pid == t->pid)
			old = &t[-1];
		t->more = t->limited;
		if (old != NULL && old->limited <= t->limited)
			t->more -= old->limited;
		s->told += t->more;
	}
	return 0;
}
