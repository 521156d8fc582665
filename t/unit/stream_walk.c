#include "stream_walk.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "stream/crc32c.h"

static int
walk_bad(struct walked *w, const char *why)
{
	w->why = why;
	return -1;
}

static int
walk_end(const struct stream_frame *f, const char *payload, struct walked *w)
{
	if (stream_end_parse(f, payload, f->len, &w->end) == -1)
		return walk_bad(w, "the end is garbled");
	if (w->show)
		printf("END %llu data %llu checksum %08x state: %s\n",
		    (unsigned long long)w->end.size,
		    (unsigned long long)w->end.data, w->end.crc, w->end.state);
	return stream_end_check(&w->end, &w->sum, &w->why);
}

static int
walk_core(struct buf *core, uint64_t off, const void *p, size_t len)
{
	if (buf_reserve(core, off - core->len + len) == -1)
		return -1;
	memset(core->p + core->len, 0, off - core->len);
	core->len = off;
	return buf_append(core, p, len);
}

int
stream_walk(const char *p, size_t len, struct walked *w)
{
	struct stream_frame f;
	ssize_t r;

	memset(&w->sum, 0, sizeof(w->sum));
	r = stream_head_parse(p, len, &w->id, &w->why);
	if (r <= 0)
		return (int)r;
	for (;; r += f.len) {
		w->used = r;
		if (len - (size_t)r < STREAM_FRAME)
			return 0;
		if (stream_frame_get((const unsigned char *)p + r, &f) == -1)
			return walk_bad(w,
			    errno == EPROTO ? "a frame against the rules"
					    : "a damaged frame header");
		r += STREAM_FRAME;
		if (len - (size_t)r < f.len)
			return 0;
		if (crc32c(0, p + r, f.len) != f.crc)
			return walk_bad(w, "a damaged frame");
		if (f.type == STREAM_END)
			break;
		if (w->show)
			printf(
			    "DATA %llu %u\n", (unsigned long long)f.off, f.len);
		if (stream_sum_data(&w->sum, &f) == -1)
			return walk_bad(w, "a frame out of order");
		if (w->core != NULL &&
		    walk_core(w->core, f.off, p + r, f.len) == -1)
			return walk_bad(w, "memory");
	}
	w->used = r + f.len;
	if (walk_end(&f, p + r, w) == -1)
		return -1;
	if (w->core != NULL && walk_core(w->core, w->end.size, "", 0) == -1)
		return walk_bad(w, "memory");
	return 1;
}
