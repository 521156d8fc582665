/*
 * coreout: the frames of a core on their way out.
 *
 * They go to a receiver, to a file that keeps them for another try, or both.
 * The receiver is hostile: it may answer early, stop reading, or vanish; each
 * of that ends it here with a reason, and never the file.  A block of a core
 * is put as it comes; whole 4 KiB of zeros in it are not sent.
 *
 * A receiver that has a part of this core, from a connection that broke, says
 * up to where (stream/corestream.h).  Until then frames are only summed up; if
 * that gives its checksum they are sent from there on, else it must be asked
 * nothing and given all (mismatch).  So a core that is replayed, from a file or
 * from memory, is sent once, whatever a receiver claims.
 */
#ifndef SEND_COREOUT_H
#define SEND_COREOUT_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "send/corepack.h"
#include "stream/corestream.h"

enum {
	COREOUT_UNIT = 4096, /* zeros are left out by this, at its multiples */
	COREOUT_RUNS = 512   /* half of IOV_MAX: a run has header and data */
};

/* Shared with whoever watches. */
struct coreout_meter {
	_Atomic uint64_t beat; /* goes up whenever anything gets on */
	_Atomic uint64_t data; /* bytes sent */
	_Atomic uint64_t next; /* bytes of the core dealt with, holes too */
	_Atomic int allow_ms;  /* how long it may take until the next beat */
};

struct coreout_keep {	  /* a file that keeps the stream */
	int fd;		  /* regular, -1 none */
	uint64_t max;	  /* bytes it may get */
	uint64_t minfree; /* bytes that stay free: base/floor.h */
};

struct coreout_cfg {
	int64_t idle_ms; /* how long a receiver may do nothing */
	struct coreout_meter *meter;
	void (*trace)(size_t rd, size_t tr, size_t n); /* or NULL */
};

struct coreout {
	/* the caller's; the descriptors stay so */
	const struct coreout_cfg *cfg;
	int outfd; /* to the receiver, -1 none; non-blocking if can be */
	int infd;  /* its answer comes here; -1: it gives none */
	struct coreout_keep keep;
	struct corepack pack; /* when and room are the caller's */
	char key[STREAM_KEY]; /* of the part that a receiver keeps, or "" */
	int ask; /* wait for what it has; else what it says is not used */
	/* how it goes */
	struct stream_sum sum;
	uint64_t told; /* bytes that went to the receiver */
	uint64_t kept;
	int keep_err;	/* why the file is given up, an errno; it is emptied */
	int refused;	/* the receiver answered, and not OK */
	int broke;	/* the connection did, by itself */
	int keeps;	/* the receiver keeps parts */
	int heard;	/* all it says before its answer */
	int64_t since;	/* of the stream: base/deadline.h */
	int deaf;	/* it was asked, and said nothing at all */
	int mismatch;	/* what it has is not of this core */
	uint64_t joint; /* what it had, and was not sent again, up to there; */
	uint64_t skipped;	     /* that was so many bytes of data */
	char why[STREAM_REASON_MAX]; /* it is lost to us */
	/* private */
	char reply[STREAM_REPLY_MAX];
	size_t replylen, nrun, rd, tr;
	int reset; /* seen */
	int asking;
	unsigned waits;	       /* how often it said so */
	struct stream_has has; /* off 0: all is sent */
	uint64_t checked;      /* kept when the free space was last looked at */
	unsigned char hdr[COREOUT_RUNS][STREAM_FRAME];
	struct iovec iov[2 * COREOUT_RUNS];
};

/* For a new stream, after the caller's part has been set; empties keep.fd. */
void coreout_start(struct coreout *);
/*
 * The text header, and with pack.when COREPACK_YES the wait for the receiver to
 * take what is packed.  -1 as coreout_flush().
 */
int coreout_head(struct coreout *, const struct crash_id *);
/*
 * len bytes of the core at off, which must ascend; up to STREAM_BLOCK.  They
 * are not copied: flush before they change.
 */
int coreout_put(struct coreout *, uint64_t off, const void *, size_t len);
/*
 * Sends what was put; n is only for the trace: how much was asked for.  -1
 * when the receiver is lost (why, refused); when there is none, when the file
 * is.  The file has all of it then, if it is not given up (keep_err).
 */
int coreout_flush(struct coreout *, size_t n);
/* After a replay by hand, up to there: what the receiver has must not be
 * more. */
int coreout_joined(struct coreout *, uint64_t upto);
/* END for a core of that size; state NULL is "complete".  As flush. */
int coreout_end(struct coreout *, uint64_t size, const char *state);
/* For another receiver, before coreout_replay() of what went to the first. */
void coreout_again(struct coreout *, int outfd, int infd);
/* A header as it is, else like coreout_head(); a frame, DATA or LZ4, whose
 * checksum is known to be right. */
int coreout_header(struct coreout *, const void *, size_t);
int coreout_frame(
    struct coreout *, const struct stream_frame *, const void *payload);
/* The header of a stream in a file.  Its length; -1 with why, refused -1. */
ssize_t coreout_kept(struct coreout *, int fd, void *block, struct crash_id *);
/*
 * Sends a kept stream to the receiver, from the file's beginning up to its end
 * or END, which is left to the caller: *end (size UINT64_MAX: there was none).
 * Each frame is checked; -1 with refused -1 when the file is damaged.  block
 * has room for STREAM_BLOCK.
 */
int
coreout_replay(struct coreout *, int fd, void *block, struct stream_end *end);
/*
 * No receiver is left, and the file gets the rest alone: what is in it is
 * summed up again, since a replay may have ended midway.  As replay.
 */
int coreout_alone(struct coreout *, int fd, void *block);
/*
 * Waits for the receiver's line: 0 when it is the OK of this very core, of
 * that size, else -1.
 */
int coreout_reply(struct coreout *, uint64_t size, struct stream_reply *);

#endif
