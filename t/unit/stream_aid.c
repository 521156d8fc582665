/*
 * stream_aid: what senders send to recv_core, genuine and not.
 *
 * stream_aid [-C port] [-H host] [-c comm] [-p pid] [-t time] [-s signal]
 *     [-e encoding] [-S state] [-B before] [-n cut] [-x flip] [-w piece]
 *     [-z ms] [-o from] [-K key] [-kV] kind [arg ...]
 *
 *	core FILE	the core stream of a file; pages of zeros are holes
 *	raw FILE	the file as it is
 *	text TEXT	that, "\n" and "\xNN" decoded
 *	head BYTES	a header whose last line has so many bytes, and no end
 *	frames SPEC...	a header, and then
 *		d:OFF:LEN	a right DATA frame
 *		l:OFF:LEN	one whose payload is not sent, whatever LEN
 *		b:OFF:LEN	one whose payload has another checksum
 *		t:TYPE:LEN	a frame of another type
 *		z:OFF:LEN	a packed frame of so many bytes
 *		Z:OFF:LEN	one of 4096 bytes that says to have so many
 *		f:OFF:CRC	FROM, with that checksum and no data
 *		e:SIZE:DATA	an END with that size, that many bytes of data
 *
 * To stdout, or with -C to that port of 127.0.0.1 or that place; then the
 * reply is printed.  -B TEXT goes before everything, -n ends it after so many
 * bytes, -x inverts the lowest bit of that byte, -w writes pieces of so many
 * bytes, -V offers version 2 and packs what it can, -K that with a part of that
 * key, -z waits so long after each
 *(both from byte -o on), -k keeps the connection open, then or at the end,
 *until the peer closes it.  Exit 0 for OK or no connection, 1 for ERR, 2 for no
 *reply.
 */
#include <endian.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/deadline.h"
#include "base/io.h"
#include "net/tcp.h"
#include "stream/corestream.h"
#include "stream/crc32c.h"

enum { PAGE = 4096 };

static struct crash_id id;
static const char *state = "complete";
static int out = STDOUT_FILENO;
static uint64_t cut = UINT64_MAX, flip = UINT64_MAX, from, sent;
static size_t piece = 1 << 20;
static int nap, keep;
static int offers;
static const char *key = "";

static void
reply_or_end(void)
{
	char line[STREAM_REPLY_MAX + 1];
	size_t n = 0;
	ssize_t r;

	if (out == STDOUT_FILENO)
		exit(0);
	while (n < sizeof(line) - 1) {
		r = read(out, line + n, sizeof(line) - 1 - n);
		if (r <= 0)
			break;
		n += (size_t)r;
		if (memchr(line, '\n', n) != NULL)
			break;
	}
	line[n] = '\0';
	if (n == 0) {
		puts("no reply");
		exit(2);
	}
	fputs(line, stdout);
	exit(strncmp(line, "OK ", 3) == 0 ? 0 : 1);
}

/* Every byte leaves through here. */
static void
put(const void *data, size_t len)
{
	static unsigned char copy[1 << 20];
	const unsigned char *p = data;
	size_t n, done;
	ssize_t w;

	for (; len > 0; p += n, len -= n) {
		n = len < piece ? len : piece;
		if (sent < from)
			n = len < from - sent ? len : from - sent;
		if (n > sizeof(copy))
			n = sizeof(copy);
		if (sent + n > cut)
			n = cut - sent;
		memcpy(copy, p, n);
		if (flip >= sent && flip - sent < n)
			copy[flip - sent] ^= 1;
		for (done = 0; done < n; done += (size_t)w) {
			w = write(out, copy + done, n - done);
			if (w == -1)
				reply_or_end();
		}
		sent += n;
		if (sent == cut) {
			if (out != STDOUT_FILENO && !keep)
				shutdown(out, SHUT_WR);
			reply_or_end();
		}
		if (nap && sent >= from)
			poll(NULL, 0, nap);
	}
}

static void
frame(enum stream_type type, uint64_t off, const void *p, uint32_t len)
{
	static unsigned char packed[STREAM_BLOCK];
	unsigned char head[STREAM_FRAME];
	struct stream_frame f = {
	    .type = type, .len = len, .off = off, .crc = crc32c(0, p, len)};

	if (offers && stream_frame_pack(&f, p, packed, sizeof(packed)) == 0)
		p = packed;
	stream_frame_put(head, &f);
	put(head, sizeof(head));
	put(p, f.len);
}

/* Packed bytes of which it says that they were so many. */
static void
packed_frame(uint64_t off, const void *p, uint32_t len, uint32_t says)
{
	static unsigned char packed[STREAM_BLOCK];
	unsigned char head[STREAM_FRAME];
	struct stream_frame f = {.type = STREAM_DATA,
	    .len = len,
	    .off = off,
	    .crc = crc32c(0, p, len)};

	if (stream_frame_pack(&f, p, packed, sizeof(packed)) == -1)
		errx(111, "packed");
	says = htole32(says);
	memcpy(packed, &says, sizeof(says));
	f.crc = crc32c(0, packed, f.len);
	stream_frame_put(head, &f);
	put(head, sizeof(head));
	put(packed, f.len);
}

static void
end(uint64_t size, uint64_t data, uint32_t crc)
{
	struct stream_end e = {.size = size, .data = data, .crc = crc};
	struct buf b = {0};

	snprintf(e.state, sizeof(e.state), "%s", state);
	if (stream_end_format(&e, &b) == -1)
		err(111, "end");
	frame(STREAM_END, size, b.p, (uint32_t)b.len);
	buf_free(&b);
}

static void
head(void)
{
	struct buf b = {0};

	if (stream_head_format(&id, &b) == -1 ||
	    (offers && stream_head_offer(&b, key) == -1))
		err(111, "head");
	put(b.p, b.len);
	buf_free(&b);
}

static int
zeros(const unsigned char *p, size_t n)
{
	return *p == 0 && (n == 1 || memcmp(p, p + 1, n - 1) == 0);
}

static void
core(const char *path)
{
	static unsigned char block[PAGE];
	uint64_t off = 0, data = 0;
	uint32_t crc = 0;
	ssize_t n;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd == -1)
		err(111, "%s", path);
	head();
	for (; (n = io_read_full(fd, block, PAGE)) > 0; off += (size_t)n) {
		crc = crc32c(crc, block, (size_t)n);
		if (zeros(block, (size_t)n))
			continue;
		frame(STREAM_DATA, off, block, (uint32_t)n);
		data += (size_t)n;
	}
	end(off, data, crc);
}

static void
raw(const char *path)
{
	static unsigned char block[1 << 20];
	ssize_t n;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd == -1)
		err(111, "%s", path);
	while ((n = io_read_full(fd, block, sizeof(block))) > 0)
		put(block, (size_t)n);
}

static void
text(const char *s)
{
	unsigned char c;

	for (; *s != '\0'; s++) {
		c = (unsigned char)*s;
		if (strncmp(s, "\\x", 2) == 0 && s[2] != '\0' && s[3] != '\0') {
			char two[3] = {s[2], s[3], '\0'};

			c = (unsigned char)strtoul(two, NULL, 16);
			s += 3;
		} else if (strncmp(s, "\\n", 2) == 0) {
			c = '\n';
			s++;
		} else if (strncmp(s, "\\r", 2) == 0) {
			c = '\r';
			s++;
		}
		put(&c, 1);
	}
}

static void
long_head(uint64_t n)
{
	static char block[65536];

	memset(block, 'a', sizeof(block));
	put(STREAM_MAGIC "host: ", strlen(STREAM_MAGIC) + 6);
	for (; n > sizeof(block); n -= sizeof(block))
		put(block, sizeof(block));
	put(block, n);
}

static void
spec(const char *s)
{
	static unsigned char payload[STREAM_BLOCK + 1];
	unsigned char h[STREAM_FRAME];
	unsigned long long a, b;
	struct stream_frame f = {.type = STREAM_DATA};
	struct stream_sum joint = {0};
	uint32_t word;

	if (sscanf(s + 1, ":%llu:%llu", &a, &b) != 2)
		errx(100, "%s?", s);
	memset(payload, 'x', sizeof(payload));
	switch (*s) {
	case 'd':
		frame(STREAM_DATA, a, payload, (uint32_t)b);
		break;
	case 'z':
		packed_frame(a, payload, (uint32_t)b, (uint32_t)b);
		break;
	case 'Z':
		packed_frame(a, payload, 4096, (uint32_t)b);
		break;
	case 'e':
		end(a, b, 0);
		break;
	case 'f':
		joint.crc = (uint32_t)b;
		stream_joint_put(payload, &joint);
		frame(STREAM_FROM, a, payload, STREAM_JOINT);
		break;
	case 'b':
	case 'l':
		f.off = a;
		f.len = (uint32_t)b;
		f.crc = 1;
		stream_frame_put(h, &f);
		put(h, sizeof(h));
		if (*s == 'b')
			put(payload, f.len);
		break;
	case 't':
		f.len = (uint32_t)b;
		stream_frame_put(h, &f);
		word = (uint32_t)a;
		memcpy(h, &word, 4);
		word = crc32c(0, h, 20);
		memcpy(h + 20, &word, 4);
		put(h, sizeof(h));
		put(payload, f.len);
		break;
	default:
		errx(100, "%s?", s);
	}
}

static void
join(const char *where)
{
	struct tcp_place place;
	const char *why = NULL;
	char text_[300];

	snprintf(text_, sizeof(text_), "%s%s",
	    strspn(where, "0123456789") == strlen(where) ? "127.0.0.1:" : "",
	    where);
	if (tcp_place_parse(text_, strlen(text_), STREAM_PORT, &place) == -1)
		err(100, "%s", where);
	out = tcp_connect(&place, deadline_in(10000), &why);
	if (out == -1)
		err(111, "%s", where);
	fcntl(out, F_SETFL, 0);
}

static void
copy_string(char *to, size_t size, const char *s)
{
	if ((size_t)snprintf(to, size, "%s", s) >= size)
		errx(100, "%s is too long", s);
}

int
main(int argc, char *argv[])
{
	const char *before = "";
	int opt, i;
	char c;

	signal(SIGPIPE, SIG_IGN);
	crash_id_init(&id);
	copy_string(id.host, sizeof(id.host), "board7");
	copy_string(id.comm, sizeof(id.comm), "victim");
	id.pid = id.tid = 4711;
	id.signal = 11;
	id.time = 1700000000;
	while ((opt = getopt(argc, argv, "B:C:H:K:S:Vc:e:kn:o:p:s:t:w:x:z:")) !=
	    -1)
		switch (opt) {
		case 'B':
			before = optarg;
			break;
		case 'C':
			join(optarg);
			break;
		case 'H':
			copy_string(id.host, sizeof(id.host), optarg);
			break;
		case 'K':
			key = optarg;
			offers = 1;
			break;
		case 'S':
			state = optarg;
			break;
		case 'V':
			offers = 1;
			break;
		case 'c':
			copy_string(id.comm, sizeof(id.comm), optarg);
			break;
		case 'e':
			copy_string(id.encoding, sizeof(id.encoding), optarg);
			break;
		case 'k':
			keep = 1;
			break;
		case 'n':
			cut = strtoull(optarg, NULL, 10);
			break;
		case 'o':
			from = strtoull(optarg, NULL, 10);
			break;
		case 'p':
			id.pid = atoll(optarg);
			break;
		case 's':
			id.signal = atoll(optarg);
			break;
		case 't':
			id.time = atoll(optarg);
			break;
		case 'w':
			piece = strtoull(optarg, NULL, 10);
			break;
		case 'x':
			flip = strtoull(optarg, NULL, 10);
			break;
		case 'z':
			nap = atoi(optarg);
			break;
		default:
			return 100;
		}
	if (argc - optind < 1)
		errx(100, "what?");
	text(before);
	if (strcmp(argv[optind], "frames") == 0) {
		head();
		for (i = optind + 1; i < argc; i++)
			spec(argv[i]);
	} else if (argc - optind != 2) {
		errx(100, "%s what?", argv[optind]);
	} else if (strcmp(argv[optind], "core") == 0) {
		core(argv[optind + 1]);
	} else if (strcmp(argv[optind], "raw") == 0) {
		raw(argv[optind + 1]);
	} else if (strcmp(argv[optind], "text") == 0) {
		text(argv[optind + 1]);
	} else if (strcmp(argv[optind], "head") == 0) {
		long_head(strtoull(argv[optind + 1], NULL, 10));
	} else {
		errx(100, "%s?", argv[optind]);
	}
	if (keep && out != STDOUT_FILENO) {
		/* whatever is said stays to be read */
		while (recv(out, &c, 1, MSG_PEEK) == -1 && errno == EINTR)
			;
	} else if (out != STDOUT_FILENO) {
		shutdown(out, SHUT_WR);
	}
	reply_or_end();
}
