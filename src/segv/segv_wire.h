/*
 * segv_wire: what the process that looks sends the one that names.
 *
 * A stream socket between a program and its own child, so structures go as
 * they are.  Who looks (segv/segv_watch.h) has rights, and reads what the
 * kernel wrote; who names (segv/segv_teller.h) has none.  Files go as
 * descriptors, once each: both ends keep tables of the same size, and what is
 * put in a place takes out what was there, at both ends.
 */
#ifndef SEGV_SEGV_WIRE_H
#define SEGV_SEGV_WIRE_H

#include <signal.h>
#include <stdint.h>
#include <time.h>

#include "base/io.h"
#include "probe/segv_event.h"
#include "probe/segv_shares.h"
#include "segv/segv_top.h"
#include "target/modcache.h"
#include "track/maptrack.h"

enum segv_wire_type {
	WIRE_FILE,    /* struct wire_file, why; a descriptor unless there is a
			 why */
	WIRE_FORGET,  /* struct wire_file: it is not open any more */
	WIRE_JIT,     /* struct wire_file with a descriptor: a perf map */
	WIRE_VIEW,    /* struct wire_view, and so many struct wire_map, each
			 with its name; doubt and exe before them */
	WIRE_EVENT,   /* struct wire_event and what it says */
	WIRE_LIMITED, /* struct wire_limited */
	WIRE_OUTPUT,  /* a descriptor: where to write from here on */
	WIRE_AGAIN,   /* the output has been renamed: it is to be opened anew */
	WIRE_TOP,     /* struct segv_top_screen */
	WIRE_END      /* struct wire_end */
};

enum {
	WIRE_FILES = 1024, /* that are open at the other end */
	WIRE_JITS = 64,	   /* perf maps likewise */
	WIRE_VIEWS = 64,   /* mappings of processes likewise, and one more */
	WIRE_VIEW_MAX = 16384,	/* bytes of one that is kept */
	WIRE_FLUSH = 128 * 1024 /* bytes that wait to be sent */
};

struct wire_head {
	uint32_t type, len; /* of what follows */
};

struct wire_file {
	uint64_t serial;
	uint64_t dev, ino;	  /* of the mapping */
	uint32_t namelen, whylen; /* with the NULs, behind */
};

struct wire_map {
	uint64_t start, end, off, ino, dev;
	uint64_t serial; /* of its file, 0 none */
	uint32_t prot, namelen;
};

struct wire_view {
	uint32_t place;		      /* WIRE_VIEWS: of no other event */
	uint32_t n, exelen, doubtlen; /* doubtlen 0: NULL */
};

struct wire_event {
	uint32_t place; /* of its view */
	uint32_t npages;
	uint64_t jit; /* serial of its perf map, 0 none */
	struct timespec when;
	uint32_t cgrouplen, cmdlen; /* cgrouplen 0: NULL */
	int cmdcut;
	/* then: struct segv_event up to its pages; of each page address and
	 * bytes; cgroup and command line */
};

struct wire_limited {
	struct timespec when;
	struct segv_told told;
};

/* By the kernel's counts. */
struct wire_end {
	struct timespec when;
	uint64_t seen, sent, limited, dropped;
};

struct segv_wire {
	int fd; /* -1: the other end has gone */
	const volatile sig_atomic_t *stops;
	const sigset_t *unblocked; /* while it waits */
	struct buf out;
	uint64_t file[WIRE_FILES], jit[WIRE_JITS];
	struct buf view[WIRE_VIEWS];
};

/* Each but the last may wait for the other end, until *stops is 2 or more.  0,
 * or -1 with errno: EPIPE the other end has gone, EINTR it was stopped. */
int
segv_wire_file(struct segv_wire *, const struct modfile *, const struct map *);
int segv_wire_event(struct segv_wire *, const struct segv_event *,
    const struct maptrack_view *, struct wire_event *, const char *extra);
int segv_wire_limited(struct segv_wire *, const struct wire_limited *);
int segv_wire_output(struct segv_wire *, int fd);
int segv_wire_again(struct segv_wire *);
int segv_wire_top(struct segv_wire *, const struct segv_top_screen *);
int segv_wire_end(struct segv_wire *, const struct wire_end *);
int segv_wire_flush(struct segv_wire *);
void segv_wire_close(struct segv_wire *);
/* A hook of struct modcache_limits; ctx is the wire. */
void segv_wire_closed(void *ctx, uint64_t serial);

#endif
