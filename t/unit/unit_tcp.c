/*
 * unit_tcp: net/tcp, both ends in one process.
 * Prints one line per failed check; exits 0 when there was none.
 *
 * What lies beyond this machine is not needed: a place that never answers is
 * a listener whose backlog is full, and names are ours to resolve.
 */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/deadline.h"
#include "net/tcp.h"

#include "check.h"

enum { PENDING = 64 };

/* --- names -----------------------------------------------------------------
 */

/* What "several.test" has: addresses with ports of their own, so that each
 * can be another kind of place. */
static struct {
	struct addrinfo info;
	struct sockaddr_storage addr;
} ours[8];
static int nours;

int
getaddrinfo(const char *restrict host, const char *restrict port,
    const struct addrinfo *restrict hint, struct addrinfo **restrict list)
{
	int (*theirs)(const char *, const char *, const struct addrinfo *,
	    struct addrinfo **);
	int i;

	if (host != NULL && strcmp(host, "several.test") == 0) {
		for (i = 0; i < nours; i++)
			ours[i].info.ai_next =
			    i + 1 < nours ? &ours[i + 1].info : NULL;
		*list = &ours[0].info;
		return 0;
	}
	if (host != NULL && strcmp(host, "unknown.test") == 0)
		return EAI_NONAME;
	if (host != NULL && strcmp(host, "memory.test") == 0)
		return EAI_MEMORY;
	if (host != NULL && strcmp(host, "system.test") == 0) {
		errno = EMFILE;
		return EAI_SYSTEM;
	}
	*(void **)&theirs = dlsym(RTLD_NEXT, "getaddrinfo");
	return theirs(host, port, hint, list);
}

void
freeaddrinfo(struct addrinfo *list)
{
	void (*theirs)(struct addrinfo *);

	if (list == &ours[0].info)
		return;
	*(void **)&theirs = dlsym(RTLD_NEXT, "freeaddrinfo");
	theirs(list);
}

static void
several(const char *address, unsigned port)
{
	struct sockaddr_in *four = (struct sockaddr_in *)&ours[nours].addr;
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)&ours[nours].addr;
	struct addrinfo *a = &ours[nours++].info;

	memset(four, 0, sizeof(ours[0].addr));
	a->ai_socktype = SOCK_STREAM;
	a->ai_addr = (struct sockaddr *)four;
	if (inet_pton(AF_INET, address, &four->sin_addr) == 1) {
		a->ai_family = four->sin_family = AF_INET;
		a->ai_addrlen = sizeof(*four);
		four->sin_port = htons((in_port_t)port);
	} else {
		inet_pton(AF_INET6, address, &six->sin6_addr);
		a->ai_family = six->sin6_family = AF_INET6;
		a->ai_addrlen = sizeof(*six);
		six->sin6_port = htons((in_port_t)port);
	}
}

static struct tcp_place
at(const char *host, unsigned port)
{
	struct tcp_place place;

	snprintf(place.host, sizeof(place.host), "%s", host);
	snprintf(place.port, sizeof(place.port), "%u", port);
	return place;
}

static unsigned
port_of(int fd)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);

	if (getsockname(fd, (struct sockaddr *)&ss, &len) == -1)
		return 0;
	return ntohs(ss.ss_family == AF_INET
		? ((struct sockaddr_in *)&ss)->sin_port
		: ((struct sockaddr_in6 *)&ss)->sin6_port);
}

static int
listen_at(const char *host, int backlog, unsigned *port)
{
	struct tcp_place place = at(host, 0);
	int fd = tcp_listen(&place, backlog, NULL);

	*port = fd == -1 ? 0 : port_of(fd);
	return fd;
}

static int
connect_to(const char *host, unsigned port, int ms)
{
	struct tcp_place place = at(host, port);

	return tcp_connect(&place, deadline_in(ms), NULL);
}

/* --- places ----------------------------------------------------------------
 */

static void
place(const char *s, const char *host, const char *port)
{
	struct tcp_place p = {"", ""};
	size_t len = strlen(s);
	/* exactly as long, for the sanitizer's sake */
	char *exact = malloc(len > 0 ? len : 1);
	int r;

	if (exact == NULL)
		exit(111);
	memcpy(exact, s, len);
	errno = 0;
	r = tcp_place_parse(exact, len, 64740, &p);
	free(exact);
	if (host == NULL ? r != -1 || errno != EINVAL
			 : r != 0 || strcmp(p.host, host) != 0 ||
		    strcmp(p.port, port) != 0) {
		failed++;
		printf("place \"%s\": %d %s %s\n", s, r, p.host, p.port);
	}
}

static void
test_places(void)
{
	static const char *const bad[] = {"", ":", ":1", "host:", "host:0",
	    "host:65536", "host:1x", "host:-1", "host: 1", "a b", "a/b", "-a",
	    "a,b", "user@a", "a%eth0", "b\xc3\xb6se", "[", "[]", "[]:1", "[::1",
	    "[::1]x", "[::1]:", "[::1]:0", "[::1]:99999", "[host]:1",
	    "[1.2.3.4]:1", "::1]", "1:2:3", "fe80::1%", "[fe80::1%]:1",
	    "::%/\n\r\n", "fe80::1%a b", "fe80::1%e/0", "fe80::1%e%:0",
	    "fe80::1%0123456789abcdef", "::1:2:3:4:5:6:7:8:9",
	    "host:99999999999999999999"};
	char longest[300];
	struct tcp_place p;
	size_t i;

	place("host", "host", "64740");
	place("host.example.com:1", "host.example.com", "1");
	place("a_b-c.9:65535", "a_b-c.9", "65535");
	place("192.0.2.7", "192.0.2.7", "64740");
	place("192.0.2.7:123", "192.0.2.7", "123");
	place("::1", "::1", "64740");
	place("::", "::", "64740");
	place("2001:db8::7:123", "2001:db8::7:123", "64740");
	place("[2001:db8::7]", "2001:db8::7", "64740");
	place("[2001:db8::7]:123", "2001:db8::7", "123");
	place("[::ffff:192.0.2.7]:123", "::ffff:192.0.2.7", "123");
	place("fe80::1%eth0.7", "fe80::1%eth0.7", "64740");
	place("fe80::1%0123456789abcde", "fe80::1%0123456789abcde", "64740");
	place("[fe80::1%eth0]:123", "fe80::1%eth0", "123");
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		place(bad[i], NULL, NULL);
	FAILS(tcp_place_parse("a\0b", 3, 1, &p), EINVAL);
	FAILS(tcp_place_parse("host", 4, 0, &p), EINVAL);
	memset(longest, 'a', sizeof(longest) - 1);
	longest[255] = '\0';
	place(longest, longest, "64740");
	longest[255] = 'a';
	longest[256] = '\0';
	place(longest, NULL, NULL);
}

/* --- connections -----------------------------------------------------------
 */

/* There and back over what listens at host, reached as `as'. */
static void
through(const char *host, const char *as, const char *peer)
{
	char name[TCP_NAME_MAX], text[TCP_TEXT_MAX], want[TCP_TEXT_MAX], c;
	struct tcp_place again;
	unsigned port;
	int l = listen_at(host, 16, &port), fd, conn, on = 0;
	socklen_t len = sizeof(on);

	CHECK(l != -1);
	CHECK(
	    fcntl(l, F_GETFD) == FD_CLOEXEC && fcntl(l, F_GETFL) & O_NONBLOCK);
	fd = connect_to(as, port, 5000);
	if (fd == -1) {
		failed++;
		printf("from \"%s\" to %s: errno %d\n", host, as, errno);
		close(l);
		return;
	}
	CHECK(fcntl(fd, F_GETFD) == FD_CLOEXEC);
	CHECK(fcntl(fd, F_GETFL) & O_NONBLOCK);
	CHECK(getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, &len) == 0 && on);
	CHECK(deadline_poll(l, POLLIN, deadline_in(5000)) > 0);
	conn = accept(l, NULL, NULL);
	CHECK(conn != -1);
	tcp_watch(fd, 30000);
	tcp_watch(conn, 500);
	CHECK(tcp_peer(conn, name, text) == 0);
	snprintf(want, sizeof(want),
	    strchr(peer, ':') != NULL ? "[%s]:%u" : "%s:%u", peer, port_of(fd));
	if (strcmp(name, peer) != 0 || strcmp(text, want) != 0) {
		failed++;
		printf("peer is %s, %s, not %s\n", name, text, want);
	}
	CHECK(tcp_peer(fd, name, NULL) == 0 && strcmp(name, peer) == 0);
	CHECK(write(fd, "x", 1) == 1 && read(conn, &c, 1) == 1 && c == 'x');
	close(conn);
	CHECK(deadline_poll(fd, POLLIN, deadline_in(5000)) > 0);
	close(fd);
	close(l);
	/* closed at this end first, so the port is in TIME_WAIT */
	again = at(host, port);
	l = tcp_listen(&again, 16, NULL);
	CHECK(l != -1);
	close(l);
}

static int
have_ipv6(void)
{
	struct sockaddr_in6 six = {
	    .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int r = fd != -1 && bind(fd, (struct sockaddr *)&six, sizeof(six)) == 0;

	close(fd);
	return r;
}

static void
test_through(void)
{
	through("127.0.0.1", "127.0.0.1", "127.0.0.1");
	through("", "127.0.0.1", "127.0.0.1");
	if (!have_ipv6()) {
		printf("unit_tcp: skipped: no IPv6 here\n");
		return;
	}
	through("::1", "::1", "::1");
	through("", "::1", "::1");
	through("::", "127.0.0.1", "127.0.0.1");
}

/* A place that never answers: *l has what keeps it so. */
static unsigned
hole(int l[PENDING + 1])
{
	unsigned port;
	int i;

	l[0] = listen_at("127.0.0.1", 0, &port);
	for (i = 1; i <= PENDING; i++) {
		l[i] = connect_to("127.0.0.1", port, 200);
		if (l[i] == -1)
			break;
	}
	CHECK(i <= PENDING && errno == ETIMEDOUT);
	for (; i <= PENDING; i++)
		l[i] = -1;
	return port;
}

/* A port at which nobody listens. */
static unsigned
nobody(void)
{
	unsigned port;
	int fd = listen_at("127.0.0.1", 1, &port);

	close(fd);
	return port;
}

static void
test_failures(void)
{
	struct tcp_place p;
	const char *why = "";
	unsigned port, other;
	int l, again;

	FAILS(connect_to("127.0.0.1", nobody(), 5000), ECONNREFUSED);
	p = at("unknown.test", 1);
	FAILS(tcp_connect(&p, deadline_in(5000), &why), EHOSTUNREACH);
	CHECK(why != NULL && *why != '\0');
	FAILS(tcp_connect(&p, deadline_in(5000), NULL), EHOSTUNREACH);
	FAILS(tcp_listen(&p, 1, &why), EHOSTUNREACH);
	p = at("memory.test", 1);
	FAILS(tcp_connect(&p, deadline_in(5000), &why), ENOMEM);
	p = at("system.test", 1);
	FAILS(tcp_connect(&p, deadline_in(5000), &why), EMFILE);
	CHECK(why == NULL);
	/* no query could carry that: the real resolver's answer */
	memset(p.host, 'a', 80);
	p.host[80] = '\0';
	FAILS(tcp_connect(&p, deadline_in(5000), &why), EHOSTUNREACH);
	CHECK(why != NULL && *why != '\0');

	l = listen_at("127.0.0.1", 1, &port);
	p = at("127.0.0.1", port);
	FAILS(tcp_listen(&p, 1, &why), EADDRINUSE);
	/* taken for IPv4: [::] is not quietly IPv6 alone, nor the reverse */
	p = at("", port);
	FAILS(tcp_listen(&p, 1, &why), EADDRINUSE);
	close(l);
	/* not an address of this machine, or one that is: the next */
	p = at("192.0.2.7", 1);
	FAILS(tcp_listen(&p, 1, &why), EADDRNOTAVAIL);
	nours = 0;
	several("192.0.2.7", 0);
	several("127.0.0.1", 0);
	l = listen_at("several.test", 1, &port);
	CHECK(l != -1);
	nours = 0;
	several("127.0.0.1", port);
	several("127.0.0.2", port);
	again = listen_at("several.test", 1, &other);
	CHECK(again == -1 && errno == EADDRINUSE);
	close(l);
}

/* All addresses have their turn, and the deadline is that of all. */
static void
test_several(void)
{
	int l[PENDING + 1], good, fd, i, left;
	unsigned silent = hole(l), port;
	int64_t end;

	good = listen_at("127.0.0.1", 16, &port);
	nours = 0;
	several("127.0.0.1", nobody());
	several("127.0.0.1", port);
	fd = connect_to("several.test", 1, 5000);
	CHECK(fd != -1);
	close(fd);

	/* The silent one has its eighth of the time and no more; the rest is
	 * seconds, so this holds on a busy machine too. */
	nours = 0;
	several("127.0.0.1", silent);
	for (i = 0; i < 7; i++)
		several("127.0.0.1", port);
	end = deadline_in(4000);
	fd = tcp_connect(&(struct tcp_place){"several.test", "1"}, end, NULL);
	left = deadline_left(end);
	CHECK(fd != -1 && left > 0 && left <= 3500);
	close(fd);

	nours = 0;
	several("127.0.0.1", silent);
	several("127.0.0.1", nobody());
	FAILS(connect_to("several.test", 1, 200), ECONNREFUSED);
	nours = 0;
	several("127.0.0.1", nobody());
	several("127.0.0.1", silent);
	end = deadline_in(200);
	FAILS(tcp_connect(&(struct tcp_place){"several.test", "1"}, end, NULL),
	    ETIMEDOUT);
	CHECK(deadline_left(end) == 0);
	close(good);
	for (i = 0; i <= PENDING; i++)
		if (l[i] != -1)
			close(l[i]);
}

/* --- addresses as text -----------------------------------------------------
 */

static void
test_text(void)
{
	char name[TCP_NAME_MAX], text[TCP_TEXT_MAX];
	struct sockaddr_in6 six = {.sin6_family = AF_INET6,
	    .sin6_port = htons(7),
	    .sin6_addr = {.s6_addr = {0xfe, 0x80, [15] = 1}}};
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	struct sockaddr odd = {.sa_family = AF_UNSPEC};
	int p[2];

	six.sin6_scope_id = if_nametoindex("lo");
	tcp_text((struct sockaddr *)&six, sizeof(six), name, text);
	CHECK(strcmp(name, "fe80::1%lo") == 0);
	CHECK(strcmp(text, "[fe80::1%lo]:7") == 0);
	inet_pton(AF_INET6, "::ffff:192.0.2.7", &six.sin6_addr);
	tcp_text((struct sockaddr *)&six, sizeof(six), name, text);
	CHECK(strcmp(name, "192.0.2.7") == 0);
	CHECK(strcmp(text, "192.0.2.7:7") == 0);
	tcp_text((struct sockaddr *)&six, 8, name, text);
	CHECK(strcmp(name, "?") == 0 && strcmp(text, "?") == 0);
	tcp_text((struct sockaddr *)&sun, sizeof(sun), name, NULL);
	CHECK(strcmp(name, "local") == 0);
	tcp_text(&odd, sizeof(odd), name, NULL);
	CHECK(strcmp(name, "?") == 0);

	CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, p) == 0);
	CHECK(tcp_peer(p[0], name, text) == 0);
	CHECK(strcmp(name, "local") == 0 && strcmp(text, "local") == 0);
	tcp_watch(p[0], 1000);
	close(p[0]);
	close(p[1]);
	CHECK(pipe2(p, O_CLOEXEC) == 0);
	FAILS(tcp_peer(p[0], name, text), ENOTSOCK);
	CHECK(strcmp(name, "?") == 0 && strcmp(text, "?") == 0);
	close(p[0]);
	close(p[1]);
	p[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	FAILS(tcp_peer(p[0], name, NULL), ENOTCONN);
	close(p[0]);
}

/* A host of IPv6 has a network of addresses, and one share. */
static void
test_kin(void)
{
	CHECK(tcp_kin("2001:db8:1:2::1") == tcp_kin("2001:db8:1:2:ffff::9"));
	CHECK(tcp_kin("2001:db8:1:2::1") != tcp_kin("2001:db8:1:3::1"));
	CHECK(tcp_kin("192.0.2.7") != tcp_kin("192.0.2.8"));
	CHECK(tcp_kin("fe80::1%lo") != tcp_kin("fe80::2%lo"));
	CHECK(tcp_kin("::1") == tcp_kin("::1"));
}

/* --- a network of its own --------------------------------------------------
 */

static int
put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), r;

	if (fd == -1)
		return -1;
	r = write(fd, text, strlen(text)) == (ssize_t)strlen(text) ? 0 : -1;
	close(fd);
	return r;
}

/*
 * Where a port is among those the kernel picks from, a connection may be one
 * to itself: with two to pick from it soon is.
 */
static void
test_own_end(void)
{
	struct ifreq lo = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	int fd, i, status = -1;
	pid_t child = fork();

	if (child == 0) {
		fd = unshare(CLONE_NEWNET) == 0
		    ? socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)
		    : -1;
		if (fd == -1 || ioctl(fd, SIOCSIFFLAGS, &lo) == -1 ||
		    put("/proc/sys/net/ipv4/ip_local_port_range",
			"40000 40001") == -1)
			_exit(77);
		for (i = 0; i < 20; i++) {
			FAILS(
			    connect_to("127.0.0.1", 40000, 5000), ECONNREFUSED);
			FAILS(
			    connect_to("127.0.0.1", 40001, 5000), ECONNREFUSED);
		}
		/* nowhere to go to */
		FAILS(connect_to("192.0.2.7", 1, 5000), ENETUNREACH);
		/* no IPv6: its sockets may be there, its addresses not */
		if (put("/proc/sys/net/ipv6/conf/all/disable_ipv6", "1") == 0)
			through("", "127.0.0.1", "127.0.0.1");
		fflush(stdout);
		_exit(failed != 0);
	}
	CHECK(child != -1 && waitpid(child, &status, 0) == child);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		printf("unit_tcp: skipped: no network namespace to be had\n");
	else
		CHECK(status == 0);
}

int
main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	test_places();
	test_through();
	test_failures();
	test_several();
	test_text();
	test_kin();
	test_own_end();
	return check_report();
}
