#include "send/coresend.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/deadline.h"
#include "send/sending.h"

/* --- what the core says of itself ----------------------------------------- */

static void
take_text(char *to, size_t size, const char *from)
{
	if (*to == '\0')
		snprintf(to, size, "%s", from);
}

static void
take_number(int64_t *to, int known, int64_t from)
{
	if (*to == -1 && known && from >= 0)
		*to = from;
}

/* What nobody told before. */
static void
identify(struct sending *s)
{
	const struct core_head *h = &s->head;
	struct crash_id *id = &s->id;

	*id = *s->c->id;
	if (*id->encoding != '\0' || s->head_err == ENOEXEC) {
		s->r->id = *id;
		return;
	}
	take_number(&id->pid, h->have_psinfo, h->pspid);
	take_number(&id->uid, h->have_psinfo, h->psuid);
	take_number(&id->gid, h->have_psinfo, h->psgid);
	if (h->have_psinfo)
		take_text(id->comm, sizeof(id->comm), h->psname);
	take_number(&id->signal, h->have_siginfo, h->signo);
	if (h->nthreads > 0) {
		take_number(&id->signal, 1, h->threads[0].cursig);
		take_number(&id->tid, 1, h->threads[0].pid);
	}
	s->r->id = *id;
}

/* Where nobody told: of a program that ran with more rights than its user. */
static int
is_privileged(const struct sending *s)
{
	const struct core_head *h = &s->head;

	return core_auxv(h->auxv, h->auxvlen, AT_SECURE, 0) != 0;
}

/* Leaves the head where another worker finds it. */
static void
leave_head(struct sending *s)
{
	const struct buf *b = &s->head.raw;

	if (s->c->headfd != -1 && s->r->headlen == 0 && b->len > 0 &&
	    io_write_full(s->c->headfd, b->p, b->len) == 0)
		s->r->headlen = (int)b->len;
}

/* From the stream, or what another worker left. */
static void
take_head(struct sending *s)
{
	const struct send_cfg *c = s->c;
	int fd = s->r->headlen > 0 ? c->headfd : c->corefd;

	s->head_err = 0;
	if (*c->id->encoding != '\0')
		return;
	if (fd == c->headfd)
		(void)!lseek(fd, 0, SEEK_SET);
	atomic_store(&s->r->meter.allow_ms, (int)c->out.idle_ms);
	if (core_head_read(fd, deadline_in(c->out.idle_ms), &s->head) == -1)
		s->head_err = errno;
	leave_head(s);
	if (core_extent(&s->head, &s->extent) == -1)
		memset(&s->extent, 0, sizeof(s->extent));
}

/* --- both ways ------------------------------------------------------------ */

static struct sending *
start(const struct send_cfg *c)
{
	struct sending *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->c = c;
	s->r = c->result;
	s->connfd = -1;
	s->block = malloc(STREAM_BLOCK);
	s->out.cfg = &c->out;
	s->out.pack.when = c->pack;
	memcpy(s->out.key, c->key, sizeof(s->out.key));
	s->out.pack.room = c->pack != COREPACK_NO || c->spool.fd != -1
	    ? malloc(COREPACK_ROOM)
	    : NULL;
	s->out.outfd = s->out.infd = s->out.keep.fd = -1;
	if (s->block != NULL)
		return s;
	free(s->out.pack.room);
	free(s);
	return NULL;
}

static void
finish(struct sending *s)
{
	sending_hang_up(s);
	core_head_free(&s->head);
	free(s->block);
	free(s->out.pack.room);
	free(s);
}

void
core_send(const struct send_cfg *c)
{
	struct sending *s = start(c);

	if (s == NULL) {
		snprintf(c->result->why, sizeof(c->result->why), "%s",
		    strerror(errno));
		return;
	}
	take_head(s);
	identify(s);
	if (s->head.raw.len == 0 && s->head_err != 0)
		snprintf(s->r->why, sizeof(s->r->why), "no core came: %s",
		    s->head_err == ENODATA ? "the input is empty"
					   : strerror(s->head_err));
	else if (s->head_err == ENOEXEC)
		s->r->outcome = SEND_NO_CORE;
	else if (!c->secret && is_privileged(s))
		s->r->outcome = SEND_WITHHELD;
	else if (sending_memory(s) == -1)
		sending_stream(s);
	finish(s);
}

/* --- a kept stream -------------------------------------------------------- */

static void
send_kept(struct sending *s)
{
	const struct send_cfg *c = s->c;
	struct stream_end end;

	for (; sending_next(s) == 0; sending_failed(s, s->out.why)) {
		coreout_again(&s->out, s->out.outfd, s->out.infd);
		if (coreout_replay(&s->out, c->spool.fd, s->block, &end) == 0) {
			if (end.size == UINT64_MAX) {
				s->out.refused = -1;
				snprintf(s->out.why, sizeof(s->out.why),
				    "it has no end");
			} else if (coreout_end(&s->out, end.size, end.state) ==
				0 &&
			    sending_confirm(s, end.size) == 0) {
				s->r->deaf |= s->out.deaf;
				sending_done(s, SEND_SENT, end.size,
				    stream_is_complete(&end) ? NULL
							     : end.state);
				return;
			}
		}
		if (s->out.refused == -1) {
			snprintf(
			    s->r->why, sizeof(s->r->why), "%s", s->out.why);
			s->r->outcome = SEND_DAMAGED;
			return;
		}
		s->r->deaf |= s->out.deaf;
	}
}

void
core_send_kept(const struct send_cfg *c)
{
	struct sending *s = start(c);

	if (s == NULL) {
		snprintf(c->result->why, sizeof(c->result->why), "%s",
		    strerror(errno));
		return;
	}
	s->r->from = SEND_KEPT;
	coreout_start(&s->out);
	if (coreout_kept(&s->out, c->spool.fd, s->block, &s->r->id) == -1) {
		snprintf(s->r->why, sizeof(s->r->why), "%s", s->out.why);
		s->r->outcome = SEND_DAMAGED;
	} else if (!c->secret && s->r->id.dumpmode != -1 &&
	    s->r->id.dumpmode != 1) {
		s->r->outcome = SEND_WITHHELD;
	} else {
		send_kept(s);
	}
	finish(s);
}

void
send_result_tame(struct send_result *r)
{
	r->id.host[sizeof(r->id.host) - 1] = '\0';
	r->id.comm[sizeof(r->id.comm) - 1] = '\0';
	r->id.exe[sizeof(r->id.exe) - 1] = '\0';
	r->id.encoding[sizeof(r->id.encoding) - 1] = '\0';
	r->to[sizeof(r->to) - 1] = '\0';
	r->name[sizeof(r->name) - 1] = '\0';
	r->state[sizeof(r->state) - 1] = '\0';
	r->why[sizeof(r->why) - 1] = '\0';
	if (r->outcome < SEND_LOST || r->outcome > SEND_NO_CORE)
		r->outcome = SEND_LOST;
	if (r->from < SEND_STREAM || r->from > SEND_KEPT)
		r->from = SEND_STREAM;
}
