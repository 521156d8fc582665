#include "segv/segv_runner.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/child.h"
#include "base/deadline.h"
#include "base/msg.h"
#include "base/utc.h"
#include "out/escape.h"
#include "report/signals.h"
#include "segv/segv_print.h"

/* What the command is told: FAULT_ and this. */
enum fact {
	PID,
	TID,
	COMM,
	EXE,
	UID,
	GID,
	SIGNAL,
	CODE,
	ADDRESS,
	FUNCTION,
	CAUSE,
	SIGNATURE,
	TIME,
	CGROUP,
	FACTS
};

static const char *const names[FACTS] = {"PID", "TID", "COMM", "EXE", "UID",
    "GID", "SIGNAL", "CODE", "ADDRESS", "FUNCTION", "CAUSE", "SIGNATURE",
    "TIME", "CGROUP"};

enum {
	FACT_MAX = 256, /* with the NUL; all together are one write of a pipe */
	OURS = 3,
	NAP_MS = 100,	/* between two looks at those that run */
	TOLD_MS = 10000 /* between two words on what was not run */
};

struct facts {
	char of[FACTS][FACT_MAX];
};
_Static_assert(sizeof(struct facts) <= PIPE_BUF, "a pipe may cut it");

struct runner {
	char *const *argv;
	int64_t ms;
	struct facts waits[RUNNER_WAITING];
	unsigned nwaits;
	struct {
		pid_t pid; /* 0: none */
		int64_t due;
		char about[FACT_MAX];
	} runs[RUNNER_TOGETHER];
	int tokens;
	int64_t tokens_due, told_due;
	unsigned long left_out;
};

/* --- what runs -------------------------------------------------------------
 */

static _Noreturn void
become(const struct runner *r, struct facts *f)
{
	struct buf b;
	sigset_t none;
	size_t i;
	int sig;

	setpgid(0, 0);
	for (sig = 1; sig < NSIG; sig++)
		signal(sig, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	for (i = 0; i < FACTS; i++) {
		b = (struct buf){0};
		if (buf_append(&b, "FAULT_", 6) == -1 ||
		    buf_append(&b, names[i], strlen(names[i])) == -1 ||
		    buf_append(&b, "=", 1) == -1 ||
		    escape_append(&b, f->of[i], strlen(f->of[i]), 0) == -1 ||
		    putenv(b.p) != 0)
			_exit(EXIT_SYSTEM);
	}
	if (fd_to_null(STDIN_FILENO) == -1 ||
	    dup2(STDERR_FILENO, STDOUT_FILENO) == -1)
		_exit(EXIT_SYSTEM);
	fd_close_from(OURS);
	execvp(r->argv[0], r->argv);
	msg_die_sys(EXIT_SYSTEM, "unable to run %s", r->argv[0]);
}

static void
begin(struct runner *r, unsigned place, struct facts *f)
{
	pid_t pid = fork();

	if (pid == 0)
		become(r, f);
	if (pid == -1) {
		msg_warn_sys("unable to run %s", r->argv[0]);
		r->left_out++;
		return;
	}
	r->runs[place].pid = pid;
	r->runs[place].due = deadline_in(r->ms);
	memcpy(r->runs[place].about, f->of[PID], FACT_MAX);
}

/* Those that wait, as far as there is room and it is time. */
static void
begin_some(struct runner *r)
{
	unsigned i;

	while (r->tokens < RUNNER_BURST && deadline_left(r->tokens_due) == 0) {
		r->tokens++;
		r->tokens_due += 1000 / RUNNER_RATE;
	}
	for (i = 0; i < RUNNER_TOGETHER && r->nwaits > 0; i++) {
		if (r->runs[i].pid != 0)
			continue;
		if (r->tokens == 0)
			return;
		if (r->tokens-- == RUNNER_BURST)
			r->tokens_due = deadline_in(1000 / RUNNER_RATE);
		begin(r, i, &r->waits[0]);
		memmove(
		    r->waits, r->waits + 1, --r->nwaits * sizeof(*r->waits));
	}
}

/* Those that have ended, and those that must: how many still run. */
static unsigned
end_some(struct runner *r)
{
	char how[128];
	unsigned i, n = 0;
	int status;

	for (i = 0; i < RUNNER_TOGETHER; i++) {
		if (r->runs[i].pid == 0)
			continue;
		if (waitpid(r->runs[i].pid, &status, WNOHANG) == 0) {
			n++;
			if (deadline_left(r->runs[i].due) != 0)
				continue;
			msg_warn("%s: killed after %" PRId64
				 " seconds, for pid %s",
			    r->argv[0], r->ms / 1000, r->runs[i].about);
			/* also what it has started */
			kill(-r->runs[i].pid, SIGKILL);
			r->runs[i].due = deadline_in(CHILD_KILL_MS);
			continue;
		}
		if (child_told(status, how, sizeof(how)) == -1 &&
		    (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL))
			msg_warn("%s: %s, for pid %s", r->argv[0], how,
			    r->runs[i].about);
		r->runs[i].pid = 0;
	}
	return n;
}

/* --- the runner ------------------------------------------------------------
 */

static void
tell_left_out(struct runner *r, int last)
{
	if (r->left_out == 0 || (!last && deadline_left(r->told_due) != 0))
		return;
	msg_warn("%s was not run for %lu crashes: it is run %d times at once, "
		 "then %d a second, %d together",
	    r->argv[0], r->left_out, RUNNER_BURST, RUNNER_RATE,
	    RUNNER_TOGETHER);
	r->left_out = 0;
	r->told_due = deadline_in(TOLD_MS);
}

/* The next crash: 1, 0 at the end. */
static int
hear(struct runner *r, int fd)
{
	struct facts f;
	size_t i;

	if (io_read_full(fd, &f, sizeof(f)) != sizeof(f))
		return 0;
	for (i = 0; i < FACTS; i++) {
		f.of[i][FACT_MAX - 1] = '\0';
		/* nothing of before leaves with it */
		memset(
		    f.of[i] + strlen(f.of[i]), 0, FACT_MAX - strlen(f.of[i]));
	}
	if (r->nwaits == RUNNER_WAITING)
		r->left_out++;
	else
		r->waits[r->nwaits++] = f;
	return 1;
}

/* SIGINT and the like are for who writes: this ends after it. */
static _Noreturn void
run(char *const argv[], int64_t ms, int fd)
{
	static const int kept[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE};
	static struct runner r = {.tokens = RUNNER_BURST};
	struct pollfd p = {.fd = OURS, .events = POLLIN};
	unsigned n = 0;
	size_t i;

	for (i = 0; i < NELEM(kept); i++)
		signal(kept[i], SIG_IGN);
	if (dup2(fd, OURS) == -1)
		_exit(EXIT_SYSTEM);
	fd_close_from(OURS + 1);
	r.argv = argv;
	r.ms = ms;
	while (p.fd != -1 || n > 0) {
		if (poll(&p, p.fd != -1, n + r.nwaits > 0 ? NAP_MS : -1) > 0 &&
		    hear(&r, p.fd) == 0) {
			r.left_out += r.nwaits;
			r.nwaits = 0;
			p.fd = -1;
		}
		end_some(&r);
		begin_some(&r);
		n = end_some(&r);
		tell_left_out(&r, p.fd == -1);
	}
	_exit(EXIT_DONE);
}

int
segv_runner_start(char *const argv[], int64_t ms)
{
	int fd[2];
	pid_t pid;

	if (pipe2(fd, O_CLOEXEC) == -1)
		return -1;
	if (fcntl(fd[1], F_SETFL, O_NONBLOCK) == 0) {
		pid = child_fork();
		if (pid == 0) {
			close(fd[1]);
			run(argv, ms, fd[0]);
		}
		close(fd[0]);
		if (pid != -1)
			return fd[1];
	} else
		close(fd[0]);
	close(fd[1]);
	return -1;
}

/* --- in the process that names ---------------------------------------------
 */

static void
fact(struct facts *f, enum fact which, const char *text)
{
	size_t len;

	if (text == NULL)
		return;
	len = strlen(text);
	memcpy(f->of[which], text, len < FACT_MAX ? len : FACT_MAX - 1);
	if (len >= FACT_MAX)
		memcpy(f->of[which] + FACT_MAX - 4, "...", 3);
}

static void
fact_number(struct facts *f, enum fact which, long long n)
{
	snprintf(f->of[which], FACT_MAX, "%lld", n);
}

/* What tells where things lie in memory. */
static void
add_addresses(struct facts *f, const struct segv_resolved *l)
{
	char cause[FAULT_TEXT];

	if (l->opts->redact) {
		segv_redact(l->cause, cause, sizeof(cause));
		fact(f, CAUSE, cause);
		return;
	}
	fact(f, CAUSE, l->cause);
	if (l->have_addr)
		snprintf(f->of[ADDRESS], FACT_MAX, "0x%" PRIx64, l->addr);
}

int
segv_runner_tell(int fd, const struct segv_resolved *l)
{
	const struct segv_event *ev = l->ev;
	const char *name = signal_name(ev->signo);
	char when[UTC_TEXT];
	struct facts f;

	memset(&f, 0, sizeof(f));
	utc_text(l->time.tv_sec, when);
	fact_number(&f, PID, ev->pid);
	fact_number(&f, TID, ev->tid);
	fact_number(&f, UID, ev->uid);
	fact_number(&f, GID, ev->gid);
	fact_number(&f, CODE, ev->code);
	fact_number(&f, SIGNAL, ev->signo);
	if (name != NULL)
		fact(&f, SIGNAL, name);
	fact(&f, COMM, ev->have & SEGV_HAVE_LEADER ? ev->leader : ev->comm);
	fact(&f, EXE, l->exe);
	fact(&f, FUNCTION, l->at.function);
	fact(&f, SIGNATURE, l->signature);
	fact(&f, TIME, when);
	fact(&f, CGROUP, l->cgroup);
	add_addresses(&f, l);
	return write(fd, &f, sizeof(f)) == sizeof(f) ? 0 : -1;
}
