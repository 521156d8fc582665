/*
 * unit_fanout: base/fanout, with input and readers in the same process, at
 * random paces.
 * Prints one line per failed check; exits 0 when there was none.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/deadline.h"
#include "base/fanout.h"

#include "check.h"

enum { OUTS = 5, TOTAL = 3 << 20, RING = FANOUT_BLOCK, NEVER = 1 << 30 };

static unsigned seed;
static char buf[2 << 20];

static unsigned
roll(unsigned n)
{
	return (unsigned)(random() % n);
}

static char
truth(uint64_t at)
{
	return (char)((at * UINT64_C(2654435761)) >> 11);
}

struct reader {
	int fd; /* -1 once it has closed, or read the end */
	uint64_t at;
	int ended;
};

static void
read_some(struct reader *r, size_t max)
{
	ssize_t i, n = read(r->fd, buf, max);

	if (n == 0) {
		r->ended = 1;
		close(r->fd);
		r->fd = -1;
	}
	for (i = 0; i < n; i++)
		if (buf[i] != truth(r->at + (uint64_t)i)) {
			CHECK(!"the byte that was sent");
			break;
		}
	r->at += n > 0 ? (uint64_t)n : 0;
}

/* A pipe, or else a socket, whose ends do not block. */
static void
input(int p[2], int piped)
{
	if (piped)
		CHECK(pipe2(p, O_NONBLOCK) == 0);
	else
		CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, p) ==
		    0);
}

static void
add(struct fanout *f, unsigned i, struct reader *r, int pipesize)
{
	int p[2];

	CHECK(pipe(p) == 0);
	CHECK(fanout_add(f, i, p[1]) == 0);
	if (pipesize)
		CHECK(fcntl(p[1], F_SETPIPE_SZ, pipesize) != -1);
	CHECK(fcntl(p[0], F_SETFL, O_NONBLOCK) == 0);
	*r = (struct reader){.fd = p[0]};
}

static void
done(struct fanout *f, int in)
{
	fanout_free(f);
	close(in);
}

/* Writes what there is room for, of at most n bytes; closes after TOTAL. */
static void
write_some(int *fd, uint64_t *at, size_t n)
{
	size_t i;
	ssize_t w;

	if (*at + n > TOTAL)
		n = TOTAL - (size_t)*at;
	for (i = 0; i < n; i++)
		buf[i] = truth(*at + i);
	w = n ? write(*fd, buf, n) : 0;
	*at += w > 0 ? (uint64_t)w : 0;
	if (*at == TOTAL) {
		close(*fd);
		*fd = -1;
	}
}

/* Readers of all kinds; one closes midway, and nobody else may notice. */
static void
walk(int piped, size_t atonce)
{
	struct reader r[OUTS];
	struct fanout f;
	uint64_t at = 0;
	unsigned i, open = OUTS, quits = roll(OUTS + 1);
	int in[2];

	input(in, piped);
	CHECK(fanout_init(&f, in[0], OUTS, RING, NEVER) == 0);
	for (i = 0; i < OUTS; i++)
		add(&f, i, &r[i], roll(2) ? 0 : 4096 << roll(6));
	while (open > 0 && failed == 0) {
		if (in[1] != -1 && roll(3))
			write_some(&in[1], &at, 1 + roll((unsigned)atonce));
		fanout_step(&f, deadline_in(0), NULL);
		CHECK(f.head <= at);
		i = roll(OUTS);
		if (r[i].fd == -1)
			continue;
		if (i == quits && r[i].at > TOTAL / 3) {
			close(r[i].fd);
			r[i].fd = -1;
		} else /* the first is slow, so the ring fills */
			read_some(
			    &r[i], 1 + roll(i == 0 ? 30000 : sizeof(buf)));
		open -= r[i].fd == -1;
	}
	for (i = 0; i < OUTS; i++) {
		if (i == quits)
			continue;
		CHECK(r[i].at == TOTAL && r[i].ended);
		CHECK(f.out[i].at == TOTAL && f.out[i].end == FANOUT_WHOLE);
	}
	fanout_step(&f, deadline_in(0), NULL);
	if (quits < OUTS && r[quits].at < TOTAL)
		CHECK(f.out[quits].end == FANOUT_CLOSED);
	CHECK(f.eof && f.err == 0 && f.head == TOTAL);
	done(&f, in[0]);
}

/* One takes nothing: the other waits with a full ring, then goes on. */
static void
stall(int piped)
{
	struct reader r[2];
	struct fanout f;
	uint64_t at = 0;
	int i, in[2];

	input(in, piped);
	CHECK(fanout_init(&f, in[0], 2, RING, NEVER) == 0);
	add(&f, 0, &r[0], 65536);
	add(&f, 1, &r[1], 65536);
	for (i = 0; i < 2000; i++) {
		write_some(&in[1], &at, 10000);
		fanout_step(&f, deadline_in(0), NULL);
		read_some(&r[1], 100000);
	}
	/* its pipe and the ring, and no more */
	CHECK(r[1].at >= RING && r[1].at <= RING + 65536);
	/* it takes a byte: that is not nothing */
	read_some(&r[0], 1);
	f.out[0].late = 0;
	fanout_step(&f, deadline_in(0), NULL);
	fanout_step(&f, deadline_in(0), NULL);
	CHECK(f.out[0].end == FANOUT_OPEN && f.out[0].full);
	CHECK(deadline_left(f.out[0].late) > NEVER / 2);
	f.out[0].late = 0;
	fanout_step(&f, deadline_in(0), NULL);
	CHECK(f.out[0].end == FANOUT_STALLED);
	CHECK(f.out[0].at >= 1 && f.out[0].at < TOTAL);
	while (r[1].fd != -1 && failed == 0) {
		if (in[1] != -1)
			write_some(&in[1], &at, 100000);
		fanout_step(&f, deadline_in(0), NULL);
		read_some(&r[1], 100000);
	}
	CHECK(r[1].at == TOTAL);
	/* what was in its pipe it may still read */
	while (r[0].fd != -1)
		read_some(&r[0], 10000);
	CHECK(r[0].at == f.out[0].at);
	done(&f, in[0]);
}

/* Nobody reads any more, or never did: the input stays where it is. */
static void
nobody(void)
{
	struct reader r[2];
	struct fanout f;
	uint64_t at = 0;
	int in[2], there = 0, i;

	input(in, 1);
	CHECK(fanout_init(&f, in[0], 2, RING, NEVER) == 0);
	add(&f, 0, &r[0], 0);
	add(&f, 1, &r[1], 0);
	close(r[0].fd);
	close(r[1].fd);
	write_some(&in[1], &at, 5000);
	for (i = 0; i < 3; i++)
		CHECK(fanout_step(&f, deadline_in(0), NULL) == 0);
	CHECK(f.out[0].end == FANOUT_CLOSED && f.out[1].end == FANOUT_CLOSED);
	CHECK(ioctl(in[0], FIONREAD, &there) == 0 && there == 5000);
	CHECK(f.head == 0 && !f.eof);
	done(&f, in[0]);
	close(in[1]);
}

static void
unreadable(void)
{
	struct reader r;
	struct fanout f;
	int dir = open("/", O_RDONLY | O_DIRECTORY);

	CHECK(fanout_init(&f, dir, 1, RING, NEVER) == 0);
	add(&f, 0, &r, 0);
	fanout_step(&f, deadline_in(0), NULL);
	CHECK(f.eof && f.err == EISDIR);
	CHECK(f.out[0].end == FANOUT_WHOLE && f.out[0].at == 0);
	done(&f, dir);
	errno = 0;
	CHECK(fanout_init(&f, -1, 1, RING, NEVER) == -1 && errno == EBADF);
	fanout_free(&f);
}

int
main(int argc, char **argv)
{
	unsigned rounds = argc > 1 ? (unsigned)atoi(argv[1]) : 6;

	signal(SIGPIPE, SIG_IGN);
	for (seed = 1; seed <= rounds; seed++) {
		srandom(seed);
		walk(1, 200000);
		walk(0, 200000);
		walk(1, seed % 2 ? 5000 : 1448);
	}
	stall(1);
	stall(0);
	nobody();
	unreadable();
	return check_report();
}
