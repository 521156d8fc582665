/*
 * passfd: a descriptor beside the bytes of a local socket's message: SCM_RIGHTS
 * of unix(7).
 */
#ifndef BASE_PASSFD_H
#define BASE_PASSFD_H

#include <sys/socket.h>

/* Room for one; it lives as long as the message that it was given to. */
union passfd {
	struct cmsghdr align;
	char space[CMSG_SPACE(sizeof(int))];
};

/* fd goes with what mh sends, and stays the caller's; -1: none goes. */
void passfd_put(struct msghdr *mh, union passfd *, int fd);
/* Before recvmsg(2). */
void passfd_room(struct msghdr *mh, union passfd *);
/*
 * After it: *fd is the caller's, -1 where none came.  0, or -1 with every one
 * closed: EPROTO more came than one, or any where fd is NULL; EMFILE one came
 * and this process may have no more.
 */
int passfd_take(struct msghdr *mh, int *fd);

#endif
