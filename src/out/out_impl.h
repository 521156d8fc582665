/* out_impl: what out.c and section.c share, and nobody else. */
#ifndef OUT_OUT_IMPL_H
#define OUT_OUT_IMPL_H

#include "base/io.h"
#include "out/out.h"

/* So much collects before it leaves. */
enum { OUT_FLUSH = 64 * 1024 };

struct out {
	int fd, json;
	int err;     /* the first error */
	int dead;    /* nothing more can leave */
	int feed;    /* records: one line each in JSON */
	int begun;   /* the outermost '{' is there */
	int level;   /* open containers, the outermost object not counted */
	int toodeep; /* containers opened beyond OUT_DEPTH_MAX */
	int section; /* level outside the open section, -1 when none */
	const char *title;
	int midline; /* text: the last byte was no newline */
	uint64_t gone,
	    end; /* bytes that left; where the share ends, 0 nowhere */
	unsigned long n[OUT_DEPTH_MAX + 1]; /* members so far, by level */
	char kind[OUT_DEPTH_MAX + 1];	    /* '{' or '[' */
	struct buf b;
};

void out_puts(struct out *, const char *);
void out_escaped(struct out *, const void *, size_t);
/* A row has ended: what has collected may leave. */
void out_row(struct out *);
void json_open(struct out *, const char *key, char kind);

#endif
