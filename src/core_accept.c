/*
 * core_accept: the kernel's coredump socket as a service for any handler.
 *
 * core_accept [-v] [-c children] [-t seconds] [-w seconds] -i | -l path
 *     command [argument ...]
 *
 * - takes connections of the kernel ("@@/path" in core_pattern): the one on
 *   fd 0 (-i), those of a socket that activation passes, or its own (-l);
 * - asks the kernel for the core and to let the process wait, works out what
 *   core_pattern's %-specifiers would have said, and becomes the command: the
 *   core on fd 0, a pidfd of the process on fd 3, RLIMIT_CORE 1, as behind a
 *   pipe.  So every handler for a pipe works behind a socket;
 * - a handler that crashes is not handed to itself: RLIMIT_CORE 1 is refused,
 *   as the kernel does with a pipe;
 * - a process stands still until its handler has closed the core: so all that
 *   wait here do it with a deadline, and an acceptor that does not answer is
 *   killed and replaced by the process that watches it and holds the socket.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/args.h"
#include "base/bytes.h"
#include "base/child.h"
#include "base/deadline.h"
#include "base/io.h"
#include "base/msg.h"
#include "crash/coresock.h"
#include "crash/specifier.h"
#include "net/server.h"
#include "proc/procdir.h"

#define SYNOPSIS                                                      \
	"[-v] [-c children] [-t seconds] [-w seconds] -i | -l path\n" \
	"\tcommand [argument ...]"

enum {
	CHILDREN = 64,
	CHILDREN_MAX = 4096,
	PLACES = 4096,	   /* for crashes that wait */
	WAIT_S = 120,	   /* for a place among the children */
	COMMAND_S = 3600,  /* a core of 100 GB over a network */
	ANSWER_MS = 5000,  /* the kernel is there at once */
	LOCK_MS = 2000,	   /* a server that is just leaving */
	LOOK_S = 5,	   /* between two looks at the acceptor */
	LOOK_MS = 10000,   /* that a look may take */
	REST_MS = 100,	   /* before another one is made */
	FINISH_MS = 30000, /* for the children, once told to stop */
	CORE_FD = 0,
	PIDFD = 3
};

struct accepting {
	struct server net;
	const char *path;
	char **command;
	unsigned max, wait_s, command_s;
	int inetd;
	pid_t watcher; /* its connections only look whether we answer */
};

/* --- one crash ------------------------------------------------------------ */

/* Who crashed, for the log; what is not known is 0. */
static void
lost(const struct dumped *d, const char *what, int err)
{
	msg_warn("%s[%d] signal %d, uid %ld, exe %s: core lost: unable to %s: "
		 "%s",
	    *d->comm != '\0' ? d->comm : "?", (int)d->pid, d->signal,
	    (long)d->uid, *d->exe != '\0' ? d->exe : "?", what, strerror(err));
}

/* The command's arguments; what a specifier says never names the program.
 * NULL ENOMEM; what is left belongs to a process that is about to end. */
static char **
told(const struct dumped *d, char **command)
{
	struct buf b;
	char **argv;
	size_t n = 0, i;

	while (command[n] != NULL)
		n++;
	argv = calloc(n + 1, sizeof(*argv));
	if (argv == NULL)
		return NULL;
	argv[0] = command[0];
	for (i = 1; i < n; i++) {
		b = (struct buf){0};
		if (specifier_expand(d, command[i], &b) == -1)
			return NULL;
		argv[i] = b.p;
	}
	return argv;
}

/* fds 0 and 3 as the kernel gives them; what is written to 1 must not go to
 * the kernel. */
static int
place(int connfd, int pidfd)
{
	int c = fcntl(connfd, F_DUPFD_CLOEXEC, PIDFD + 1);
	int p = fcntl(pidfd, F_DUPFD_CLOEXEC, PIDFD + 1);
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (c == -1 || p == -1 || null == -1)
		return -1;
	if (dup2(c, CORE_FD) == -1 || dup2(p, PIDFD) == -1 ||
	    dup2(null, STDOUT_FILENO) == -1)
		return -1;
	close(c);
	close(p);
	if (null != PIDFD)
		close(null);
	return 0;
}

/* As a process of the kernel's is: nothing of ours is left, but an end. */
static void
leave_ours(const struct accepting *a)
{
	sigset_t none;
	int sig;

	for (sig = 1; sig < 32; sig++)
		signal(sig, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	syscall(SYS_close_range, PIDFD + 1U, ~0U, 0); /* Linux 5.9 */
	setsid(); /* what stops a server at a terminal is not meant for it */
	alarm(a->command_s);
}

/* Becomes the command.  Returns its exit code when that cannot be. */
static int
become(const struct accepting *a, struct dumped *d, int connfd, int pidfd)
{
	unsigned mark;
	char **argv;

	d->pidfd = PIDFD;
	argv = told(d, a->command);
	if (argv == NULL) {
		lost(d, "make its command", errno);
		return EXIT_SYSTEM;
	}
	if (coresock_answer(connfd, CORESOCK_KERNEL | CORESOCK_WAIT,
		deadline_in(ANSWER_MS), &mark) == -1) {
		lost(d, "agree with the kernel", errno);
		if (mark != 0)
			msg_warn("the kernel's answer is mark %u", mark);
		return EXIT_SYSTEM;
	}
	if (place(connfd, pidfd) == -1) {
		lost(d, "give it to its command", errno);
		return EXIT_SYSTEM;
	}
	msg_debug(1, "%s[%d] signal %d: %s", d->comm, (int)d->pid, d->signal,
	    argv[0]);
	leave_ours(a);
	execvp(argv[0], argv);
	lost(d, argv[0], errno);
	return EXIT_SYSTEM;
}

/* One connection to its end. */
static int
serve_one(const struct accepting *a, int connfd)
{
	struct coresock c;
	struct dumped d = {.uid = -1};
	unsigned mark;
	int procfd;

	/* its bytes come once alone: a signal is not to cut that short */
	if (coresock_peer(connfd, &c) == -1) {
		msg_warn("unable to take a connection of pid %d: %s",
		    (int)c.pid,
		    errno == ESRCH ? "it is not dumping core"
				   : strerror(errno));
		return errno == ESRCH ? EXIT_PARTIAL : EXIT_SYSTEM;
	}
	procfd = proc_open_crashed(c.pid, 0, c.pidfd);
	d.pid = c.pid;
	if (procfd == -1) {
		lost(&d, "find the process", errno);
		return EXIT_PARTIAL;
	}
	dumped_read(&d, &c, procfd);
	close(procfd);
	if (!d.limited || d.limit != 1)
		return become(a, &d, connfd, c.pidfd);
	coresock_answer(connfd, CORESOCK_REJECT, deadline_in(ANSWER_MS), &mark);
	msg_warn("%s[%d] signal %d: refused: RLIMIT_CORE is 1, as that of "
		 "handlers is",
	    d.comm, (int)d.pid, d.signal);
	return EXIT_PARTIAL;
}

/* --- what the accept loop calls ------------------------------------------- */

static void
refuse(void *arg, int connfd, const char *reason)
{
	struct ucred peer = {0, (uid_t)-1, (gid_t)-1};
	struct dumped d = {.uid = -1};
	struct coresock c;
	int procfd;

	(void)arg;
	net_peer(connfd, &peer);
	d.pid = peer.pid;
	if (coresock_peer(connfd, &c) == 0) {
		procfd = proc_open_crashed(c.pid, 0, c.pidfd);
		if (procfd != -1)
			dumped_read(&d, &c, procfd);
		io_close(&procfd);
		io_close(&c.pidfd);
	}
	msg_warn("%s[%d] signal %d, uid %ld, exe %s: core lost: %s",
	    *d.comm != '\0' ? d.comm : "?", (int)d.pid, d.signal, (long)d.uid,
	    *d.exe != '\0' ? d.exe : "?", reason);
}

/* Of one kin are the crashes of one user. */
static int
admit(void *arg, int connfd, uint64_t *kin)
{
	const struct accepting *a = arg;
	struct ucred peer;

	if (net_peer(connfd, &peer) == -1 || peer.pid == a->watcher)
		return -1;
	*kin = peer.uid;
	return 0;
}

static int
serve_child(void *arg, int connfd)
{
	return serve_one(arg, connfd);
}

static void
trouble(const char *what)
{
	msg_warn_sys("unable to %s", what);
}

/* --- the acceptor, and who watches it ------------------------------------- */

/* In a child of the watcher; its end is the acceptor's. */
static int
accept_all(struct accepting *a)
{
	struct acceptor *acc = &a->net.acceptor;
	unsigned left;

	prctl(PR_SET_PDEATHSIG, SIGTERM);
	/* who comes after us may listen at the path while we finish */
	io_close(&a->net.own.lockfd);
	io_close(&a->net.own.dirfd);
	acc->perkin = a->max - a->max / 4;
	acc->waitms = (int64_t)a->wait_s * 1000;
	acc->places = PLACES;
	if (acceptor_init(acc, a->max, NULL) == -1)
		msg_die_sys(EXIT_SYSTEM, "unable to start");
	if (getppid() != a->watcher)
		return EXIT_SYSTEM;
	acceptor_run(acc);
	close(acc->listenfd);
	left = acceptor_finish(acc, FINISH_MS);
	if (left > 0)
		msg_warn("leaving %u commands behind", left);
	return EXIT_DONE;
}

static pid_t
start(struct accepting *a, const sigset_t *before)
{
	pid_t pid = child_fork();

	if (pid == 0) {
		sigprocmask(SIG_SETMASK, before, NULL);
		exit(accept_all(a));
	}
	if (pid == -1)
		msg_warn_sys("unable to fork");
	return pid;
}

/* Does it take a connection of ours, and let go of it? */
static int
answers(const char *path)
{
	int64_t deadline = deadline_in(LOOK_MS);
	int fd = net_connect(path, SOCK_STREAM, deadline), r = 0;

	if (fd != -1)
		r = deadline_poll(fd, POLLIN | POLLHUP, deadline) > 0;
	io_close(&fd);
	return r;
}

/* Until the acceptor has ended: 1; or 0 when we are told to stop. */
static int
stand_by(const struct accepting *a, pid_t acceptor, const sigset_t *wanted)
{
	const struct timespec look = {LOOK_S, 0};
	char how[32] = "";
	int sig, status;

	for (;;) {
		sig = sigtimedwait(wanted, NULL, &look);
		if (sig == SIGTERM || sig == SIGINT)
			return 0;
		if (child_wait(acceptor, deadline_in(0), &status) != 0)
			break;
		if (sig != -1 || errno != EAGAIN || answers(a->path))
			continue;
		kill(acceptor, SIGKILL);
		child_wait(acceptor, deadline_in(CHILD_KILL_MS), &status);
		msg_warn("the acceptor did not answer within %d ms: another "
			 "one is started",
		    LOOK_MS);
		return 1;
	}
	child_told(status, how, sizeof(how));
	msg_warn("the acceptor has ended (%s): another one is started", how);
	return 1;
}

static int
watch(struct accepting *a)
{
	const struct timespec rest = {0, REST_MS * 1000000L};
	sigset_t wanted, before;
	pid_t acceptor;
	int status;

	a->watcher = getpid();
	sigemptyset(&wanted);
	sigaddset(&wanted, SIGTERM);
	sigaddset(&wanted, SIGINT);
	sigaddset(&wanted, SIGCHLD);
	sigprocmask(SIG_BLOCK, &wanted, &before);
	while ((acceptor = start(a, &before)) == -1 ||
	    stand_by(a, acceptor, &wanted))
		nanosleep(&rest, NULL);
	net_unlisten(&a->net.own);
	kill(acceptor, SIGTERM);
	if (child_end(acceptor, deadline_in(FINISH_MS + 1000), &status) != 0)
		msg_warn("the acceptor had to be killed");
	return EXIT_DONE;
}

/* --- the start ------------------------------------------------------------ */

static void
parse_options(int argc, char *argv[], struct accepting *a)
{
	const struct args_row rows[] = {{'i', .flag = &a->inetd},
	    {'c', .number = &a->max, .min = 1, .max = CHILDREN_MAX},
	    {'l', .text = &a->path},
	    {'t', .number = &a->command_s, .max = ARGS_SECONDS_MAX},
	    {'w', .number = &a->wait_s, .min = 1, .max = 3600}};
	int opt;

	/* "+": what follows the command is the command's */
	while ((opt = getopt(argc, argv, "+c:il:t:vw:")) != -1)
		if (!args_take(rows, NELEM(rows), opt, optarg))
			msg_usage(SYNOPSIS);
	if (optind == argc || (a->inetd && a->path != NULL))
		msg_usage(SYNOPSIS);
	a->command = argv + optind;
	if (a->path != NULL && *a->path != '/')
		msg_die(EXIT_USAGE,
		    "option -l wants an absolute path, not \"%s\"", a->path);
	/* core_pattern takes it, and every core would be lost */
	if (a->path != NULL && a->path[strcspn(a->path, " \t\n")] != '\0')
		msg_die(EXIT_USAGE,
		    "no coredump socket can be at \"%s\": the "
		    "kernel takes no blanks",
		    a->path);
	if (strchr(a->command[0], '/') != NULL &&
	    access(a->command[0], X_OK) == -1)
		msg_die_sys(EXIT_USAGE, "unable to run %s", a->command[0]);
}

/* Where a socket that was passed can be connected to. */
static const char *
path_of(int fd)
{
	static struct sockaddr_un sun;
	socklen_t len = sizeof(sun) - 1;

	if (getsockname(fd, (struct sockaddr *)&sun, &len) == -1 ||
	    sun.sun_family != AF_UNIX || *sun.sun_path != '/')
		msg_die(EXIT_USAGE, "the socket passed has no path");
	return sun.sun_path;
}

static void
acquire(struct accepting *a)
{
	struct server *s = &a->net;
	const struct rlimit handler = {1, 1};

	/* no core of ours must come to ourselves, nor one of a command; a
	 * limit that is lower cannot be raised by who has not all rights */
	if (setrlimit(RLIMIT_CORE, &handler) == -1)
		msg_die_sys(EXIT_SYSTEM, "unable to set RLIMIT_CORE to 1");
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == -1)
		msg_warn_sys("unable to become non-dumpable");
	signal(SIGPIPE, SIG_IGN);
	if (server_given(s, a->inetd) == -1)
		msg_die(EXIT_USAGE, "%s", s->why);
	if (s->connfd != -1)
		return;
	if (s->acceptor.listenfd != -1) {
		a->path = path_of(s->acceptor.listenfd);
		return;
	}
	if (a->path == NULL)
		msg_usage(SYNOPSIS);
	umask(077);
	if (net_listen(a->path, SOCK_STREAM, 0600, NET_BACKLOG,
		deadline_in(LOCK_MS), &s->own) == -1)
		msg_die_sys(EXIT_SYSTEM, "unable to listen on %s", a->path);
	s->acceptor.listenfd = s->own.fd;
	if (chdir("/") == -1)
		msg_die_sys(EXIT_SYSTEM, "unable to start");
}

int
main(int argc, char *argv[])
{
	static struct accepting a = {.net = {.local = 1,
					 .acceptor = {.arg = &a,
					     .admit = admit,
					     .serve = serve_child,
					     .refuse = refuse,
					     .trouble = trouble}},
	    .max = CHILDREN,
	    .wait_s = WAIT_S,
	    .command_s = COMMAND_S};

	net_spare_stderr();
	msg_init("core_accept");
	args_help(argv, SYNOPSIS);
	parse_options(argc, argv, &a);
	acquire(&a);
	if (a.net.connfd != -1)
		return serve_one(&a, a.net.connfd);
	return watch(&a);
}
