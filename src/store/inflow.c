#include "store/inflow.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/deadline.h"

/* From here on a frame is read to its end and no further, but for the header
 * of the next: nothing needs to be moved then. */
enum { BIG = 256 << 10 };

int
inflow_open(struct inflow *in, int fd, int64_t idlems, int64_t lifems)
{
	struct stat st;

	memset(in, 0, sizeof(*in));
	in->fd = fd;
	in->sock = fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode);
	in->idlems = idlems;
	in->idle = deadline_in(idlems);
	in->life = deadline_in(lifems);
	in->buf = malloc(INFLOW_SIZE);
	return in->buf == NULL ? -1 : 0;
}

void
inflow_close(struct inflow *in)
{
	free(in->buf);
	in->buf = NULL;
	in->len = 0;
}

const unsigned char *
inflow_bytes(const struct inflow *in)
{
	return in->buf + in->at;
}

void
inflow_take(struct inflow *in, size_t n)
{
	in->at += n;
	in->len -= n;
}

void
inflow_renew(struct inflow *in)
{
	in->steady = 1;
	in->renewed = in->come;
	in->idle = deadline_in(in->idlems);
}

/*
 * Some bytes to p: their number, 0 at the end, -1.  What poll(2) has called
 * readable does not block a read(2) where we are the only reader; with sockets
 * that need not even be asked first.
 */
static ssize_t
take_some(struct inflow *in, void *p, size_t max)
{
	int64_t deadline = in->idle < in->life ? in->idle : in->life;
	ssize_t n;

	for (;;) {
		/* Data that never ends must not outrun the clock. */
		if (deadline_left(deadline) == 0) {
			errno = ETIMEDOUT;
			return -1;
		}
		if (in->sock) {
			n = recv(in->fd, p, max, MSG_DONTWAIT);
			if (n >= 0)
				return n;
			if (errno != EAGAIN && errno != EINTR)
				return -1;
		}
		if (deadline_poll(in->fd, POLLIN, deadline) <= 0)
			return -1;
		if (in->sock)
			continue;
		n = read(in->fd, p, max);
		if (n >= 0 || (errno != EINTR && errno != EAGAIN))
			return n;
	}
}

const unsigned char *
inflow_need(struct inflow *in, size_t n)
{
	size_t want;
	ssize_t r;

	if (n > INFLOW_NEED_MAX) {
		errno = EINVAL;
		return NULL;
	}
	while (in->len < n) {
		if (in->ended) {
			errno = ENODATA;
			return NULL;
		}
		if (in->at != 0) {
			memmove(in->buf, in->buf + in->at, in->len);
			in->at = 0;
		}
		want = n - in->len;
		if (want >= BIG)
			want += STREAM_FRAME;
		else
			want = INFLOW_SIZE - in->len;
		r = take_some(in, in->buf + in->len, want);
		if (r == -1)
			return NULL;
		in->ended = r == 0;
		in->len += (size_t)r;
		in->come += (uint64_t)r;
		if (in->steady && in->come - in->renewed >= INFLOW_STEP)
			inflow_renew(in);
	}
	return inflow_bytes(in);
}

void
inflow_drain(struct inflow *in, int64_t ms, uint64_t max)
{
	uint64_t upto = in->come + max;
	ssize_t r;

	in->idle = deadline_in(ms);
	in->len = in->at = 0;
	while (in->come < upto) {
		r = take_some(in, in->buf, INFLOW_SIZE);
		if (r <= 0)
			return;
		in->come += (uint64_t)r;
	}
}
