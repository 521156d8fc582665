#include "send/coreout_impl.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/deadline.h"
#include "base/floor.h"
#include "stream/crc32c.h"

enum {
	FREE_EVERY = 16 << 20 /* bytes between two looks at the free space */
};

void
coreout_again(struct coreout *o, int outfd, int infd)
{
	memset(&o->sum, 0, sizeof(o->sum));
	corepack_again(&o->pack);
	o->told = 0;
	o->outfd = outfd;
	o->infd = infd;
	o->refused = o->broke = o->keeps = o->deaf = o->mismatch = 0;
	o->joint = o->skipped = 0;
	memset(&o->has, 0, sizeof(o->has));
	o->since = deadline_in(0);
	o->heard = o->asking = 0;
	o->waits = 0;
	*o->why = '\0';
	o->replylen = o->nrun = o->rd = o->tr = 0;
	o->reset = 0;
}

void
coreout_start(struct coreout *o)
{
	coreout_again(o, o->outfd, o->infd);
	o->kept = o->checked = 0;
	o->keep_err = 0;
	if (o->keep.fd != -1 &&
	    (ftruncate(o->keep.fd, 0) == -1 ||
		lseek(o->keep.fd, 0, SEEK_SET) == -1))
		o->keep_err = errno;
}

/* --- the file ------------------------------------------------------------- */

static int
keep_room(struct coreout *o, size_t len)
{
	if (len > o->keep.max || o->kept > o->keep.max - len)
		return fails(EFBIG);
	if (o->keep.minfree == 0 ||
	    (o->kept > 0 && o->kept - o->checked < FREE_EVERY))
		return 0;
	o->checked = o->kept;
	return floor_left(o->keep.fd, o->keep.minfree, FLOOR_CORES, FREE_EVERY);
}

/* Advances over done bytes: *first is the first that is not done. */
static void
skip(struct iovec *iov, size_t n, size_t *first, size_t done)
{
	for (; *first < n && done >= iov[*first].iov_len; ++*first)
		done -= iov[*first].iov_len;
	if (*first < n) {
		iov[*first].iov_base = (char *)iov[*first].iov_base + done;
		iov[*first].iov_len -= done;
	}
}

static void
keep(struct coreout *o, const struct iovec *from, size_t n)
{
	struct iovec iov[2 * COREOUT_RUNS];
	size_t first = 0, i, len = 0;
	ssize_t w;

	if (o->keep.fd == -1 || o->keep_err != 0)
		return;
	memcpy(iov, from, n * sizeof(*iov));
	for (i = 0; i < n; i++)
		len += iov[i].iov_len;
	coreout_beat(o, 4 * o->cfg->idle_ms); /* disks have their moments */
	if (keep_room(o, len) == -1)
		goto give_up;
	while (first < n) {
		w = writev(o->keep.fd, iov + first, (int)(n - first));
		if (w == -1) {
			if (errno == EINTR)
				continue;
			goto give_up;
		}
		o->kept += (size_t)w;
		coreout_beat(o, 4 * o->cfg->idle_ms);
		skip(iov, n, &first, (size_t)w);
	}
	return;
give_up:
	o->keep_err = errno;
	(void)!ftruncate(o->keep.fd, 0);
}

/* --- the receiver --------------------------------------------------------- */

/* Until it takes more: 0.  What it says meanwhile ends it. */
static int
await_turn(struct coreout *o, int64_t deadline)
{
	struct pollfd p[2] = {{.fd = o->outfd, .events = POLLOUT},
	    {.fd = o->infd, .events = POLLIN}};
	int r;

	for (;;) {
		r = poll(p, 2, deadline_left(deadline));
		if (r == -1 && errno != EINTR)
			return coreout_lost(o, strerror(errno));
		if (r == 0)
			return coreout_slow(
			    o, "it took nothing", o->cfg->idle_ms);
		if (r <= 0)
			continue;
		if (p[1].revents != 0) {
			r = coreout_hear(o);
			if (r == 1)
				return coreout_judge_early(o);
			if (r == -1)
				return coreout_ended(o, errno);
		}
		if (p[0].revents != 0)
			return 0;
	}
}

static int
tell(struct coreout *o, const struct iovec *from, size_t n)
{
	struct iovec iov[2 * COREOUT_RUNS];
	int64_t deadline = deadline_in(o->cfg->idle_ms);
	size_t first = 0;
	ssize_t w;

	uint64_t since = deadline_ns(), was = o->told;

	memcpy(iov, from, n * sizeof(*iov));
	while (first < n) {
		coreout_beat(o, o->cfg->idle_ms);
		if (await_turn(o, deadline) == -1)
			return -1;
		w = writev(o->outfd, iov + first, (int)(n - first));
		if (w == -1) {
			if (errno == EINTR || errno == EAGAIN)
				continue;
			return coreout_shut(o, errno);
		}
		deadline = deadline_in(o->cfg->idle_ms);
		o->told += (size_t)w;
		skip(iov, n, &first, (size_t)w);
	}
	corepack_sent(&o->pack, o->told - was, deadline_ns() - since);
	coreout_beat(o, o->cfg->idle_ms);
	return 0;
}

static int
emit(struct coreout *o, const struct iovec *iov, size_t n)
{
	keep(o, iov, n);
	if (o->outfd != -1)
		return tell(o, iov, n);
	o->pack.used = 0;
	if (o->keep_err != 0) {
		errno = o->keep_err;
		return -1;
	}
	return 0;
}

/* --- a stream ------------------------------------------------------------- */

int
coreout_header(struct coreout *o, const void *p, size_t len)
{
	struct iovec iov;
	struct buf b = {0};
	char key[STREAM_KEY];
	int r, asks;

	/* what hears nobody is told nothing, but for a file */
	o->pack.offered = o->infd != -1 || o->keep.fd != -1;
	r = buf_append(&b, p, len);
	if (r == 0 && o->pack.offered && !stream_head_offers(p, len))
		r = stream_head_offer(&b, o->key);
	asks = o->ask && r == 0 && stream_head_key(b.p, b.len, key);
	o->asking = asks && o->outfd != -1 && o->infd != -1;
	iov.iov_base = b.p;
	iov.iov_len = b.len;
	r = r == -1 ? coreout_lost(o, strerror(errno)) : emit(o, &iov, 1);
	buf_free(&b);
	if (r == 0 && o->outfd != -1 && o->infd != -1 &&
	    (asks || o->pack.when == COREPACK_YES))
		r = coreout_await_words(o);
	o->asking = 0;
	return r;
}

int
coreout_head(struct coreout *o, const struct crash_id *id)
{
	struct buf b = {0};
	int r;

	if (stream_head_format(id, &b) == -1)
		r = coreout_lost(o, strerror(errno));
	else
		r = coreout_header(o, b.p, b.len);
	buf_free(&b);
	return r;
}

/* A whole frame at once, with nothing put before it. */
static int
mark(struct coreout *o, const struct stream_frame *f, const void *payload)
{
	unsigned char hdr[STREAM_FRAME];
	struct iovec iov[2] = {
	    {hdr, sizeof(hdr)}, {(void *)(uintptr_t)payload, f->len}};

	stream_frame_put(hdr, f);
	return emit(o, iov, 2);
}

/* The receiver is told that it goes on there. */
static int
say_joint(struct coreout *o)
{
	unsigned char payload[STREAM_JOINT];
	struct stream_frame f = {
	    .type = STREAM_FROM, .len = STREAM_JOINT, .off = o->joint};

	stream_joint_put(payload, &o->sum);
	f.crc = crc32c(0, payload, sizeof(payload));
	return mark(o, &f, payload);
}

static int
skip_to_joint(struct coreout *o, struct stream_frame *f, const void **p)
{
	int r = coreout_skip(o, f, p);

	return r == 0 ? say_joint(o) : r;
}

int
coreout_joined(struct coreout *o, uint64_t upto)
{
	if (o->has.off == 0)
		return 0;
	return coreout_skipped(o, upto) == -1 ? -1 : say_joint(o);
}

/* Where it comes from cannot be trusted. */
static int
spoilt(struct coreout *o, const char *reason)
{
	o->refused = -1;
	return coreout_lost(o, reason);
}

/* A file alone keeps what is packed; a receiver gets what it takes.  1: it is
 * not sent. */
static int
pack(struct coreout *o, struct stream_frame *f, const void **p)
{
	const void *was = *p;
	struct stream_frame g = *f;
	char *plain = o->pack.room;
	int r;

	if (o->outfd == -1)
		o->pack.takes = o->pack.on =
		    o->pack.offered && o->pack.when != COREPACK_NO;
	if (f->type == STREAM_LZ4) {
		if (plain == NULL)
			return coreout_lost(o, strerror(ENOMEM));
		plain += STREAM_BLOCK;
		if (stream_frame_unpack(&g, was, plain) == -1)
			return spoilt(o, "what is packed in it is damaged");
		*p = plain;
	}
	r = o->has.off > 0 ? skip_to_joint(o, &g, p) : 0;
	if (r != 0)
		return r;
	if (stream_sum_data(&o->sum, &g) == -1)
		return spoilt(o, "its parts overlap");
	o->tr += g.len;
	/* as it is, unless a part of it was cut off */
	if (f->type == STREAM_LZ4 && o->pack.takes && g.off == f->off) {
		*p = was;
		return 0;
	}
	*f = g;
	corepack_frame(&o->pack, f, p);
	return 0;
}

int
coreout_frame(struct coreout *o, const struct stream_frame *from, const void *p)
{
	struct iovec *iov = &o->iov[2 * o->nrun];
	struct stream_frame frame = *from, *f = &frame;
	int r;

	r = pack(o, f, &p);
	if (r != 0)
		return r == 1 ? 0 : -1;
	stream_frame_put(o->hdr[o->nrun], f);
	iov[0].iov_base = o->hdr[o->nrun];
	iov[0].iov_len = STREAM_FRAME;
	iov[1].iov_base = (void *)(uintptr_t)p;
	iov[1].iov_len = f->len;
	if (++o->nrun < COREOUT_RUNS)
		return 0;
	return coreout_flush(o, o->rd);
}

int
coreout_flush(struct coreout *o, size_t n)
{
	int r = 0;

	if (o->nrun > 0)
		r = emit(o, o->iov, 2 * o->nrun);
	if (o->cfg->trace != NULL)
		o->cfg->trace(o->rd, o->tr, n);
	o->nrun = o->rd = o->tr = 0;
	atomic_store(&o->cfg->meter->data, o->sum.data);
	return r;
}

int
coreout_end(struct coreout *o, uint64_t size, const char *state)
{
	struct stream_end end = {.size = size};
	struct stream_frame f = {.type = STREAM_END, .off = size};
	struct buf b = {0};
	int r;

	if (coreout_joined(o, size) == -1)
		return -1;
	end.data = o->sum.data;
	end.crc = stream_sum_end(&o->sum, size);
	snprintf(end.state, sizeof(end.state), "%s",
	    state != NULL ? state : "complete");
	if (stream_end_format(&end, &b) == -1) {
		r = coreout_lost(o, strerror(errno));
	} else {
		f.len = (uint32_t)b.len;
		f.crc = crc32c(0, b.p, b.len);
		r = mark(o, &f, b.p);
		atomic_store(&o->cfg->meter->next, size);
	}
	buf_free(&b);
	return r;
}
