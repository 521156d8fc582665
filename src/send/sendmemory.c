/* A core by the memory of its process: the first of the two ways that
 * coresend.h tells of. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "send/sending.h"

enum sent {
	SENT_NOT = -1, /* the receiver failed: out.why */
	SENT_ALL = 0,
	SENT_PART /* the process has gone; what there was has been sent */
};

/* What fits into the pipe may have left the process already, and costs nothing
 * to read; and a process that has gone with more than that was killed. */
enum { SMALL = 4 << 20 };

static const char killed[] = "the process was killed while its memory was read";

static int
is_small(const struct sending *s)
{
	int room = fcntl(s->c->corefd, F_GETPIPE_SZ);
	struct stat st;

	if (room == -1 && fstat(s->c->corefd, &st) == 0 &&
	    !S_ISSOCK(st.st_mode))
		return 0;
	return s->extent.size - s->head.raw.len <=
	    (uint64_t)(room == -1 ? SMALL : room);
}

static int
is_process(const struct sending *s)
{
	const struct core_head *h = &s->head;

	return s->c->mem != NULL && *s->id.encoding == '\0' &&
	    s->head_err == 0 && h->have_psinfo &&
	    coremem_is(s->c->mem, h->auxv, h->auxvlen, h->pspid);
}

/* Can all of it be read as the kernel does, and is it still there? */
static int
usable(struct sending *s)
{
	const struct core_head *h = &s->head;
	struct coremem *m = s->c->mem;
	size_t i;

	if (!s->extent.plain || is_small(s) || coremem_load(m) == -1)
		return 0;
	for (i = 0; i < h->nsegs; i++)
		if (!coremem_can(m, h->segs[i].vaddr,
			h->segs[i].vaddr + h->segs[i].filesz))
			return 0;
	return coremem_intact(m);
}

static int
send_head(struct sending *s)
{
	const struct buf *b = &s->head.raw;
	size_t at, n;

	if (coreout_head(&s->out, &s->id) == -1)
		return -1;
	for (at = 0; at < b->len; at += n) {
		n = b->len - at < STREAM_BLOCK ? b->len - at : STREAM_BLOCK;
		if (coreout_put(&s->out, at, b->p + at, n) == -1 ||
		    coreout_flush(&s->out, n) == -1)
			return -1;
	}
	return 0;
}

static void
beat(struct sending *s)
{
	atomic_store(&s->r->meter.allow_ms, (int)s->c->out.idle_ms);
	atomic_fetch_add(&s->r->meter.beat, 1);
}

/* One segment; *fill bytes of the block wait to be sent. */
static enum sent
send_segment(struct sending *s, const struct core_seg *seg, size_t *fill)
{
	uint64_t addr = seg->vaddr, end = seg->vaddr + seg->filesz, from, to;
	size_t len;
	int r;

	for (;; addr = to) {
		beat(s);
		from = addr;
		r = coremem_next(s->c->mem, &from, end, STREAM_BLOCK, &to);
		if (r == 0)
			return SENT_ALL;
		if (r == -1)
			return SENT_PART;
		len = (size_t)(to - from);
		if (*fill + len > STREAM_BLOCK) {
			if (coreout_flush(&s->out, STREAM_BLOCK) == -1)
				return SENT_NOT;
			*fill = 0;
		}
		beat(s);
		if (coremem_read(s->c->mem, from, s->block + *fill, len) == -1)
			return SENT_PART;
		if (coreout_put(&s->out, seg->off + (from - seg->vaddr),
			s->block + *fill, len) == -1)
			return SENT_NOT;
		*fill += len;
	}
}

static enum sent
send_segments(struct sending *s)
{
	const struct core_head *h = &s->head;
	enum sent r = SENT_ALL;
	size_t fill = 0, i;

	for (i = 0; i < h->nsegs && r == SENT_ALL; i++)
		if (h->segs[i].filesz != 0)
			r = send_segment(s, &h->segs[i], &fill);
	if (r != SENT_NOT && coreout_flush(&s->out, STREAM_BLOCK) == -1)
		return SENT_NOT;
	return r;
}

/* The whole stream, to the receiver or the spool; *size is the core's. */
static enum sent
send_once(struct sending *s, uint64_t *size)
{
	enum sent r;
	Elf64_Shdr sh;

	s->trouble = NULL;
	if (send_head(s) == -1)
		return SENT_NOT;
	r = send_segments(s);
	if (r == SENT_NOT)
		return r;
	*size = r == SENT_ALL ? s->extent.size : s->out.sum.next;
	/* what was read after a kill may be wrong */
	if (!coremem_intact(s->c->mem)) {
		s->trouble = killed;
		r = SENT_PART;
	} else if (r == SENT_PART) {
		s->trouble = "its memory could not be read to the end";
	}
	if (*size == s->extent.size && s->extent.tail > 0) {
		core_extent_tail(&s->extent, &sh);
		if (coreout_put(&s->out, *size - s->extent.tail, &sh,
			s->extent.tail) == -1 ||
		    coreout_flush(&s->out, s->extent.tail) == -1)
			return SENT_NOT;
	}
	if (coreout_end(&s->out, *size, s->trouble) == -1)
		return SENT_NOT;
	return r;
}

/* Nobody is left who might need the process after this one. */
static int
is_last(const struct sending *s)
{
	return s->c->spool.fd == -1 && s->next >= s->c->nplaces;
}

/* The receivers in turn: 0 when one has it. */
static int
try_receivers(struct sending *s)
{
	uint64_t size = 0;

	while (sending_next(s) == 0) {
		coreout_start(&s->out);
		if (send_once(s, &size) != SENT_NOT) {
			if (is_last(s)) {
				sending_release(s);
				s->gone = !s->copied;
			}
			if (sending_confirm(s, size) == 0) {
				sending_done(s, SEND_SENT, size, s->trouble);
				return 0;
			}
		}
		sending_failed(s, s->out.why);
	}
	return -1;
}

static void
try_spool(struct sending *s)
{
	uint64_t size = 0;

	snprintf(s->to, sizeof(s->to), "spool");
	s->out.keep = s->c->spool;
	coreout_start(&s->out);
	if (send_once(s, &size) == SENT_NOT)
		sending_failed(s, strerror(s->out.keep_err));
	else
		sending_done(s, SEND_SPOOLED, size, s->trouble);
}

static void
beat_of(void *sending)
{
	beat(sending);
}

/* What fits into memory of ours is copied, and the process may go. */
static void
let_go(struct sending *s)
{
	const struct coremem_beat b = {beat_of, s};

	if (s->c->release == 0 ||
	    coremem_copy(s->c->mem, &s->head, s->c->release, &b) == -1)
		return;
	s->copied = 1;
	sending_release(s);
	sending_let_go(s);
}

int
sending_memory(struct sending *s)
{
	if (!is_process(s))
		return -1;
	if (s->c->withhold) {
		s->r->outcome = SEND_WITHHELD;
		return 0;
	}
	if (!usable(s))
		return -1;
	s->r->from = SEND_MEMORY;
	if (s->c->held)
		sending_release(s);
	let_go(s);
	if (try_receivers(s) == -1 && s->c->spool.fd != -1)
		try_spool(s);
	sending_release(s);
	return 0;
}
