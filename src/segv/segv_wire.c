#include "segv/segv_wire.h"

#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

#include "base/bytes.h"
#include "base/passfd.h"

/* --- sending ---------------------------------------------------------------
 */

/* Until there is room. */
static int
wait_room(struct segv_wire *w)
{
	struct pollfd p = {.fd = w->fd, .events = POLLOUT};

	while (ppoll(&p, 1, NULL, w->unblocked) == -1)
		if (errno != EINTR || *w->stops > 1)
			return -1;
	return 0;
}

/* All of it; fd goes with the first byte, -1 none. */
static int
put(struct segv_wire *w, const char *p, size_t len, int fd)
{
	union passfd u;
	struct iovec iov;
	struct msghdr mh = {.msg_iov = &iov, .msg_iovlen = 1};
	ssize_t n;

	if (w->fd == -1)
		return fails(EPIPE);
	while (len > 0) {
		iov = (struct iovec){(void *)(uintptr_t)p, len};
		passfd_put(&mh, &u, fd);
		n = sendmsg(w->fd, &mh, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n == -1 && (errno == EAGAIN || errno == EINTR) &&
		    wait_room(w) == 0)
			continue;
		if (n == -1)
			return -1;
		fd = -1;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

int
segv_wire_flush(struct segv_wire *w)
{
	int r = put(w, w->out.p, w->out.len, -1);

	w->out.len = 0;
	return r;
}

static int
add(struct segv_wire *w, const void *p, size_t len)
{
	return len == 0 ? 0 : buf_append(&w->out, p, len);
}

static int
begin(struct segv_wire *w, enum segv_wire_type type, size_t len)
{
	struct wire_head h = {type, (uint32_t)len};

	if (w->out.len > WIRE_FLUSH && segv_wire_flush(w) == -1)
		return -1;
	return add(w, &h, sizeof(h));
}

/* A frame of its own, since a descriptor goes with it. */
static int
send_fd(struct segv_wire *w, int fd)
{
	return fd == -1 ? 0 : put(w, w->out.p, w->out.len, fd);
}

/* --- files -----------------------------------------------------------------
 */

int
segv_wire_file(
    struct segv_wire *w, const struct modfile *f, const struct map *m)
{
	const char *why = f->fd == -1 ? f->why : NULL;
	struct wire_file file = {.serial = f->fd == -1 ? 0 : f->serial,
	    .dev = m->dev,
	    .ino = m->ino,
	    .namelen = (uint32_t)strlen(m->name) + 1,
	    .whylen = why != NULL ? (uint32_t)strlen(why) + 1 : 0};
	uint64_t *at = &w->file[f->serial % WIRE_FILES];

	if (f->fd != -1 && *at == f->serial)
		return 0;
	if (segv_wire_flush(w) == -1 ||
	    begin(w, WIRE_FILE, sizeof(file) + file.namelen + file.whylen) ==
		-1 ||
	    add(w, &file, sizeof(file)) == -1 ||
	    add(w, m->name, file.namelen) == -1 ||
	    add(w, why, file.whylen) == -1)
		return -1;
	if (f->fd == -1)
		return 0;
	*at = f->serial;
	if (send_fd(w, f->fd) == -1)
		return -1;
	w->out.len = 0;
	return 0;
}

void
segv_wire_closed(void *ctx, uint64_t serial)
{
	struct segv_wire *w = ctx;
	struct wire_file file = {.serial = serial};
	uint64_t *at = &w->file[serial % WIRE_FILES];

	if (*at != serial)
		return;
	/* if it fails the next to be sent will, too */
	*at = 0;
	if (begin(w, WIRE_FORGET, sizeof(file)) == 0)
		add(w, &file, sizeof(file));
}

static int
send_jit(struct segv_wire *w, const struct maptrack_view *v)
{
	struct wire_file file = {.serial = v->jitserial};
	uint64_t *at = &w->jit[v->jitserial % WIRE_JITS];

	if (v->jitfd == NULL || *at == v->jitserial)
		return 0;
	*at = v->jitserial;
	if (segv_wire_flush(w) == -1 ||
	    begin(w, WIRE_JIT, sizeof(file)) == -1 ||
	    add(w, &file, sizeof(file)) == -1 || send_fd(w, *v->jitfd) == -1)
		return -1;
	w->out.len = 0;
	return 0;
}

int
segv_wire_output(struct segv_wire *w, int fd)
{
	if (segv_wire_flush(w) == -1 || begin(w, WIRE_OUTPUT, 0) == -1 ||
	    send_fd(w, fd) == -1)
		return -1;
	w->out.len = 0;
	return 0;
}

/* --- events ----------------------------------------------------------------
 */

static int
make_view(struct buf *b, const struct maptrack_view *v)
{
	struct wire_view head = {.n = (uint32_t)v->n};
	struct wire_map to;
	const struct map *m;
	size_t i;

	head.exelen = v->exe != NULL ? (uint32_t)strlen(v->exe) + 1 : 0;
	head.doubtlen = v->doubt != NULL ? (uint32_t)strlen(v->doubt) + 1 : 0;
	if (buf_append(b, &head, sizeof(head)) == -1 ||
	    buf_append(b, v->exe, head.exelen) == -1 ||
	    buf_append(b, v->doubt, head.doubtlen) == -1)
		return -1;
	for (i = 0; i < v->n; i++) {
		m = &v->maps[i];
		memset(&to, 0, sizeof(to));
		to.start = m->start;
		to.end = m->end;
		to.off = m->off;
		to.ino = m->ino;
		to.dev = m->dev;
		to.prot = m->prot;
		to.namelen = (uint32_t)strlen(m->name) + 1;
		if (v->files[i] != NULL && v->files[i]->fd != -1)
			to.serial = v->files[i]->serial;
		if (buf_append(b, &to, sizeof(to)) == -1 ||
		    buf_append(b, m->name, to.namelen) == -1)
			return -1;
	}
	return 0;
}

/* The view, unless the other end has it; *place is where. */
static int
send_view(struct segv_wire *w, pid_t pid, const struct maptrack_view *v,
    uint32_t *place)
{
	struct buf b = {0}, *kept = &w->view[(unsigned)pid % WIRE_VIEWS];
	int r = make_view(&b, v);

	*place = (unsigned)pid % WIRE_VIEWS;
	if (r == 0 && kept->len == b.len &&
	    memcmp(kept->p + sizeof(struct wire_view),
		b.p + sizeof(struct wire_view),
		b.len - sizeof(struct wire_view)) == 0 &&
	    memcmp(kept->p + 4, b.p + 4, sizeof(struct wire_view) - 4) == 0) {
		buf_free(&b);
		return 0;
	}
	if (b.len > WIRE_VIEW_MAX)
		*place = WIRE_VIEWS;
	if (r == 0)
		memcpy(b.p, place, sizeof(*place));
	if (r == -1 || begin(w, WIRE_VIEW, b.len) == -1 ||
	    add(w, b.p, b.len) == -1)
		r = -1;
	if (r == 0 && *place != WIRE_VIEWS) {
		buf_free(kept);
		*kept = b;
		return 0;
	}
	buf_free(&b);
	return r;
}

int
segv_wire_event(struct segv_wire *w, const struct segv_event *ev,
    const struct maptrack_view *v, struct wire_event *e, const char *extra)
{
	size_t fixed = offsetof(struct segv_event, page), i;
	size_t len = sizeof(*e) + fixed +
	    ev->npages * (sizeof(uint64_t) + SEGV_PAGE) + e->cgrouplen +
	    e->cmdlen;

	e->npages = (uint32_t)ev->npages;
	e->jit = v->jitfd != NULL ? v->jitserial : 0;
	if (send_jit(w, v) == -1 || send_view(w, ev->pid, v, &e->place) == -1 ||
	    begin(w, WIRE_EVENT, len) == -1 || add(w, e, sizeof(*e)) == -1 ||
	    add(w, ev, fixed) == -1)
		return -1;
	for (i = 0; i < ev->npages; i++)
		if (add(w, &ev->page[i].addr, sizeof(uint64_t)) == -1 ||
		    add(w, ev->page[i].p, SEGV_PAGE) == -1)
			return -1;
	return add(w, extra, e->cgrouplen + e->cmdlen);
}

int
segv_wire_limited(struct segv_wire *w, const struct wire_limited *l)
{
	if (begin(w, WIRE_LIMITED, sizeof(*l)) == -1)
		return -1;
	return add(w, l, sizeof(*l));
}

/* These two are to be seen at once. */
int
segv_wire_again(struct segv_wire *w)
{
	return begin(w, WIRE_AGAIN, 0) == -1 ? -1 : segv_wire_flush(w);
}

int
segv_wire_top(struct segv_wire *w, const struct segv_top_screen *s)
{
	if (begin(w, WIRE_TOP, sizeof(*s)) == -1 || add(w, s, sizeof(*s)) == -1)
		return -1;
	return segv_wire_flush(w);
}

int
segv_wire_end(struct segv_wire *w, const struct wire_end *e)
{
	if (begin(w, WIRE_END, sizeof(*e)) == -1 || add(w, e, sizeof(*e)) == -1)
		return -1;
	return segv_wire_flush(w);
}

void
segv_wire_close(struct segv_wire *w)
{
	size_t i;

	io_close(&w->fd);
	buf_free(&w->out);
	for (i = 0; i < WIRE_VIEWS; i++)
		buf_free(&w->view[i]);
}
