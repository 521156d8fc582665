/*
 * sink: where usercrash_c writes its report.
 *
 * The server's descriptor; where no server answers, or it cannot give one, a
 * slot taken here with the same module; or a file of the caller's choice,
 * which appears under its name when it is whole.
 */
#ifndef SLOTS_SINK_H
#define SLOTS_SINK_H

#include "slots/protocol.h"
#include "slots/slots.h"

struct sink_cfg {
	struct slots_cfg slots;
	const char *socket;
	const char *output; /* "-" is stdout, NULL server or slot */
};

struct sink {
	int fd;	     /* read-write but for "-"; -1 nowhere */
	int connfd;  /* to the server, -1 none */
	int ask_err; /* why there is none */
	int err;     /* why fd is -1 */
	int dirfd;   /* our slot directory, -1 not open */
	char *tmp;   /* the output's name while it is written */
	struct slots_entry entry;
};

void sink_defaults(struct sink_cfg *);
/* What a program's share of the ring is counted by: its executable; where that
 * is not known ("") comm, which may be NULL. */
uint64_t sink_key(const char *exe, const char *comm);
/* Nothing is open: what comes first. */
void sink_init(struct sink *);
/*
 * Waits until there are few enough others at work who may take so much memory
 * each (base/turn.h); low: behind root's.  The turn is this process's, and its
 * children's, until all have ended.  Where nobody can keep an order nobody
 * waits.  -1: the deadline has passed.
 */
int sink_turn(const struct sink_cfg *, struct sink *, uint64_t memory, int low,
    int64_t deadline);
/* What the server is asked with, its head aside; key and uid are what the
 * shares of the ring are counted by.  0, or -1 with errno and s->fd -1. */
int sink_open(
    const struct sink_cfg *, const struct spool_request *, struct sink *s);
/* 0 with s->entry filled in (its name empty for an output), or -1 with errno:
 * nothing was published and no part of it is left. */
int sink_publish(const struct sink_cfg *, struct sink *s);

/* Nothing is to be published; reason is an errno. */
void sink_abandon(struct sink *, int reason);

#endif
