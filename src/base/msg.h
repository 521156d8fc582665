/*
 * msg: one line to whoever runs us.
 *
 * Grammar, as in daemontools:  prog: severity: unable to X: reason
 * A message is built in one buffer and leaves in one write(2), so lines of
 * many processes never mix.  The sink is fd 2; where msg_init() finds fd 2
 * closed (a core_pattern handler starts so, core(5)) it is /dev/kmsg.
 * Bytes that are not printable ASCII leave as \xNN: arguments may be hostile.
 * A line longer than MSG_MAX ends in "...".  errno survives every call.
 */
#ifndef BASE_MSG_H
#define BASE_MSG_H

enum { MSG_MAX = 960 }; /* a /dev/kmsg record holds about 1000 bytes */

/* Exit codes of every program here. */
enum {
	EXIT_DONE = 0,	  /* did all that was asked */
	EXIT_PARTIAL = 1, /* ran, but the answer is partial or negative */
	EXIT_USAGE = 100, /* wrong usage or permanently bad input */
	EXIT_SYSTEM = 111 /* system failure, a retry may help */
};

/*
 * Names the program and picks the sink.  Call it first in main(), before any
 * descriptor is opened; it also opens /dev/null on whichever of fds 0-2 is
 * closed, so that no later open(2) lands there.
 */
void msg_init(const char *prog);
/* That name. */
const char *msg_prog(void);
/*
 * For a program whose fd 2 was not its own (inetd(8)): where messages go is
 * opened now, while that can be done, and it is the system log (/dev/log,
 * syslog(3)) where there is one.  No effect when msg_init() found fd 2 open.
 */
void msg_syslog(void);
extern int msg_level_more; /* is added to a level above 0 */
void msg_set_verbose(int level);
int msg_verbose(void);

/* msg_info prints always; msg_debug only when verbose >= level. */
void msg_info(const char *, ...) __attribute__((format(printf, 1, 2)));
void
msg_debug(int level, const char *, ...) __attribute__((format(printf, 2, 3)));
void msg_warn(const char *, ...) __attribute__((format(printf, 1, 2)));
/* The _sys forms append ": " and strerror(errno). */
void msg_warn_sys(const char *, ...) __attribute__((format(printf, 1, 2)));
_Noreturn void
msg_die(int code, const char *, ...) __attribute__((format(printf, 2, 3)));
_Noreturn void
msg_die_sys(int code, const char *, ...) __attribute__((format(printf, 2, 3)));
/* What crashlogctl(8) calls an error: a negative answer too. */
_Noreturn void
msg_refuse(int code, const char *, ...) __attribute__((format(printf, 2, 3)));
/* Prints "usage: prog SYNOPSIS" and exits EXIT_USAGE. */
_Noreturn void msg_usage(const char *synopsis);

#endif
