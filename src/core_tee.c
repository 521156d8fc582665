/*
 * core_tee [-v] [-b MiB] [-l fd] [-s separator] [-T seconds] [-t seconds]
 *     command [arg ...] [\; command [arg ...]] ...
 *
 * stdin to the standard input of each command.
 *
 * - every command gets a pipe of its own; all other descriptors it inherits
 *   (the pidfd of %F, core(5)).  They are started in order;
 * - with -l what the first writes to its standard output the second can read,
 *   and when that ends, the first has: facts that one finds out for the other;
 * - base/fanout passes on what comes, by tee(2) where it can;
 * - whoever exits, closes its stdin or stalls gets no more; the others do not
 *   notice.  Its pipe is closed, and it is let live;
 * - stdin is read no more when nobody wants more, so that the kernel stops
 *   writing, and closed only when all have exited: until then the process that
 *   dumps core stays, and can be looked at;
 * - when nothing has moved for long, all are asked to end, then made to.  Their
 *   pipes stay open meanwhile: no half core shall look like a whole one.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/args.h"
#include "base/bytes.h"
#include "base/deadline.h"
#include "base/fanout.h"
#include "base/io.h"
#include "base/msg.h"

#define SYNOPSIS                                                             \
	"[-v] [-b MiB] [-l fd] [-s separator] [-T seconds] [-t seconds]\n\t" \
	"command [arg ...] [; command [arg ...]] ..."

enum {
	RING_MIB = 8,
	STALL_S = 30,
	HOLD_S = 3600,
	SECONDS_MAX = 7 * 86400,
	TERM_MS = 5000, /* from SIGTERM to SIGKILL */
	KILL_MS = 1000, /* for a killed one to go: not from every sleep */
	LINK_MIN = 3,
	LINK_MAX = 255
};

struct consumer {
	char **argv;
	pid_t pid;  /* 0 when it has exited or never ran */
	int failed; /* and it has been said why */
	int ended;  /* its output has, and that was looked at */
};

enum stage { FLOW, ENDING, KILLED };

struct tee {
	struct fanout flow;
	struct consumer *c; /* of the output of the same number */
	unsigned n, alive;
	enum stage stage;
	int64_t stagnant; /* when the next stage comes */
	int stall_s, hold_s;
	uint64_t ring; /* bytes that are kept for the slow */
	int linkto;    /* the second's descriptor, 0: there is no link */
	int link[2];
	sigset_t unblocked;
};

static volatile sig_atomic_t stop_signal, child_ended;

static void
on_signal(int sig)
{
	if (sig == SIGCHLD)
		child_ended = 1;
	else
		stop_signal = sig;
}

/* 0, or -1 when it could not be run, which has been said. */
static int
start(struct tee *t, unsigned i)
{
	extern char **environ;
	struct consumer *c = &t->c[i];
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t dfl;
	int p[2], e;

	if (pipe2(p, O_CLOEXEC) == -1) {
		msg_warn_sys("unable to run %s", c->argv[0]);
		return -1;
	}
	sigemptyset(&dfl);
	sigaddset(&dfl, SIGPIPE);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setsigdefault(&attr, &dfl);
	posix_spawnattr_setsigmask(&attr, &t->unblocked);
	posix_spawnattr_setflags(
	    &attr, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
	posix_spawn_file_actions_init(&actions);
	e = posix_spawn_file_actions_adddup2(&actions, p[0], STDIN_FILENO);
	/* their numbers are too high for that to be one's own (link_open) */
	if (e == 0 && t->linkto && i < 2)
		e = posix_spawn_file_actions_adddup2(&actions, t->link[i == 0],
		    i == 0 ? STDOUT_FILENO : t->linkto);
	if (e == 0)
		e = posix_spawnp(
		    &c->pid, c->argv[0], &actions, &attr, c->argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attr);
	close(p[0]);
	if (e != 0) {
		c->pid = 0;
		close(p[1]);
		errno = e;
		msg_warn_sys("unable to run %s", c->argv[0]);
		return -1;
	}
	msg_debug(1, "%s[%d]: started", c->argv[0], (int)c->pid);
	t->alive++;
	if (fanout_add(&t->flow, i, p[1]) == 0)
		return 0;
	msg_warn_sys("%s[%d]: unable to write to it", c->argv[0], (int)c->pid);
	close(p[1]);
	return -1;
}

static void
link_close(struct tee *t)
{
	io_close(&t->link[0]);
	io_close(&t->link[1]);
	t->linkto = 0;
}

/* High numbers: dup2 to the same one would leave it to be closed by exec.
 * Without a link the second finds nothing there, which is better than to end
 * here. */
static void
link_open(struct tee *t)
{
	int p[2];

	t->link[0] = t->link[1] = -1;
	if (pipe2(p, O_CLOEXEC) == 0) {
		t->link[0] = fcntl(p[0], F_DUPFD_CLOEXEC, LINK_MAX + 1);
		t->link[1] = fcntl(p[1], F_DUPFD_CLOEXEC, LINK_MAX + 1);
		close(p[0]);
		close(p[1]);
	}
	if (t->link[0] == -1 || t->link[1] == -1) {
		msg_warn_sys("unable to link");
		link_close(t);
	}
}

/* Outputs that have ended. */
static void
look(struct tee *t)
{
	const struct fanout_out *o;
	struct consumer *c;
	unsigned i;

	for (i = 0; i < t->n; i++) {
		c = &t->c[i];
		o = &t->flow.out[i];
		if (c->ended || o->end == FANOUT_OPEN)
			continue;
		c->ended = 1;
		switch (o->end) {
		case FANOUT_STALLED:
			msg_warn("%s[%d]: dropped: took nothing for %d"
				 " seconds, after %" PRIu64 " bytes",
			    c->argv[0], (int)c->pid, t->stall_s, o->at);
			c->failed = 1;
			break;
		case FANOUT_BROKEN:
			msg_warn("%s[%d]: dropped after %" PRIu64 " bytes: %s",
			    c->argv[0], (int)c->pid, o->at, strerror(o->err));
			c->failed = 1;
			break;
		default:
			msg_debug(1, "%s[%d]: %s %" PRIu64 " bytes", c->argv[0],
			    (int)c->pid,
			    o->end == FANOUT_WHOLE ? "has all" : "closed after",
			    o->at);
		}
	}
}

static void
reap_one(struct tee *t, unsigned i, int status)
{
	struct consumer *c = &t->c[i];

	if (c->failed)
		; /* said before */
	else if (WIFSIGNALED(status))
		msg_warn("%s[%d]: died of signal %d, after %" PRIu64 " bytes",
		    c->argv[0], (int)c->pid, WTERMSIG(status),
		    t->flow.out[i].at);
	else if (WEXITSTATUS(status) != 0)
		msg_warn("%s[%d]: exit status %d", c->argv[0], (int)c->pid,
		    WEXITSTATUS(status));
	else
		msg_debug(1, "%s[%d]: has exited", c->argv[0], (int)c->pid);
	c->failed |= status != 0;
	c->pid = 0;
	c->ended = 1;
	fanout_drop(&t->flow, i, FANOUT_CLOSED);
	t->alive--;
}

static void
reap(struct tee *t)
{
	unsigned i;
	int status;
	pid_t pid;

	child_ended = 0;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0 ||
	    (pid == -1 && errno == EINTR))
		for (i = 0; i < t->n; i++)
			if (t->c[i].pid == pid)
				reap_one(t, i, status);
}

/* Asks all to end; the second time makes them. */
static void
end_all(struct tee *t)
{
	struct consumer *c;
	uint64_t at;

	for (c = t->c; c < t->c + t->n; c++) {
		if (c->pid == 0)
			continue;
		at = t->flow.out[c - t->c].at;
		if (c->failed)
			; /* said before */
		else if (stop_signal)
			msg_warn("%s[%d]: ended by signal %d to us, after"
				 " %" PRIu64 " bytes",
			    c->argv[0], (int)c->pid, (int)stop_signal, at);
		else
			msg_warn("%s[%d]: ended: nothing moved for %d seconds,"
				 " after %" PRIu64 " bytes",
			    c->argv[0], (int)c->pid, t->hold_s, at);
		c->failed = 1;
		kill(c->pid, t->stage == FLOW ? SIGTERM : SIGKILL);
	}
	t->stagnant = deadline_in(t->stage == FLOW ? TERM_MS : KILL_MS);
	t->stage = t->stage == FLOW ? ENDING : KILLED;
}

/* Sleeps until a child ends or the deadline has passed. */
static void
rest(const struct tee *t)
{
	int left = deadline_left(t->stagnant);
	struct timespec ts = {left / 1000, left % 1000 * 1000000L};

	ppoll(NULL, 0, &ts, &t->unblocked);
}

static void
run(struct tee *t)
{
	int64_t hold_ms = (int64_t)t->hold_s * 1000;
	uint64_t before;

	t->stagnant = deadline_in(hold_ms);
	while (t->alive > 0) {
		if ((stop_signal && t->stage == FLOW) ||
		    deadline_left(t->stagnant) == 0) {
			if (t->stage == KILLED) {
				msg_warn("leaving %u commands behind that"
					 " cannot be killed",
				    t->alive);
				return;
			}
			end_all(t);
		}
		if (t->stage != FLOW)
			rest(t);
		else {
			before = t->flow.head;
			if (fanout_step(&t->flow, t->stagnant, &t->unblocked))
				t->stagnant = deadline_in(hold_ms);
			msg_debug(2, " rd=%" PRIu64 " (n=%" PRIu64 ")",
			    t->flow.head - before, t->flow.head);
		}
		look(t);
		if (child_ended)
			reap(t);
	}
	if (t->flow.err)
		msg_warn("unable to read after %" PRIu64 " bytes: %s",
		    t->flow.head, strerror(t->flow.err));
}

static void
catch_signals(struct tee *t)
{
	static const int caught[] = {SIGCHLD, SIGTERM, SIGINT, SIGHUP};
	struct sigaction sa = {.sa_handler = on_signal};
	sigset_t blocked;
	size_t i;

	sigemptyset(&blocked);
	for (i = 0; i < 4; i++)
		sigaddset(&blocked, caught[i]);
	sigprocmask(SIG_BLOCK, &blocked, &t->unblocked);
	for (i = 0; i < 4; i++) {
		sigdelset(&t->unblocked, caught[i]);
		sigaction(caught[i], &sa, NULL);
	}
	signal(SIGPIPE, SIG_IGN);
}

/* Cuts the arguments at the separators. */
static void
split(struct tee *t, char **argv, int argc, const char *separator)
{
	int i, first = 1;

	t->c = calloc((size_t)argc, sizeof(*t->c));
	if (t->c == NULL)
		msg_die_sys(EXIT_SYSTEM, "unable to start");
	for (i = 0; i < argc; i++) {
		if (strcmp(argv[i], separator) != 0) {
			if (first)
				t->c[t->n++].argv = &argv[i];
			first = 0;
			continue;
		}
		if (first || i == argc - 1)
			msg_die(EXIT_USAGE, "no command %s separator %s",
			    first ? "before" : "after", separator);
		argv[i] = NULL;
		first = 1;
	}
}

static void
parse_options(struct tee *t, int argc, char **argv)
{
	const char *separator = ";";
	const struct args_row rows[] = {
	    {'T', .integer = &t->hold_s, .min = 1, .max = SECONDS_MAX},
	    {'b', .mib = &t->ring, .min = 1, .max = 1024},
	    {'l', .integer = &t->linkto, .min = LINK_MIN, .max = LINK_MAX},
	    {'s', .text = &separator},
	    {'t', .integer = &t->stall_s, .min = 1, .max = SECONDS_MAX}};
	int opt;

	while ((opt = getopt(argc, argv, "+T:b:l:s:t:v")) != -1)
		if (!args_take(rows, NELEM(rows), opt, optarg))
			msg_usage(SYNOPSIS);
	if (optind == argc)
		msg_usage(SYNOPSIS);
	split(t, argv + optind, argc - optind, separator);
}

int
main(int argc, char **argv)
{
	static struct tee t = {.stall_s = STALL_S,
	    .hold_s = HOLD_S,
	    .ring = (uint64_t)RING_MIB << 20};
	unsigned i, ran, failed = 0;

	msg_init("core_tee");
	args_help(argv, SYNOPSIS);
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	parse_options(&t, argc, argv);
	catch_signals(&t);
	if (fanout_init(&t.flow, STDIN_FILENO, t.n, (size_t)t.ring,
		(int64_t)t.stall_s * 1000) == -1)
		msg_die_sys(EXIT_SYSTEM, "unable to start");
	if (t.linkto)
		link_open(&t);
	for (i = 0; i < t.n; i++)
		t.c[i].failed = start(&t, i) == -1;
	if (t.linkto)
		link_close(&t);
	ran = t.alive;
	run(&t);
	if (ran == 0 || t.flow.err)
		return EXIT_SYSTEM;
	for (i = 0; i < t.n; i++)
		failed |= (unsigned)t.c[i].failed;
	return failed ? EXIT_PARTIAL : EXIT_DONE;
}
