/*
 * unit_base: messages, numbers, arrays, children (unit_io has the rest of
 * base).
 *
 *   unit_base         all but the next
 *   unit_base kmsg    a message of a program started with fds 0-2 closed is
 *                     in the kernel's log; 77 where that cannot be read
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/array.h"
#include "base/bytes.h"
#include "base/child.h"
#include "base/deadline.h"
#include "base/io.h"
#include "base/msg.h"
#include "base/num.h"
#include "base/utc.h"

#include "check.h"

/* --- msg ------------------------------------------------------------------ */

/*
 * Runs say() in a child whose stderr is a packet socket: one packet is one
 * write(2).  Sets *status; returns the packets, each ended by "|".
 */
static struct buf
said(void (*say)(void), int *status)
{
	struct buf b = {0};
	char packet[8192];
	int s[2];
	ssize_t n;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, s) == -1)
		exit(111);
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		dup2(s[1], 2);
		close(s[0]);
		close(s[1]);
		say();
		_exit(0);
	}
	close(s[1]);
	while ((n = recv(s[0], packet, sizeof(packet), 0)) > 0) {
		buf_append(&b, packet, (size_t)n);
		buf_append(&b, "|", 1);
	}
	close(s[0]);
	if (pid == -1 || waitpid(pid, status, 0) != pid)
		exit(111);
	if (b.p == NULL && buf_reserve(&b, 0) == 0)
		b.p[0] = '\0';
	return b;
}

static void
say_grammar(void)
{
	msg_init("prog");
	errno = EACCES;
	msg_info("up, %d slots", 50);
	msg_warn("odd");
	msg_warn_sys("unable to open %s", "/x");
	msg_debug(1, "unseen");
	msg_set_verbose(1);
	msg_debug(1, "seen");
	msg_debug(2, "unseen");
	if (errno != EACCES || msg_verbose() != 1)
		_exit(1);
}

static void
say_hostile(void)
{
	msg_init("prog");
	msg_warn("%s", "a\nb\tc\x1b[31m\x7f\x80\xff \\ %n");
	msg_warn("%s", "");
}

static char *
repeat(char c, size_t n)
{
	char *s = malloc(n + 1);

	if (s == NULL)
		exit(111);
	memset(s, c, n);
	s[n] = '\0';
	return s;
}

static void
say_long(void)
{
	msg_init("prog");
	errno = ENOENT;
	msg_warn("%s", repeat('a', 100000));
	msg_warn("%s", repeat('\n', 900));
	msg_warn_sys("%s", repeat('b', MSG_MAX - 60));
	msg_warn_sys("%s", repeat('c', MSG_MAX));
}

static void
say_die(void)
{
	msg_init("prog");
	msg_die(EXIT_PARTIAL, "no %s", "luck");
}

static void
say_die_sys(void)
{
	msg_init("prog");
	errno = EPERM;
	msg_die_sys(EXIT_SYSTEM, "unable to x");
}

static void
say_usage(void)
{
	msg_init("prog");
	msg_usage("[-v] file");
}

static void
test_msg(void)
{
	struct buf b;
	char *p, *end;
	int status, n;

	b = said(say_grammar, &status);
	CHECK(status == 0);
	CHECK(strcmp(b.p,
		  "prog: info: up, 50 slots\n|"
		  "prog: warning: odd\n|"
		  "prog: warning: unable to open /x: "
		  "Permission denied\n|"
		  "prog: debug: seen\n|") == 0);
	buf_free(&b);

	b = said(say_hostile, &status);
	CHECK(status == 0);
	CHECK(strcmp(b.p,
		  "prog: warning: a\\x0ab\\x09c\\x1b[31m\\x7f\\x80"
		  "\\xff \\ %n\n|prog: warning: \n|") == 0);
	buf_free(&b);

	b = said(say_long, &status);
	CHECK(status == 0);
	for (n = 0, p = b.p; (end = strchr(p, '|')) != NULL; p = end + 1) {
		n++;
		/* one record of the kernel's log */
		CHECK(end[-1] == '\n' && end - p < 1000);
		CHECK(memchr(p, '\n', (size_t)(end - p)) == end - 1);
		if (n == 3)
			CHECK(strncmp(end - 28, ": No such file or directory",
				  27) == 0);
		else
			CHECK(strncmp(end - 4, "...\n", 4) == 0);
		CHECK(end - p > MSG_MAX / 2);
	}
	CHECK(n == 4);
	buf_free(&b);

	b = said(say_die, &status);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 1);
	CHECK(strcmp(b.p, "prog: fatal: no luck\n|") == 0);
	buf_free(&b);
	b = said(say_die_sys, &status);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 111);
	CHECK(strcmp(b.p,
		  "prog: fatal: unable to x: Operation not permitted\n|") == 0);
	buf_free(&b);
	b = said(say_usage, &status);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 100);
	CHECK(strcmp(b.p, "usage: prog [-v] file\n|") == 0);
	buf_free(&b);
}

/* Bit set where fd 0-2 is /dev/null, in a child that began with some of them
 * closed; bit 3 when the next free descriptor is not 3. */
static int
fds_after_init(int closed)
{
	struct stat null, st;
	int status, fd, got = 0;
	pid_t pid;

	if (stat("/dev/null", &null) == -1)
		exit(111);
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		int keep = open("/", O_PATH);

		for (fd = 0; fd < 3; fd++) {
			dup2(keep, fd);
			if (closed & 1 << fd)
				close(fd);
		}
		for (fd = 3; fd < 20; fd++)
			close(fd);
		msg_init("prog");
		for (fd = 0; fd < 3; fd++)
			if (fstat(fd, &st) == 0 && st.st_rdev == null.st_rdev)
				got |= 1 << fd;
		/* the kernel log takes one, only when stderr was closed */
		fd = open("/", O_PATH);
		if (fd != 3 && !(fd == 4 && (closed & 4)))
			got |= 8;
		_exit(got);
	}
	if (pid == -1 || waitpid(pid, &status, 0) != pid)
		exit(111);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void
test_msg_fds(void)
{
	int closed;

	for (closed = 0; closed < 8; closed++)
		CHECK(fds_after_init(closed) == closed);
}

static int
test_kmsg(void)
{
	int64_t deadline = deadline_in(10000);
	char want[64], record[8192];
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK), status;
	ssize_t n;
	pid_t pid;

	if (fd == -1 || access("/dev/kmsg", W_OK) == -1 ||
	    lseek(fd, 0, SEEK_END) == -1) {
		printf("/dev/kmsg: %s\n", strerror(errno));
		return 77;
	}
	snprintf(
	    want, sizeof(want), "unit_base: info: hello of %d;", (int)getpid());
	pid = fork();
	if (pid == 0) {
		close(0);
		close(1);
		close(2);
		msg_init("unit_base");
		msg_info("hello of %d;", (int)getppid());
		_exit(0);
	}
	if (pid == -1 || waitpid(pid, &status, 0) != pid || status != 0)
		exit(111);
	while (deadline_left(deadline) > 0) {
		n = read(fd, record, sizeof(record) - 1);
		if (n == -1) {
			/* EPIPE: older records were overwritten meanwhile */
			if (errno == EAGAIN)
				deadline_poll(fd, POLLIN, deadline);
			else if (errno != EPIPE && errno != EINTR)
				break;
			continue;
		}
		record[n] = '\0';
		if (strstr(record, want) != NULL)
			return 0;
	}
	printf("not in the kernel's log: %s\n", want);
	return 1;
}

/* --- num ------------------------------------------------------------------ */

static void
test_num(void)
{
	static const struct {
		const char *s;
		int base;
		uint64_t min, max;
		int err;
		uint64_t v;
	} t[] = {
	    {"0", 10, 0, UINT64_MAX, 0, 0},
	    {"00", 10, 0, UINT64_MAX, 0, 0},
	    {"007", 10, 0, 10, 0, 7},
	    {"18446744073709551615", 10, 0, UINT64_MAX, 0, UINT64_MAX},
	    {"18446744073709551616", 10, 0, UINT64_MAX, ERANGE, 0},
	    {"99999999999999999999999", 10, 0, UINT64_MAX, ERANGE, 0},
	    {"18446744073709551616x", 10, 0, UINT64_MAX, ERANGE, 0},
	    {"5", 10, 5, 5, 0, 5},
	    {"4", 10, 5, 9, ERANGE, 0},
	    {"10", 10, 5, 9, ERANGE, 0},
	    {"", 10, 0, 9, EINVAL, 0},
	    {" 1", 10, 0, 9, EINVAL, 0},
	    {"1 ", 10, 0, 9, EINVAL, 0},
	    {"1\n", 10, 0, 9, EINVAL, 0},
	    {"-1", 10, 0, UINT64_MAX, EINVAL, 0},
	    {"+1", 10, 0, 9, EINVAL, 0},
	    {"1.0", 10, 0, 9, EINVAL, 0},
	    {"1a", 10, 0, 99, EINVAL, 0},
	    {"0x1f", 16, 0, 99, EINVAL, 0},
	    {"0x1f", 10, 0, 99, EINVAL, 0},
	    {"fF", 16, 0, 255, 0, 255},
	    {"fg", 16, 0, 255, EINVAL, 0},
	    {"ffffffffffffffff", 16, 0, UINT64_MAX, 0, UINT64_MAX},
	    {"10000000000000000", 16, 0, UINT64_MAX, ERANGE, 0},
	    {"\xd9\xa1", 10, 0, 9, EINVAL, 0},
	};
	const char digits[] = {'1', '2', '3', '4'}, *hex = "7f-8";
	const char *rest = NULL;
	uint64_t v;
	size_t i;
	int r;

	for (i = 0; i < sizeof(t) / sizeof(*t); i++) {
		v = 4711;
		errno = 0;
		r = num_u64(t[i].s, t[i].base, t[i].min, t[i].max, &v);
		CHECK(r == (t[i].err ? -1 : 0) && errno == t[i].err);
		CHECK(v == (t[i].err ? 4711 : t[i].v));
	}
	/* no NUL behind them: the end is what counts */
	CHECK(num_scan(digits, digits + 3, 10, &v, &rest) == 0);
	CHECK(v == 123 && rest == digits + 3);
	CHECK(num_scan(hex, hex + 4, 16, &v, &rest) == 0);
	CHECK(v == 0x7f && *rest == '-');
	errno = 0;
	CHECK(num_scan(digits, digits, 10, &v, &rest) == -1);
	CHECK(errno == EINVAL);
}

/* --- child -----------------------------------------------------------------
 */

static pid_t
child_that(int sleeps, int code)
{
	pid_t pid = child_fork();

	if (pid != 0)
		return pid;
	while (sleeps)
		pause();
	_exit(code);
}

static void
test_child(void)
{
	int *shared = child_shared(sizeof(*shared)), fds[2], status = 0;
	char text[16], c;
	pid_t pid;

	signal(SIGCHLD, SIG_IGN); /* as one that was started so */
	pid = child_that(0, 3);
	CHECK(child_wait(pid, deadline_in(20000), &status) == 1);
	CHECK(child_told(status, text, sizeof(text)) == -1);
	CHECK(strcmp(text, "exit 3") == 0);
	CHECK(child_wait(pid, deadline_in(20000), &status) == -1);
	CHECK(child_end(child_that(0, 0), deadline_in(20000), &status) == 0);
	CHECK(child_told(status, text, sizeof(text)) == 0 && *text == '\0');
	pid = child_that(1, 0);
	CHECK(child_wait(pid, deadline_in(20), &status) == 0);
	CHECK(kill(pid, 0) == 0);
	CHECK(child_end(pid, deadline_in(0), &status) == 1);
	CHECK(child_told(status, text, sizeof(text)) == -1);
	CHECK(strcmp(text, "signal 9") == 0);
	CHECK(kill(pid, 0) == -1);
	CHECK(shared != NULL && *shared == 0);
	pid = child_fork();
	if (pid == 0) {
		struct rlimit core, mem;

		child_limit(1 << 30);
		*shared = getrlimit(RLIMIT_CORE, &core) == 0 &&
			core.rlim_max == 0 && getrlimit(RLIMIT_AS, &mem) == 0
		    ? (int)(mem.rlim_max >> 20)
		    : -1;
		_exit(0);
	}
	CHECK(child_end(pid, deadline_in(20000), &status) == 0);
#if !defined(SANITIZED)
	CHECK(*shared == 1024);
#endif
	munmap(shared, sizeof(*shared));
	CHECK(pipe(fds) == 0);
	CHECK(fd_to_null(fds[1]) == 0);
	CHECK(read(fds[0], &c, 1) == 0);   /* nobody writes there now */
	CHECK(write(fds[1], "x", 1) == 1); /* but to /dev/null */
	CHECK(fcntl(fds[1], F_GETFD) == 0);
	close(fds[0]);
	close(fds[1]);
}

/* --- array ---------------------------------------------------------------- */

struct numbered {
	char before;
	uint64_t number;
	int order;
};

static void
test_array(void)
{
	static const uint64_t in[] = {7, UINT64_MAX, 0, 7, 3};
	static const struct {
		uint64_t number;
		size_t above;
	} t[] = {{0, 1}, {1, 1}, {3, 2}, {6, 2}, {7, 4}, {8, 4},
	    {UINT64_MAX - 1, 4}, {UINT64_MAX, 5}};
	struct numbered *a = NULL;
	size_t i, n = 0;

	CHECK(ARRAY_ABOVE(a, n, number, 0) == 0);
	ARRAY_SORT(a, n, number);
	for (; n < 100; n++) {
		CHECK(ARRAY_ROOM(a, n) == 0);
		a[n].number = in[n % 5];
		a[n].order = (int)n;
	}
	for (i = 0; i < n; i++)
		CHECK(a[i].order == (int)i && a[i].number == in[i % 5]);
	ARRAY_SORT(a, n, number);
	for (i = 0; i < n; i++)
		CHECK(a[i].number == in[a[i].order % 5] &&
		    (i == 0 || a[i].number >= a[i - 1].number));
	for (i = 0; i < sizeof(t) / sizeof(*t); i++)
		CHECK(
		    ARRAY_ABOVE(a, n, number, t[i].number) == 20 * t[i].above);
	free(a);
}

static void
test_utc(void)
{
	static const int64_t odd[] = {0, 951782399, 951782400, 951868799,
	    4107542399, 4107542400, INT64_C(253402300799)};
	char text[UTC_TEXT], want[UTC_TEXT];
	struct tm tm;
	int64_t t;
	time_t u;
	size_t i;

	for (i = 0; i < 4000; i++) {
		/* each day of eleven years, then of others */
		t = i < NELEM(odd) ? odd[i] : (int64_t)(i * 86400 * (i % 11));
		u = (time_t)t;
		CHECK(gmtime_r(&u, &tm) != NULL &&
		    strftime(want, sizeof(want), "%Y-%m-%dT%H:%M:%SZ", &tm) >
			0);
		utc_text(t, text);
		CHECK(strcmp(text, want) == 0);
	}
	utc_text(-1, text);
	CHECK(strcmp(text, "-1") == 0);
	utc_text(INT64_C(253402300800), text);
	CHECK(strcmp(text, "253402300800") == 0);
}

int
main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "kmsg") == 0)
		return test_kmsg();
	test_msg();
	test_msg_fds();
	test_num();
	test_array();
	test_child();
	test_utc();
	return check_report();
}
