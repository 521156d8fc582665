/* A core stream, received; the contract is in store/transfer.h. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/deadline.h"
#include "store/storeparts.h"
#include "store/transfer.h"
#include "stream/crc32c.h"

enum {
	WAIT_MS = 500,	 /* between two words that we are at it */
	BUSY_MS = 10000, /* for who still has the part */
	BUSY_REST_MS = 20,
	READ_RATE = 256 << 10 /* bytes a sender reads again in 1 ms */
};

/* A sender of version 2 */
struct native {
	void *room; /* where packed frames go, which were taken then, or NULL */
	char key[STREAM_KEY];  /* of its part, or "" */
	struct stream_has has; /* told to it; off 0: nothing */
};

/* --- what an earlier connection left -------------------------------------- */

struct waiting {
	struct transfer *t;
	int64_t next;
};

/* The sender hears that we are at it. */
static void
say_wait(void *arg)
{
	struct waiting *w = arg;

	if (deadline_left(w->next) > 0)
		return;
	transfer_say(w->t, STREAM_WAIT, sizeof(STREAM_WAIT) - 1);
	w->next = deadline_in(WAIT_MS);
}

/*
 * Looks for it, and makes it the part.  Who wrote it may not have noticed yet
 * that its connection is gone, or bring it to the disk.
 */
static void
find_part(struct transfer *t, struct native *n)
{
	struct waiting w = {t, deadline_in(WAIT_MS)};
	const struct parts_beat b = {say_wait, &w};
	char stem[STORE_NAME_MAX], suffix[CRASH_ENCODING_MAX + 2];
	char own[CRASH_HOST_MAX];
	int64_t deadline = deadline_in(BUSY_MS);
	int r;

	store_stem(&t->o->id, stem, suffix);
	store_aim(
	    &t->cfg->store, transfer_host(t, own), stem, suffix, &t->part);
	while ((r = parts_find(&t->part, n->key)) == -1 &&
	    deadline_left(deadline) > 0) {
		say_wait(&w);
		poll(NULL, 0, BUSY_REST_MS);
	}
	if (r != 1)
		return;
	if (parts_measure(&t->part, &n->has, &b) == -1 || n->has.off == 0) {
		parts_leave(&t->part);
		memset(&n->has, 0, sizeof(n->has));
		return;
	}
	/* should it break here, that is what there is */
	t->o->bytes = n->has.off;
	t->o->crc = n->has.crc;
	t->o->data = t->part.data;
}

static void
tell_part(struct transfer *t, struct native *n)
{
	char line[STREAM_HAS_MAX];

	if (t->cfg->store.keepms == 0)
		return;
	find_part(t, n);
	stream_has_format(&n->has, line);
	transfer_say(t, line, strlen(line));
}

/* --- the stream ----------------------------------------------------------- */

/* The text header; 0 with the id filled in. */
static int
take_head(struct transfer *t, struct native *v)
{
	const char *why = NULL, *p;
	ssize_t n;

	for (;;) {
		p = (const char *)inflow_bytes(&t->in);
		n = stream_head_parse(p, t->in.len, &t->o->id, &why);
		if (n == -1) {
			transfer_refused(t, why);
			return -1;
		}
		if (n > 0)
			break;
		if (inflow_need(&t->in, t->in.len + 1) == NULL) {
			transfer_dried(t);
			return -1;
		}
	}
	if (stream_head_offers(p, (size_t)n)) {
		if (stream_head_key(p, (size_t)n, v->key))
			tell_part(t, v);
		v->room = malloc(STREAM_BLOCK);
		if (v->room != NULL)
			transfer_say(t, STREAM_TAKES, sizeof(STREAM_TAKES) - 1);
	}
	inflow_take(&t->in, (size_t)n);
	inflow_renew(&t->in);
	/* it reads what it has up to there, and says nothing meanwhile */
	if (v->has.off > 0)
		t->in.idle = deadline_in(
		    t->in.idlems + (int64_t)(v->has.off / READ_RATE));
	return 0;
}

static void
damaged(struct transfer *t)
{
	transfer_broken(t,
	    errno == EBADMSG ? "damaged: a frame's checksum differs"
			     : "a frame breaks the rules of the core stream");
}

/* The next frame and its payload, or NULL: it has ended. */
static const unsigned char *
take_frame(struct transfer *t, struct stream_frame *f)
{
	const unsigned char *p;

	p = inflow_need(&t->in, STREAM_FRAME);
	if (p != NULL && stream_frame_get(p, f) == -1) {
		damaged(t);
		return NULL;
	}
	if (p != NULL)
		p = inflow_need(&t->in, STREAM_FRAME + f->len);
	if (p == NULL) {
		transfer_dried(t);
		return NULL;
	}
	p += STREAM_FRAME;
	if (crc32c(0, p, f->len) != f->crc) {
		errno = EBADMSG;
		damaged(t);
		return NULL;
	}
	return p;
}

static void
finish(struct transfer *t, const struct stream_frame *f,
    const unsigned char *payload, const struct stream_sum *sum)
{
	struct stream_end end;
	const char *why;

	if (stream_end_parse(f, (const char *)payload, f->len, &end) == -1) {
		damaged(t);
		return;
	}
	if (stream_end_check(&end, sum, &why) == -1) {
		transfer_broken(t, why);
		return;
	}
	t->o->bytes = end.size;
	t->o->crc = end.crc;
	if (end.size == 0)
		transfer_refused(t, "the core is empty");
	else if (stream_is_complete(&end))
		transfer_whole(t);
	else
		transfer_incomplete(t, end.state);
}

/* Goes on at the joint, if that is what the first frame says; else begins. */
static int
start_core(struct transfer *t, struct native *v, const struct stream_frame *f,
    const unsigned char *p, struct stream_sum *sum)
{
	char stem[STORE_NAME_MAX], suffix[CRASH_ENCODING_MAX + 2];

	if (f->type == STREAM_FROM && v->has.off > 0) {
		if (stream_joint_get(f, p, &v->has, sum) == -1) {
			damaged(t);
			return -1;
		}
		t->o->joint = sum->next;
		t->o->data = sum->data;
		return 1;
	}
	if (v->has.off > 0)
		parts_leave(&t->part);
	t->o->bytes = t->o->data = 0;
	t->o->crc = 0;
	store_stem(&t->o->id, stem, suffix);
	if (transfer_begin(t, stem, suffix) == -1)
		return -1;
	parts_note(&t->part, v->key);
	return 0;
}

/* A frame of data into the core; -1: it has ended. */
static int
take_data(struct transfer *t, const struct native *v, struct stream_frame *f,
    const unsigned char *p, struct stream_sum *sum)
{
	if (f->type == STREAM_LZ4) {
		errno = EPROTO;
		if (v->room == NULL ||
		    stream_frame_unpack(f, p, v->room) == -1) {
			damaged(t);
			return -1;
		}
		p = v->room;
	}
	if (stream_sum_data(sum, f) == -1) {
		damaged(t);
		return -1;
	}
	t->o->bytes = sum->next;
	t->o->crc = sum->crc;
	return transfer_write(t, p, f->len, f->off);
}

static void
take_core(struct transfer *t, struct native *v)
{
	struct stream_sum sum = {0};
	const unsigned char *p;
	struct stream_frame f;
	size_t came;
	int first = 1, joined;

	for (;; first = 0) {
		p = take_frame(t, &f);
		if (p == NULL)
			return;
		came = STREAM_FRAME + f.len;
		joined = 0;
		if (first) {
			joined = start_core(t, v, &f, p, &sum);
			if (joined == -1)
				return;
		}
		if (f.type == STREAM_END) {
			finish(t, &f, p, &sum);
			return;
		}
		if (!joined && take_data(t, v, &f, p, &sum) == -1)
			return;
		inflow_take(&t->in, came);
		inflow_renew(&t->in);
	}
}

void
transfer_native(struct transfer *t)
{
	struct native v = {.room = NULL};

	if (take_head(t, &v) == 0)
		take_core(t, &v);
	free(v.room);
}
