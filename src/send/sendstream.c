/* A core by the stream it comes on: the second of the two ways that coresend.h
 * tells of. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/deadline.h"
#include "send/sending.h"

enum { KEPT_IN_MEMORY = 16 << 20, PIPE_SIZE = 1 << 20 };

/*
 * The receiver has failed: the next one gets what this one had.  0 when there
 * is a way on, to a receiver or into the spool alone; -1 when there is none.
 */
static int
move_on(struct sending *s, int keepfd)
{
	struct stream_end end;

	for (;;) {
		if (s->out.outfd != -1)
			sending_failed(s, s->out.why);
		if (keepfd == -1 || s->out.keep_err != 0) {
			/* none could be given what this one had */
			s->out.outfd = s->out.infd = -1;
			break;
		}
		if (sending_next(s) == -1)
			break;
		coreout_again(&s->out, s->out.outfd, s->out.infd);
		if (coreout_replay(&s->out, keepfd, s->block, &end) == 0)
			return 0;
	}
	return s->c->spool.fd != -1 && s->out.keep_err == 0 ? 0 : -1;
}

/* Sends n bytes of the core at off; on to the next receiver if need be. */
static int
pass_on(struct sending *s, uint64_t off, const char *p, size_t n, size_t asked)
{
	if (coreout_put(&s->out, off, p, n) == 0 &&
	    coreout_flush(&s->out, asked) == 0)
		return 0;
	return move_on(s, s->out.keep.fd);
}

/* Up to want bytes; fewer at the end, or when it stalls: *why says how. */
static size_t
read_block(struct sending *s, size_t want, const char **why)
{
	int64_t deadline = deadline_in(s->c->out.idle_ms);
	size_t n = 0;
	ssize_t r;
	int p;

	*why = NULL;
	while (n < want) {
		p = deadline_poll(s->c->corefd, POLLIN, deadline);
		if (p == 0) {
			*why = "no more of it came in time";
			break;
		}
		r = read(s->c->corefd, s->block + n, want - n);
		if (r == -1 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (r == -1)
			*why = strerror(errno);
		else if (r == 0)
			*why = "";
		if (r <= 0)
			break;
		n += (size_t)r;
		deadline = deadline_in(s->c->out.idle_ms);
		atomic_store(&s->r->meter.allow_ms, 2 * (int)s->c->out.idle_ms);
		atomic_fetch_add(&s->r->meter.beat, 1);
	}
	return n;
}

/* All of it: head, and what follows.  -1 when nobody takes it any more. */
static int
pass_all(struct sending *s, uint64_t *size, const char **why)
{
	const struct buf *b = &s->head.raw;
	uint64_t off = 0;
	size_t n, want;

	for (; off < b->len; off += n) {
		n = b->len - off < STREAM_BLOCK ? b->len - off : STREAM_BLOCK;
		if (pass_on(s, off, b->p + off, n, n) == -1)
			return -1;
	}
	*size = off;
	*why = NULL;
	/* a read that failed before need not be tried again */
	if (s->head_err == ETIMEDOUT || s->head_err == ENODATA) {
		*why = s->head_err == ENODATA ? "" : strerror(ETIMEDOUT);
		return 0;
	}
	s->r->streaming = 1;
	fcntl(s->c->corefd, F_SETPIPE_SZ, PIPE_SIZE);
	while (*why == NULL) {
		want = STREAM_BLOCK - off % COREOUT_UNIT;
		n = read_block(s, want, why);
		if (n > 0 && pass_on(s, off, s->block, n, want) == -1)
			return -1;
		off += n;
		*size = off;
	}
	return 0;
}

/* Whether what came is a whole core; why is how it ended, "" at its end. */
static const char *
judge(struct sending *s, uint64_t size, const char *why, char *text, size_t len)
{
	const struct core_extent *e = &s->extent;

	if (*s->id.encoding != '\0' && *why == '\0')
		return NULL;
	if (*s->id.encoding == '\0' && e->size > 0 && size >= e->size)
		return NULL;
	if (*s->id.encoding != '\0')
		snprintf(text, len, "it stopped after %" PRIu64 " bytes: %s",
		    size, why);
	else if (s->head_err == ENODATA || s->head_err == ETIMEDOUT)
		snprintf(text, len,
		    "it ended within its head, after %" PRIu64 " bytes", size);
	else if (e->size == 0)
		snprintf(text, len,
		    "its head makes no sense: whether it is "
		    "whole cannot be told");
	else
		snprintf(text, len,
		    "it ended after %" PRIu64 " of %" PRIu64 " bytes%s%s", size,
		    e->size, *why ? ": " : "", why);
	return text;
}

/* A file that keeps what was sent; none when it would be of no use. */
static struct coreout_keep
keep_in_memory(const struct sending *s)
{
	struct coreout_keep k = {.fd = -1, .max = KEPT_IN_MEMORY};

	if (s->c->nplaces >= s->next + 2)
		k.fd = memfd_create("core", MFD_CLOEXEC);
	return k;
}

static void
send_stream(struct sending *s)
{
	int keepfd = s->out.keep.fd;
	const char *why, *state;
	uint64_t size = 0;
	char text[160];
	int r;

	coreout_start(&s->out);
	if (sending_next(s) == -1 && s->c->spool.fd == -1)
		return;
	if ((coreout_head(&s->out, &s->id) == -1 && move_on(s, keepfd) == -1) ||
	    pass_all(s, &size, &why) == -1)
		return;
	sending_release(s);
	state = judge(s, size, why, text, sizeof(text));
	r = coreout_end(&s->out, size, state);
	s->out.keep.fd = -1;
	while (s->out.outfd != -1) {
		if (r == 0 && sending_confirm(s, size) == 0) {
			sending_done(s, SEND_SENT, size, state);
			return;
		}
		if (move_on(s, keepfd) == -1)
			return;
		if (s->out.outfd != -1)
			r = coreout_end(&s->out, size, state);
	}
	if (s->c->spool.fd != -1 && s->out.keep_err == 0)
		sending_done(s, SEND_SPOOLED, size, state);
}

void
sending_stream(struct sending *s)
{
	struct coreout_keep keep =
	    s->c->spool.fd != -1 ? s->c->spool : keep_in_memory(s);

	s->out.keep = keep;
	send_stream(s);
	if (s->c->spool.fd != -1 && s->out.keep_err != 0 &&
	    s->r->outcome != SEND_SENT) {
		snprintf(s->to, sizeof(s->to), "spool");
		sending_failed(s, strerror(s->out.keep_err));
	}
	if (s->c->spool.fd == -1 && keep.fd != -1)
		close(keep.fd);
}
