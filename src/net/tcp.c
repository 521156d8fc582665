#include "net/tcp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/deadline.h"
#include "base/io.h"
#include "base/num.h"

static void
tcp_on(int fd, int level, int option, int value)
{
	/* Whatever cannot be set is an improvement that is not to be had. */
	(void)setsockopt(fd, level, option, &value, sizeof(value));
}

/* --- places --------------------------------------------------------------- */

/* What an interface can be called (dev_valid_name() of net/core/dev.c). */
static int
is_zone(const char *zone)
{
	size_t i;

	for (i = 0; zone[i] != '\0'; i++)
		if (zone[i] <= ' ' || zone[i] >= 0x7f || zone[i] == '/' ||
		    zone[i] == ':')
			return 0;
	return i > 0 && i < IF_NAMESIZE;
}

/* An IPv6 address, with a zone behind a percent sign or without. */
static int
is_address6(const char *host)
{
	char address[INET6_ADDRSTRLEN];
	unsigned char bytes[16];
	size_t len = strcspn(host, "%");

	if (len >= sizeof(address) ||
	    (host[len] == '%' && !is_zone(host + len + 1)))
		return 0;
	memcpy(address, host, len);
	address[len] = '\0';
	return inet_pton(AF_INET6, address, bytes) == 1;
}

/* A name or an IPv4 address; which of them is getaddrinfo(3)'s to find. */
static int
is_name(const char *host)
{
	return *host != '\0' && *host != '-' &&
	    strspn(host,
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		"0123456789-._") == strlen(host);
}

int
tcp_place_parse(
    const char *s, size_t len, unsigned dflt, struct tcp_place *place)
{
	const char *colon, *end = s + len, *hostend = end, *port = NULL;
	const char *rest;
	uint64_t n = dflt;
	int brackets = len > 0 && *s == '[', six = brackets;

	if (brackets) {
		s++;
		hostend = memchr(s, ']', (size_t)(end - s));
		if (hostend == NULL)
			return fails(EINVAL);
		if (hostend + 1 < end) {
			if (hostend[1] != ':')
				return fails(EINVAL);
			port = hostend + 2;
		}
	} else if ((colon = memchr(s, ':', len)) != NULL) {
		six = memchr(colon + 1, ':', (size_t)(end - colon - 1)) != NULL;
		if (!six) {
			hostend = colon;
			port = colon + 1;
		}
	}
	if (port != NULL &&
	    (num_scan(port, end, 10, &n, &rest) == -1 || rest != end))
		return fails(EINVAL);
	if (n < 1 || n > 65535 || hostend - s >= TCP_NAME_MAX)
		return fails(EINVAL);
	len = (size_t)(hostend - s);
	if (memchr(s, '\0', len) != NULL)
		return fails(EINVAL);
	memcpy(place->host, s, len);
	place->host[len] = '\0';
	snprintf(place->port, sizeof(place->port), "%u", (unsigned)n);
	if (six ? is_address6(place->host) : is_name(place->host))
		return 0;
	return fails(EINVAL);
}

/* The addresses of a place; NULL as tcp_connect() says. */
static struct addrinfo *
tcp_addresses(const struct tcp_place *place, int flags, const char **why)
{
	struct addrinfo *list,
	    hint = {.ai_flags = flags | AI_NUMERICSERV,
		.ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_STREAM};
	int r;

	if (why != NULL)
		*why = NULL;
	r = getaddrinfo(*place->host != '\0' ? place->host : NULL, place->port,
	    &hint, &list);
	if (r == 0)
		return list;
	if (r == EAI_SYSTEM)
		return NULL;
	errno = r == EAI_MEMORY ? ENOMEM : EHOSTUNREACH;
	if (why != NULL && r != EAI_MEMORY)
		*why = gai_strerror(r);
	return NULL;
}

/* --- connections ---------------------------------------------------------- */

/*
 * A port in the range that the kernel picks ours from (ip_local_port_range)
 * may be picked for the very attempt to reach it, and then TCP connects the
 * socket to itself.
 */
static int
is_own_end(int fd)
{
	struct sockaddr_storage here, there;
	socklen_t herelen = sizeof(here), therelen = sizeof(there);

	memset(&here, 0, sizeof(here));
	memset(&there, 0, sizeof(there));
	return getsockname(fd, (struct sockaddr *)&here, &herelen) == 0 &&
	    getpeername(fd, (struct sockaddr *)&there, &therelen) == 0 &&
	    herelen == therelen && memcmp(&here, &there, herelen) == 0;
}

static int
tcp_try(const struct addrinfo *a, int64_t deadline)
{
	int fd, err;
	socklen_t len = sizeof(err);

	fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
	    IPPROTO_TCP);
	if (fd == -1)
		return -1;
	if (connect(fd, a->ai_addr, a->ai_addrlen) == -1) {
		if (errno != EINPROGRESS && errno != EINTR)
			goto fail;
		if (deadline_poll(fd, POLLOUT, deadline) <= 0 ||
		    getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len) == -1)
			goto fail;
		if (err != 0) {
			errno = err;
			goto fail;
		}
	}
	if (is_own_end(fd)) {
		errno = ECONNREFUSED;
		goto fail;
	}
	tcp_on(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	return fd;
fail:
	io_close(&fd);
	return -1;
}

int
tcp_connect(const struct tcp_place *place, int64_t deadline, const char **why)
{
	struct addrinfo *a, *list;
	int fd = -1, left, n = 0;

	list = tcp_addresses(place, 0, why);
	if (list == NULL)
		return -1;
	for (a = list; a != NULL; a = a->ai_next)
		n++;
	for (a = list; a != NULL && fd == -1; a = a->ai_next, n--) {
		left = deadline_left(deadline);
		fd = tcp_try(a, deadline_in(left == -1 ? -1 : left / n));
	}
	left = errno;
	freeaddrinfo(list);
	errno = left;
	return fd;
}

static int
tcp_bind(const struct addrinfo *a, int backlog)
{
	int fd = socket(a->ai_family,
	    SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP);

	if (fd == -1)
		return -1;
	tcp_on(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	/* [::] is for both, whatever net.ipv6.bindv6only says. */
	if (a->ai_family == AF_INET6)
		tcp_on(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);
	if (bind(fd, a->ai_addr, a->ai_addrlen) == 0 &&
	    listen(fd, backlog) == 0)
		return fd;
	io_close(&fd);
	return -1;
}

int
tcp_listen(const struct tcp_place *place, int backlog, const char **why)
{
	/* IPv6 takes both; the order of the list is the resolver's. */
	static const int families[] = {AF_INET6, AF_INET};
	struct addrinfo *a, *list;
	int fd = -1, saved;
	size_t i;

	list = tcp_addresses(place, AI_PASSIVE, why);
	if (list == NULL)
		return -1;
	errno = EADDRNOTAVAIL;
	for (i = 0; i < 2; i++)
		for (a = list; a != NULL && fd == -1 &&
		     (errno == EADDRNOTAVAIL || errno == EAFNOSUPPORT);
		     a = a->ai_next)
			if (a->ai_family == families[i])
				fd = tcp_bind(a, backlog);
	saved = errno;
	freeaddrinfo(list);
	errno = saved;
	return fd;
}

void
tcp_watch(int fd, int64_t ms)
{
	int64_t s;

	tcp_on(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
	if (ms <= 0)
		return;
	/* Half of the time silent, then three probes in the other half. */
	s = ms / 1000 < 32767 ? ms / 1000 : 32767; /* MAX_TCP_KEEPIDLE */
	tcp_on(fd, IPPROTO_TCP, TCP_KEEPIDLE, s > 2 ? (int)(s / 2) : 1);
	tcp_on(fd, IPPROTO_TCP, TCP_KEEPINTVL, s > 6 ? (int)(s / 6) : 1);
	tcp_on(fd, IPPROTO_TCP, TCP_KEEPCNT, 3);
	tcp_on(fd, IPPROTO_TCP, TCP_USER_TIMEOUT,
	    ms < INT_MAX ? (int)ms : INT_MAX);
}

/* --- addresses as text ---------------------------------------------------- */

void
tcp_text(const struct sockaddr *sa, socklen_t len, char host[TCP_NAME_MAX],
    char text[TCP_TEXT_MAX])
{
	struct sockaddr_in6 six;
	struct sockaddr_in four = {.sin_family = AF_INET};
	char name[TCP_NAME_MAX], port[8];

	if (sa->sa_family == AF_INET6 && len >= sizeof(six)) {
		memcpy(&six, sa, sizeof(six));
		if (IN6_IS_ADDR_V4MAPPED(&six.sin6_addr)) {
			memcpy(&four.sin_addr, six.sin6_addr.s6_addr + 12, 4);
			four.sin_port = six.sin6_port;
			sa = (const struct sockaddr *)&four;
			len = sizeof(four);
		}
	}
	if (sa->sa_family == AF_UNIX) {
		snprintf(host, TCP_NAME_MAX, "local");
		if (text != NULL)
			snprintf(text, TCP_TEXT_MAX, "local");
		return;
	}
	if ((sa->sa_family != AF_INET && sa->sa_family != AF_INET6) ||
	    getnameinfo(sa, len, name, sizeof(name), port, sizeof(port),
		NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
		snprintf(host, TCP_NAME_MAX, "?");
		if (text != NULL)
			snprintf(text, TCP_TEXT_MAX, "?");
		return;
	}
	snprintf(host, TCP_NAME_MAX, "%s", name);
	if (text != NULL)
		snprintf(text, TCP_TEXT_MAX,
		    sa->sa_family == AF_INET6 ? "[%s]:%s" : "%s:%s", name,
		    port);
}

int
tcp_peer(int fd, char host[TCP_NAME_MAX], char text[TCP_TEXT_MAX])
{
	struct sockaddr_storage ss = {.ss_family = AF_UNSPEC};
	socklen_t len = sizeof(ss);
	int r = getpeername(fd, (struct sockaddr *)&ss, &len);

	if (r == -1)
		ss.ss_family = AF_UNSPEC;
	tcp_text((struct sockaddr *)&ss, len, host, text);
	return r;
}

uint64_t
tcp_kin(const char *host)
{
	struct in6_addr a;

	if (inet_pton(AF_INET6, host, &a) == 1)
		return fnv1a(FNV1A, &a, sizeof(a) / 2);
	return fnv1a(FNV1A, host, strlen(host));
}
