#include "slots/serve.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/deadline.h"
#include "base/io.h"
#include "net/local.h"

_Static_assert((int)SLOTS_NAME_MAX == (int)SPOOL_NAME_MAX, "a slot's name");

enum { SERVE_SEND_MS = 1000 }; /* small packets to a peer that waits */

int
serve_allows(const struct serve_cfg *cfg, uid_t uid)
{
	size_t i;

	if (uid == 0 || uid == geteuid())
		return 1;
	for (i = 0; i < cfg->nuids; i++)
		if (cfg->uids[i] == uid)
			return 1;
	return 0;
}

static void
serve_end(struct serve_outcome *o, enum serve_result result, const char *step)
{
	o->result = result;
	o->error = errno;
	o->step = step;
}

/* -1 when refused; the asker has been told. */
static int
serve_admit(int connfd, const struct serve_cfg *cfg, struct serve_outcome *o)
{
	if (net_peer(connfd, &o->peer) == -1) {
		memset(&o->peer, 0, sizeof(o->peer));
		serve_end(o, SERVE_FAILED, "learn who asks");
	} else if (!serve_allows(cfg, o->peer.uid)) {
		errno = EACCES;
		serve_end(o, SERVE_NOTHING, "let this user ask");
	} else if (spool_recv_request(
		       connfd, &o->req, deadline_in(cfg->askms)) == -1) {
		serve_end(o, SERVE_NOTHING, "get a request");
	} else {
		o->asked = 1;
		return 0;
	}
	spool_send_reply(connfd, o->error, -1, deadline_in(0));
	return -1;
}

/* With the report handed over: waits for it and publishes it. */
static void
serve_report(int connfd, int dirfd, int reportfd, const struct serve_cfg *cfg,
    struct serve_outcome *o)
{
	struct spool_published pub = {.zero = 0};
	struct slots_entry *e = &o->entry;

	if (spool_send_reply(connfd, 0, reportfd, deadline_in(SERVE_SEND_MS)) ==
	    -1) {
		serve_end(o, SERVE_NOTHING, "hand over the report");
		return;
	}
	if (spool_recv_completion(connfd, deadline_in(cfg->completems)) == -1) {
		serve_end(o, SERVE_NOTHING, "get the report completed");
		return;
	}
	e->key = o->req.key;
	e->uid = o->req.uid;
	if (o->peer.uid != 0 && o->peer.uid != geteuid()) {
		e->key = UINT64_MAX - o->peer.uid;
		e->uid = o->peer.uid;
	}
	if (slots_publish(dirfd, reportfd, &cfg->slots,
		deadline_in(SLOTS_LOCK_MS), e) == -1) {
		serve_end(o, errno == ENODATA ? SERVE_NOTHING : SERVE_FAILED,
		    "publish the report");
		spool_send_published(
		    connfd, o->error, NULL, deadline_in(SERVE_SEND_MS));
		return;
	}
	o->result = SERVE_PUBLISHED;
	/* An asker that no longer listens finds its report published. */
	memcpy(pub.name, e->name, sizeof(pub.name));
	pub.tell = (uint32_t)e->tell;
	pub.quiet = e->quiet;
	spool_send_published(connfd, 0, &pub, deadline_in(SERVE_SEND_MS));
}

void
serve(int connfd, const struct serve_cfg *cfg, struct serve_outcome *o)
{
	int dirfd, reportfd = -1;

	memset(o, 0, sizeof(*o));
	if (serve_admit(connfd, cfg, o) == -1)
		return;
	dirfd = slots_open(&cfg->slots);
	if (dirfd == -1)
		serve_end(o, SERVE_FAILED, "open the report directory");
	else
		reportfd =
		    slots_tmp(dirfd, &cfg->slots, deadline_in(SLOTS_LOCK_MS));
	if (dirfd != -1 && reportfd == -1)
		serve_end(o, SERVE_FAILED, "create a report");
	if (reportfd == -1)
		spool_send_reply(
		    connfd, o->error, -1, deadline_in(SERVE_SEND_MS));
	else
		serve_report(connfd, dirfd, reportfd, cfg, o);
	io_close(&reportfd);
	io_close(&dirfd);
}
