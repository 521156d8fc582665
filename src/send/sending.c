#include "send/sending.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/deadline.h"
#include "base/io.h"
#include "base/num.h"

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
		snprintf(s->to, sizeof(s->to), "%s", c->outname);
		s->out.outfd = c->outfd;
		s->out.infd = c->infd;
		return 0;
	}
	while (s->next < c->nplaces) {
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
