/*
 * segv_frames: what the process that names knows, and what it does with each
 * frame of the wire.  Private to segv_teller.c and segv_frames.c.
 */
#ifndef SEGV_SEGV_FRAMES_H
#define SEGV_SEGV_FRAMES_H

#include "segv/segv_sink.h"
#include "segv/segv_teller.h"
#include "segv/segv_top.h"
#include "segv/segv_wire.h"

enum {
	FDS_MAX = 64, /* descriptors whose frames have not come yet */
	WHYS_MAX = 32 /* reasons there may be why a file is not to be had */
};

/* The mappings of a process, as they came. */
struct seen_view {
	struct buf frame; /* what all names point into */
	const char *exe, *doubt;
	struct map *maps;
	uint64_t *serials; /* beside maps */
	struct modfile **files;
	size_t n;
};

struct held {
	uint64_t serial;
	struct modfile *file;
	int fd; /* of a perf map */
};

struct teller {
	const struct segv_teller_opts *o;
	struct segv_tally *tally;
	int fd;
	struct buf in;
	size_t at; /* done so far */
	int fds[FDS_MAX];
	unsigned nfds;
	char *why[WHYS_MAX];
	struct held file[WIRE_FILES], jit[WIRE_JITS];
	struct seen_view view[WIRE_VIEWS + 1];
	struct modcache *cache;
	struct segv_resolver resolver;
	struct out *out;
	struct segv_sink sink;
	struct segv_top top;
	int ended;
};

/* Does what a frame says, whose contents begin at p.  0, or -1 with errno:
 * EBADMSG it makes no sense, ENOMEM, or what writing failed with. */
int segv_frame(struct teller *, const struct wire_head *, const char *p);

#endif
