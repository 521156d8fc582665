/*
 * core_peer: a receiver that is not recv_core, and a source of odd pieces.
 *
 * core_peer listen [-z] [-b rcvbuf] [-w mode[:bytes]] DIR
 *	Listens on a free port of 127.0.0.1, which it writes to DIR/port.  Each
 *	connection n gives DIR/n.core (the frames at their places), DIR/n.head
 *	(the text header) and, when it is over, DIR/n.end: a line "state: ...",
 *	"ended early", "cut" (between frames) or "bad: ...".  Modes:
 *		ok	an OK in the end (the default)
 *		err	ERR after so many bytes, then reads on for a while
 *		shut	ERR after so many bytes, and the connection closed
 *		reset	a RST after so many bytes
 *		close	a FIN after so many bytes
 *		stop	reads no more after so many bytes
 *		mute	reads all, never answers
 *		hang	reads all, closes without an answer
 *		lie	OK, with another checksum
 *		noise	not an answer
 *		early	OK after so many bytes
 *		slow	so many bytes a read, with a rest of 1 ms
 *	With -z it takes packed frames, and says so.
 * core_peer pipe [-z] [-w mode[:bytes]] DIR
 *	The same for one stream on stdin, with the answer on stdout.
 * core_peer feed [-s seed] [-n piece | -r most] [-k bytes] FILE
 *	FILE to stdout, in pieces of that size or of random sizes; with -k only
 *	so many bytes of it, and then the pipe is kept open until killed.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/io.h"
#include "stream/corestream.h"
#include "stream/crc32c.h"

static const char *mode = "ok";
static uint64_t bytes, got;
static int infd, outfd, keepfd, rcvbuf, unpacks;
static unsigned number;

static int
is(const char *m)
{
	return strcmp(mode, m) == 0;
}

static int
create(const char *what)
{
	char name[40];
	int fd;

	snprintf(name, sizeof(name), "%u.%s", number, what);
	fd = openat(keepfd, name, O_RDWR | O_CREAT | O_TRUNC, 0600);
	if (fd == -1)
		err(111, "%s", name);
	return fd;
}

static _Noreturn void
over(const char *how, const char *detail)
{
	char name[40], to[40];
	int fd = create("end.new");

	dprintf(fd, "%s%s\n", how, detail);
	close(fd);
	snprintf(name, sizeof(name), "%u.end.new", number);
	snprintf(to, sizeof(to), "%u.end", number);
	renameat(keepfd, name, keepfd, to);
	exit(0);
}

static void
say(const char *line)
{
	(void)!write(outfd, line, strlen(line));
}

static void
drain(void)
{
	char piece[65536];

	while (read(infd, piece, sizeof(piece)) > 0)
		;
}

static void
misbehave(void)
{
	struct linger l = {1, 0};

	if (is("err")) {
		say("ERR the disk is full\n");
		drain();
		over("refused", "");
	} else if (is("shut")) {
		say("ERR the disk is full\n");
		over("refused", "");
	} else if (is("reset")) {
		setsockopt(infd, SOL_SOCKET, SO_LINGER, &l, sizeof(l));
		over("reset", "");
	} else if (is("close")) {
		over("closed", "");
	} else if (is("stop")) {
		for (;;)
			pause();
	} else if (is("early")) {
		say("OK x 1 00000000\n");
		drain();
		over("early", "");
	}
}

/* n bytes; fewer at the end. */
static size_t
take(void *p, size_t n)
{
	const struct timespec rest = {0, 1000000};
	size_t done = 0, want;
	ssize_t r;

	while (done < n) {
		if (got >= bytes)
			misbehave();
		want = n - done;
		if (is("slow")) {
			nanosleep(&rest, NULL);
			want = want < bytes ? want : bytes;
		} else if (bytes > got && want > bytes - got) {
			want = bytes - got;
		}
		r = read(infd, (char *)p + done, want);
		if (r == 0)
			break;
		if (r == -1) {
			if (errno == EINTR)
				continue;
			over("ended early: ", strerror(errno));
		}
		done += (size_t)r;
		got += (uint64_t)r;
	}
	return done;
}

static void
take_head(struct crash_id *id)
{
	char head[STREAM_HEAD_MAX];
	size_t n = 0;
	const char *why;
	ssize_t r = 0;
	int fd;

	while (r == 0 && n < sizeof(head)) {
		if (take(head + n, 1) != 1)
			over("ended early: in the header", "");
		r = stream_head_parse(head, ++n, id, &why);
	}
	if (r == -1)
		over("bad: ", why);
	fd = create("head");
	(void)!write(fd, head, n);
	close(fd);
	unpacks = unpacks && stream_head_offers(head, n);
	if (unpacks)
		say(STREAM_TAKES);
}

static void
answer(const struct stream_end *end)
{
	struct stream_reply reply = {
	    .ok = 1, .bytes = end->size, .crc = end->crc};
	struct buf b = {0};

	if (is("mute"))
		for (;;)
			pause();
	if (is("hang"))
		return;
	if (is("noise")) {
		say("fine, thank you\n");
		return;
	}
	if (is("lie"))
		reply.crc ^= 1;
	snprintf(reply.name, sizeof(reply.name), "peer/%u", number);
	if (stream_reply_format(&reply, &b) == -1)
		err(111, "reply");
	say(b.p);
	buf_free(&b);
}

static _Noreturn void
serve(void)
{
	static char block[STREAM_BLOCK], plain[STREAM_BLOCK], *p;
	unsigned char hdr[STREAM_FRAME];
	struct stream_sum sum = {0};
	struct stream_frame f;
	struct stream_end end;
	struct crash_id id;
	const char *why;
	int fd = create("core");
	size_t n;

	take_head(&id);
	for (;;) {
		n = take(hdr, sizeof(hdr));
		if (n == 0)
			over("cut", "");
		if (n < sizeof(hdr))
			over("ended early: in a frame header", "");
		if (stream_frame_get(hdr, &f) == -1)
			over("bad: frame: ", strerror(errno));
		if (take(block, f.len) != f.len)
			over("ended early: in a frame", "");
		if (f.type == STREAM_END)
			break;
		if (crc32c(0, block, f.len) != f.crc)
			over("bad: ", "payload");
		p = block;
		if (unpacks && f.type == STREAM_LZ4) {
			if (stream_frame_unpack(&f, block, plain) == -1)
				over("bad: ", "packed payload");
			p = plain;
		}
		if (stream_sum_data(&sum, &f) == -1)
			over("bad: ", "order");
		if (pwrite(fd, p, f.len, (off_t)f.off) != (ssize_t)f.len)
			err(111, "write");
	}
	if (stream_end_parse(&f, block, f.len, &end) == -1)
		over("bad: ", "END");
	if (stream_end_check(&end, &sum, &why) == -1)
		over("bad: ", why);
	if (ftruncate(fd, (off_t)end.size) == -1)
		err(111, "truncate");
	answer(&end);
	over("state: ", end.state);
}

static _Noreturn void
accept_all(void)
{
	struct sockaddr_in a = {
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(a);
	int s = socket(AF_INET, SOCK_STREAM, 0), fd;
	char name[] = "port.new";

	if (rcvbuf > 0)
		setsockopt(s, SOL_SOCKET, SO_RCVBUF, &rcvbuf, sizeof(rcvbuf));
	if (s == -1 || bind(s, (struct sockaddr *)&a, sizeof(a)) == -1 ||
	    listen(s, 128) == -1 ||
	    getsockname(s, (struct sockaddr *)&a, &len) == -1)
		err(111, "listen");
	fd = openat(keepfd, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	dprintf(fd, "%d\n", ntohs(a.sin_port));
	close(fd);
	renameat(keepfd, name, keepfd, "port");
	signal(SIGCHLD, SIG_IGN);
	for (;; number++) {
		infd = outfd = accept(s, NULL, NULL);
		if (infd == -1)
			err(111, "accept");
		if (fork() == 0) {
			close(s);
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			signal(SIGPIPE, SIG_IGN);
			serve();
		}
		close(infd);
	}
}

static void
feed(const char *file, size_t piece, size_t most, uint64_t stop)
{
	static char block[1 << 20];
	int fd = open(file, O_RDONLY);
	size_t n = piece;
	uint64_t done = 0;
	ssize_t r;

	if (fd == -1)
		err(111, "%s", file);
	for (;;) {
		if (most > 0)
			n = 1 + (size_t)random() % most;
		if (n > stop - done)
			n = (size_t)(stop - done);
		if (n == 0)
			for (;;)
				pause();
		r = read(fd, block, n < sizeof(block) ? n : sizeof(block));
		if (r <= 0)
			break;
		if (io_write_full(STDOUT_FILENO, block, (size_t)r) == -1)
			err(1, "write");
		done += (uint64_t)r;
	}
}

int
main(int argc, char **argv)
{
	size_t piece = 65536, most = 0;
	uint64_t stop = UINT64_MAX;
	const char *what = argc > 1 ? argv[1] : "";
	char *colon;
	int c;

	bytes = UINT64_MAX;
	optind = 2;
	while ((c = getopt(argc, argv, "b:k:n:r:s:w:z")) != -1)
		switch (c) {
		case 'b':
			rcvbuf = atoi(optarg);
			break;
		case 'z':
			unpacks = 1;
			break;
		case 'k':
			stop = strtoull(optarg, NULL, 10);
			break;
		case 'n':
			piece = (size_t)atol(optarg);
			break;
		case 'r':
			most = (size_t)atol(optarg);
			break;
		case 's':
			srandom((unsigned)atoi(optarg));
			break;
		case 'w':
			mode = optarg;
			colon = strchr(optarg, ':');
			if (colon != NULL) {
				*colon = '\0';
				bytes = strtoull(colon + 1, NULL, 10);
			}
			break;
		default:
			return 100;
		}
	if (optind != argc - 1)
		errx(100, "see the head of core_peer.c");
	if (strcmp(what, "feed") == 0) {
		feed(argv[optind], piece, most, stop);
		return 0;
	}
	keepfd = open(argv[optind], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (keepfd == -1)
		err(111, "%s", argv[optind]);
	infd = STDIN_FILENO;
	outfd = STDOUT_FILENO;
	if (strcmp(what, "pipe") == 0)
		serve();
	if (strcmp(what, "listen") == 0)
		accept_all();
	return 100;
}
