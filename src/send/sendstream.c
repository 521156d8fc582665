/* A core by the stream it comes on: the second of the two ways that coresend.h
 * tells of. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/deadline.h"
#include "send/sending.h"

enum { KEPT_IN_MEMORY = 16 << 20, PIPE_SIZE = 1 << 20 };

/* n bytes of the core at off, again, in room or where they are; fewer: -1. */
static const char *
reread(struct sending *s, uint64_t off, size_t n, char *room)
{
	const struct buf *b = &s->head.raw;

	if (off < b->len)
		return b->p + off;
	if (io_pread_full(s->c->corefd, room, n, s->start + off) == (ssize_t)n)
		return room;
	snprintf(s->out.why, sizeof(s->out.why), "the file has changed");
	return NULL;
}

/* What came until now, from the file it comes from. */
static int
replay_file(struct sending *s, uint64_t upto)
{
	const struct buf *b = &s->head.raw;
	char *room = malloc(STREAM_BLOCK);
	const char *p;
	uint64_t off;
	size_t n;
	int r;

	r = room == NULL ? -1 : coreout_head(&s->out, &s->id);
	for (off = 0; r == 0 && off < upto; off += n) {
		n = STREAM_BLOCK - off % COREOUT_UNIT;
		if (off < b->len && n > b->len - off)
			n = b->len - off;
		if (n > upto - off)
			n = (size_t)(upto - off);
		p = reread(s, off, n, room);
		r = p == NULL || coreout_put(&s->out, off, p, n) == -1
		    ? -1
		    : coreout_flush(&s->out, n);
	}
	free(room);
	return r == 0 ? coreout_joined(&s->out, upto) : -1;
}

/* The receiver gets what the last one had, up to there. */
static int
replay(struct sending *s, int keepfd, uint64_t upto)
{
	struct stream_end end;

	coreout_again(&s->out, s->out.outfd, s->out.infd);
	if (keepfd != -1 && s->out.keep_err == 0)
		return coreout_replay(&s->out, keepfd, s->block, &end);
	return replay_file(s, upto);
}

/*
 * The receiver has failed: the next one gets what this one had, up to there. 0
 * when there is a way on, to a receiver or into the spool alone; -1 when there
 * is none.
 */
static int
move_on(struct sending *s, int keepfd, uint64_t upto)
{
	int r;

	for (;;) {
		if (s->out.outfd != -1)
			sending_failed(s, s->out.why);
		if (!s->is_file && (keepfd == -1 || s->out.keep_err != 0)) {
			/* none could be given what this one had */
			s->out.outfd = s->out.infd = -1;
			break;
		}
		if (sending_next(s) == -1)
			break;
		r = replay(s, keepfd, upto);
		if (r == 0)
			return 0;
	}
	if (s->c->spool.fd == -1 || s->out.keep_err != 0)
		return -1;
	return coreout_alone(&s->out, keepfd, s->block);
}

/* Sends n bytes of the core at off; on to the next receiver if need be. */
static int
pass_on(struct sending *s, uint64_t off, const char *p, size_t n, size_t asked)
{
	int keepfd = s->out.keep.fd;

	if (coreout_put(&s->out, off, p, n) == 0 &&
	    coreout_flush(&s->out, asked) == 0)
		return 0;
	return move_on(s, keepfd, off + n);
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

/* A file that keeps what was sent, for the next receiver or the same one; none
 * when it would be of no use. */
static struct coreout_keep
keep_in_memory(const struct sending *s)
{
	struct coreout_keep k = {.fd = -1, .max = KEPT_IN_MEMORY};

	if (!s->is_file && s->c->nplaces > s->next)
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
	if ((coreout_head(&s->out, &s->id) == -1 &&
		move_on(s, keepfd, 0) == -1) ||
	    pass_all(s, &size, &why) == -1)
		return;
	/* a file waits for nobody, and may be needed again */
	if (!s->is_file)
		sending_release(s);
	state = judge(s, size, why, text, sizeof(text));
	r = coreout_end(&s->out, size, state);
	s->out.keep.fd = -1;
	while (s->out.outfd != -1) {
		if (r == 0 && sending_confirm(s, size) == 0) {
			sending_done(s, SEND_SENT, size, state);
			return;
		}
		if (move_on(s, keepfd, size) == -1)
			return;
		if (s->out.outfd != -1)
			r = coreout_end(&s->out, size, state);
	}
	if (s->c->spool.fd != -1 && s->out.keep_err == 0)
		sending_done(s, SEND_SPOOLED, size, state);
}

/* Can what was read be read again? */
static void
find_start(struct sending *s)
{
	struct stat st;
	off_t at = lseek(s->c->corefd, 0, SEEK_CUR);

	s->is_file = fstat(s->c->corefd, &st) == 0 && S_ISREG(st.st_mode) &&
	    at >= (off_t)s->head.raw.len;
	if (s->is_file)
		s->start = (uint64_t)at - s->head.raw.len;
}

void
sending_stream(struct sending *s)
{
	struct coreout_keep keep;

	find_start(s);
	keep = s->c->spool.fd != -1 ? s->c->spool : keep_in_memory(s);
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
