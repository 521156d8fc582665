/*
 * transfer: the inside of corerecv: one core on its way into the store.
 * The contract is in store/corerecv.h.
 */
#ifndef STORE_TRANSFER_H
#define STORE_TRANSFER_H

#include "store/corerecv.h"
#include "store/inflow.h"

struct transfer {
	const struct corerecv_cfg *cfg;
	int outfd; /* to the sender */
	struct corerecv_outcome *o;
	struct inflow in;
	struct store_part part;
};

/* A core stream, and an ELF core as it is, from its first byte on. */
void transfer_native(struct transfer *);
void transfer_raw(struct transfer *);

/* A line for the sender, which may get it or not. */
void transfer_say(const struct transfer *, const char *, size_t len);
/* The host whose directory it goes to; own has room for one. */
const char *transfer_host(const struct transfer *, char own[CRASH_HOST_MAX]);
/* Begins the part for what is known of the core; -1: it has ended. */
int transfer_begin(struct transfer *, const char *stem, const char *suffix);
/* Writes data of the core; -1: it has ended. */
int transfer_write(struct transfer *, const void *, size_t, uint64_t off);

/*
 * The ends of a transfer.  Each sets the outcome.
 * whole: bytes and crc are those in the outcome.  incomplete: undamaged, in
 * the sender's own words.  broken: it ended early or is damaged.  refused:
 * nothing of it is kept.  failed: by errno, while we tried to do that.
 */
void transfer_whole(struct transfer *);
void transfer_incomplete(struct transfer *, const char *reason);
void transfer_broken(struct transfer *, const char *reason);
void transfer_refused(struct transfer *, const char *reason);
void transfer_failed(struct transfer *, const char *what);
/* broken, after inflow_need() has failed. */
void transfer_dried(struct transfer *);

#endif
