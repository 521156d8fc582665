#include "send/sendjob.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/child.h"
#include "base/deadline.h"
#include "base/io.h"
#include "base/msg.h"
#include "base/sandbox.h"
#include "net/transport.h"
#include "send/sendfront.h"

enum {
	TICK_MS = 200,
	SLACK_MS = 2000,     /* above what the worker itself allows */
	END_MS = 1000,	     /* after its last word */
	COMMAND_MS = 5000,   /* for a transport to end after its work */
	WORKER_MEM = 2 << 10 /* MiB of address space */
};

struct watch { /* one worker, seen from its parent */
	pid_t pid;
	int notefd; /* a byte: the core is needed no more; end: so is it */
	int stuck;  /* had to be killed */
	int gone;   /* corefd is */
	int status;
};

static void add_why(struct send_result *, const char *, ...)
    __attribute__((format(printf, 2, 3)));

static void
add_why(struct send_result *r, const char *fmt, ...)
{
	size_t len = strnlen(r->why, sizeof(r->why) - 1);
	va_list ap;

	if (len > 0 && len + 2 < sizeof(r->why)) {
		memcpy(r->why + len, "; ", 3);
		len += 2;
	}
	va_start(ap, fmt);
	vsnprintf(r->why + len, sizeof(r->why) - len, fmt, ap);
	va_end(ap);
}

/* --- the worker ----------------------------------------------------------- */

/* Who connects for it, from outside the door. */
static int
start_opener(struct send_cfg *c, struct opener *o)
{
	struct opener_how how = {.open = sending_connect,
	    .arg = c,
	    .keepfd = -1,
	    .drop = 1,
	    .connect_ms = c->connect_ms + SENDING_RESOLVE_MS};

	c->opener = o;
	return c->nplaces == 0 ? 0 : opener_start(o, &how);
}

/* -1 with errno. */
static int
shut_door(struct sendjob *j, pid_t parent)
{
	struct sandbox_bounds b = {
	    .memory = ((uint64_t)WORKER_MEM << 20) + j->cfg.release,
	    .treefd = -1};
	const char *why;

	j->cfg.nullfd = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (j->cfg.nullfd == -1 ||
	    sandbox_enter(SANDBOX_SEND, &b, parent, &why) == -1)
		return -1;
	if (why != NULL)
		msg_debug(1, "no sandbox: %s", why);
	return 0;
}

static _Noreturn void
work(struct sendjob *j, pid_t parent)
{
	struct opener opener = {.askfd = -1};
	size_t i;

	for (i = 0; i < NELEM(j->hide); i++)
		if (j->hide[i] != -1)
			close(j->hide[i]);
	if (start_opener(&j->cfg, &opener) == -1)
		add_why(j->cfg.result, "unable to start: %s", strerror(errno));
	else if (shut_door(j, parent) == -1)
		add_why(j->cfg.result, "unable to drop privileges: %s",
		    strerror(errno));
	else if (j->kept)
		core_send_kept(&j->cfg);
	else
		core_send(&j->cfg);
	_exit(0);
}

/* --- its parent ----------------------------------------------------------- */

/* Until the worker has ended, or got nowhere for too long. */
static void
await(const struct sendjob *j, struct watch *w)
{
	struct send_result *r = j->cfg.result;
	struct pollfd p = {.fd = w->notefd, .events = POLLIN};
	uint64_t beat = 0, now;
	int64_t since = deadline_in(0);
	char c;
	int n;

	for (;;) {
		n = poll(&p, 1, TICK_MS);
		if (n > 0 && read(w->notefd, &c, 1) != 1)
			break;
		if (n > 0 && !w->gone) {
			w->gone = 1;
			fd_to_null(j->cfg.corefd);
		}
		if (n > 0 && c == SENDING_LET_GO)
			sendfront_end();
		if (j->tick != NULL)
			j->tick(r);
		now = atomic_load(&r->meter.beat);
		if (now != beat) {
			beat = now;
			since = deadline_in(0);
		}
		if (deadline_in(0) - since >
		    (int64_t)atomic_load(&r->meter.allow_ms) + SLACK_MS) {
			w->stuck = 1;
			break;
		}
	}
	if (child_end(w->pid, deadline_in(w->stuck ? 0 : END_MS), &w->status) ==
	    -1)
		w->stuck = 1;
}

/* Standard output; where it can be, so that waiting for it is bounded. */
static int
open_local(void)
{
	struct stat st;
	int fd = -1;

	if (fstat(STDOUT_FILENO, &st) == 0 && S_ISFIFO(st.st_mode))
		fd = open("/proc/self/fd/1", O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	return fd == -1 ? STDOUT_FILENO : fd;
}

/* One worker, with a transport of its own. */
static void
run_once(struct sendjob *j, struct watch *w)
{
	struct send_result *r = j->cfg.result;
	struct transport t = {-1, -1, -1, -1};
	pid_t self = getpid();
	char text[320];
	int p[2];

	memset(w, 0, sizeof(*w));
	atomic_store(&r->meter.allow_ms, (int)j->cfg.out.idle_ms);
	if (j->command != NULL) {
		if (transport_start(&t, j->command, j->catch) == -1)
			add_why(r, "unable to run %s: %s", j->command[0],
			    strerror(errno));
		j->cfg.outfd = t.in;
		j->cfg.infd = t.out;
		j->cfg.outname = j->command[0];
	}
	if (pipe2(p, O_CLOEXEC) == -1) {
		add_why(r, "unable to start: %s", strerror(errno));
		goto out;
	}
	j->cfg.donefd = p[1];
	w->notefd = p[0];
	w->pid = child_fork();
	if (w->pid == 0) {
		close(p[0]);
		work(j, self);
	}
	close(p[1]);
	if (w->pid == -1)
		add_why(r, "unable to fork: %s", strerror(errno));
	if (t.in != -1) {
		close(t.in);
		close(t.out);
		t.in = t.out = -1;
	}
	if (w->pid != -1)
		await(j, w);
	close(p[0]);
out:
	if (t.in != -1) {
		close(t.in);
		close(t.out);
	}
	transport_end(&t, COMMAND_MS, text, sizeof(text));
	send_result_tame(r);
	if (*text != '\0' && r->outcome != SEND_SENT)
		add_why(r, "%s: %s", j->command[0], text);
}

static int
has_died(const struct watch *w)
{
	return w->stuck || !WIFEXITED(w->status) || WEXITSTATUS(w->status) != 0;
}

static void
tell_death(struct send_result *r, const struct watch *w)
{
	r->outcome = SEND_LOST;
	if (w->stuck)
		add_why(r,
		    r->from != SEND_MEMORY
			? "the worker got nowhere and was killed"
			: "reading its memory took too long");
	else if (sandbox_violation(w->status) != NULL)
		add_why(r, "the worker: %s", sandbox_violation(w->status));
	else if (WIFSIGNALED(w->status))
		add_why(r, "the worker died of signal %d", WTERMSIG(w->status));
	else
		add_why(r, "the worker failed");
}

struct send_result *
sendjob_run(struct sendjob *j)
{
	struct send_result *r;
	struct watch w;

	r = child_shared(sizeof(*r));
	if (r == NULL)
		return NULL;
	j->cfg.result = r;
	j->cfg.out.meter = &r->meter;
	j->cfg.outfd = j->local ? open_local() : -1;
	j->cfg.infd = -1;
	j->cfg.outname = "standard output";
	j->cfg.headfd = j->kept ? -1 : memfd_create("head", MFD_CLOEXEC);
	r->id = *j->cfg.id;
	run_once(j, &w);
	if (w.pid > 0 && has_died(&w)) {
		tell_death(r, &w);
		/* of the stream nothing but the head is gone yet */
		if (r->headlen > 0 && !r->streaming && !w.gone &&
		    j->cfg.mem != NULL && (j->command || j->cfg.nplaces > 0)) {
			j->cfg.mem = NULL;
			r->from = SEND_STREAM;
			run_once(j, &w);
			if (w.pid > 0 && has_died(&w))
				tell_death(r, &w);
		}
	}
	j->cfg.deaf |= r->deaf != 0; /* nor the next time */
	if (!j->kept && !w.gone)
		fd_to_null(j->cfg.corefd);
	io_close(&j->cfg.headfd);
	return r;
}

void
sendjob_free(struct send_result *r)
{
	munmap(r, sizeof(*r));
}
