/*
 * perfrec: one record of a perf ring, decoded.
 *
 * Layouts: perf_event_open(2), linux/perf_event.h; with sample_id_all and a
 * sample_type of PERF_SAMPLE_TIME, so the last eight bytes are the time.  The
 * kernel wrote them, but for names and comm, which are hostile; a record that
 * is cut or makes no sense is refused all the same.
 */
#ifndef TRACK_PERFREC_H
#define TRACK_PERFREC_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "proc/maps.h"

enum perfrec_type {
	PERFREC_OTHER, /* not of interest */
	PERFREC_MMAP,
	PERFREC_COMM,
	PERFREC_EXEC, /* a new program: no mapping of the old one is left */
	PERFREC_FORK, /* a thread where ppid is pid */
	PERFREC_EXIT, /* of one thread */
	PERFREC_LOST
};

struct perfrec {
	enum perfrec_type type;
	pid_t pid, tid, ppid, ptid;
	uint64_t time;	  /* CLOCK_MONOTONIC, ns */
	uint64_t lost;	  /* how many records were */
	struct map map;	  /* of MMAP; its name points into the record */
	const char *comm; /* of COMM and EXEC; likewise */
};

/* len is the size of the whole record, header included.  -1 EBADMSG. */
int perfrec_decode(const void *, size_t len, struct perfrec *);

#endif
