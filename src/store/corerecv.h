/*
 * corerecv: exactly one connection, from its first byte to the reply.
 *
 * The accept loop, -i and socket activation are three callers of
 * corerecv_meet() and corerecv_serve().  What comes is told apart by its first
 * bytes: a core stream (stream/corestream.h), or an ELF core as it is. Hostile:
 * all of it. Memory is bounded (INFLOW_SIZE and some), and so is time.  Nothing
 * is printed: the outcome says it all.
 */
#ifndef STORE_CORERECV_H
#define STORE_CORERECV_H

#include <stddef.h>
#include <stdint.h>

#include "net/tcp.h"
#include "store/corestore.h"
#include "stream/corestream.h"

enum {
	RECV_IDLE_MS = 30000,
	RECV_LIFE_MS = 86400000,
	RECV_REPLY_MS = 5000,	    /* to get rid of the reply */
	RECV_DRAIN_MS = 1500,	    /* after a refusal, for the rest, */
	RECV_DRAIN_BYTES = 64 << 20 /* lest a reset overtakes the reply */
};

struct corerecv_cfg {
	struct corestore store;
	int64_t idlems; /* how long a sender may be quiet; < 0: for ever */
	int64_t lifems; /* and how long it may take */
	int byaddress;	/* the directory is the peer's address, not its word */
	int proxy;	/* a PROXY header comes first (store/proxyhdr.h) */
	/* Told of each block: bytes written, in all, and where in the core it
	 * ends.  May be NULL. */
	void (*trace)(size_t wr, uint64_t tw, uint64_t n);
};

enum corerecv_result {
	RECV_STORED,  /* whole, in name */
	RECV_AGAIN,   /* whole, and it was there already, in name */
	RECV_KEPT,    /* not whole, for a reason; what there is is in name */
	RECV_REFUSED, /* nothing kept, for a reason */
	RECV_EMPTY,   /* not a byte came */
	RECV_FAILED   /* nothing stored, and it is us: a reason */
};

struct corerecv_outcome {
	enum corerecv_result result;
	int native; /* not a bare ELF core */
	int whole;  /* kept, and all that the sender had */
	struct crash_id id;
	char host[TCP_NAME_MAX]; /* of the peer, or behind the proxy */
	char peer[TCP_TEXT_MAX];
	char name[STORE_PATH_MAX]; /* below the store's directory, or "" */
	char reason[STREAM_REASON_MAX];
	uint64_t bytes; /* the core's size */
	uint64_t data;	/* of them, what was written; the rest are holes */
	uint32_t crc;
	uint64_t joint; /* an earlier connection brought it up to there */
	int64_t ms;
};

/* Begins an outcome: who is there.  Before the sandbox, for an IPv6 address of
 * one link alone asks for a socket. */
void corerecv_meet(int infd, struct corerecv_outcome *);
/*
 * Serves the connection that is read from infd and replied to on outfd (which
 * may be the same); closes neither.  SIGPIPE and SIGXFSZ must be ignored.
 */
void corerecv_serve(int infd, int outfd, const struct corerecv_cfg *,
    struct corerecv_outcome *);

/* The outcome in one line for a log.  Not RECV_EMPTY. */
void corerecv_line(const struct corerecv_outcome *, char *, size_t);

#endif
