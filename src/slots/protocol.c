#include "slots/protocol.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/deadline.h"
#include "base/io.h"
#include "net/local.h"

static void
spool_seal(struct spool_head *h, enum spool_type type, size_t size, int status)
{
	h->magic = SPOOL_MAGIC;
	h->version = SPOOL_VERSION;
	h->type = (uint16_t)type;
	h->size = (uint32_t)size;
	h->status = status;
}

/* Receives exactly this kind of packet.  Six parameters: those of net_recv(),
 * and the kind. */
static int
spool_recv(int connfd, enum spool_type type, void *packet, size_t size,
    int *gotfd, int64_t deadline)
{
	const struct spool_head *h = packet;
	int r;

	r = net_recv(connfd, packet, size, gotfd, deadline);
	if (r == -1) {
		if (errno == EMSGSIZE)
			errno = EPROTO;
		return -1;
	}
	if (r == 0) {
		errno = ECONNRESET;
		return -1;
	}
	if (h->magic == SPOOL_MAGIC && h->version != SPOOL_VERSION)
		errno = EPROTONOSUPPORT;
	else if (h->magic != SPOOL_MAGIC || h->type != type ||
	    h->size != size || h->status < 0 || h->status > 4095)
		errno = EPROTO;
	else
		return 0;
	if (gotfd != NULL)
		io_close(gotfd);
	return -1;
}

static int
spool_dial(const char *sockpath, int64_t deadline)
{
	struct ucred cred;
	int connfd;

	connfd = net_connect(sockpath, SOCK_SEQPACKET, deadline);
	/* UCSPI servers (s6-ipcserver) only know streams. */
	if (connfd == -1 && errno == EPROTOTYPE)
		connfd = net_connect(sockpath, SOCK_STREAM, deadline);
	if (connfd == -1)
		return -1;
	if (net_peer(connfd, &cred) == 0) {
		if (cred.uid == 0 || cred.uid == geteuid())
			return connfd;
		errno = EPERM;
	}
	io_close(&connfd);
	return -1;
}

int
spool_ask(const char *sockpath, const struct spool_request *req,
    int64_t deadline, int *reportfd)
{
	struct spool_request packet = *req;
	struct spool_head reply;
	struct stat st;
	int connfd;

	*reportfd = -1;
	connfd = spool_dial(sockpath, deadline);
	if (connfd == -1)
		return -1;
	spool_seal(&packet.head, SPOOL_REQUEST, sizeof(packet), 0);
	/* Whoever refuses us may have answered and gone: EPIPE, yet read. */
	if (net_send(connfd, &packet, sizeof(packet), -1, deadline) == -1 &&
	    errno != EPIPE && errno != ECONNRESET)
		goto fail;
	if (spool_recv(connfd, SPOOL_REPLY, &reply, sizeof(reply), reportfd,
		deadline) == -1)
		goto fail;
	errno = reply.status;
	if (reply.status == 0 && *reportfd != -1) {
		if (fstat(*reportfd, &st) == -1)
			goto fail;
		if (S_ISREG(st.st_mode))
			return connfd;
	}
	if (reply.status == 0)
		errno = EPROTO;
fail:
	io_close(reportfd);
	io_close(&connfd);
	return -1;
}

int
spool_complete(int connfd, int64_t deadline, struct spool_published *pub)
{
	struct spool_head done;

	spool_seal(&done, SPOOL_COMPLETION, sizeof(done), 0);
	if (net_send(connfd, &done, sizeof(done), -1, deadline) == -1)
		return -1;
	if (spool_recv(connfd, SPOOL_PUBLISHED, pub, sizeof(*pub), NULL,
		deadline) == -1)
		return -1;
	if (pub->head.status != 0) {
		errno = pub->head.status;
		return -1;
	}
	if (memchr(pub->name, '\0', sizeof(pub->name)) == NULL ||
	    pub->name[0] == '\0' || strchr(pub->name, '/') != NULL) {
		errno = EPROTO;
		return -1;
	}
	return 0;
}

void
spool_abandon(int connfd, int reason)
{
	struct spool_head done;
	int saved = errno;

	spool_seal(&done, SPOOL_COMPLETION, sizeof(done),
	    reason > 0 && reason < 4096 ? reason : ECANCELED);
	net_send(connfd, &done, sizeof(done), -1, deadline_in(0));
	errno = saved;
}

int
spool_recv_request(int connfd, struct spool_request *req, int64_t deadline)
{
	return spool_recv(
	    connfd, SPOOL_REQUEST, req, sizeof(*req), NULL, deadline);
}

int
spool_send_reply(int connfd, int status, int reportfd, int64_t deadline)
{
	struct spool_head reply;

	spool_seal(&reply, SPOOL_REPLY, sizeof(reply), status);
	return net_send(connfd, &reply, sizeof(reply),
	    status == 0 ? reportfd : -1, deadline);
}

int
spool_recv_completion(int connfd, int64_t deadline)
{
	struct spool_head done;

	if (spool_recv(connfd, SPOOL_COMPLETION, &done, sizeof(done), NULL,
		deadline) == -1)
		return -1;
	errno = done.status;
	return done.status == 0 ? 0 : -1;
}

int
spool_send_published(int connfd, int status, const struct spool_published *what,
    int64_t deadline)
{
	struct spool_published pub = {.zero = 0};

	if (status == 0)
		pub = *what;
	spool_seal(&pub.head, SPOOL_PUBLISHED, sizeof(pub), status);
	return net_send(connfd, &pub, sizeof(pub), -1, deadline);
}
