#include "crash/coresock.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/deadline.h"
#include "base/io.h"

/* What older headers lack; the machines that have another number for the
 * option (alpha, hppa, sparc) are not among those we know. */
#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif

/* struct pidfd_info of Linux 6.16; later ones are longer. */
struct pidfd_info_72 {
	uint64_t mask, cgroupid;
	uint32_t pid, tgid, ppid;
	uint32_t ruid, rgid, euid, egid, suid, sgid, fsuid, fsgid;
	int32_t exit_code;
	uint32_t coredump_mask, coredump_signal;
};
#define GET_INFO _IOWR(0xFF, 11, struct pidfd_info_72)
enum {
	INFO_CREDS = 2,
	INFO_COREDUMP = 16,
	INFO_SIGNAL = 64,
	MASK_COREDUMPED = 1,
	MASK_USER = 4,
	MASK_ROOT = 8
};

/* struct coredump_req and coredump_ack: their first versions, of one size. */
struct request {
	uint32_t size, size_ack;
	uint64_t mask;
};
struct ack {
	uint32_t size, spare;
	uint64_t mask;
};
enum { REQUEST_MAX = 4096, ELF_MAGIC = 4 };

static int
ask_info(struct coresock *c)
{
	struct pidfd_info_72 info = {
	    .mask = INFO_CREDS | INFO_COREDUMP | INFO_SIGNAL};

	if (ioctl(c->pidfd, GET_INFO, &info) == -1)
		return errno == ENOTTY || errno == EINVAL ? fails(ENOSYS) : -1;
	if ((info.mask & INFO_COREDUMP) == 0 ||
	    (info.coredump_mask & MASK_COREDUMPED) == 0)
		return fails(ESRCH);
	c->uid = info.ruid;
	c->gid = info.rgid;
	c->dumpmode = info.coredump_mask & MASK_ROOT ? 2
	    : info.coredump_mask & MASK_USER	     ? 1
						     : 0;
	if (info.mask & INFO_SIGNAL)
		c->signal = (int)info.coredump_signal;
	return 0;
}

int
coresock_peer(int connfd, struct coresock *c)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);

	*c = (struct coresock){.pidfd = -1};
	if (getsockopt(connfd, SOL_SOCKET, SO_PEERCRED, &cred, &len) == -1)
		return -1;
	c->pid = cred.pid;
	len = sizeof(c->pidfd);
	if (getsockopt(connfd, SOL_SOCKET, SO_PEERPIDFD, &c->pidfd, &len) ==
	    -1) {
		c->pidfd = -1;
		return errno == ENOPROTOOPT ? fails(ENOSYS) : -1;
	}
	if (c->pid > 0 && ask_info(c) == 0)
		return 0;
	io_close(&c->pidfd);
	if (c->pid <= 0) /* of another pid namespace */
		errno = ESRCH;
	return -1;
}

static int
read_all(int fd, void *to, size_t len, int64_t deadline)
{
	char *p = to;
	ssize_t n;

	while (len > 0) {
		if (deadline_poll(fd, POLLIN, deadline) <= 0)
			return -1;
		n = read(fd, p, len);
		if (n == -1 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n <= 0)
			return n == 0 ? fails(EPROTO) : -1;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

int
coresock_answer(int connfd, uint64_t what, int64_t deadline, unsigned *mark)
{
	const struct ack ack = {.size = sizeof(ack), .mask = what};
	struct request req;
	char more[REQUEST_MAX];
	uint32_t said = 0;

	*mark = 0;
	if (deadline_poll(connfd, POLLIN, deadline) > 0 &&
	    recv(connfd, more, ELF_MAGIC, MSG_PEEK) == ELF_MAGIC &&
	    memcmp(more, "\177ELF", ELF_MAGIC) == 0)
		return what & CORESOCK_KERNEL ? 0 : fails(EPROTO);
	if (read_all(connfd, &req, sizeof(req), deadline) == -1)
		return -1;
	if (req.size < sizeof(req) || req.size > sizeof(more) ||
	    req.size_ack < sizeof(ack))
		return fails(EPROTO);
	if (read_all(connfd, more, req.size - sizeof(req), deadline) == -1)
		return -1;
	if ((req.mask & what) != what)
		return fails(EPROTO);
	/* fits into an empty socket, so it cannot block */
	if (send(connfd, &ack, sizeof(ack), MSG_NOSIGNAL) != sizeof(ack) ||
	    read_all(connfd, &said, sizeof(said), deadline) == -1)
		return -1;
	*mark = said;
	return said == 0 ? 0 : fails(EINVAL);
}
