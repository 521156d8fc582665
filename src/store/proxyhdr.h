/*
 * proxyhdr: who is behind a load balancer (the PROXY protocol, 1 and 2).
 *
 * A proxy that is told to sends one header before the first byte of the
 * connection.  Whoever can connect can send one as well: take it only where
 * nobody but the proxy can.  Hostile: every byte of it.  Source: "The PROXY
 * protocol, versions 1 & 2", proxy-protocol.txt of HAProxy.
 */
#ifndef STORE_PROXYHDR_H
#define STORE_PROXYHDR_H

#include <stddef.h>
#include <sys/types.h>

#include "net/tcp.h"

/* The longest that is taken.  A version 2 header could have 65551 bytes;
 * what they send has some dozens, with certificates a few thousand. */
enum { PROXYHDR_MAX = 16 << 10 };

struct proxyhdr {
	/*
	 * Whether it tells a source.  When not (UNKNOWN, LOCAL as for health
	 * checks, families other than TCP over IPv4 or IPv6) the connection's
	 * own peer is the one, and host and text are "".
	 */
	int known;
	char host[TCP_NAME_MAX]; /* as tcp_peer() has them */
	char text[TCP_TEXT_MAX];
};

/*
 * The first len bytes of a connection.  Returns the header's length once it is
 * all there, 0 when more is needed, -1 EPROTO when it is none (garbled, longer
 * than PROXYHDR_MAX, a wrong checksum): of other protocols with their first
 * wrong byte, of a bad line at its end or at 107 bytes.
 */
ssize_t proxyhdr_parse(const char *, size_t len, struct proxyhdr *);

#endif
