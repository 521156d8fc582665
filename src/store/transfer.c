#include "store/transfer.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/deadline.h"
#include "base/utc.h"
#include "stream/streamtext.h"

static void
set_reason(struct transfer *t, enum corerecv_result result, const char *reason)
{
	t->o->result = result;
	snprintf(t->o->reason, sizeof(t->o->reason), "%s", reason);
}

void
transfer_say(const struct transfer *t, const char *p, size_t len)
{
	int64_t deadline = deadline_in(RECV_REPLY_MS);
	int fd = t->outfd;
	ssize_t n;

	while (len > 0) {
		if (deadline_poll(fd, POLLOUT, deadline) <= 0)
			return;
		n = send(fd, p, len, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n == -1 && errno == ENOTSOCK)
			n = write(fd, p, len);
		if (n == -1 && errno != EINTR && errno != EAGAIN)
			return;
		if (n > 0) {
			p += n;
			len -= (size_t)n;
		}
	}
}

void
transfer_refused(struct transfer *t, const char *reason)
{
	store_drop(&t->part);
	set_reason(t, RECV_REFUSED, reason);
}

void
transfer_failed(struct transfer *t, const char *what)
{
	char reason[STREAM_REASON_MAX];
	int err = errno;

	/* A limit is the answer to this core; else we are in trouble. */
	if (t->part.limit != NULL) {
		transfer_refused(t, t->part.limit);
		return;
	}
	snprintf(reason, sizeof(reason), "the receiver was unable to %s: %s",
	    what, strerror(err));
	store_drop(&t->part);
	set_reason(t, RECV_FAILED, reason);
}

const char *
transfer_host(const struct transfer *t, char own[CRASH_HOST_MAX])
{
	*own = '\0';
	if (!t->cfg->byaddress && *t->o->id.host != '\0')
		return t->o->id.host;
	if (strcmp(t->o->host, "local") == 0 && gethostname(own, 255) == 0)
		return own;
	return t->o->host;
}

int
transfer_begin(struct transfer *t, const char *stem, const char *suffix)
{
	char own[CRASH_HOST_MAX];

	if (store_begin(&t->cfg->store, transfer_host(t, own), stem, suffix,
		&t->part) == 0)
		return 0;
	transfer_failed(t, "create a file");
	return -1;
}

int
transfer_write(struct transfer *t, const void *p, size_t len, uint64_t off)
{
	if (store_write(&t->part, p, len, off) == 0) {
		t->o->data += len;
		if (t->cfg->trace != NULL)
			t->cfg->trace(len, t->o->data, off + len);
		return 0;
	}
	transfer_failed(t, "write");
	return -1;
}

/* The text of ".info": the header's lines, and what became of it. */
static int
describe(const struct transfer *t, const char *state, struct buf *b)
{
	const struct corerecv_outcome *o = t->o;
	const size_t magic = sizeof(STREAM_MAGIC) - 1;
	char crc[12], when[UTC_TEXT];
	struct buf head = {0};
	int r;

	snprintf(crc, sizeof(crc), "%08x", (unsigned)o->crc);
	utc_text(time(NULL), when);
	r = stream_head_format(&o->id, &head);
	/* without its first line and the blank one */
	if (r == 0)
		r = buf_append(b, head.p + magic, head.len - magic - 1);
	buf_free(&head);
	if (r == -1 || streamtext_put_number(b, "bytes", (int64_t)o->bytes) ||
	    streamtext_put_number(b, "data", (int64_t)o->data) == -1 ||
	    streamtext_put(b, "checksum", crc, strlen(crc)) == -1 ||
	    streamtext_put(b, "peer", o->peer, strlen(o->peer)) == -1 ||
	    streamtext_put(b, "received", when, strlen(when)) == -1 ||
	    streamtext_put(b, "state", state, strlen(state)) == -1)
		return -1;
	return 0;
}

static int
seal(struct transfer *t, const char *state, int whole)
{
	struct buf info = {0};
	int r;

	r = describe(t, state, &info);
	if (r == 0 &&
	    (!whole || !t->cfg->store.pack ||
		store_pack(&t->part, t->o->bytes, &info) == -1))
		r = store_seal(&t->part, t->o->bytes, &info);
	buf_free(&info);
	return r;
}

void
transfer_whole(struct transfer *t)
{
	struct corerecv_outcome *o = t->o;
	int again;

	if (seal(t, "complete", 1) == -1) {
		transfer_failed(t, "finish the file");
		return;
	}
	if (store_publish(&t->part, o->bytes, o->crc, o->name, &again) == -1) {
		transfer_failed(t, "name the file");
		return;
	}
	o->result = again ? RECV_AGAIN : RECV_STORED;
}

static void
keep(struct transfer *t, const char *reason)
{
	if (seal(t, reason, 0) == -1) {
		transfer_failed(t, "finish the file");
		return;
	}
	store_keep(&t->part, t->o->name);
	set_reason(t, RECV_KEPT, reason);
}

void
transfer_incomplete(struct transfer *t, const char *reason)
{
	struct corerecv_outcome *o = t->o;

	if (seal(t, reason, 0) == -1) {
		transfer_failed(t, "finish the file");
	} else if (store_keep_once(&t->part, o->bytes, o->crc, o->name) == -1) {
		transfer_failed(t, "name the file");
	} else {
		o->whole = 1;
		set_reason(t, RECV_KEPT, reason);
	}
}

void
transfer_broken(struct transfer *t, const char *reason)
{
	/* A name for nothing would only be in the way. */
	if (t->o->data == 0)
		transfer_refused(t, reason);
	else
		keep(t, reason);
}

void
transfer_dried(struct transfer *t)
{
	char reason[STREAM_REASON_MAX];
	int life = t->in.life <= t->in.idle;

	if (errno == ENODATA)
		snprintf(reason, sizeof(reason),
		    "the connection ended early, after %llu bytes",
		    (unsigned long long)t->in.come);
	else if (errno == ETIMEDOUT)
		snprintf(reason, sizeof(reason), "%s, after %llu bytes",
		    life ? "the sender took too long"
			 : "nothing more came in time",
		    (unsigned long long)t->in.come);
	else
		snprintf(reason, sizeof(reason),
		    "the connection failed after %llu bytes: %s",
		    (unsigned long long)t->in.come, strerror(errno));
	transfer_broken(t, reason);
}
