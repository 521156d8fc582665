/*
 * The part of coreout that reads: a stream in a file becomes one on its way.
 * The file may have been damaged where it lay; no byte of it is sent whose
 * checksum is not right.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "send/coreout_impl.h"
#include "stream/crc32c.h"

static int
damaged(struct coreout *o, const char *why)
{
	o->refused = -1;
	strncpy(o->why, why, sizeof(o->why) - 1);
	return -1;
}

ssize_t
coreout_kept(struct coreout *o, int fd, void *block, struct crash_id *id)
{
	const char *why;
	ssize_t n, r;

	n = io_pread_full(fd, block, STREAM_HEAD_MAX, 0);
	if (n == -1)
		return damaged(o, strerror(errno));
	r = stream_head_parse(block, (size_t)n, id, &why);
	if (r <= 0)
		return damaged(o, r == 0 ? "its header is cut" : why);
	return r;
}

static int
replay_end(struct coreout *o, const struct stream_frame *f, const char *block,
    struct stream_end *end)
{
	const char *why = NULL;

	if (stream_end_parse(f, block, f->len, end) == -1)
		return damaged(o, "its end makes no sense");
	if (stream_end_check(end, &o->sum, &why) == -1)
		return damaged(o, why);
	return 0;
}

/* Frame by frame: the header at *at, its payload behind it. */
static int
replay_frame(struct coreout *o, int fd, uint64_t *at, char *block,
    struct stream_frame *f)
{
	unsigned char hdr[STREAM_FRAME];
	ssize_t n;

	n = io_pread_full(fd, hdr, sizeof(hdr), *at);
	if (n == 0) {
		f->len = 0;
		return 0;
	}
	if (n != sizeof(hdr))
		return damaged(o, "it is cut");
	if (stream_frame_get(hdr, f) == -1)
		return damaged(o, "a frame of it is damaged");
	n = io_pread_full(fd, block, f->len, *at + sizeof(hdr));
	if (n != (ssize_t)f->len)
		return damaged(o, "it is cut");
	if (crc32c(0, block, f->len) != f->crc)
		return damaged(o, "data in it are damaged");
	*at += sizeof(hdr) + f->len;
	return 1;
}

static int
replay(struct coreout *o, int fd, char *block, struct stream_end *end)
{
	struct crash_id id;
	struct stream_frame f;
	uint64_t at;
	ssize_t n;
	int r;

	n = coreout_kept(o, fd, block, &id);
	if (n == -1 || coreout_header(o, block, (size_t)n) == -1)
		return -1;
	for (at = (uint64_t)n;;) {
		r = replay_frame(o, fd, &at, block, &f);
		if (r == 0)
			return coreout_joined(o, o->sum.next);
		if (r == -1)
			return -1;
		if (f.type == STREAM_END)
			return replay_end(o, &f, block, end);
		if (coreout_frame(o, &f, block) == -1 ||
		    coreout_flush(o, f.len) == -1)
			return -1;
	}
}

int
coreout_replay(struct coreout *o, int fd, void *block, struct stream_end *end)
{
	int keepfd = o->keep.fd, r;

	end->size = UINT64_MAX;
	o->keep.fd = -1;
	r = replay(o, fd, block, end);
	o->keep.fd = keepfd;
	return r;
}

int
coreout_alone(struct coreout *o, int fd, void *block)
{
	struct stream_end end;
	int r;

	coreout_again(o, -1, -1);
	r = coreout_replay(o, fd, block, &end);
	o->pack.offered = 1;
	return r;
}
