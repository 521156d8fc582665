#include "base/fanout.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/deadline.h"
#include "base/io.h"

/* When one output took at least so much, the others get no more than that
 * either: those that are level need no copy. */
enum { LEVEL = 64 << 10 };

int
fanout_init(struct fanout *f, int in, unsigned n, size_t size, int64_t stall_ms)
{
	struct stat st;
	unsigned i;

	*f = (struct fanout){.n = n,
	    .in = in,
	    .size = size,
	    .stall_ms = stall_ms,
	    .nullfd = -1,
	    .ring = MAP_FAILED};
	f->pfd = calloc((size_t)n + 1, sizeof(*f->pfd));
	f->out = calloc((size_t)n + 1, sizeof(*f->out));
	for (i = 0; f->out != NULL && i < n; i++)
		f->out[i].fd = -1;
	if (f->out == NULL || f->pfd == NULL || fstat(in, &st) == -1)
		return -1;
	f->ring = mmap(NULL, size, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (f->ring == MAP_FAILED)
		return -1;
	f->nullfd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	f->piped = f->nullfd != -1 && S_ISFIFO(st.st_mode);
	if (f->piped) /* faster, where it may be had */
		fcntl(in, F_SETPIPE_SZ, FANOUT_BLOCK);
	return 0;
}

void
fanout_free(struct fanout *f)
{
	unsigned i;

	for (i = 0; f->out != NULL && i < f->n; i++)
		fanout_drop(f, i, FANOUT_CLOSED);
	if (f->ring != MAP_FAILED)
		munmap(f->ring, f->size);
	io_close(&f->nullfd);
	free(f->out);
	free(f->pfd);
	*f = (struct fanout){.nullfd = -1, .ring = MAP_FAILED};
}

int
fanout_add(struct fanout *f, unsigned i, int fd)
{
	if (fcntl(fd, F_SETFL, O_NONBLOCK) == -1)
		return -1;
	fcntl(fd, F_SETPIPE_SZ, FANOUT_BLOCK);
	f->out[i].fd = fd;
	return 0;
}

void
fanout_drop(struct fanout *f, unsigned i, enum fanout_end end)
{
	struct fanout_out *o = &f->out[i];

	if (o->fd == -1)
		return;
	close(o->fd);
	o->fd = -1;
	o->full = 0;
	o->end = end;
}

/* Where the ring begins: what the slowest has not got yet. */
static uint64_t
fanout_tail(const struct fanout *f)
{
	uint64_t least = f->head;
	unsigned i;

	for (i = 0; i < f->n; i++)
		if (f->out[i].fd != -1 && f->out[i].at < least)
			least = f->out[i].at;
	return least;
}

static char *
ring_at(const struct fanout *f, uint64_t at)
{
	return f->ring + (at - f->base) % f->size;
}

/* n, or less if the ring's end comes first. */
static size_t
ring_span(const struct fanout *f, uint64_t at, uint64_t n)
{
	uint64_t left = f->size - (at - f->base) % f->size;

	return (size_t)(n < left ? n : left);
}

/* Its pipe takes no more for now. */
static void
set_full(struct fanout *f, struct fanout_out *o)
{
	if (!o->full)
		o->late = deadline_in(f->stall_ms);
	o->full = 1;
	if (ioctl(o->fd, FIONREAD, &o->queued) == -1)
		o->queued = 0;
}

/* Output i did not take anything: errno. */
static void
refused(struct fanout *f, unsigned i)
{
	if (errno == EAGAIN) {
		set_full(f, &f->out[i]);
	} else if (errno == EPIPE) {
		fanout_drop(f, i, FANOUT_CLOSED);
	} else if (errno != EINTR) {
		f->out[i].err = errno;
		fanout_drop(f, i, FANOUT_BROKEN);
	}
}

/* What is due to output i out of the ring; and the end, if that is next. */
static int
write_ring(struct fanout *f, unsigned i)
{
	struct fanout_out *o = &f->out[i];
	int took = 0;
	ssize_t w;

	while (o->fd != -1 && !o->full && o->at < f->head) {
		w = write(o->fd, ring_at(f, o->at),
		    ring_span(f, o->at, f->head - o->at));
		if (w > 0) {
			o->at += (uint64_t)w;
			took = 1;
		} else
			refused(f, i);
	}
	/* it has even more when discard() failed */
	if (f->eof && o->at >= f->head)
		fanout_drop(f, i, FANOUT_WHOLE);
	return took;
}

static void
read_ring(struct fanout *f, size_t n)
{
	ssize_t r = read(f->in, ring_at(f, f->head), n);

	if (r > 0) {
		f->head += (uint64_t)r;
		return;
	}
	if (r == -1 && (errno == EINTR || errno == EAGAIN))
		return;
	f->err = r == -1 ? errno : 0;
	f->eof = 1;
}

/* What all have been given leaves the input's pipe. */
static void
discard(struct fanout *f, size_t n)
{
	ssize_t r;

	while (n > 0) {
		r = splice(f->in, NULL, f->nullfd, NULL, n, 0);
		if (r == -1 && errno == EINTR)
			continue;
		if (r <= 0) {
			f->err = r == -1 ? errno : EIO;
			f->eof = 1;
			return;
		}
		n -= (size_t)r;
		f->head += (uint64_t)r;
	}
}

/*
 * Hands up to n of the bytes that are in the input's pipe to every output that
 * is not behind.  The most that one got is then taken out of the pipe: by way
 * of the ring, unless all got the same.
 */
static int
tee_input(struct fanout *f, size_t n)
{
	struct fanout_out *o;
	size_t most = 0;
	ssize_t got;
	unsigned i;
	int level = 1;

	for (i = 0; i < f->n; i++) {
		o = &f->out[i];
		if (o->fd == -1 || o->full || o->at != f->head)
			continue;
		got = tee(f->in, o->fd, n, SPLICE_F_NONBLOCK);
		if (got <= 0) {
			if (got == -1)
				refused(f, i);
			continue;
		}
		o->at += (uint64_t)got;
		if ((size_t)got < n)
			set_full(f, o);
		if ((size_t)got > most)
			most = (size_t)got;
		if (got >= LEVEL)
			n = (size_t)got;
	}
	if (most == 0)
		return 0;
	for (i = 0; i < f->n; i++)
		level &= f->out[i].fd == -1 || f->out[i].at == f->head + most;
	if (level)
		discard(f, most);
	else
		read_ring(f, most);
	return 1;
}

/* The input has something, or has ended, and somebody is ready for more. */
static int
take(struct fanout *f)
{
	uint64_t tail = fanout_tail(f);
	size_t n;
	int there = 0;

	if (tail == f->head) /* use again what is warm in the cache */
		f->base = f->head;
	n = f->size - (size_t)(f->head - tail);
	n = ring_span(f, f->head, n < FANOUT_BLOCK ? n : FANOUT_BLOCK);
	if (!f->piped || ioctl(f->in, FIONREAD, &there) == -1 || there <= 0) {
		/* an empty pipe here is its end: this does not block */
		read_ring(f, n);
		return 0;
	}
	return tee_input(f, n < (size_t)there ? n : (size_t)there);
}

/* What poll(2) says of output i. */
static void
check(struct fanout *f, unsigned i, short revents)
{
	struct fanout_out *o = &f->out[i];
	int queued = 0;

	if (revents & (POLLERR | POLLNVAL))
		fanout_drop(f, i, FANOUT_CLOSED);
	else if (revents & POLLOUT)
		o->full = 0;
	else if (o->full && deadline_left(o->late) == 0) {
		/* less than a page taken does not make room, but counts */
		if (ioctl(o->fd, FIONREAD, &queued) == 0 && queued == o->queued)
			fanout_drop(f, i, FANOUT_STALLED);
		else
			o->full = 0; /* to be found so anew */
	}
}

int
fanout_step(struct fanout *f, int64_t deadline, const sigset_t *mask)
{
	struct fanout_out *o;
	struct timespec ts;
	unsigned i;
	int ready = 0, took = 0, left;

	for (i = 0; i < f->n; i++) {
		o = &f->out[i];
		/* nobody reading is POLLERR, which comes unasked */
		f->pfd[i + 1] =
		    (struct pollfd){o->fd, o->full ? POLLOUT : 0, 0};
		ready |= o->fd != -1 && !o->full && o->at == f->head;
		if (o->full && o->late < deadline)
			deadline = o->late;
	}
	ready = ready && !f->eof && f->head - fanout_tail(f) < f->size;
	f->pfd[0] = (struct pollfd){ready ? f->in : -1, POLLIN, 0};
	left = deadline_left(deadline);
	ts.tv_sec = left / 1000;
	ts.tv_nsec = left % 1000 * 1000000L;
	if (ppoll(f->pfd, f->n + 1, left < 0 ? NULL : &ts, mask) == -1)
		return 0;
	for (i = 0; i < f->n; i++)
		if (f->out[i].fd != -1)
			check(f, i, f->pfd[i + 1].revents);
	if (f->pfd[0].revents)
		took = take(f);
	for (i = 0; i < f->n; i++)
		took |= write_ring(f, i);
	return took;
}
