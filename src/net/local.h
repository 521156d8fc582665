/*
 * net: local sockets, and packets that may carry one descriptor.
 *
 * Owns the socket's path while it listens.  Hostile: the peer, and whoever
 * may have put something at the path before us.  Every wait has a deadline
 * (base/deadline.h); ETIMEDOUT when it has passed.  All descriptors made or
 * received here are close-on-exec.  -1 with errno everywhere; nothing is
 * printed.  Sources: unix(7), cmsg(3), sd_listen_fds(3).
 */
#ifndef NET_LOCAL_H
#define NET_LOCAL_H

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

enum {
	NET_BACKLOG = 4096, /* 64 lost 24 of 100 simultaneous crashes */
	NET_PATH_MAX = 108, /* sun_path with its NUL, unix(7) */
	NET_ACTIVATED = 3   /* first descriptor of socket activation */
};

struct net_listener {
	int fd; /* non-blocking */
	int dirfd, lockfd;
	dev_t dev;
	ino_t ino;
	char name[NET_PATH_MAX];
};

/*
 * Connects to the socket at path; type is SOCK_SEQPACKET or SOCK_STREAM.
 * A full backlog is waited for.  The caller closes the descriptor, which may be
 * non-blocking.
 */
int net_connect(const char *path, int type, int64_t deadline);

/*
 * Listens at path (absolute), with that mode exactly, whatever the umask.
 * The parent directory is created 0755 when missing and refused (EPERM) when
 * it is a link, not owned by root or us, or writable by others.  One listener
 * per path: path.lock is flocked as long as it lives (waiting for it at most
 * until deadline), so a socket still lying there was left by the dead; it is
 * replaced when it is ours and nobody answers on it, else EADDRINUSE.
 */
int net_listen(const char *path, int type, mode_t mode, int backlog,
    int64_t deadline, struct net_listener *);
/* Removes the path if it still is our socket; closes all.  May be repeated. */
void net_unlisten(struct net_listener *);
/* For a forked child: closes all and leaves the path alone. */
void net_forget(struct net_listener *);

/*
 * How many descriptors socket activation passed, from NET_ACTIVATED on (now
 * close-on-exec); 0 when none or not for us; -1 EINVAL when it is garbled.
 * Removes the variables from the environment.
 */
int net_activated(void);
/* What kind of socket fd is (socket(7)); each may be NULL.  -1 ENOTSOCK... */
int net_kind(int fd, int *domain, int *type, int *listening);
/* 0 when fd is a local socket of type SEQPACKET or STREAM; *listening set. */
int net_is_local(int fd, int *listening);
/*
 * inetd(8) puts the connection on fd 2 too: no place for messages.  Closes it
 * then, for msg_init() to find, and returns 1; else 0.
 */
int net_spare_stderr(void);

/* Who is at the other end: of a connected socket, who listens(2) there. */
int net_peer(int fd, struct ucred *);

/* Sends one packet, with passfd unless that is -1. */
int net_send(int fd, const void *, size_t, int passfd, int64_t deadline);
/*
 * Receives one packet of exactly size bytes.  1, or 0 at end of connection.
 * With gotfd it takes at most one descriptor (*gotfd is -1 if none came; the
 * caller closes it), without none.  EMSGSIZE: another size, nothing taken.
 * EPROTO: more descriptors than allowed; all are closed.  EMFILE: one came,
 * there was no room for it.
 */
int net_recv(int fd, void *, size_t, int *gotfd, int64_t deadline);

#endif
