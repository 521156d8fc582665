#include "store/proxyhdr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "base/num.h"
#include "stream/crc32c.h"

enum {
	V1_MAX = 107, /* CR LF included */
	V2_HEAD = 16,
	TLV_HEAD = 3,
	TLV_CRC32C = 3,
	UNIX_LEN = 216 /* two paths of 108 bytes */
};

#define V1 "PROXY "
static const char v2_signature[12] = {
    '\r', '\n', '\r', '\n', '\0', '\r', '\n', 'Q', 'U', 'I', 'T', '\n'};

union address {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

static void
tell(struct proxyhdr *h, const union address *a, socklen_t len)
{
	h->known = 1;
	tcp_text(&a->sa, len, h->host, h->text);
}

/* Is the shorter of both a beginning of the other? */
static int
begins(const char *p, size_t len, const char *with, size_t withlen)
{
	return memcmp(p, with, len < withlen ? len : withlen) == 0;
}

/* --- version 1: a line ---------------------------------------------------- */

/* The word at *s, as a string in out; *s goes behind the blank after it. */
static int
word(const char **s, const char *end, char *out, size_t size)
{
	const char *p = *s;
	size_t n = 0;

	for (; p < end && *p != ' '; p++) {
		if (n + 1 == size)
			return -1;
		out[n++] = *p;
	}
	out[n] = '\0';
	*s = p < end ? p + 1 : p;
	return n > 0 ? 0 : -1;
}

static int
port(const char *s, in_port_t *out)
{
	uint64_t n;

	if (num_u64(s, 10, 0, 65535, &n) == -1 || (*s == '0' && s[1] != '\0'))
		return -1;
	*out = htons((uint16_t)n);
	return 0;
}

/* "TCP4 source destination port port", or "UNKNOWN" and anything. */
static int
v1_line(const char *s, const char *end, struct proxyhdr *h)
{
	char family[8], source[64], dest[64], sport[8], dport[8];
	union address a;
	unsigned char other[16];
	in_port_t unused;
	int af;

	if (end - s >= 7 && memcmp(s, "UNKNOWN", 7) == 0)
		return end - s == 7 || s[7] == ' ' ? 0 : -1;
	if (word(&s, end, family, sizeof(family)) == -1 ||
	    word(&s, end, source, sizeof(source)) == -1 ||
	    word(&s, end, dest, sizeof(dest)) == -1 ||
	    word(&s, end, sport, sizeof(sport)) == -1 ||
	    word(&s, end, dport, sizeof(dport)) == -1 || s != end ||
	    s[-1] == ' ')
		return -1;
	memset(&a, 0, sizeof(a));
	if (strcmp(family, "TCP4") == 0)
		af = AF_INET;
	else if (strcmp(family, "TCP6") == 0)
		af = AF_INET6;
	else
		return -1;
	if (inet_pton(af, dest, other) != 1 || port(dport, &unused) == -1)
		return -1;
	a.sa.sa_family = (sa_family_t)af;
	if (af == AF_INET) {
		if (inet_pton(af, source, &a.in.sin_addr) != 1 ||
		    port(sport, &a.in.sin_port) == -1)
			return -1;
		tell(h, &a, sizeof(a.in));
	} else {
		if (inet_pton(af, source, &a.in6.sin6_addr) != 1 ||
		    port(sport, &a.in6.sin6_port) == -1)
			return -1;
		tell(h, &a, sizeof(a.in6));
	}
	return 0;
}

static ssize_t
v1(const char *p, size_t len, struct proxyhdr *h)
{
	size_t i, first = sizeof(V1) - 1;

	for (i = first; i < len && i < V1_MAX; i++) {
		if (p[i] == '\n') {
			if (p[i - 1] != '\r' ||
			    v1_line(p + first, p + i - 1, h) == -1)
				return -1;
			return (ssize_t)i + 1;
		}
		/* printable, and CR only before LF */
		if (p[i - 1] == '\r' ||
		    (p[i] != '\r' && (p[i] < ' ' || p[i] > '~')))
			return -1;
	}
	return len < V1_MAX ? 0 : -1;
}

/* --- version 2: bytes ----------------------------------------------------- */

static size_t
get16(const char *p)
{
	return (size_t)((unsigned char)p[0] << 8 | (unsigned char)p[1]);
}

/*
 * What follows the addresses, of use to us only for the checksum: it is that
 * of the whole header with zeros in its own place.
 */
static int
v2_extras(const char *p, size_t from, size_t len)
{
	const unsigned char *u = (const unsigned char *)p;
	uint32_t crc, told;
	size_t n;

	for (; from < len; from += n) {
		if (len - from < TLV_HEAD)
			return -1;
		n = TLV_HEAD + get16(p + from + 1);
		if (n > len - from)
			return -1;
		if (p[from] != TLV_CRC32C)
			continue;
		if (n != TLV_HEAD + 4)
			return -1;
		from += TLV_HEAD;
		n = 4;
		told = (uint32_t)u[from] << 24 | (uint32_t)u[from + 1] << 16 |
		    (uint32_t)u[from + 2] << 8 | u[from + 3];
		crc = crc32c_zeros(crc32c(0, p, from), 4);
		if (crc32c(crc, p + from + 4, len - from - 4) != told)
			return -1;
	}
	return 0;
}

static ssize_t
v2(const char *p, size_t len, struct proxyhdr *h)
{
	union address a;
	size_t size, addresses;
	int command, family;

	if (len > 12 && (p[12] & 0xf0) != 0x20)
		return -1;
	if (len > 12 && (p[12] & 0x0f) > 1)
		return -1;
	if (len < V2_HEAD)
		return 0;
	command = p[12] & 0x0f; /* 0 LOCAL, 1 PROXY */
	family = (unsigned char)p[13];
	size = V2_HEAD + get16(p + 14);
	if (size > PROXYHDR_MAX)
		return -1;
	switch (command == 0 ? 0 : family) {
	case 0x00:
		addresses = 0;
		break;
	case 0x11: /* TCP, UDP over IPv4 */
	case 0x12:
		addresses = 12;
		break;
	case 0x21: /* over IPv6 */
	case 0x22:
		addresses = 36;
		break;
	case 0x31: /* local sockets */
	case 0x32:
		addresses = UNIX_LEN;
		break;
	default:
		return -1;
	}
	if (size - V2_HEAD < addresses)
		return -1;
	if (len < size)
		return 0;
	/* Without addresses nobody says where the extras begin: all skipped. */
	if (addresses > 0 && v2_extras(p, V2_HEAD + addresses, size) == -1)
		return -1;
	memset(&a, 0, sizeof(a));
	if (addresses > 0 && family == 0x11) {
		a.in.sin_family = AF_INET;
		memcpy(&a.in.sin_addr, p + V2_HEAD, 4);
		memcpy(&a.in.sin_port, p + V2_HEAD + 8, 2);
		tell(h, &a, sizeof(a.in));
	} else if (addresses > 0 && family == 0x21) {
		a.in6.sin6_family = AF_INET6;
		memcpy(&a.in6.sin6_addr, p + V2_HEAD, 16);
		memcpy(&a.in6.sin6_port, p + V2_HEAD + 32, 2);
		tell(h, &a, sizeof(a.in6));
	}
	return (ssize_t)size;
}

ssize_t
proxyhdr_parse(const char *p, size_t len, struct proxyhdr *h)
{
	ssize_t r = -1;

	memset(h, 0, sizeof(*h));
	if (begins(p, len, V1, sizeof(V1) - 1))
		r = len < sizeof(V1) ? 0 : v1(p, len, h);
	else if (begins(p, len, v2_signature, sizeof(v2_signature)))
		r = v2(p, len, h);
	if (r == -1)
		errno = EPROTO;
	return r;
}
