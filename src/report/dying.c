#include "report/dying.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/array.h"
#include "core/corestash.h"
#include "target/target_core.h"
#include "target/target_notes.h"
#include "target/target_proc.h"

/* Both come from the kernel.  A core cut amid its auxv proves nothing; where
 * stdin is no core at all, none speaks against it. */
static int
same_image(const struct procinfo *pi, const struct core_head *h, int sure)
{
	const struct buf *b = &pi->item[PROC_AUXV].b;

	if (b->len == 0 || h->anyauxvlen == 0)
		return sure || h->elfclass == 0;
	return core_auxv_same(h->anyauxv, h->anyauxvlen,
	    (const unsigned char *)b->p, b->len,
	    h->elfclass == ELFCLASS64 ? 8 : 4);
}

/* stdin is a core file at its beginning, which can be read anywhere. */
static int
is_file(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    lseek(fd, 0, SEEK_CUR) == 0;
}

/* The process cannot be read: what the core itself holds must do. */
static void
read_core_only(struct dying *d, int corefd)
{
	struct crash *c = d->c;
	const struct core_head *h = c->head;
	struct target *t = c->t;
	struct core_paths here = {
	    .rootfd = -1, .opener = d->opener.askfd != -1 ? &d->opener : NULL};
	struct core_stash s = {.n = t->nthreads, .deadline = c->deadline};
	uint64_t *want;
	size_t i;
	int fd;

	t->maps_why = "neither the process nor the core could be read";
	if (h->nsegs == 0 || t->nthreads == 0)
		return;
	if (h->file) {
		if (target_core_open(corefd, h, &here, t) == 0)
			t->maps_why = NULL;
		return;
	}
	want = calloc(t->nthreads, sizeof(*want));
	if (want == NULL)
		return;
	for (i = 0; i < t->nthreads; i++)
		want[i] = thread_sp(t, &t->threads[i]);
	array_sort(want, t->nthreads, sizeof(*want), 0);
	s.want = want;
	fd = core_stash(corefd, h, &s);
	free(want);
	if (fd != -1 && target_core_open(fd, h, &here, t) == 0)
		t->maps_why = s.why;
}

static const char *
why_no_head(int err)
{
	switch (err) {
	case ENOEXEC:
		return "stdin is not an ELF core";
	case ENOTSUP:
		return "a core of another class or byte order";
	case ENODATA:
		return "the core ended before its notes did";
	case ETIMEDOUT:
		return "the core did not arrive in time";
	default:
		return "the core could not be read";
	}
}

int
dying_open(struct dying *d, struct crash *c, int procfd,
    const struct procinfo_seen *seen)
{
	target_init(&d->t);
	c->t = &d->t;
	d->c = c;
	d->readable = 0;
	d->opener.askfd = -1;
	if (procfd == -1)
		return 0;
	if (procinfo_gather(procfd, c->want_environ ? PROC_WANT_ENVIRON : 0,
		seen, &d->pi) == -1)
		return -1;
	c->pi = &d->pi;
	d->readable = target_proc_open(procfd, &d->pi, &d->t, 0) == 0;
	return 0;
}

int
dying_report(struct dying *d, int corefd, int reportfd, enum out_format format)
{
	struct crash *c = d->c;
	struct out *o;
	int r;

	r = is_file(corefd) ? core_head_pread(corefd, &d->head)
			    : core_head_read(corefd, c->deadline, &d->head);
	if (r == -1 && d->head.nthreads == 0)
		c->core_why = why_no_head(errno);
	c->head = &d->head;
	if (c->pi != NULL && !same_image(c->pi, c->head, c->sure)) {
		c->pi = NULL;
		c->proc_why = "its process id may belong to another process";
		target_free(&d->t);
		d->readable = 0;
	}
	if (target_take_notes(&d->t, &d->head, c->pi, c->tid) == -1)
		return -1;
	if (!d->readable)
		read_core_only(d, corefd);
	o = out_new(reportfd, format);
	if (o == NULL)
		return -1;
	if (crash_dump(c, o) == -1)
		return -1;
	return out_finish(o);
}
