#include "segv/segv_teller.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/child.h"
#include "base/msg.h"
#include "report/door.h"
#include "segv/segv_frames.h"

enum {
	STEP = 256 * 1024, /* bytes that are read at once */
	FD_FIRST = STDERR_FILENO + 1
};

/* --- the loop --------------------------------------------------------------
 */

/* Some more bytes: 1, 0 at the end, -1. */
static int
hear(struct teller *t)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof(int) * FDS_MAX)];
	} control;
	struct iovec iov;
	struct msghdr mh = {.msg_iov = &iov,
	    .msg_iovlen = 1,
	    .msg_control = &control,
	    .msg_controllen = sizeof(control.space)};
	struct cmsghdr *c;
	size_t n;
	ssize_t got;

	if (t->at > 0 && t->at < t->in.len)
		memmove(t->in.p, t->in.p + t->at, t->in.len - t->at);
	t->in.len -= t->at;
	t->at = 0;
	if (buf_reserve(&t->in, STEP) == -1)
		return -1;
	iov = (struct iovec){t->in.p + t->in.len, STEP};
	got = recvmsg(t->fd, &mh, MSG_CMSG_CLOEXEC);
	if (got <= 0)
		return got == -1 && errno == EINTR ? 1 : (int)got;
	t->in.len += (size_t)got;
	for (c = CMSG_FIRSTHDR(&mh); c != NULL; c = CMSG_NXTHDR(&mh, c)) {
		if (c->cmsg_type != SCM_RIGHTS)
			continue;
		n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		if (n > FDS_MAX - t->nfds)
			return fails(EBADMSG);
		memcpy(t->fds + t->nfds, CMSG_DATA(c), n * sizeof(int));
		t->nfds += (unsigned)n;
	}
	return 1;
}

/* All frames that are there as a whole. */
static int
tell_all(struct teller *t)
{
	struct rusage ru;
	struct wire_head h;

	while (!t->ended && t->in.len - t->at >= sizeof(h)) {
		memcpy(&h, t->in.p + t->at, sizeof(h));
		if (t->in.len - t->at - sizeof(h) < h.len)
			break;
		if (segv_frame(t, &h, t->in.p + t->at + sizeof(h)) == -1)
			return -1;
		t->at += sizeof(h) + h.len;
	}
	getrusage(RUSAGE_SELF, &ru);
	t->tally->rss_kib = ru.ru_maxrss;
	return out_flush(t->out);
}

/* Of all that whoever started the program had open, nothing: fd and those of
 * *o stay, from FD_FIRST on. */
static void
keep_own(int *fd, struct segv_teller_opts *o)
{
	int *own[] = {fd, &o->keepfd, &o->runfd};
	size_t i;

	for (i = 0; i < NELEM(own); i++)
		if (*own[i] != -1)
			*own[i] = fcntl(*own[i], F_DUPFD_CLOEXEC,
			    FD_FIRST + (int)NELEM(own));
	for (i = 0; i < NELEM(own); i++)
		if (*own[i] != -1)
			*own[i] = dup2(*own[i], FD_FIRST + (int)i);
	fd_close_from(FD_FIRST + (int)NELEM(own));
}

/* What it is made of, while it may still open something. */
static int
prepare(struct teller *t)
{
	struct modcache_limits limits = {.half = MODCACHE_GIVEN};
	int ksymsfd = open("/proc/kallsyms", O_RDONLY | O_CLOEXEC);

	t->cache = modcache_new(&limits);
	t->out = out_new(-1, t->o->format);
	if (t->cache == NULL || t->out == NULL)
		return -1;
	out_feed(t->out);
	t->sink = (struct segv_sink){.out = t->out,
	    .path = t->o->path,
	    .askfd = t->o->keepfd,
	    .size = t->o->full,
	    .fd = -1};
	segv_resolver_init(&t->resolver, &t->o->show, t->cache, ksymsfd);
	return 0;
}

static int
shut_door(pid_t parent)
{
	static struct opener opener; /* for debug files, to the end */
	const struct report_outside out = {.parent = parent};
	struct sandbox_bounds b = {.role = SANDBOX_FEED};
	const char *why;

	if (report_door(&out, &b, &opener, &why) == -1)
		return -1;
	if (why != NULL)
		msg_debug(1, "no sandbox: %s", why);
	return 0;
}

static _Noreturn void
work(struct teller *t, pid_t parent)
{
	static const int kept[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE};
	size_t i;
	int r = 1;

	for (i = 0; i < NELEM(kept); i++)
		signal(kept[i], SIG_IGN);
	if (prepare(t) == -1)
		msg_die_sys(EXIT_SYSTEM, "unable to begin");
	if (shut_door(parent) == -1)
		msg_die_sys(EXIT_SYSTEM, "unable to drop privileges");
	if (write(t->fd, "", 1) != 1)
		_exit(EXIT_SYSTEM);
	while (r == 1 && !t->ended)
		if ((r = hear(t)) == 1 && tell_all(t) == -1)
			r = -1;
	if (r == -1 && errno == EBADMSG)
		msg_die(EXIT_SYSTEM,
		    "what came from the other process makes "
		    "no sense");
	if (r == -1 && errno == ENOMEM)
		msg_die_sys(EXIT_SYSTEM, "unable to go on");
	if (r == -1 || out_finish(t->out) == -1)
		msg_die_sys(EXIT_SYSTEM, "unable to write %s",
		    t->o->path != NULL ? t->o->path : "to standard output");
	exit(EXIT_DONE);
}

int
segv_teller_start(struct segv_teller *s, const struct segv_teller_opts *o)
{
	static struct teller t;
	static struct segv_teller_opts own;
	pid_t self = getpid();
	int fd[2];
	char c;

	s->tally = child_shared(sizeof(*s->tally));
	if (s->tally == NULL ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd) == -1)
		return -1;
	s->pid = child_fork();
	if (s->pid == 0) {
		own = *o;
		t.o = &own;
		t.tally = s->tally;
		t.fd = fd[1];
		keep_own(&t.fd, &own);
		work(&t, self);
	}
	close(fd[1]);
	s->fd = fd[0];
	if (s->pid == -1)
		return -1;
	if (io_read_full(s->fd, &c, 1) != 1)
		return fails(EPROTO);
	return 0;
}

int
segv_teller_ended(int wait_status, int *status, char *why, size_t n)
{
	const char *violation = sandbox_violation(wait_status);

	*why = '\0';
	*status = EXIT_SYSTEM;
	if (WIFEXITED(wait_status)) {
		*status = WEXITSTATUS(wait_status);
		return *status == EXIT_DONE ? 0 : -1;
	}
	if (violation != NULL)
		snprintf(why, n, "the process that names ended: %s", violation);
	else
		snprintf(why, n,
		    "the process that names was killed by signal %d",
		    WTERMSIG(wait_status));
	return -1;
}
