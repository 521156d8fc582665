#include "segv/segv_frames.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "segv/segv_print.h"
#include "segv/segv_runner.h"
#include "track/mapspace.h"

/* --- what comes ------------------------------------------------------------
 */

/* The next n bytes of a frame, NULL when it is shorter. */
static const void *
take(const char **p, size_t *left, size_t n)
{
	const char *at = *p;

	if (n > *left)
		return NULL;
	*p += n;
	*left -= n;
	return at;
}

/* The descriptor of this frame; they come in the order of their frames. */
static int
take_fd(struct teller *t)
{
	int fd = t->nfds > 0 ? t->fds[0] : -1;

	if (t->nfds > 0)
		memmove(t->fds, t->fds + 1, --t->nfds * sizeof(*t->fds));
	return fd;
}

/* Reasons are static in what is made of them. */
static const char *
keep_why(struct teller *t, const char *why)
{
	size_t i;

	for (i = 0; i < WHYS_MAX && t->why[i] != NULL; i++)
		if (strcmp(t->why[i], why) == 0)
			return t->why[i];
	if (i == WHYS_MAX)
		return "it cannot be opened";
	t->why[i] = strdup(why);
	return t->why[i] != NULL ? t->why[i] : "it cannot be opened";
}

static void
forget_file(struct teller *t, uint64_t serial)
{
	struct held *h = &t->file[serial % WIRE_FILES];

	if (h->file != NULL)
		modfile_release(t->cache, h->file);
	h->file = NULL;
	h->serial = 0;
}

static int
on_file(struct teller *t, const char *p, size_t left)
{
	const struct wire_file *f = take(&p, &left, sizeof(*f));
	struct wire_file file;
	struct modfile *got;
	struct map m = {0};
	const char *why;
	int fd = -1;

	if (f == NULL)
		return fails(EBADMSG);
	memcpy(&file, f, sizeof(file));
	m.name = take(&p, &left, file.namelen);
	why = take(&p, &left, file.whylen);
	if (m.name == NULL || why == NULL || file.namelen == 0)
		return fails(EBADMSG);
	m.dev = file.dev;
	m.ino = file.ino;
	if (file.serial != 0)
		fd = take_fd(t);
	got = modcache_give(
	    t->cache, &m, fd, file.whylen > 0 ? keep_why(t, why) : NULL);
	if (got == NULL)
		return errno == ENOENT ? 0 : -1;
	if (file.serial == 0) {
		modfile_release(t->cache, got);
		return 0;
	}
	forget_file(t, file.serial);
	t->file[file.serial % WIRE_FILES] = (struct held){file.serial, got, -1};
	return 0;
}

static int
on_jit(struct teller *t, const char *p, size_t left)
{
	const struct wire_file *f = take(&p, &left, sizeof(*f));
	struct wire_file file;
	struct held *h;

	if (f == NULL)
		return fails(EBADMSG);
	memcpy(&file, f, sizeof(file));
	h = &t->jit[file.serial % WIRE_JITS];
	if (h->serial != 0)
		io_close(&h->fd);
	*h = (struct held){file.serial, NULL, take_fd(t)};
	return 0;
}

static void
view_free(struct seen_view *v)
{
	buf_free(&v->frame);
	free(v->maps);
	free(v->serials);
	free(v->files);
	memset(v, 0, sizeof(*v));
}

static int
fill_view(struct seen_view *v, const struct wire_view *head, size_t left)
{
	const char *p = v->frame.p + sizeof(*head);
	struct wire_map from;
	const void *m;
	size_t i;

	v->exe = take(&p, &left, head->exelen);
	v->doubt = take(&p, &left, head->doubtlen);
	if (v->exe == NULL || v->doubt == NULL)
		return fails(EBADMSG);
	if (head->exelen == 0)
		v->exe = "";
	if (head->doubtlen == 0)
		v->doubt = NULL;
	for (i = 0; i < head->n; i++) {
		if ((m = take(&p, &left, sizeof(from))) == NULL)
			return fails(EBADMSG);
		memcpy(&from, m, sizeof(from));
		v->maps[i] = (struct map){.start = from.start,
		    .end = from.end,
		    .off = from.off,
		    .ino = from.ino,
		    .dev = from.dev,
		    .prot = from.prot,
		    .name = take(&p, &left, from.namelen)};
		if (v->maps[i].name == NULL || from.namelen == 0)
			return fails(EBADMSG);
		v->serials[i] = from.serial;
		v->n++;
	}
	return 0;
}

static int
on_view(struct teller *t, const char *p, size_t len)
{
	struct wire_view head;
	struct seen_view *v;

	if (len < sizeof(head))
		return fails(EBADMSG);
	memcpy(&head, p, sizeof(head));
	if (head.place > WIRE_VIEWS || head.n > MAPSPACE_MAX)
		return fails(EBADMSG);
	v = &t->view[head.place];
	view_free(v);
	v->maps = calloc(head.n + 1, sizeof(*v->maps));
	v->serials = calloc(head.n + 1, sizeof(*v->serials));
	v->files = calloc(head.n + 1, sizeof(struct modfile *));
	if (v->maps == NULL || v->serials == NULL || v->files == NULL ||
	    buf_append(&v->frame, p, len) == -1)
		return -1;
	return fill_view(v, &head, len - sizeof(head));
}

/* --- events ----------------------------------------------------------------
 */

static int
tell(struct teller *t, const struct segv_seen *seen)
{
	struct segv_resolved got;
	int r = segv_resolve(&got, &t->resolver, seen);

	if (r == 0 && t->o->top)
		segv_top_add(&t->top, &got);
	else if (r == 0)
		r = segv_print(&got, t->out);
	if (r == 0 && seen->ev->kind == SEGV_FATAL && t->o->runfd != -1)
		t->tally->not_run += segv_runner_tell(t->o->runfd, &got) == -1;
	if (r == 0) {
		t->tally->told += seen->ev->joined ? 2 : 1;
		t->tally->joined += seen->ev->joined != 0;
		t->tally->reliable += got.stack == SEGV_STACK_RELIABLE;
		t->tally->truncated += got.stack == SEGV_STACK_TRUNCATED;
		t->tally->doubtful += got.stack == SEGV_STACK_DOUBTFUL;
	}
	segv_resolved_free(&got);
	return r == 0 ? segv_sink_check(&t->sink) : r;
}

/* The mappings as the rest has them, with those files that are here now. */
static void
use_view(struct teller *t, const struct wire_event *e, struct maptrack_view *v)
{
	struct seen_view *s = &t->view[e->place];
	struct held *h;
	size_t i;

	for (i = 0; i < s->n; i++) {
		h = &t->file[s->serials[i] % WIRE_FILES];
		s->files[i] = s->serials[i] != 0 && h->serial == s->serials[i]
		    ? h->file
		    : NULL;
	}
	*v = (struct maptrack_view){.maps = s->maps,
	    .n = s->n,
	    .files = s->files,
	    .exe = s->exe,
	    .comm = "",
	    .doubt = s->doubt};
	h = &t->jit[e->jit % WIRE_JITS];
	if (e->jit != 0 && h->serial == e->jit && h->fd != -1)
		v->jitfd = &h->fd;
}

static int
on_event(struct teller *t, const char *p, size_t left)
{
	size_t fixed = offsetof(struct segv_event, page), i;
	const void *from = take(&p, &left, sizeof(struct wire_event));
	struct wire_event e;
	struct segv_event ev;
	struct maptrack_view v;
	struct segv_seen seen;

	if (from == NULL)
		return fails(EBADMSG);
	memcpy(&e, from, sizeof(e));
	memset(&ev, 0, sizeof(ev));
	from = take(&p, &left, fixed);
	if (from == NULL || e.place > WIRE_VIEWS || e.npages > SEGV_PAGES_MAX)
		return fails(EBADMSG);
	memcpy(&ev, from, fixed);
	ev.npages = e.npages;
	for (i = 0; i < e.npages; i++) {
		from = take(&p, &left, sizeof(uint64_t));
		ev.page[i].p = (void *)(uintptr_t)take(&p, &left, SEGV_PAGE);
		if (from == NULL || ev.page[i].p == NULL)
			return fails(EBADMSG);
		memcpy(&ev.page[i].addr, from, sizeof(uint64_t));
	}
	use_view(t, &e, &v);
	seen = (struct segv_seen){.ev = &ev,
	    .v = &v,
	    .when = e.when,
	    .cgroup = take(&p, &left, e.cgrouplen),
	    .cmdline = take(&p, &left, e.cmdlen),
	    .cmdlen = e.cmdlen,
	    .cmdcut = e.cmdcut};
	if (seen.cgroup == NULL || seen.cmdline == NULL)
		return fails(EBADMSG);
	if (e.cgrouplen == 0)
		seen.cgroup = NULL;
	return tell(t, &seen);
}

static int
on_limited(struct teller *t, const char *p, size_t left)
{
	struct wire_limited l;
	struct segv_moment now;

	if (left < sizeof(l))
		return fails(EBADMSG);
	memcpy(&l, p, sizeof(l));
	if (t->o->top) {
		segv_top_add_limited(&t->top,
		    l.told.pid != 0 ? l.told.comm : "", l.told.more,
		    l.when.tv_sec);
		return 0;
	}
	segv_moment(&t->resolver, l.when, &now);
	if (segv_print_limited(t->out, &now, &l.told) == -1)
		return -1;
	return segv_sink_check(&t->sink);
}

static int
on_end(struct teller *t, const char *p, size_t left)
{
	struct segv_moment now;
	struct segv_sum sum;
	struct wire_end e;

	if (left < sizeof(e))
		return fails(EBADMSG);
	memcpy(&e, p, sizeof(e));
	segv_moment(&t->resolver, e.when, &now);
	sum.seen = e.seen;
	sum.limited = e.limited;
	sum.written = t->tally->told;
	sum.dropped = e.dropped + (e.sent - sum.written);
	t->ended = 1;
	return segv_print_counts(t->out, &now, &sum);
}

static int
on_top(struct teller *t, const char *p, size_t left)
{
	struct segv_top_screen screen;

	if (left < sizeof(screen))
		return fails(EBADMSG);
	memcpy(&screen, p, sizeof(screen));
	if (segv_top_show(&t->top, t->out, &screen) == -1)
		return -1;
	return segv_sink_check(&t->sink);
}

int
segv_frame(struct teller *t, const struct wire_head *h, const char *p)
{
	struct wire_file file;
	int fd;

	switch (h->type) {
	case WIRE_FILE:
		return on_file(t, p, h->len);
	case WIRE_FORGET:
		if (h->len < sizeof(file))
			return fails(EBADMSG);
		memcpy(&file, p, sizeof(file));
		if (t->file[file.serial % WIRE_FILES].serial == file.serial)
			forget_file(t, file.serial);
		return 0;
	case WIRE_JIT:
		return on_jit(t, p, h->len);
	case WIRE_VIEW:
		return on_view(t, p, h->len);
	case WIRE_EVENT:
		return on_event(t, p, h->len);
	case WIRE_LIMITED:
		return on_limited(t, p, h->len);
	case WIRE_OUTPUT:
		fd = take_fd(t);
		return fd == -1 ? -1 : segv_sink_use(&t->sink, fd);
	case WIRE_AGAIN:
		return segv_sink_again(&t->sink);
	case WIRE_TOP:
		return on_top(t, p, h->len);
	case WIRE_END:
		return on_end(t, p, h->len);
	}
	return fails(EBADMSG);
}
