/*
 * segv_sink: where records go: one file after the other, each until it is full
 * or somebody wants it opened anew.  In the process that names.
 */
#ifndef SEGV_SEGV_SINK_H
#define SEGV_SEGV_SINK_H

#include <stdint.h>

#include "out/out.h"

struct segv_sink {
	struct out *out;
	const char *path; /* for messages */
	int askfd;	  /* of segv/segv_keeper, or -1 */
	uint64_t size;	  /* from which on a file is full; 0 never */

	/* private */
	int fd, failed;
	uint64_t begun; /* of the stream; may be before it, of an old file */
};

/* All of these: -1 with errno when writing has failed; between records only. */
/* What follows goes to fd, which is taken over. */
int segv_sink_use(struct segv_sink *, int fd);
/* After each record: when the file is full, on to the next. */
int segv_sink_check(struct segv_sink *);
/* Somebody renamed the file. */
int segv_sink_again(struct segv_sink *);

#endif
