/*
 * segfault_analyzer: every segmentation fault of the system, as it happens.
 *
 * segfault_analyzer [-rtv] [-d seconds] [-p pid] ... [-n name] ... [-o file]
 *     [long options]
 *
 * - follows which files every process maps (track/maptrack), since a process
 *   has usually gone when its event is read;
 * - attaches a BPF program to signal_deliver (probe/segv_probe), which filters,
 *   limits what one process and all may write, and copies registers and stack
 *   into a ring buffer: one for what ends a process, one for the rest;
 * - gives up all rights but those of looking;
 * - sleeps until the ring has something, then 2 ms longer: under load a
 *   wake-up brings hundreds of events, and the crashing CPU pays for none;
 * - SIGINT, SIGTERM, SIGHUP, the end of -d: detaches, then reads all that is
 *   in the ring and writes it; with -o SIGHUP is for who renamed the file.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/child.h"
#include "base/deadline.h"
#include "base/io.h"
#include "base/msg.h"
#include "base/privdrop.h"
#include "segv/segv_args.h"
#include "segv/segv_runner.h"

enum { WAIT_MS = 100 };

static volatile sig_atomic_t stops, renamed, reopens;

static void
on_stop(int sig)
{
	if (sig == SIGHUP && reopens)
		renamed++;
	else
		stops++;
}

/* --- run -------------------------------------------------------------------
 */

static void
catch_signals(struct segv_watch *w)
{
	static const int ends[] = {SIGINT, SIGTERM, SIGHUP};
	struct sigaction sa = {.sa_handler = on_stop}, was;
	sigset_t set;
	size_t i;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	for (i = 0; i < NELEM(ends); i++) {
		/* nohup(1) */
		if (ends[i] == SIGHUP && sigaction(SIGHUP, NULL, &was) == 0 &&
		    was.sa_handler == SIG_IGN)
			continue;
		sigaction(ends[i], &sa, NULL);
		sigaddset(&set, ends[i]);
	}
	sigprocmask(SIG_BLOCK, &set, &w->unblocked);
	for (i = 0; i < NELEM(ends); i++)
		sigdelset(&w->unblocked, ends[i]);
	w->stops = &stops;
}

static void
attach(struct segv_watch *w, const struct segv_args *o)
{
	int err;

	if (segv_watch_open(w, &o->watch) == -1) {
		err = errno;
		if (*w->probe.why == '\0')
			msg_die_sys(EXIT_SYSTEM, "unable to begin");
		if (msg_verbose() > 1 && w->probe.log != NULL)
			io_write_full(
			    STDERR_FILENO, w->probe.log, strlen(w->probe.log));
		if (err == EINVAL && w->probe.log == NULL)
			msg_die(EXIT_USAGE, "%s", w->probe.why);
		msg_die(EXIT_SYSTEM,
		    "unable to watch signals: %s; without BPF, usercrash_c in "
		    "core_pattern reports crashes",
		    w->probe.why);
	}
	if (w->maps_why != NULL)
		msg_warn("%s; of processes that end at once names and stacks "
			 "will be missing",
		    w->maps_why);
	if (*w->probe.lacks != '\0')
		msg_warn("not to be had here: %s", w->probe.lacks);
}

/*
 * What stays behind with rights of its own: who runs the command, and who opens
 * the output anew.  Before there is anything of the kernel's that they could
 * hold.
 */
static void
start_helpers(struct segv_args *o)
{
	if (o->command != NULL &&
	    (o->tell.runfd = segv_runner_start(o->command, RUNNER_MS)) == -1)
		msg_die_sys(EXIT_SYSTEM, "unable to begin");
	if (o->tell.path == NULL)
		return;
	o->tell.keepfd = segv_keeper_start(&o->keep);
	reopens = o->tell.keepfd != -1;
	/* what is no file is neither full nor renamed; what cannot be opened
	 * is told when it is to be opened */
	if (!reopens && o->keep.size > 0)
		msg_die_sys(EXIT_USAGE, "unable to rotate %s", o->tell.path);
}

/* It did not do all that it was sent. */
static _Noreturn void
say_ended(int wait_status)
{
	char why[MSG_MAX];
	int status;

	segv_teller_ended(wait_status, &status, why, sizeof(why));
	if (*why != '\0')
		msg_die(status, "%s", why);
	exit(status);
}

static void
start_teller(struct segv_teller *t, const struct segv_teller_opts *o)
{
	int status;

	if (segv_teller_start(t, o) == 0)
		return;
	if (errno == EPROTO && waitpid(t->pid, &status, 0) == t->pid)
		say_ended(status);
	msg_die_sys(EXIT_SYSTEM, "unable to begin");
}

/* Called once attached: a run that cannot begin leaves an older file alone. */
static void
open_output(struct segv_watch *w, const struct segv_args *o)
{
	int flags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY;
	int outfd = STDOUT_FILENO;

	if (o->tell.path != NULL)
		outfd =
		    open(o->tell.path, flags | (o->append ? 0 : O_TRUNC), 0640);
	if (outfd == -1)
		msg_die_sys(EXIT_USAGE, "unable to open %s", o->tell.path);
	if (segv_wire_output(&w->wire, outfd) == -1)
		msg_die_sys(EXIT_SYSTEM, "unable to begin");
	if (o->tell.top && o->tell.format == OUT_TEXT && isatty(outfd)) {
		w->termfd = fcntl(outfd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
		/* what was there scrolls away */
		(void)!write(outfd, "\033[2J", 4);
	}
	close(outfd);
	if (outfd == STDOUT_FILENO)
		open("/dev/null", O_RDWR);
}

static void
print_stats(const struct segv_watch *w)
{
	char line[MSG_MAX];
	unsigned i;

	segv_watch_stats(w, line, sizeof(line));
	msg_info("stats: %s", line);
	for (i = 0; msg_verbose() > 0 && i < w->probe.ncpus; i++) {
		segv_watch_cpu(w, i, line, sizeof(line));
		if (*line != '\0')
			msg_info("stats: %s", line);
	}
}

/* The end of the other process: it has written all, or ended before. */
static void
wait_teller(struct segv_watch *w)
{
	int wait_status = 0, r, told = stops;

	while ((r = child_wait(
		    w->teller->pid, deadline_in(WAIT_MS), &wait_status)) == 0) {
		sigprocmask(SIG_SETMASK, &w->unblocked, NULL);
		if (stops > told + 1)
			kill(w->teller->pid, SIGKILL);
	}
	if (r == -1)
		msg_die_sys(EXIT_SYSTEM, "unable to wait");
	if (wait_status != 0)
		say_ended(wait_status);
}

static void
run(struct segv_watch *w)
{
	if (segv_watch_run(w) == 0) {
		wait_teller(w);
		return;
	}
	if (errno == EPIPE)
		wait_teller(w);
	if (errno == EBADMSG)
		msg_die(EXIT_SYSTEM, "the ring buffer makes no sense");
	if (errno != EINTR)
		msg_die_sys(EXIT_SYSTEM, "unable to go on");
}

/* What was not written, and why; how many that nobody wanted left out. */
static uint64_t
print_sum(const struct segv_watch *w, int asked)
{
	struct segv_sum s = segv_watch_sum(w);

	if (asked || s.dropped > 0 || s.limited > 0)
		msg_info("%" PRIu64 " seen = %" PRIu64 " written + %" PRIu64
			 " limited + %" PRIu64 " dropped",
		    s.seen, s.written, s.limited, s.dropped);
	if (s.dropped > 0)
		msg_warn("%" PRIu64
			 " events were lost, as --stats tells; a larger "
			 "--ring-size, or a --rate or --share may help",
		    s.dropped);
	if (w->teller->tally->not_run > 0)
		msg_warn("the command was not run for %" PRIu64
			 " crashes: too many at once",
		    w->teller->tally->not_run);
	return s.dropped;
}

int
main(int argc, char **argv)
{
	static struct segv_watch w = {
	    .on_stats = print_stats, .renamed = &renamed, .termfd = -1};
	struct segv_teller teller;
	struct segv_args o;
	uint64_t missing;

	msg_init("segfault_analyzer");
	segv_args_parse(&o, argc, argv);
	start_helpers(&o);
	start_teller(&teller, &o.tell);
	io_close(&o.tell.runfd);
	io_close(&o.tell.keepfd);
	w.teller = &teller;
	catch_signals(&w);
	attach(&w, &o);
	open_output(&w, &o);
	if (privdrop_but(NOBODY, NOBODY, segv_watch_caps()) == -1)
		msg_die_sys(EXIT_SYSTEM, "unable to drop privileges");
	msg_debug(1, "attached");
	run(&w);
	if (o.stats)
		print_stats(&w);
	missing = print_sum(&w, o.stats || msg_verbose() > 0);
	segv_watch_close(&w);
	return missing > 0 ? EXIT_PARTIAL : EXIT_DONE;
}
