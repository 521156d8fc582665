/* The core, after the report. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/child.h"
#include "base/deadline.h"
#include "base/msg.h"
#include "base/num.h"
#include "wrap/hooks.h"
#include "wrap/rate.h"
#include "wrap/wrapper.h"

enum {
	SLACK_S = 5, /* for usercrash_c, beyond what the report may take */
	LINE = PATH_MAX + 64
};

/* What usercrash_c says, "SIGNATURE PATH"; "" where there is no report. */
static void
read_line(char line[LINE], int64_t deadline)
{
	size_t n = 0;
	ssize_t r = -1;

	while (n < LINE - 1 &&
	    deadline_poll(WRAPPER_LINK, POLLIN, deadline) > 0 &&
	    (r = read(WRAPPER_LINK, line + n, LINE - 1 - n)) > 0) {
		n += (size_t)r;
		if (line[n - 1] == '\n')
			break;
	}
	line[n] = '\0';
	if (strchr(line, '\n') == NULL)
		*line = '\0';
	line[strcspn(line, "\n")] = '\0';
}

/* What cores are counted by: their signature, or where there is no report, or
 * one without frames, "-" and the name. */
static void
make_key(const struct wrapper *w, const char *signature, char key[RATE_KEY])
{
	char *shown, *p;

	if (*signature != '\0' &&
	    signature[strspn(signature, "0123456789abcdef")] == '\0') {
		snprintf(key, RATE_KEY, "%.16s", signature);
		return;
	}
	shown = told_shown(told(&w->told, 'e'));
	snprintf(key, RATE_KEY, "-%s", shown != NULL ? shown : "");
	free(shown);
	for (p = key + 1; *p != '\0'; p++)
		if (strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxy"
			   "z0123456789_.-",
			*p) == NULL)
			*p = '_';
}

/* Whether one more of these may be kept, which is then noted; if not, it is
 * said once of those of that time. */
static int
is_allowed(const struct wrapper *w, const char *key)
{
	const char *rate = w->conf.value[CONF_CORE_RATE];
	struct rate_limit limit = {.file = "rate"};
	char why[TRUST_WHY] = "";
	enum rate found;
	uint64_t now;

	if (strcmp(rate, "no") == 0)
		return 1;
	limit.n = strtoull(rate, NULL, 10);
	limit.seconds = strtoull(strchr(rate, '/') + 1, NULL, 10);
	if (num_u64(told(&w->told, 't'), 10, 0, INT64_MAX / 2, &now) == -1)
		now = (uint64_t)time(NULL);
	found = rate_note(w->state, &limit, key, (int64_t)now, why);
	if (*why != '\0')
		msg_warn("%s: core-rate is off", why);
	if (found == RATE_FIRST)
		msg_info("%s: its core is not kept: %llu of %s in %llu s "
			 "(core-rate), nor are the next",
		    wrapper_crash(w), (unsigned long long)limit.n,
		    key + (*key == '-'), (unsigned long long)limit.seconds);
	return found == RATE_KEPT;
}

static void
run_hooks(struct wrapper *w, const char *signature, const char *path)
{
	static const struct {
		const char *name;
		char letter;
	} facts[] = {{"PID", 'P'}, {"TID", 'I'}, {"UID", 'u'}, {"GID", 'g'},
	    {"SIGNAL", 's'}, {"TIME", 't'}, {"DUMPMODE", 'd'}, {"COMM", 'e'},
	    {"HOST", 'h'}};
	struct words e = {.n = 0};
	const char *value;
	char *shown;
	size_t i;

	words_format(&e, "REPORT_FILE=%s", path);
	words_format(&e, "REPORT_SIGNATURE=%s", signature);
	words_format(
	    &e, "REPORT_CORE=%s", w->send || w->store != NULL ? "yes" : "no");
	for (i = 0; i < sizeof(facts) / sizeof(*facts); i++) {
		value = facts[i].letter == 'P'
		    ? w->told.pid
		    : told(&w->told, facts[i].letter);
		shown = told_shown(value);
		words_format(&e, "REPORT_%s=%s", facts[i].name,
		    shown != NULL ? shown : "");
		free(shown);
	}
	shown = told_shown(told_exe(&w->told));
	words_format(&e, "REPORT_EXE=%s", shown != NULL ? shown : "");
	free(shown);
	hooks_run(&w->conf.list[CONF_HOOK],
	    conf_number(&w->conf, CONF_HOOK_TIMEOUT), &e, path);
}

/* --- who takes it --------------------------------------------------------- */

/* With those above it; recv_core says if it is not there. */
static void
make_store(const char *store)
{
	char *path = strdup(store), *p;

	for (p = path; p != NULL && (p = strchr(p + 1, '/')) != NULL;) {
		*p = '\0';
		mkdir(path, 0755);
		*p = '/';
	}
	free(path);
	mkdir(store, 0700);
}

/*
 * recv_core is who is waited for, and core_send its child that nobody waits
 * for: the pipe tells when that is done, and only that one may hold the core
 * open, or core_tee would wait for it to be read.
 */
_Noreturn void
wrapper_store(const struct wrapper *w)
{
	struct words send = {.n = 0}, receive = {.n = 0};
	int p[2];
	pid_t pid;

	make_store(w->store);
	wrapper_add_told(w, &send, "core_send");
	if (!w->small)
		words_add(&send, "-H");
	words_add(&send, "-");
	wrapper_add(w, &receive, "recv_core");
	words_add(&receive, "-i");
	words_add(&receive, "-d");
	words_add(&receive, w->store);
	wrapper_add_value(w, &receive, "-T", CONF_STORE_MAX);
	wrapper_add_bound(w, &receive, "-m", CONF_STORE_FREE);
	wrapper_add_bound(w, &receive, "-b", CONF_STORE_CORE_MAX);
	if (conf_is(&w->conf, CONF_STORE_COMPRESS, "yes"))
		words_add(&receive, "-z");
	pid = pipe2(p, O_CLOEXEC) == -1 ? -1 : child_fork();
	if (pid == -1)
		msg_die_sys(EXIT_SYSTEM, "unable to store a core");
	if (pid == 0) {
		dup2(p[1], STDOUT_FILENO);
		wrapper_become(&send);
	}
	dup2(p[0], STDIN_FILENO);
	fd_to_null(STDOUT_FILENO);
	wrapper_become(&receive);
}

/* Who sends, and who else there is. */
static _Noreturn void
send_core(const struct wrapper *w)
{
	const struct conf *c = &w->conf;
	struct words l = {.n = 0}, store = {.n = 0};

	if (!wrapper_has(w, "core_send")) {
		msg_warn("%s: its core is lost: %s/core_send is not there",
		    wrapper_crash(w), w->bindir);
		exit(EXIT_SYSTEM);
	}
	wrapper_add_told(w, &l, "core_send");
	if (!w->small)
		words_add(&l, "-H");
	wrapper_add_value(w, &l, "-t", CONF_SEND_TIMEOUT);
	if (!conf_is(c, CONF_SEND_COMPRESS, "auto"))
		wrapper_add_value(w, &l, "-z", CONF_SEND_COMPRESS);
	wrapper_add_bound(w, &l, "--release", CONF_RELEASE);
	if (!conf_is(c, CONF_SUID_CORES, "keep"))
		words_add(&l, "-x");
	if (!conf_is(c, CONF_SPOOL, "no")) {
		wrapper_add_value(w, &l, "-s", CONF_SPOOL);
		wrapper_add_value(w, &l, "-S", CONF_SPOOL_MAX);
		wrapper_add_bound(w, &l, "-m", CONF_SPOOL_FREE);
	}
	if (*c->value[CONF_RECEIVER] != '\0')
		words_add(&l, c->value[CONF_RECEIVER]);
	else
		words_add(&l, "--");
	words_more(&l, NULL, &c->list[CONF_SEND_COMMAND]);
	if (w->store == NULL)
		wrapper_become(&l);
	wrapper_add_self(w, &store, "--store");
	words_more(&l, w->separator, &store);
	wrapper_become_tee(w, conf_number(c, CONF_STALL), 0, &l);
}

/*
 * What tells why it ended, in place of the core: core_trim reads the process
 * that the kernel holds for it, and ends with it; whoever takes the core has
 * its output, all of it or an end too soon, which is what says that it is not
 * whole.
 */
static void
trim_first(const struct wrapper *w)
{
	struct words trim = {.n = 0};
	int p[2];
	pid_t pid;

	if (!wrapper_has(w, "core_trim")) {
		msg_warn("%s: its core is kept whole: %s/core_trim is not "
			 "there",
		    wrapper_crash(w), w->bindir);
		return;
	}
	wrapper_add_told(w, &trim, "core_trim");
	pid = pipe2(p, O_CLOEXEC) == -1 ? -1 : child_fork();
	if (pid == -1)
		msg_die_sys(EXIT_SYSTEM, "unable to make a core small");
	if (pid == 0) {
		dup2(p[1], STDOUT_FILENO);
		wrapper_become(&trim);
	}
	dup2(p[0], STDIN_FILENO);
	close(p[0]);
	close(p[1]);
}

_Noreturn void
wrapper_after(struct wrapper *w)
{
	char line[LINE] = "", key[RATE_KEY], *path;
	int limited = !conf_is(&w->conf, CONF_CORE_RATE, "no");

	umask(077);
	setenv("LC_ALL", "C", 1);
	setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", 1);
	if ((w->hooks || limited) && fcntl(WRAPPER_LINK, F_GETFD) != -1)
		read_line(line,
		    deadline_in((wrapper_wait(w) + (int64_t)SLACK_S) * 1000));
	close(WRAPPER_LINK);
	path = line + strcspn(line, " ");
	if (*path != '\0')
		*path++ = '\0';
	make_key(w, line, key);
	if (!is_allowed(w, key))
		exit(EXIT_DONE);
	if (w->hooks && *line != '\0')
		run_hooks(w, line, path);
	if (w->small && (w->send || w->store != NULL))
		trim_first(w);
	if (w->send)
		send_core(w);
	if (w->store != NULL)
		wrapper_store(w);
	exit(EXIT_DONE);
}
