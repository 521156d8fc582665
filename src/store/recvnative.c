/* A core stream, received; the contract is in store/transfer.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/transfer.h"
#include "stream/crc32c.h"

/* The text header; 0 with the id filled in; *room is where packed frames go,
 * which were taken then. */
static int
take_head(struct transfer *t, void **room)
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
	if (stream_head_offers(p, (size_t)n) &&
	    (*room = malloc(STREAM_BLOCK)) != NULL)
		transfer_say(t, STREAM_TAKES, sizeof(STREAM_TAKES) - 1);
	inflow_take(&t->in, (size_t)n);
	inflow_renew(&t->in);
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

static void
take_core(struct transfer *t, void *room)
{
	char stem[STORE_NAME_MAX], suffix[CRASH_ENCODING_MAX + 2];
	struct stream_sum sum = {0};
	const unsigned char *p;
	struct stream_frame f;
	size_t came;

	store_stem(&t->o->id, stem, suffix);
	if (transfer_begin(t, stem, suffix) == -1)
		return;
	for (;;) {
		p = take_frame(t, &f);
		if (p == NULL)
			return;
		came = STREAM_FRAME + f.len;
		if (f.type == STREAM_LZ4) {
			errno = EPROTO;
			if (room == NULL ||
			    stream_frame_unpack(&f, p, room) == -1) {
				damaged(t);
				return;
			}
			p = room;
		}
		if (f.type == STREAM_END) {
			finish(t, &f, p, &sum);
			return;
		}
		if (stream_sum_data(&sum, &f) == -1) {
			damaged(t);
			return;
		}
		t->o->bytes = sum.next;
		t->o->crc = sum.crc;
		if (transfer_write(t, p, f.len, f.off) == -1)
			return;
		inflow_take(&t->in, came);
		inflow_renew(&t->in);
	}
}

void
transfer_native(struct transfer *t)
{
	void *room = NULL;

	if (take_head(t, &room) == 0)
		take_core(t, room);
	free(room);
}
