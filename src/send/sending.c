#include "send/sending.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/deadline.h"
#include "base/io.h"
#include "base/num.h"

enum { RETRIES = 8, EARLY_MS = 3000 };

void
sending_failed(struct sending *s, const char *why)
{
	char *p = s->r->why;
	size_t len = strnlen(p, sizeof(s->r->why) - 1);

	snprintf(p + len, sizeof(s->r->why) - len, "%s%s: %s",
	    len > 0 ? "; " : "", s->to, why);
	if (s->out.refused > 0)
		s->r->refused = 1;
}

void
sending_hang_up(struct sending *s)
{
	io_close(&s->connfd);
	s->connfd = s->out.outfd = s->out.infd = -1;
}

int
sending_connect(void *arg, const char *place, const char **why)
{
	const struct send_cfg *c = arg;
	uint64_t n;
	int fd;

	errno = EINVAL;
	if (num_u64(place, 10, 0, c->nplaces - 1, &n) == -1)
		return -1;
	fd = tcp_connect(&c->places[n], deadline_in(c->connect_ms), why);
	if (fd != -1)
		tcp_watch(fd, c->out.idle_ms);
	return fd;
}

/*
 * Once more to the last one?  Each time it must have been sent something, so
 * one that keeps breaking, or claims what is not so, ends.
 */
static int
retries(struct sending *s)
{
	struct coreout *o = &s->out;
	uint64_t sent = o->sum.data - o->skipped;
	/* it broke before it could say what it can: all again, and once */
	int early = s->retries == 0 && !o->heard &&
	    deadline_in(0) - o->since < EARLY_MS;

	if (s->next == 0 || s->gone || s->retries == RETRIES ||
	    !(o->keeps || early) ||
	    !(o->mismatch ? !s->whole : o->broke && sent > 0))
		return 0;
	s->retries++;
	s->spent += sent;
	s->whole = o->mismatch || !o->keeps;
	s->next--;
	return 1;
}

/* Is this the time to hear what it has? */
static int
asks(const struct sending *s)
{
	if (s->whole)
		return 0;
	return s->retries > 0 || (s->r->from == SEND_KEPT && !s->c->deaf);
}

int
sending_next(struct sending *s)
{
	const struct send_cfg *c = s->c;
	const struct tcp_place *p;
	char number[24];

	sending_hang_up(s);
	if (c->nplaces == 0) {
		if (s->next++ > 0 || c->outfd == -1)
			return -1;
		s->out.ask = asks(s);
		snprintf(s->to, sizeof(s->to), "%s", c->outname);
		s->out.outfd = c->outfd;
		s->out.infd = c->infd;
		return 0;
	}
	if (!retries(s)) {
		s->retries = 0;
		s->whole = 0;
		s->spent = 0;
	}
	s->out.broke = s->out.mismatch = 0;
	while (s->next < c->nplaces) {
		s->out.ask = asks(s);
		snprintf(number, sizeof(number), "%zu", s->next);
		p = &c->places[s->next++];
		snprintf(s->to, sizeof(s->to), "%s", p->host);
		atomic_store(&c->result->meter.allow_ms,
		    (int)c->connect_ms + SENDING_RESOLVE_MS);
		atomic_fetch_add(&c->result->meter.beat, 1);
		s->connfd = opener_open(c->opener, number);
		if (s->connfd == -1) {
			sending_failed(s,
			    *c->opener->why != '\0' ? c->opener->why
						    : strerror(errno));
			s->retries = 0;
			continue;
		}
		s->out.outfd = s->out.infd = s->connfd;
		return 0;
	}
	return -1;
}

int
sending_confirm(struct sending *s, uint64_t size)
{
	struct stream_reply reply;

	if (s->out.infd == -1)
		return 0;
	if (coreout_reply(&s->out, size, &reply) == -1)
		return -1;
	memcpy(s->r->name, reply.name, sizeof(s->r->name));
	return 0;
}

void
sending_done(struct sending *s, enum send_outcome outcome, uint64_t size,
    const char *state)
{
	struct send_result *r = s->r;

	r->size = size;
	r->data = s->out.sum.data;
	r->told = outcome == SEND_SENT ? s->out.told : s->out.kept;
	if (outcome == SEND_SENT && s->out.joint > 0) {
		r->joint = s->out.joint;
		r->twice =
		    s->spent > s->out.skipped ? s->spent - s->out.skipped : 0;
	}
	snprintf(r->state, sizeof(r->state), "%s", state != NULL ? state : "");
	if (outcome == SEND_SENT)
		memcpy(r->to, s->to, sizeof(r->to));
	r->outcome = outcome;
}

void
sending_release(struct sending *s)
{
	dup3(s->c->nullfd, s->c->corefd, 0);
	if (s->c->donefd != -1)
		(void)!write(s->c->donefd, "", 1);
}

void
sending_let_go(struct sending *s)
{
	static const char let_go = SENDING_LET_GO;

	if (s->c->donefd != -1)
		(void)!write(s->c->donefd, &let_go, 1);
}
