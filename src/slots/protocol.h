/*
 * protocol: how a report descriptor is asked for, got and given back.
 *
 * One local connection carries one report, four packets in lockstep:
 *	asker   REQUEST     who crashed
 *	server  REPLY       status, and the report's descriptor when that is 0
 *	asker   COMPLETION  0: the report is whole; else why there is none
 *	server  PUBLISHED   status, and the slot's name when that is 0
 * A side that goes away early leaves nothing behind: the report has no name
 * until COMPLETION.  Every field has a fixed size in host byte order (both
 * ends are on one machine); status is an errno.  Each side takes what comes
 * from the other as hostile: sizes, magic, version, type and ranges are
 * checked, descriptors that were not asked for are closed.  All calls return
 * -1 with errno; EPROTO is a malformed packet, ETIMEDOUT a passed deadline,
 * ECONNRESET an end of connection too early.
 */
#ifndef SLOTS_PROTOCOL_H
#define SLOTS_PROTOCOL_H

#include <stdint.h>
#include <sys/types.h>

#define SPOOL_SOCKET "/run/usercrash/usercrash.sock"

enum {
	SPOOL_MAGIC = 0x68637375, /* "usch" on a little-endian machine */
	SPOOL_VERSION = 2,
	SPOOL_NAME_MAX = 32, /* a slot's name with its NUL */
	SPOOL_COMM_MAX = 16  /* TASK_COMM_LEN, without a NUL if full */
};

enum spool_type {
	SPOOL_REQUEST = 1,
	SPOOL_REPLY,
	SPOOL_COMPLETION,
	SPOOL_PUBLISHED
};

struct spool_head {
	uint32_t magic;
	uint16_t version;
	uint16_t type;
	uint32_t size;	/* of the whole packet */
	int32_t status; /* 0 or an errno */
};

struct spool_request {
	struct spool_head head; /* filled in by spool_ask */
	/* Same for all crashes of one program; what its share is counted by */
	uint64_t key;
	uint32_t pid;
	uint32_t signal;
	uint32_t uid; /* whose crash it was; UINT32_MAX unknown */
	uint32_t zero;
	char comm[SPOOL_COMM_MAX]; /* NUL-padded, any bytes */
};

struct spool_published {
	struct spool_head head;
	char name[SPOOL_NAME_MAX];
	/* Whether the log is to be told, and how many were not: slots_entry */
	uint64_t quiet;
	uint32_t tell;
	uint32_t zero;
};

_Static_assert(sizeof(struct spool_head) == 16, "packet layout");
_Static_assert(sizeof(struct spool_request) == 56, "packet layout");
_Static_assert(sizeof(struct spool_published) == 64, "packet layout");

/* --- the asker ---------------------------------------------------------- */

/*
 * Asks the server at sockpath.  The connection, and in *reportfd an empty
 * file, read-write, its mode and owner already right; the caller closes both.
 * Besides what the server answered (EACCES: may not ask; ENOSPC; EAGAIN: too
 * busy ...) and connect(2): EPERM when the listener is neither root's nor
 * ours, so that nothing is ever written for a squatter.
 */
int spool_ask(const char *sockpath, const struct spool_request *,
    int64_t deadline, int *reportfd);
/*
 * Says that the report is whole and waits for its publication.  0 with what
 * the server told of it; the connection stays the caller's to close.  After -1
 * the report may still have been published: slots_publish() on the descriptor
 * finds that out and does it otherwise.
 */
int spool_complete(int connfd, int64_t deadline, struct spool_published *);
/* Says that there will be no report, and why (an errno), for the log. */
void spool_abandon(int connfd, int reason);

/* --- the server --------------------------------------------------------- */

int spool_recv_request(int connfd, struct spool_request *, int64_t deadline);
/* reportfd is -1 unless status is 0. */
int spool_send_reply(int connfd, int status, int reportfd, int64_t deadline);
/* 0, or -1 with errno: the status the asker abandoned with, or ours. */
int spool_recv_completion(int connfd, int64_t deadline);
/* What it is to tell but for the head; NULL unless status is 0. */
int spool_send_published(
    int connfd, int status, const struct spool_published *, int64_t deadline);

#endif
