#include "accept/accepting.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/child.h"
#include "base/deadline.h"
#include "base/io.h"
#include "base/msg.h"
#include "crash/coresock.h"
#include "proc/procdir.h"

enum {
	PLACES = 4096,	   /* for crashes that wait */
	ANSWER_MS = 5000,  /* the kernel is there at once */
	LOCK_MS = 2000,	   /* a server that is just leaving */
	LOOK_S = 5,	   /* between two looks at the acceptor */
	LOOK_MS = 10000,   /* that a look may take */
	REST_MS = 100,	   /* before another one is made */
	LATE_MS = 100,	   /* who has read core_pattern connects at once */
	FINISH_MS = 30000, /* for the children, once told to stop */
	CORE_FD = 0,
	PIDFD = 3
};

/* --- one crash ------------------------------------------------------------ */

/* Who crashed, for the log; what is not known is 0. */
void
accepting_lost(const struct dumped *d, const char *what, int err)
{
	msg_warn("%s[%d] signal %d, uid %ld, exe %s: core lost: unable to %s: "
		 "%s",
	    *d->comm != '\0' ? d->comm : "?", (int)d->pid, d->signal,
	    (long)d->uid, *d->exe != '\0' ? d->exe : "?", what, strerror(err));
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

/* As a process of the kernel's is: nothing of ours is left. */
static void
leave_ours(void)
{
	sigset_t none;
	int sig;

	for (sig = 1; sig < 32; sig++)
		signal(sig, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	syscall(SYS_close_range, PIDFD + 1U, ~0U, 0); /* Linux 5.9 */
}

/* The kernel gives its core.  0, or -1 and it is said. */
static int
agree(struct dumped *d, int connfd, int pidfd)
{
	unsigned mark;

	if (coresock_answer(connfd, CORESOCK_KERNEL | CORESOCK_WAIT,
		deadline_in(ANSWER_MS), &mark) == -1) {
		accepting_lost(d, "agree with the kernel", errno);
		if (mark != 0)
			msg_warn("the kernel's answer is mark %u", mark);
		return -1;
	}
	if (place(connfd, pidfd) == -1) {
		accepting_lost(d, "give it to its command", errno);
		return -1;
	}
	d->pidfd = PIDFD;
	leave_ours();
	return 0;
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
	procfd = proc_open_crashed(c.pid, 0, c.pidfd, NULL);
	d.pid = c.pid;
	if (procfd == -1) {
		accepting_lost(&d, "find the process", errno);
		return EXIT_PARTIAL;
	}
	dumped_read(&d, &c, procfd);
	close(procfd);
	if (!d.limited || d.limit != 1)
		return agree(&d, connfd, c.pidfd) == -1 ? EXIT_SYSTEM
							: a->crash(a->arg, &d);
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
		procfd = proc_open_crashed(c.pid, 0, c.pidfd, NULL);
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

/* --- core_pattern --------------------------------------------------------- */

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

static void
put_socket(const struct accepting *a)
{
	char pattern[COREPATTERN_MAX + 1];
	const char *how = corepattern_socket();

	if (*how == '\0') {
		msg_warn("this kernel has no coredump sockets (Linux 6.16): "
			 "core_pattern stays as it is");
		return;
	}
	for (; *how != '\0'; how++) {
		snprintf(pattern, sizeof(pattern), "%s%s", how, a->path);
		if (corepattern_set(pattern) == 0) {
			msg_info("core_pattern is %s", pattern);
			return;
		}
		if (errno != EINVAL)
			break;
	}
	msg_warn_sys("unable to set core_pattern to %s", pattern);
}

/* Unless it is somebody else's by now. */
static void
put_back(const struct accepting *a)
{
	const struct timespec late = {0, LATE_MS * 1000000L};
	char now[COREPATTERN_MAX + 1], *path = now;

	if (*a->pattern == '\0')
		return;
	corepattern_get(now);
	while (*path == '@')
		path++;
	if (path == now || strcmp(path, a->path) != 0)
		return;
	if (corepattern_set(a->pattern) == -1)
		msg_warn_sys("unable to set core_pattern to %s", a->pattern);
	else
		msg_info("core_pattern is %s", a->pattern);
	nanosleep(&late, NULL);
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
	if (getppid() != a->watcher)
		put_back(a); /* who would has been killed */
	if (*a->pattern != '\0')
		acceptor_drain(acc);
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
	int status, unset = *a->pattern != '\0';
	pid_t acceptor;

	a->watcher = getpid();
	sigemptyset(&wanted);
	sigaddset(&wanted, SIGTERM);
	sigaddset(&wanted, SIGINT);
	sigaddset(&wanted, SIGCHLD);
	sigprocmask(SIG_BLOCK, &wanted, &before);
	for (;; nanosleep(&rest, NULL)) {
		acceptor = start(a, &before);
		if (acceptor == -1)
			continue;
		/* never before: every crash would be lost */
		if (unset && answers(a->path)) {
			put_socket(a);
			unset = 0;
		}
		if (!stand_by(a, acceptor, &wanted))
			break;
	}
	put_back(a);
	net_unlisten(&a->net.own);
	kill(acceptor, SIGTERM);
	if (child_end(acceptor, deadline_in(FINISH_MS + 1000), &status) != 0)
		msg_warn("the acceptor had to be killed");
	return EXIT_DONE;
}

/* --- the start ------------------------------------------------------------ */

void
accepting_path(const char *path)
{
	if (*path != '/')
		msg_die(EXIT_USAGE,
		    "a coredump socket is at an absolute path, not \"%s\"",
		    path);
	/* core_pattern takes it, and every core would be lost */
	if (path[strcspn(path, " \t\n")] != '\0')
		msg_die(EXIT_USAGE,
		    "no coredump socket can be at \"%s\": the "
		    "kernel takes no blanks",
		    path);
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

/* One that is just leaving still has the path. */
static int
listen_at(const char *path, struct net_listener *own)
{
	const struct timespec rest = {0, REST_MS * 1000000L};
	int64_t deadline = deadline_in(LOCK_MS);
	int r;

	umask(077);
	while ((r = net_listen(path, SOCK_STREAM, 0600, NET_BACKLOG, deadline,
		    own)) == -1 &&
	    errno == EADDRINUSE && deadline_left(deadline) != 0)
		nanosleep(&rest, NULL);
	return r;
}

void
accepting_open(struct accepting *a, int inetd, const char *synopsis)
{
	struct server *s = &a->net;
	const struct rlimit handler = {1, 1};

	s->local = 1;
	s->acceptor.arg = a;
	s->acceptor.admit = admit;
	s->acceptor.serve = serve_child;
	s->acceptor.refuse = refuse;
	s->acceptor.trouble = trouble;
	/* no core of ours must come to ourselves, nor one of a command; a
	 * limit that is lower cannot be raised by who has not all rights */
	if (setrlimit(RLIMIT_CORE, &handler) == -1)
		msg_die_sys(EXIT_SYSTEM, "unable to set RLIMIT_CORE to 1");
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == -1)
		msg_warn_sys("unable to become non-dumpable");
	signal(SIGPIPE, SIG_IGN);
	if (server_given(s, inetd) == -1)
		msg_die(EXIT_USAGE, "%s", s->why);
	if (s->connfd != -1)
		return;
	if (s->acceptor.listenfd != -1) {
		a->path = path_of(s->acceptor.listenfd);
		return;
	}
	if (a->path == NULL)
		msg_usage(synopsis);
	if (listen_at(a->path, &s->own) == -1)
		msg_die_sys(EXIT_SYSTEM, "unable to listen on %s", a->path);
	s->acceptor.listenfd = s->own.fd;
	if (chdir("/") == -1)
		msg_die_sys(EXIT_SYSTEM, "unable to start");
}

int
accepting_run(struct accepting *a)
{
	if (a->net.connfd != -1)
		return serve_one(a, a->net.connfd);
	return watch(a);
}
