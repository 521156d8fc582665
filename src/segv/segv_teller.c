#include "segv/segv_teller.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/child.h"
#include "base/msg.h"
#include "report/door.h"
#include "segv/segv_print.h"
#include "segv/segv_wire.h"
#include "track/mapspace.h"

enum {
	STEP = 256 * 1024, /* bytes that are read at once */
	FDS_MAX = 64,	   /* descriptors whose frames have not come yet */
	WHYS_MAX = 32 /* reasons there may be why a file is not to be had */
};

/* The mappings of a process, as they came. */
struct seen_view {
	struct buf frame; /* what all names point into */
	const char *exe, *doubt;
	struct map *maps;
	uint64_t *serials; /* beside maps */
	struct modfile **files;
	size_t n;
};

struct held {
	uint64_t serial;
	struct modfile *file;
	int fd; /* of a perf map */
};

struct teller {
	const struct segv_teller_opts *o;
	struct segv_tally *tally;
	int fd;
	struct buf in;
	size_t at; /* done so far */
	int fds[FDS_MAX];
	unsigned nfds;
	char *why[WHYS_MAX];
	struct held file[WIRE_FILES], jit[WIRE_JITS];
	struct seen_view view[WIRE_VIEWS + 1];
	struct modcache *cache;
	struct segv_resolver resolver;
	struct out *out;
	int outfd, ended;
};

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

	if (r == 0)
		r = segv_print(&got, t->out);
	if (r == 0) {
		t->tally->told += seen->ev->joined ? 2 : 1;
		t->tally->joined += seen->ev->joined != 0;
		t->tally->reliable += got.stack == SEGV_STACK_RELIABLE;
		t->tally->truncated += got.stack == SEGV_STACK_TRUNCATED;
		t->tally->doubtful += got.stack == SEGV_STACK_DOUBTFUL;
	}
	segv_resolved_free(&got);
	return r;
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
	segv_moment(&t->resolver, l.when, &now);
	return segv_print_limited(t->out, &now, &l.told);
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
on_output(struct teller *t)
{
	int fd = take_fd(t);

	if (fd == -1 || out_flush(t->out) == -1)
		return -1;
	io_close(&t->outfd);
	t->outfd = fd;
	out_redirect(t->out, fd);
	return 0;
}

static int
on_frame(struct teller *t, const struct wire_head *h, const char *p)
{
	struct wire_file file;

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
		return on_output(t);
	case WIRE_END:
		return on_end(t, p, h->len);
	}
	return fails(EBADMSG);
}

/* --- the loop --------------------------------------------------------------
 */

/* Some more bytes: 1, 0 at the end, -1. */
static int
hear(struct teller *t)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof(int) * FDS_MAX)];
	} control;
	struct iovec iov;
	struct msghdr mh = {.msg_iov = &iov,
	    .msg_iovlen = 1,
	    .msg_control = &control,
	    .msg_controllen = sizeof(control.space)};
	struct cmsghdr *c;
	size_t n;
	ssize_t got;

	if (t->at > 0 && t->at < t->in.len)
		memmove(t->in.p, t->in.p + t->at, t->in.len - t->at);
	t->in.len -= t->at;
	t->at = 0;
	if (buf_reserve(&t->in, STEP) == -1)
		return -1;
	iov = (struct iovec){t->in.p + t->in.len, STEP};
	got = recvmsg(t->fd, &mh, MSG_CMSG_CLOEXEC);
	if (got <= 0)
		return got == -1 && errno == EINTR ? 1 : (int)got;
	t->in.len += (size_t)got;
	for (c = CMSG_FIRSTHDR(&mh); c != NULL; c = CMSG_NXTHDR(&mh, c)) {
		if (c->cmsg_type != SCM_RIGHTS)
			continue;
		n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		if (n > FDS_MAX - t->nfds)
			return fails(EBADMSG);
		memcpy(t->fds + t->nfds, CMSG_DATA(c), n * sizeof(int));
		t->nfds += (unsigned)n;
	}
	return 1;
}

/* All frames that are there as a whole. */
static int
tell_all(struct teller *t)
{
	struct rusage ru;
	struct wire_head h;

	while (!t->ended && t->in.len - t->at >= sizeof(h)) {
		memcpy(&h, t->in.p + t->at, sizeof(h));
		if (t->in.len - t->at - sizeof(h) < h.len)
			break;
		if (on_frame(t, &h, t->in.p + t->at + sizeof(h)) == -1)
			return -1;
		t->at += sizeof(h) + h.len;
	}
	getrusage(RUSAGE_SELF, &ru);
	t->tally->rss_kib = ru.ru_maxrss;
	return out_flush(t->out);
}

/* What it is made of, while it may still open something. */
static int
prepare(struct teller *t)
{
	struct modcache_limits limits = {.half = MODCACHE_GIVEN};
	int ksymsfd = open("/proc/kallsyms", O_RDONLY | O_CLOEXEC);

	t->outfd = -1;
	t->cache = modcache_new(&limits);
	t->out = out_new(-1, t->o->format);
	if (t->cache == NULL || t->out == NULL)
		return -1;
	out_feed(t->out);
	segv_resolver_init(&t->resolver, &t->o->show, t->cache, ksymsfd);
	return 0;
}

static int
shut_door(pid_t parent)
{
	static struct opener opener; /* for debug files, to the end */
	struct sandbox_bounds b = {.role = SANDBOX_FEED};
	const char *why;

	if (report_door(&b, parent, 0, &opener, &why) == -1)
		return -1;
	if (why != NULL)
		msg_debug(1, "no sandbox: %s", why);
	return 0;
}

static _Noreturn void
work(struct teller *t, pid_t parent)
{
	static const int kept[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE};
	size_t i;
	int r = 1;

	for (i = 0; i < NELEM(kept); i++)
		signal(kept[i], SIG_IGN);
	if (prepare(t) == -1)
		msg_die_sys(EXIT_SYSTEM, "unable to begin");
	if (shut_door(parent) == -1)
		msg_die_sys(EXIT_SYSTEM, "unable to drop privileges");
	if (write(t->fd, "", 1) != 1)
		_exit(EXIT_SYSTEM);
	while (r == 1 && !t->ended)
		if ((r = hear(t)) == 1 && tell_all(t) == -1)
			r = -1;
	if (r == -1 && errno == EBADMSG)
		msg_die(EXIT_SYSTEM,
		    "what came from the other process makes "
		    "no sense");
	if (r == -1 && errno == ENOMEM)
		msg_die_sys(EXIT_SYSTEM, "unable to go on");
	if (r == -1 || out_finish(t->out) == -1)
		msg_die_sys(EXIT_SYSTEM, "unable to write %s",
		    t->o->path != NULL ? t->o->path : "to standard output");
	exit(EXIT_DONE);
}

int
segv_teller_start(struct segv_teller *s, const struct segv_teller_opts *o)
{
	static struct teller t;
	pid_t self = getpid();
	int fd[2];
	char c;

	s->tally = child_shared(sizeof(*s->tally));
	if (s->tally == NULL ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd) == -1)
		return -1;
	s->pid = child_fork();
	if (s->pid == 0) {
		close(fd[0]);
		t.o = o;
		t.tally = s->tally;
		t.fd = fd[1];
		work(&t, self);
	}
	close(fd[1]);
	s->fd = fd[0];
	if (s->pid == -1)
		return -1;
	if (io_read_full(s->fd, &c, 1) != 1)
		return fails(EPROTO);
	return 0;
}

int
segv_teller_ended(int wait_status, int *status, char *why, size_t n)
{
	const char *violation = sandbox_violation(wait_status);

	*why = '\0';
	*status = EXIT_SYSTEM;
	if (WIFEXITED(wait_status)) {
		*status = WEXITSTATUS(wait_status);
		return *status == EXIT_DONE ? 0 : -1;
	}
	if (violation != NULL)
		snprintf(why, n, "the process that names ended: %s", violation);
	else
		snprintf(why, n,
		    "the process that names was killed by signal %d",
		    WTERMSIG(wait_status));
	return -1;
}
