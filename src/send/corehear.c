/* The part of coreout that listens: what a receiver says, at its time and
 * before it. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/deadline.h"
#include "send/coreout_impl.h"

enum {
	REPLY_RATE = 16 << 10, /* bytes a receiver must put on disk in 1 ms */
	WORD_MS = 5000,	 /* for what one that takes nothing has said before */
	TAKES_MS = 3000, /* for its word that it takes what is packed, */
	HAS_MS = 600000	 /* as long as it says that it looks for a part */
};

void
coreout_beat(struct coreout *o, int64_t allow_ms)
{
	atomic_store(&o->cfg->meter->allow_ms, (int)allow_ms);
	atomic_fetch_add(&o->cfg->meter->beat, 1);
}

int
coreout_lost(struct coreout *o, const char *reason)
{
	snprintf(o->why, sizeof(o->why), "%s", reason);
	return -1;
}

/* What it has said before its turn is no OK, whatever it is. */
int
coreout_judge_early(struct coreout *o)
{
	struct stream_reply r;
	char *nl = memchr(o->reply, '\n', o->replylen);

	if (nl == NULL)
		return coreout_lost(
		    o, "it answered out of turn, and not in a line");
	if (stream_reply_parse(o->reply, (size_t)(nl - o->reply), &r) == -1)
		return coreout_lost(o, "its answer makes no sense");
	o->refused = 1;
	if (r.ok)
		return coreout_lost(o, "it said OK before it had all");
	snprintf(o->why, sizeof(o->why), "it said: %.480s",
	    *r.name != '\0' ? r.name : "ERR");
	return -1;
}

/* What is said of one that said nothing. */
static int
gone(struct coreout *o)
{
	o->broke = 1;
	return coreout_lost(o,
	    o->reset ? "it reset the connection" : "it closed the connection");
}

/* What it says before its answer, a word a line: 1 when that is one. */
static int
hear_word(struct coreout *o, size_t len)
{
	struct stream_has has;

	if (len == sizeof(STREAM_TAKES) - 2 &&
	    memcmp(o->reply, STREAM_TAKES, len) == 0) {
		o->pack.takes = o->pack.when != COREPACK_NO;
		o->heard = 1;
		return 1;
	}
	if (len == sizeof(STREAM_WAIT) - 2 &&
	    memcmp(o->reply, STREAM_WAIT, len) == 0) {
		o->waits++;
		return 1;
	}
	if (stream_has_parse(o->reply, len, &has) == -1)
		return 0;
	o->keeps = 1;
	/* too late, for one that was not waited for */
	if (o->asking)
		o->has = has;
	return 1;
}

static void
hear_words(struct coreout *o)
{
	const char *nl;
	size_t len;

	while (o->pack.offered && !o->heard &&
	    (nl = memchr(o->reply, '\n', o->replylen)) != NULL) {
		len = (size_t)(nl - o->reply);
		if (!hear_word(o, len))
			return;
		o->replylen -= len + 1;
		memmove(o->reply, nl + 1, o->replylen);
	}
}

/*
 * Takes what there is of its answer: 1 when that is a line, or all it can
 * hold; 0 when more may come, -1 when nothing will (errno 0 for its end).
 */
int
coreout_hear(struct coreout *o)
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
	hear_words(o);
	coreout_beat(o, o->cfg->idle_ms);
	return memchr(o->reply, '\n', o->replylen) != NULL ||
	    o->replylen == sizeof(o->reply);
}

/* It takes nothing any more; perhaps it has said why. */
int
coreout_shut(struct coreout *o, int err)
{
	int64_t deadline =
	    deadline_in(o->cfg->idle_ms < WORD_MS ? o->cfg->idle_ms : WORD_MS);
	int r = 0;

	while (o->infd != -1 && r == 0 &&
	    deadline_poll(o->infd, POLLIN, deadline) > 0)
		r = coreout_hear(o);
	if (r == 1)
		return coreout_judge_early(o);
	o->reset |= err == ECONNRESET;
	o->broke = 1;
	return err == EPIPE || err == ECONNRESET
	    ? gone(o)
	    : coreout_lost(o, strerror(err));
}

/* It will say no more: err, 0 for its end. */
int
coreout_ended(struct coreout *o, int err)
{
	o->broke = 1;
	return err != 0 ? coreout_lost(o, strerror(err)) : gone(o);
}

int
coreout_slow(struct coreout *o, const char *what, int64_t ms)
{
	snprintf(o->why, sizeof(o->why), "%s for %d seconds", what,
	    (int)(ms / 1000));
	return -1;
}

/* Until it has said what it can, or has had the time to. */
int
coreout_await_words(struct coreout *o)
{
	int64_t deadline = deadline_in(TAKES_MS), last = deadline_in(HAS_MS);
	unsigned waits = 0;
	int r = 0;

	while (r == 0 && !o->heard &&
	    deadline_poll(o->infd, POLLIN, deadline) > 0) {
		r = coreout_hear(o);
		if (o->waits != waits && deadline_left(last) > 0)
			deadline = deadline_in(TAKES_MS);
		waits = o->waits;
	}
	o->deaf = !o->heard && waits == 0 && !o->keeps;
	return r == 1 ? coreout_judge_early(o)
	    : r == -1 ? coreout_ended(o, errno)
		      : 0;
}

int
coreout_reply(struct coreout *o, uint64_t size, struct stream_reply *reply)
{
	/* it may have to bring all of it to a slow disk first */
	int64_t ms = o->cfg->idle_ms + (int64_t)(o->sum.data / REPLY_RATE);
	int64_t deadline = deadline_in(ms);
	const char *nl;
	int r = 0;

	coreout_beat(o, ms);
	while (r == 0) {
		r = deadline_poll(o->infd, POLLIN, deadline);
		if (r == 0)
			return coreout_slow(
			    o, "it had all and did not answer", ms);
		if (r > 0)
			r = coreout_hear(o);
	}
	if (r == -1) {
		o->broke = 1;
		return coreout_lost(o,
		    errno != 0 ? strerror(errno)
			       : "it had all and went without an answer");
	}
	nl = memchr(o->reply, '\n', o->replylen);
	if (nl == NULL ||
	    stream_reply_parse(o->reply, (size_t)(nl - o->reply), reply) == -1)
		return coreout_lost(o, "its answer makes no sense");
	if (!reply->ok)
		return coreout_judge_early(o);
	if (reply->bytes != size || reply->crc != stream_sum_end(&o->sum, size))
		return coreout_lost(o, "it says OK, but of another core");
	return 0;
}
