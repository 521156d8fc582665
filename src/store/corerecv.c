#include "store/corerecv.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/deadline.h"
#include "store/proxyhdr.h"
#include "store/transfer.h"

enum { STRANGER_MAX = 12, STRANGER_MS = 200 };

static const struct {
	const char *bytes;
	size_t len;
	const char *what;
} strangers[] = {
#define STRANGER(bytes, what)                  \
	{                                      \
		bytes, sizeof(bytes) - 1, what \
	}
    STRANGER("GET ", "an HTTP request"),
    STRANGER("HEAD ", "an HTTP request"),
    STRANGER("POST ", "an HTTP request"),
    STRANGER("PUT ", "an HTTP request"),
    STRANGER("OPTIONS ", "an HTTP request"),
    STRANGER("PRI * HTTP", "an HTTP request"),
    STRANGER("\x16\x03", "a TLS handshake, which must end before it gets here"),
    STRANGER("SSH-", "an SSH client"),
    STRANGER("PROXY ", "a PROXY header, which is not expected here"),
    STRANGER(
	"\r\n\r\n\0\r\nQUIT\n", "a PROXY header, which is not expected here"),
    STRANGER("\x28\xb5\x2f\xfd", "a bare zstd file, for core_send -e zstd"),
    STRANGER("\x1f\x8b", "a bare gzip file, for core_send -e gzip"),
    STRANGER("\xfd"
	     "7zXZ",
	"a bare xz file, for core_send -e xz"),
};

/* Bytes that are neither a core stream nor an ELF core. */
static void
refuse_stranger(struct transfer *t)
{
	char reason[STREAM_REASON_MAX];
	const char *what = "something else";
	const unsigned char *p;
	size_t i;

	/* For the sake of the answer: the first byte may have come alone. */
	t->in.idle = deadline_in(STRANGER_MS);
	inflow_need(&t->in, STRANGER_MAX);
	p = inflow_bytes(&t->in);
	for (i = 0; i < NELEM(strangers); i++)
		if (t->in.len >= strangers[i].len &&
		    memcmp(p, strangers[i].bytes, strangers[i].len) == 0)
			what = strangers[i].what;
	snprintf(reason, sizeof(reason),
	    "neither a core stream nor an ELF core, but %s", what);
	transfer_refused(t, reason);
}

/* As far as they go, are these the first bytes of that? */
static int
begins(const struct inflow *in, const char *with, size_t len)
{
	return memcmp(inflow_bytes(in), with, in->len < len ? in->len : len) ==
	    0;
}

/* Who is behind the load balancer; -1: it has ended. */
static int
take_proxy(struct transfer *t)
{
	struct proxyhdr h;
	ssize_t n;

	for (;;) {
		n = proxyhdr_parse(
		    (const char *)inflow_bytes(&t->in), t->in.len, &h);
		if (n != 0)
			break;
		if (inflow_need(&t->in, t->in.len + 1) == NULL)
			return -1;
	}
	if (n == -1) {
		transfer_refused(
		    t, "no valid PROXY header, which is expected here");
		return -1;
	}
	inflow_take(&t->in, (size_t)n);
	if (h.known) {
		memcpy(t->o->host, h.host, sizeof(t->o->host));
		memcpy(t->o->peer, h.text, sizeof(t->o->peer));
	}
	return 0;
}

static void
receive(struct transfer *t)
{
	static const char elf[] = "\177ELF", native[] = STREAM_MAGIC;
	const size_t enough = 4;

	/* A header alone is what a health check sends. */
	if (t->cfg->proxy && take_proxy(t) == -1) {
		if (*t->o->reason == '\0' && t->in.come > 0)
			transfer_dried(t);
		return;
	}
	do {
		if (inflow_need(&t->in, t->in.len + 1) != NULL)
			continue;
		if (t->in.len > 0 || errno != ENODATA)
			transfer_dried(t);
		return;
	} while (t->in.len < enough &&
	    (begins(&t->in, elf, enough) || begins(&t->in, native, enough)));
	if (begins(&t->in, elf, enough)) {
		transfer_raw(t);
	} else if (begins(&t->in, native, enough)) {
		t->o->native = 1;
		transfer_native(t);
	} else {
		refuse_stranger(t);
	}
}

/* 1: the sender was told that we have it, whatever it is. */
static int
is_ok(const struct corerecv_outcome *o)
{
	return o->result == RECV_STORED || o->result == RECV_AGAIN ||
	    (o->result == RECV_KEPT && o->whole);
}

static void
reply(struct transfer *t)
{
	struct corerecv_outcome *o = t->o;
	struct stream_reply line = {.ok = is_ok(o), .bytes = o->bytes};
	struct buf b = {0};

	line.crc = o->crc;
	snprintf(
	    line.name, sizeof(line.name), "%s", line.ok ? o->name : o->reason);
	if (stream_reply_format(&line, &b) == 0)
		transfer_say(t, b.p, b.len);
	buf_free(&b);
	if (!t->in.sock)
		return;
	shutdown(t->outfd, SHUT_WR);
	if (!line.ok && !t->in.ended)
		inflow_drain(&t->in, RECV_DRAIN_MS, RECV_DRAIN_BYTES);
}

void
corerecv_meet(int infd, struct corerecv_outcome *o)
{
	memset(o, 0, sizeof(*o));
	crash_id_init(&o->id);
	o->result = RECV_EMPTY;
	if (tcp_peer(infd, o->host, o->peer) == -1) {
		/* a pipe or a file */
		snprintf(o->host, sizeof(o->host), "local");
		snprintf(o->peer, sizeof(o->peer), "local");
	}
}

void
corerecv_serve(int infd, int outfd, const struct corerecv_cfg *cfg,
    struct corerecv_outcome *o)
{
	struct transfer t = {.cfg = cfg, .o = o, .outfd = outfd};
	int64_t start = deadline_in(0);

	t.part.fd = t.part.hostfd = -1;
	if (inflow_open(&t.in, infd, cfg->idlems, cfg->lifems) == -1)
		transfer_failed(&t, "receive");
	else
		receive(&t);
	o->ms = deadline_in(0) - start;
	if (o->result != RECV_EMPTY)
		reply(&t);
	inflow_close(&t.in);
}

static void
line_stored(const struct corerecv_outcome *o, char *p, size_t size)
{
	const char *again = o->result == RECV_AGAIN ? " (again)" : "";
	char number[64] = "", joint[64] = "";

	if (o->id.signal >= 0)
		snprintf(number, sizeof(number), "signal %" PRId64 ", ",
		    o->id.signal);
	if (o->joint > 0)
		snprintf(
		    joint, sizeof(joint), ", resumed at %" PRIu64, o->joint);
	snprintf(p, size,
	    "%s: %s%s: %s%" PRIu64 " bytes, %" PRIu64 " data, %" PRIu64
	    " holes, %" PRId64 ".%03d s, checksum %08x%s",
	    o->peer, o->name, again, number, o->bytes, o->data,
	    o->bytes - o->data, o->ms / 1000, (int)(o->ms % 1000),
	    (unsigned)o->crc, joint);
}

void
corerecv_line(const struct corerecv_outcome *o, char *p, size_t size)
{
	char whose[CRASH_COMM_MAX + CRASH_HOST_MAX + 32] = "";

	if (o->native && o->id.pid >= 0)
		snprintf(whose, sizeof(whose), " %s[%" PRId64 "] of %s",
		    o->id.comm, o->id.pid, o->id.host);
	switch (o->result) {
	case RECV_STORED:
	case RECV_AGAIN:
		line_stored(o, p, size);
		break;
	case RECV_KEPT:
		snprintf(p, size,
		    "%s: kept incomplete, %s: %" PRIu64 " bytes, %" PRIu64
		    " data: %s",
		    o->peer, o->name, o->bytes, o->data, o->reason);
		break;
	case RECV_FAILED:
		snprintf(p, size, "%s: lost%s: %s", o->peer, whose, o->reason);
		break;
	default:
		snprintf(
		    p, size, "%s: refused%s: %s", o->peer, whose, o->reason);
		break;
	}
}
