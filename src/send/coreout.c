#include "send/coreout.h"

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
	FREE_EVERY = 16 << 20, /* bytes between two looks at the free space */
	REPLY_RATE = 16 << 10, /* bytes a receiver must put on disk in 1 ms */
	WORD_MS = 5000, /* for what one that takes nothing has said before */
	TAKES_MS = 3000 /* for its word that it takes what is packed */
};

void
coreout_again(struct coreout *o, int outfd, int infd)
{
	memset(&o->sum, 0, sizeof(o->sum));
	corepack_again(&o->pack);
	o->told = 0;
	o->outfd = outfd;
	o->infd = infd;
	o->refused = 0;
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

static void
beat(struct coreout *o, int64_t allow_ms)
{
	atomic_store(&o->cfg->meter->allow_ms, (int)allow_ms);
	atomic_fetch_add(&o->cfg->meter->beat, 1);
}

static int
lost(struct coreout *o, const char *reason)
{
	snprintf(o->why, sizeof(o->why), "%s", reason);
	return -1;
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
	beat(o, 4 * o->cfg->idle_ms); /* disks have their moments */
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
		beat(o, 4 * o->cfg->idle_ms);
		skip(iov, n, &first, (size_t)w);
	}
	return;
give_up:
	o->keep_err = errno;
	(void)!ftruncate(o->keep.fd, 0);
}

/* --- the receiver --------------------------------------------------------- */

/* What it has said before its turn is no OK, whatever it is. */
static int
judge_early(struct coreout *o)
{
	struct stream_reply r;
	char *nl = memchr(o->reply, '\n', o->replylen);

	if (nl == NULL)
		return lost(o, "it answered out of turn, and not in a line");
	if (stream_reply_parse(o->reply, (size_t)(nl - o->reply), &r) == -1)
		return lost(o, "its answer makes no sense");
	o->refused = 1;
	if (r.ok)
		return lost(o, "it said OK before it had all");
	snprintf(o->why, sizeof(o->why), "it said: %.480s",
	    *r.name != '\0' ? r.name : "ERR");
	return -1;
}

/* What is said of one that said nothing. */
static int
gone(struct coreout *o)
{
	return lost(o,
	    o->reset ? "it reset the connection" : "it closed the connection");
}

/* Its word that it takes what is packed comes before its answer. */
static void
hear_takes(struct coreout *o)
{
	const size_t len = sizeof(STREAM_TAKES) - 1;

	if (!o->pack.offered || o->pack.takes || o->replylen < len ||
	    memcmp(o->reply, STREAM_TAKES, len) != 0)
		return;
	o->pack.takes = 1;
	o->replylen -= len;
	memmove(o->reply, o->reply + len, o->replylen);
}

/*
 * Takes what there is of its answer: 1 when that is a line, or all it can
 * hold; 0 when more may come, -1 when nothing will (errno 0 for its end).
 */
static int
hear(struct coreout *o)
{
	ssize_t r;

	r = read(
	    o->infd, o->reply + o->replylen, sizeof(o->reply) - o->replylen);
	/* a reset is told once, and the answer lies behind it */
	if (r == -1 && errno == ECONNRESET && !o->reset++)
		return 0;
	if (r == -1)
		return errno == EINTR || errno == EAGAIN ? 0 : -1;
	if (r == 0) {
		errno = 0;
		return -1;
	}
	o->replylen += (size_t)r;
	hear_takes(o);
	beat(o, o->cfg->idle_ms);
	return memchr(o->reply, '\n', o->replylen) != NULL ||
	    o->replylen == sizeof(o->reply);
}

/* It takes nothing any more; perhaps it has said why. */
static int
lost_while_writing(struct coreout *o, int err)
{
	int64_t deadline =
	    deadline_in(o->cfg->idle_ms < WORD_MS ? o->cfg->idle_ms : WORD_MS);
	int r = 0;

	while (o->infd != -1 && r == 0 &&
	    deadline_poll(o->infd, POLLIN, deadline) > 0)
		r = hear(o);
	if (r == 1)
		return judge_early(o);
	o->reset |= err == ECONNRESET;
	return err == EPIPE || err == ECONNRESET ? gone(o)
						 : lost(o, strerror(err));
}

static int
too_slow(struct coreout *o, const char *what, int64_t ms)
{
	snprintf(o->why, sizeof(o->why), "%s for %d seconds", what,
	    (int)(ms / 1000));
	return -1;
}

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
			return lost(o, strerror(errno));
		if (r == 0)
			return too_slow(o, "it took nothing", o->cfg->idle_ms);
		if (r <= 0)
			continue;
		if (p[1].revents != 0) {
			r = hear(o);
			if (r == 1)
				return judge_early(o);
			if (r == -1)
				return errno != 0 ? lost(o, strerror(errno))
						  : gone(o);
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
		beat(o, o->cfg->idle_ms);
		if (await_turn(o, deadline) == -1)
			return -1;
		w = writev(o->outfd, iov + first, (int)(n - first));
		if (w == -1) {
			if (errno == EINTR || errno == EAGAIN)
				continue;
			return lost_while_writing(o, errno);
		}
		deadline = deadline_in(o->cfg->idle_ms);
		o->told += (size_t)w;
		skip(iov, n, &first, (size_t)w);
	}
	corepack_sent(&o->pack, o->told - was, deadline_ns() - since);
	beat(o, o->cfg->idle_ms);
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

/* Until it says that it takes what is packed, or has had the time to. */
static int
await_takes(struct coreout *o)
{
	int64_t deadline = deadline_in(TAKES_MS);
	int r = 0;

	while (r == 0 && !o->pack.takes &&
	    deadline_poll(o->infd, POLLIN, deadline) > 0)
		r = hear(o);
	return r == 1 ? judge_early(o) : r == -1 ? gone(o) : 0;
}

int
coreout_header(struct coreout *o, const void *p, size_t len)
{
	struct iovec iov;
	struct buf b = {0};
	int r;

	/* what hears nobody is told nothing, but for a file */
	o->pack.offered =
	    o->pack.when != COREPACK_NO && (o->infd != -1 || o->keep.fd != -1);
	r = buf_append(&b, p, len);
	if (r == 0 && o->pack.offered && !stream_head_offers(p, len))
		r = stream_head_offer(&b);
	iov.iov_base = b.p;
	iov.iov_len = b.len;
	r = r == -1 ? lost(o, strerror(errno)) : emit(o, &iov, 1);
	buf_free(&b);
	if (r == 0 && o->pack.offered && o->pack.when == COREPACK_YES &&
	    o->outfd != -1 && o->infd != -1)
		r = await_takes(o);
	return r;
}

int
coreout_head(struct coreout *o, const struct crash_id *id)
{
	struct buf b = {0};
	int r;

	if (stream_head_format(id, &b) == -1)
		r = lost(o, strerror(errno));
	else
		r = coreout_header(o, b.p, b.len);
	buf_free(&b);
	return r;
}

/* Where it comes from cannot be trusted. */
static int
spoilt(struct coreout *o, const char *reason)
{
	o->refused = -1;
	return lost(o, reason);
}

/* A file alone keeps what is packed; a receiver gets what it takes. */
static int
pack(struct coreout *o, struct stream_frame *f, const void **p)
{
	const void *was = *p;
	struct stream_frame g = *f;
	char *plain = o->pack.room;

	if (o->outfd == -1)
		o->pack.takes = o->pack.on = o->pack.offered;
	if (f->type == STREAM_LZ4) {
		if (plain == NULL)
			return lost(o, strerror(ENOMEM));
		plain += STREAM_BLOCK;
		if (stream_frame_unpack(&g, was, plain) == -1)
			return spoilt(o, "what is packed in it is damaged");
		*p = plain;
	}
	if (stream_sum_data(&o->sum, &g) == -1)
		return spoilt(o, "its parts overlap");
	o->tr += g.len;
	if (f->type == STREAM_LZ4 && o->pack.takes) {
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

	if (pack(o, f, &p) == -1)
		return -1;
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
	struct stream_end end = {.size = size, .data = o->sum.data};
	struct stream_frame f = {.type = STREAM_END, .off = size};
	unsigned char hdr[STREAM_FRAME];
	struct buf b = {0};
	struct iovec iov[2];
	int r;

	end.crc = stream_sum_end(&o->sum, size);
	snprintf(end.state, sizeof(end.state), "%s",
	    state != NULL ? state : "complete");
	if (stream_end_format(&end, &b) == -1) {
		r = lost(o, strerror(errno));
	} else {
		f.len = (uint32_t)b.len;
		f.crc = crc32c(0, b.p, b.len);
		stream_frame_put(hdr, &f);
		iov[0].iov_base = hdr;
		iov[0].iov_len = sizeof(hdr);
		iov[1].iov_base = b.p;
		iov[1].iov_len = b.len;
		r = emit(o, iov, 2);
		atomic_store(&o->cfg->meter->next, size);
	}
	buf_free(&b);
	return r;
}

int
coreout_reply(struct coreout *o, uint64_t size, struct stream_reply *reply)
{
	/* it may have to bring all of it to a slow disk first */
	int64_t ms = o->cfg->idle_ms + (int64_t)(o->sum.data / REPLY_RATE);
	int64_t deadline = deadline_in(ms);
	const char *nl;
	int r = 0;

	beat(o, ms);
	while (r == 0) {
		r = deadline_poll(o->infd, POLLIN, deadline);
		if (r == 0)
			return too_slow(o, "it had all and did not answer", ms);
		if (r > 0)
			r = hear(o);
	}
	if (r == -1)
		return lost(o,
		    errno != 0 ? strerror(errno)
			       : "it had all and went without an answer");
	nl = memchr(o->reply, '\n', o->replylen);
	if (nl == NULL ||
	    stream_reply_parse(o->reply, (size_t)(nl - o->reply), reply) == -1)
		return lost(o, "its answer makes no sense");
	if (!reply->ok)
		return judge_early(o);
	if (reply->bytes != size || reply->crc != stream_sum_end(&o->sum, size))
		return lost(o, "it says OK, but of another core");
	return 0;
}
