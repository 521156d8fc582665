/*
 * corepack: when the frames of a core are packed on their way.
 *
 * Only for a receiver that said it takes that, or a file that keeps them.  How
 * long a block takes is measured as it goes, packed and as it is: with all that
 * comes of packing beside a link that is busy, which is not the sum of both.
 * A part of coreout.
 */
#ifndef SEND_COREPACK_H
#define SEND_COREPACK_H

#include "stream/corestream.h"

enum { COREPACK_ROOM = 2 * STREAM_BLOCK };

enum corepack_when { COREPACK_AUTO, COREPACK_YES, COREPACK_NO };

struct corepack {
	enum corepack_when when;
	char *room;  /* half for packed frames, half for an unpacked one; NULL:
			none is packed */
	int offered; /* in the header */
	int takes;   /* the receiver said so */
	int on;	     /* the next block is packed */
	/* of a block in the making */
	size_t used; /* of room */
	uint64_t plain,
	    packed;  /* bytes that were tried, and what they became */
	uint64_t ns; /* how long that took */
	/*
	 * What is known of the last blocks, some 16, as a socket takes them in
	 * lumps: bytes of the core, and the ns until the link had taken them.
	 */
	struct corepack_way {
		uint64_t bytes, ns;
	} ways[2];	 /* as they are, packed */
	int best;	 /* of ways */
	unsigned blocks; /* since the other way was tried */
	unsigned try;	 /* so many until it is tried again */
};

/* For a new receiver. */
void corepack_again(struct corepack *);
/* Packs a DATA frame if that is due: frame and payload become those of LZ4. */
void
corepack_frame(struct corepack *, struct stream_frame *, const void **payload);
/* What was put is on its way: so many bytes, in ns.  Decides about the next. */
void corepack_sent(struct corepack *, uint64_t bytes, uint64_t ns);

#endif
