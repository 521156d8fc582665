/*
 * tcp: stream connections over the network, with deadlines.
 *
 * Hostile: the peer.  Descriptors are close-on-exec and non-blocking; those
 * that connect send at once what is written (TCP_NODELAY).  -1 with errno
 * everywhere, nothing is printed.
 * Sources: tcp(7), getaddrinfo(3), ipv6(7), RFC 3986 for "[address]:port".
 */
#ifndef NET_TCP_H
#define NET_TCP_H

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

enum {
	TCP_NAME_MAX = 256, /* a host name, or an address with its zone */
	TCP_TEXT_MAX = 320  /* "[address%zone]:port" */
};

struct tcp_place { /* where to connect to, or to listen */
	char host[TCP_NAME_MAX];
	char port[8];
};

/*
 * Parses [s, s + len): "host", "host:port", "address", "[address]",
 * "[address]:port".  With more than one colon and no brackets it is an IPv6
 * address without a port.  The port (1 to 65535) is dflt where none is given.
 * A name has letters, digits, '.', '-' and '_'.  EINVAL.
 */
int
tcp_place_parse(const char *s, size_t len, unsigned dflt, struct tcp_place *);
/*
 * Connects to the first address of the place that answers; each gets an equal
 * part of what is left of the time.  errno is that of the last address tried;
 * EHOSTUNREACH with *why set (static text; why may be NULL) when the name is
 * not known.  Looking up a name is not bound by the deadline: resolv.conf(5)
 * rules that.
 */
int tcp_connect(const struct tcp_place *, int64_t deadline, const char **why);
/*
 * Listens there; host "" is every address, IPv6 and IPv4 alike (one
 * descriptor; IPv4 alone where the kernel has no IPv6).  Of a name with several
 * addresses it is the first that belongs to this machine, IPv6 before IPv4.
 * Port "0" is one that the kernel picks.  Errors as of tcp_connect().
 */
int tcp_listen(const struct tcp_place *, int backlog, const char **why);
/*
 * Keeps a connection from outliving its peer: keepalive, and TCP_USER_TIMEOUT
 * so that unacknowledged data end it after ms.  No harm on other sockets.
 */
void tcp_watch(int fd, int64_t ms);
/*
 * The peer's address as text: host without port and, where text is not NULL,
 * both, "[address]:port" or "a.b.c.d:port".  An IPv4 address in IPv6 form is
 * shown as IPv4.  A local socket is "local".  -1 with both "?" when fd is no
 * connection.
 */
int tcp_peer(int fd, char host[TCP_NAME_MAX], char text[TCP_TEXT_MAX]);
/* Equal for connections of one host, as tcp_peer() has it: of IPv6 the first 64
 * bits count, for a host has all addresses of its network.  But not of one link
 * (fe80::1%eth0), which all share. */
uint64_t tcp_kin(const char *host);
/* The same of a socket address at hand. */
void tcp_text(const struct sockaddr *, socklen_t, char host[TCP_NAME_MAX],
    char text[TCP_TEXT_MAX]);

#endif
