#include "base/msg.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static const char *prog = "usercrash";
static int verbose;
static int sink = 2; /* -1: /dev/kmsg, when it is wanted */
static int logging;  /* it is /dev/log: a priority before each line */

/* daemon, and the severities of RFC 3164, section 4.1.1 */
enum { FACILITY = 3 << 3, CRITICAL = 2, WARNING = 4, INFORMATION = 6 };

/* Opening it takes as long as opening a process; the first message of a good
 * run comes when the report is out. */
static void
msg_open_sink(void)
{
	if (sink == -1)
		sink = open("/dev/kmsg", O_WRONLY | O_CLOEXEC | O_NOCTTY);
	if (sink == -1)
		sink = 2;
}

void
msg_init(const char *name)
{
	struct pollfd p[3] = {{.fd = 0}, {.fd = 1}, {.fd = 2}};
	int fd;

	prog = name;
	/* POLLNVAL: not open, or with O_PATH */
	if (poll(p, 3, 0) == 0)
		return;
	/* each is the lowest that is free */
	do {
		fd = open("/dev/null", O_RDWR);
		if (fd == -1)
			_exit(EXIT_SYSTEM);
	} while (fd < 2);
	if (fd == 2)
		sink = -1;
	else
		close(fd);
}

const char *
msg_prog(void)
{
	return prog;
}

void
msg_syslog(void)
{
	struct sockaddr_un sun = {
	    .sun_family = AF_UNIX, .sun_path = "/dev/log"};
	int fd;

	if (sink != -1)
		return;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd != -1 &&
	    connect(fd, (struct sockaddr *)&sun, sizeof(sun)) == 0) {
		sink = fd;
		logging = 1;
		return;
	}
	if (fd != -1)
		close(fd);
	msg_open_sink();
}

/* make debug links another one: there the trace comes with the first -v. */
int msg_level_more __attribute__((weak));

void
msg_set_verbose(int level)
{
	verbose = level > 0 ? level + msg_level_more : level;
}

int
msg_verbose(void)
{
	return verbose;
}

static void msg_put(const char *, const char *, const char *, va_list)
    __attribute__((format(printf, 3, 0)));

static void
msg_put(const char *severity, const char *reason, const char *fmt, va_list ap)
{
	static const char hex[] = "0123456789abcdef";
	char text[MSG_MAX], line[MSG_MAX + 8];
	size_t len, i, n = 0;
	int want;

	len = (size_t)snprintf(text, sizeof(text), "%s: %s%s", prog, severity,
	    *severity ? ": " : "");
	if (len >= sizeof(text))
		len = sizeof(text) - 1;
	want = vsnprintf(text + len, sizeof(text) - len, fmt, ap);
	len += want > 0 ? (size_t)want : 0;
	if (reason != NULL && len < sizeof(text))
		len += (size_t)snprintf(
		    text + len, sizeof(text) - len, ": %s", reason);
	if (len >= sizeof(text))
		len = sizeof(text) - 1;
	if (logging)
		n = (size_t)snprintf(line, sizeof(line), "<%d>",
		    FACILITY |
			(*severity == 'f'	   ? CRITICAL
				: *severity == 'w' ? WARNING
						   : INFORMATION));
	for (i = 0; i < len && n < MSG_MAX - 8; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c >= ' ' && c < 0x7f) {
			line[n++] = (char)c;
			continue;
		}
		line[n++] = '\\';
		line[n++] = 'x';
		line[n++] = hex[c >> 4];
		line[n++] = hex[c & 15];
	}
	if (i < len || len == sizeof(text) - 1) {
		memcpy(line + n, "...", 3);
		n += 3;
	}
	line[n++] = '\n';
	msg_open_sink();
	if (write(sink, line, n) == -1 && sink != 2)
		(void)!write(2, line, n);
}

#define MSG_EMIT(severity, reason)                  \
	do {                                        \
		int saved = errno;                  \
		va_list ap;                         \
		va_start(ap, fmt);                  \
		msg_put(severity, reason, fmt, ap); \
		va_end(ap);                         \
		errno = saved;                      \
	} while (0)

void
msg_info(const char *fmt, ...)
{
	MSG_EMIT("info", NULL);
}

void
msg_debug(int level, const char *fmt, ...)
{
	if (verbose >= level)
		MSG_EMIT("debug", NULL);
}

void
msg_warn(const char *fmt, ...)
{
	MSG_EMIT("warning", NULL);
}

void
msg_warn_sys(const char *fmt, ...)
{
	MSG_EMIT("warning", strerror(saved));
}

void
msg_die(int code, const char *fmt, ...)
{
	MSG_EMIT("fatal", NULL);
	exit(code);
}

void
msg_die_sys(int code, const char *fmt, ...)
{
	MSG_EMIT("fatal", strerror(saved));
	exit(code);
}

void
msg_refuse(int code, const char *fmt, ...)
{
	MSG_EMIT("error", NULL);
	exit(code);
}

void
msg_usage(const char *synopsis)
{
	char line[MSG_MAX];
	int n = snprintf(line, sizeof(line), "usage: %s %s\n", prog, synopsis);

	msg_open_sink();
	if (n > 0)
		(void)!write(sink, line,
		    (size_t)n < sizeof(line) ? (size_t)n : sizeof(line) - 1);
	exit(EXIT_USAGE);
}
