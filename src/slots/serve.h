/*
 * serve: exactly one connection, from request to publication.
 *
 * The accept loop, -i and socket activation are three callers of serve().
 * Hostile: the asker, until SO_PEERCRED has shown it to be root, and even
 * then its packets.  Nothing is printed: the outcome says it all.
 */
#ifndef SLOTS_SERVE_H
#define SLOTS_SERVE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "slots/protocol.h"
#include "slots/slots.h"

enum { SERVE_ASK_MS = 1000, SERVE_COMPLETE_MS = 30000 };

struct serve_cfg {
	struct slots_cfg slots;
	int64_t askms, completems; /* how long the asker may take; < 0: ever */
	const uid_t *uids;	   /* who may ask besides root and ourselves */
	size_t nuids;
};

enum serve_result {
	SERVE_PUBLISHED, /* in name */
	SERVE_NOTHING,	 /* nothing published, through the asker's doing */
	SERVE_FAILED	 /* nothing published, and it is us */
};

struct serve_outcome {
	enum serve_result result;
	int error;	  /* errno, when not published */
	const char *step; /* "unable to " + this */
	int asked;	  /* req holds a request */
	struct spool_request req;
	struct ucred peer; /* pid 0 when unknown */
	struct slots_entry entry;
};

/* Whether that uid may ask. */
int serve_allows(const struct serve_cfg *, uid_t);
/*
 * Serves the connection; does not close it.  Takes no longer than the two
 * deadlines and SLOTS_LOCK_MS together, a hung disk aside.  A report asked for
 * by anyone but root is counted to that uid's share, whatever it claims.
 */
void serve(int connfd, const struct serve_cfg *, struct serve_outcome *);

#endif
