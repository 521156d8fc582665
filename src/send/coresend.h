/*
 * coresend: one core to one of several receivers, or into a spool file.
 *
 * To be run in a process of its own that has no privileges any more, behind the
 * door (base/sandbox.h): all it reads is hostile.  Two ways:
 *
 *  memory  Only the head comes from the stream; the segments are read from the
 *	    process (send/coremem.h), which the kernel holds as long as the
 *	    stream is neither read nor closed.  What the kernel would have
 *	    written comes out, byte for byte.  The next receiver starts anew.
 *  stream  All is read from the stream, and kept in the spool file, or up to
 *	    16 MiB of it in memory, so that the next receiver can be given what
 *	    the last one had.  Also for what is no ELF core at all.
 */
#ifndef SEND_CORESEND_H
#define SEND_CORESEND_H

#include "base/opener.h"
#include "net/tcp.h"
#include "send/coremem.h"
#include "send/coreout.h"

/* for a name to be resolved: resolv.conf(5) bounds it, and at length */
enum { SENDING_RESOLVE_MS = 60000 };

enum send_outcome {
	SEND_LOST = 0, /* also what stands there when the worker died */
	SEND_SENT,     /* the receiver has it, by its own word */
	SEND_SPOOLED,  /* all of it is in the spool file, END too */
	SEND_WITHHELD, /* it may not leave, and did not */
	SEND_DAMAGED,  /* a kept stream that cannot be trusted */
	SEND_NO_CORE   /* it is none, and nobody said what else */
};

enum send_source { SEND_STREAM = 0, SEND_MEMORY, SEND_KEPT };

/* Shared with the parent; hostile for it once the worker parses.  Strings are
 * raw, and cut at their ends by send_result_tame(). */
struct send_result {
	struct coreout_meter meter;
	_Atomic int streaming; /* more than the head has been read */
	_Atomic int headlen;   /* bytes of it in headfd, once all is there */
	enum send_outcome outcome;
	int refused; /* a receiver said ERR; 0: none did */
	enum send_source from;
	uint64_t size, data;
	uint64_t told; /* bytes that went to the receiver, or the spool */
	uint64_t joint, twice; /* resumed there; bytes of data sent again */
	int deaf;	       /* as in struct send_cfg */
	struct crash_id id;
	char to[TCP_TEXT_MAX];	       /* the receiver that has it */
	char name[STREAM_REPLY_MAX];   /* what it calls it */
	char state[STREAM_REASON_MAX]; /* why the core is incomplete, or "" */
	char why[1024];		       /* what went wrong on the way */
};

enum { SENDING_LET_GO = 1 };

struct send_cfg {
	const struct tcp_place *places; /* or, with none: */
	size_t nplaces;
	struct opener *opener; /* who connects there: sending_connect() */
	int outfd, infd;       /* there it goes; infd -1: there is no answer */
	const char *outname;   /* how to call that */
	int64_t connect_ms;
	struct coreout_cfg out;	   /* its meter is the result's */
	const struct crash_id *id; /* what is known beforehand */
	int secret; /* it may leave, whatever is known of secrets in it */
	int corefd;
	int headfd;	     /* a memfd: the head is left there */
	struct coremem *mem; /* NULL: by the stream only */
	int withhold;	     /* not if mem is of its process: it has secrets */
	enum corepack_when pack;
	char key[STREAM_KEY]; /* nobody can guess it; "" none */
	int deaf; /* the receiver says nothing of what it has of a core */
	int held; /* somebody else holds the process */
	struct coreout_keep spool; /* its file is empty */
	int nullfd;		   /* /dev/null, for corefd then: */
	int donefd; /* gets a byte when corefd is needed no more, and another,
		       SENDING_LET_GO, when the process is not */
	uint64_t release; /* bytes that may be copied for that, 0 none */
	struct send_result *result;
};

/* Connects to the place of that number; as struct opener_how's open, arg the
 * struct send_cfg. */
int sending_connect(void *arg, const char *place, const char **why);
/* Sends the core on corefd.  When result->headlen is set, the head is taken
 * from headfd, and corefd stands behind it. */
void core_send(const struct send_cfg *);
/* Sends the kept stream on spool.fd, from its beginning. */
void core_send_kept(const struct send_cfg *);
/* For the parent: ends every string, and takes an outcome for what it is. */
void send_result_tame(struct send_result *);

#endif
