#include "segv/segv_sink.h"

#include <errno.h>
#include <sys/stat.h>

#include "base/io.h"
#include "base/msg.h"
#include "segv/segv_keeper.h"

/* Bytes the file has; those that wait were counted when they were made. */
static void
measure(struct segv_sink *s)
{
	struct stat st;

	s->begun = out_bytes_made(s->out);
	if (fstat(s->fd, &st) == 0 && S_ISREG(st.st_mode))
		s->begun -= (uint64_t)st.st_size;
}

int
segv_sink_use(struct segv_sink *s, int fd)
{
	if (out_flush(s->out) == -1)
		return -1;
	io_close(&s->fd);
	s->fd = fd;
	out_redirect(s->out, fd);
	measure(s);
	return 0;
}

/* Where there is no other file the one that there is goes on. */
static int
change(struct segv_sink *s, enum segv_keeper_ask what)
{
	int fd;

	if (out_flush(s->out) == -1)
		return -1;
	fd = segv_keeper_ask(s->askfd, what);
	if (fd != -1) {
		s->failed = 0;
		return segv_sink_use(s, fd);
	}
	/* EAGAIN: somebody else has emptied it */
	if (errno != EAGAIN && !s->failed) {
		msg_warn_sys("unable to open %s anew", s->path);
		s->failed = 1;
	}
	measure(s);
	/* not with each record */
	if (s->failed)
		s->begun = out_bytes_made(s->out);
	return 0;
}

int
segv_sink_check(struct segv_sink *s)
{
	if (s->size == 0 || s->askfd == -1 ||
	    out_bytes_made(s->out) - s->begun < s->size)
		return 0;
	return change(s, KEEPER_NEXT);
}

int
segv_sink_again(struct segv_sink *s)
{
	s->failed = 0;
	return s->askfd == -1 ? 0 : change(s, KEEPER_AGAIN);
}
