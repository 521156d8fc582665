#include "store/corehook.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/child.h"
#include "base/deadline.h"

enum { TERM_MS = 5000 };

static const char *const names[] = {"CORE_FILE", "CORE_INFO", "CORE_HOST",
    "CORE_COMM", "CORE_PID", "CORE_SIGNAL", "CORE_TIME", "CORE_BYTES",
    "CORE_CHECKSUM", "CORE_PEER"};
enum { NAMES = NELEM(names), FILES = 2 };

static int
fact(struct buf *b, const char *name, const char *value, size_t len)
{
	if (buf_append(b, name, strlen(name)) == -1 ||
	    buf_append(b, "=", 1) == -1 || buf_append(b, value, len) == -1)
		return -1;
	return buf_append(b, "", 1);
}

static int
fact_number(struct buf *b, const char *name, int64_t n)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRId64, n);
	return fact(b, name, text, n < 0 ? 0 : strlen(text));
}

int
hook_facts(const struct corerecv_outcome *o, const char *dir, struct buf *facts)
{
	char path[4096 + STORE_PATH_MAX + 8], crc[12];
	int n;

	n = snprintf(path, sizeof(path), "%s/%s.info", dir, o->name);
	if (n < 0 || (size_t)n >= sizeof(path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	snprintf(crc, sizeof(crc), "%08x", (unsigned)o->crc);
	if (fact(facts, names[0], path, (size_t)n - 5) == -1 ||
	    fact(facts, names[1], path, (size_t)n) == -1 ||
	    fact(facts, names[2], o->id.host, strlen(o->id.host)) == -1 ||
	    fact(facts, names[3], o->id.comm, strlen(o->id.comm)) == -1 ||
	    fact_number(facts, names[4], o->id.pid) == -1 ||
	    fact_number(facts, names[5], o->id.signal) == -1 ||
	    fact_number(facts, names[6], o->id.time) == -1 ||
	    fact_number(facts, names[7], (int64_t)o->bytes) == -1 ||
	    fact(facts, names[8], crc, strlen(crc)) == -1 ||
	    fact(facts, names[9], o->peer, strlen(o->peer)) == -1)
		return -1;
	return 0;
}

static int
check(const struct buf *facts, const char *dir)
{
	const char *p = facts->p, *end = facts->p + facts->len, *path;
	size_t i, len, dirlen = strlen(dir);

	if (end[-1] != '\0')
		return 0;
	for (i = 0; i < NAMES && p < end; i++, p += strlen(p) + 1) {
		len = strlen(names[i]);
		if (strncmp(p, names[i], len) != 0 || p[len] != '=')
			return 0;
		path = p + len + 1;
		if (i < FILES &&
		    (strncmp(path, dir, dirlen) != 0 || path[dirlen] != '/' ||
			strstr(path + dirlen, "/.") != NULL))
			return 0;
	}
	return i == NAMES && p == end;
}

int
hook_take(int fd, const char *dir, struct buf *facts)
{
	ssize_t n;

	if (buf_reserve(facts, HOOK_FACTS_MAX) == -1)
		return -1;
	n = io_read_full(fd, facts->p, HOOK_FACTS_MAX);
	if (n <= 0)
		return (int)n;
	facts->len = (size_t)n;
	if (check(facts, dir))
		return 1;
	errno = EPROTO;
	return -1;
}

const char *
hook_file(const struct buf *facts)
{
	return facts->p + strlen(names[0]) + 1;
}

static _Noreturn void
become(char *const argv[], const struct buf *facts, int errfd)
{
	static const int defaults[] = {
	    SIGPIPE, SIGXFSZ, SIGTERM, SIGINT, SIGCHLD};
	const char *end = facts->p + facts->len;
	sigset_t none;
	char *p;
	size_t i;

	setpgid(0, 0);
	for (i = 0; i < NELEM(defaults); i++)
		signal(defaults[i], SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	for (p = facts->p; p < end; p += strlen(p) + 1)
		if (putenv(p) != 0)
			_exit(111);
	if (fd_to_null(STDIN_FILENO) == -1 ||
	    dup2(STDERR_FILENO, STDOUT_FILENO) == -1)
		goto fail;
	execvp(argv[0], argv);
fail:
	(void)!write(errfd, &errno, sizeof(errno));
	_exit(111);
}

int
hook_run(char *const argv[], const struct buf *facts, int64_t ms, char why[128])
{
	int err = 0, status, fds[2];
	ssize_t n;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) == -1) {
		snprintf(why, 128, "%s", strerror(errno));
		return -1;
	}
	pid = fork();
	if (pid == 0)
		become(argv, facts, fds[1]);
	if (pid == -1)
		err = errno;
	close(fds[1]);
	/* Ends with exec, or brings its error. */
	n = pid == -1 ? 0 : io_read_full(fds[0], &err, sizeof(err));
	close(fds[0]);
	if (pid == -1 || n == sizeof(err)) {
		if (pid != -1)
			waitpid(pid, NULL, 0);
		snprintf(why, 128, "%s", strerror(err));
		return -1;
	}
	if (child_wait(pid, deadline_in(ms), &status) != 1) {
		snprintf(why, 128, "ended after %" PRId64 " s", ms / 1000);
		kill(-pid, SIGTERM);
		n = child_wait(pid, deadline_in(TERM_MS), &status);
		/* also what it started, and did not end itself */
		kill(-pid, SIGKILL);
		if (n != 1)
			waitpid(pid, NULL, 0);
		return -1;
	}
	return child_told(status, why, 128);
}
