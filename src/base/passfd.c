#include "base/passfd.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"

void
passfd_room(struct msghdr *mh, union passfd *u)
{
	mh->msg_control = u;
	mh->msg_controllen = sizeof(u->space);
}

void
passfd_put(struct msghdr *mh, union passfd *u, int fd)
{
	struct cmsghdr *c;

	mh->msg_control = NULL;
	mh->msg_controllen = 0;
	if (fd == -1)
		return;
	memset(u, 0, sizeof(*u));
	passfd_room(mh, u);
	c = CMSG_FIRSTHDR(mh);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
}

/*
 * The kernel installs as many as fit, and the padding of one control message
 * has room for two: look at all of them.
 */
int
passfd_take(struct msghdr *mh, int *fd)
{
	struct cmsghdr *c;
	size_t i, n;
	int got, one = -1, strays = 0, cut = (mh->msg_flags & MSG_CTRUNC) != 0;

	for (c = CMSG_FIRSTHDR(mh); c != NULL; c = CMSG_NXTHDR(mh, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (i = 0; i < n; i++) {
			memcpy(
			    &got, CMSG_DATA(c) + i * sizeof(int), sizeof(got));
			if (fd != NULL && one == -1) {
				one = got;
				continue;
			}
			close(got);
			strays = 1;
		}
	}
	if (!strays && !cut) {
		if (fd != NULL)
			*fd = one;
		return 0;
	}
	errno = cut && !strays && fd != NULL && one == -1 ? EMFILE : EPROTO;
	io_close(&one);
	if (fd != NULL)
		*fd = -1;
	return -1;
}
