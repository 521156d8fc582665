/*
 * usercrash-wrapper [-k] [-c conf] [-s state] P%P I%I p%p i%i u%u g%g d%d s%s
 *     t%t c%c C%C F%F h%h e%e  <core
 *
 * The kernel's core_pattern program: who is told of a crash, who gets its core.
 *
 *  1. Started by the kernel as root with no environment and descriptors 1 and 2
 *     closed: messages go to /dev/kmsg.  By anybody else only with -k.
 *  2. Each value carries its letter.  What is empty, missing, unknown or moved
 *     is seen, said in one line, and costs no report.
 *  3. usercrash.conf(5) and what crashlogctl(8) has saved are read if they can
 *     be trusted.
 *  4. Then this process becomes, by exec and without a fork,
 *
 *	core_tee usercrash_c ...          the report
 *	    ; usercrash-wrapper --after   sends and stores the core, runs hooks
 *	    ; what core_pattern was       with its arguments, expanded here
 *
 *     or the one of them that is wanted.
 *  5. --after learns the report's signature from usercrash_c (core_tee -l),
 *     and keeps the core if there were not too many of it lately.
 *  6. --store is one more consumer: core_send - | recv_core -i.
 */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/args.h"
#include "base/msg.h"
#include "wrap/before.h"
#include "wrap/wrapper.h"

#define SYNOPSIS                                \
	"[-k] [-c conf] [-s state] value ...\n" \
	"       usercrash-wrapper --conf [file]"

/* of core_tee, beyond what the report may take */
enum { STALL_S = 10 };

/* --- who calls ------------------------------------------------------------ */

/* What was there before is to have 1 and 2, and ourselves where to say what is
 * wrong. */
static void
open_descriptors(void)
{
	struct stat st;
	int fd;

	for (fd = 0; fd < 2; fd++)
		if (fcntl(fd, F_GETFD) == -1)
			open("/dev/null", fd == 0 ? O_RDONLY : O_WRONLY);
	if (fcntl(2, F_GETFD) == -1 && stat("/dev/kmsg", &st) == 0 &&
	    S_ISCHR(st.st_mode))
		open("/dev/kmsg", O_WRONLY | O_NOCTTY);
}

/* Whether it is kthreadd, or as before Linux 4.4 another thread of the kernel:
 * none of them has a program. */
static int
kernel_calls(void)
{
	char path[32];
	struct stat st;
	pid_t parent = getppid();

	if (parent == 2)
		return 1;
	snprintf(path, sizeof(path), "/proc/%d/exe", (int)parent);
	return lstat(path, &st) == 0 && stat(path, &st) == -1;
}

/* The directory of our programs, and what we are to be called as. */
static void
find_self(struct wrapper *w, const char *name)
{
	static char path[PATH_MAX];

	w->self = name;
	/* found in PATH; the last byte stays 0 */
	if (strchr(name, '/') == NULL &&
	    readlink("/proc/self/exe", path, sizeof(path) - 1) > 0)
		w->self = path;
	w->bindir = strdup(w->self);
	if (w->bindir == NULL)
		wrapper_no_memory();
	if (strrchr(w->bindir, '/') != NULL)
		*strrchr(w->bindir, '/') = '\0';
}

/* --- the report first ----------------------------------------------------- */

/* No word of theirs. */
static void
find_separator(struct wrapper *w, const struct words *app)
{
	char *longer;
	size_t i;

	for (i = 0; i < app->n; i++) {
		if (strncmp(app->w[i], ";/", 2) != 0 ||
		    strlen(app->w[i]) < strlen(w->separator))
			continue;
		if (asprintf(&longer, "%s;", app->w[i]) == -1)
			wrapper_no_memory();
		w->separator = longer;
	}
}

static void
add_report(const struct wrapper *w, struct words *l, int print)
{
	wrapper_add_told(w, l, "usercrash_c");
	if (print)
		words_add(l, "-p");
	if (conf_is(&w->conf, CONF_REPORTS_READABLE, "owner"))
		words_add(l, "-O");
	wrapper_add_value(w, l, "-d", CONF_REPORTS);
	words_add(l, "-S");
	words_add(l, w->socket);
	wrapper_add_value(w, l, "-n", CONF_SLOTS);
	if (w->share != NULL)
		words_format(l, "-s%s", w->share);
	wrapper_add_bound(w, l, "-m", CONF_REPORT_FREE);
	wrapper_add_value(w, l, "-f", CONF_REPORT_FORMAT);
	wrapper_add_value(w, l, "-R", CONF_REPORT_MAX);
	wrapper_add_value(w, l, "-M", CONF_REPORTS_MAX);
	wrapper_add_value(w, l, "-w", CONF_REPORT_WAIT);
}

/* What cannot be had is not wanted. */
static void
drop_missing(struct wrapper *w, int *after)
{
	if (w->report && !wrapper_has(w, "usercrash_c")) {
		w->report = 0;
		msg_warn("%s: no report: %s/usercrash_c is not there",
		    wrapper_crash(w), w->bindir);
	}
	*after = w->send || w->store != NULL || w->hooks;
	if ((*after || w->app != NULL) && w->report &&
	    !wrapper_has(w, "core_tee")) {
		*after = 0;
		w->app = NULL;
		msg_warn("%s: only a report: %s/core_tee is not there",
		    wrapper_crash(w), w->bindir);
	}
}

static _Noreturn void
front(struct wrapper *w)
{
	struct words report = {.n = 0}, later = {.n = 0}, app = {.n = 0};
	unsigned stall = wrapper_wait(w) + STALL_S;
	int after;

	drop_missing(w, &after);
	if (w->app != NULL && before_words(w->app, &w->told, &app) == -1)
		wrapper_no_memory();
	find_separator(w, &app);
	if (w->report)
		add_report(w, &report, after);
	if (after)
		wrapper_add_self(w, &later, "--after");
	if (!w->report + !after + (app.n == 0) > 1) {
		/* one of them, or none */
		words_more(&report, NULL, &later);
		words_more(&report, NULL, &app);
		if (report.n == 0)
			exit(EXIT_DONE);
		wrapper_become(&report);
	}
	if (conf_number(&w->conf, CONF_STALL) > stall)
		stall = conf_number(&w->conf, CONF_STALL);
	words_more(&report, w->separator, &later);
	words_more(&report, w->separator, &app);
	wrapper_become_tee(
	    w, stall, w->report && after ? WRAPPER_LINK : 0, &report);
}

/* -------------------------------------------------------------------------- */

/* Where the values begin. */
static char **
parse_options(struct wrapper *w, char **argv, int *stands_in)
{
	for (argv++; *argv != NULL; argv++) {
		if ((strcmp(*argv, "-c") == 0 || strcmp(*argv, "-s") == 0) &&
		    argv[1] != NULL) {
			if ((*argv)[1] == 'c')
				w->confpath = argv[1];
			else
				w->state = argv[1];
			argv++;
		} else if (strcmp(*argv, "-k") == 0)
			*stands_in = 1;
		else if (strcmp(*argv, "--after") == 0)
			w->mode = WRAPPER_AFTER;
		else if (strcmp(*argv, "--store") == 0)
			w->mode = WRAPPER_STORE;
		else
			break;
	}
	return argv;
}

/* A line; of what may be given again, one for each. */
static void
print_value(const struct conf *c, enum conf_key k)
{
	const struct words *l = &c->list[k];
	size_t i, pair = k == CONF_PROGRAM_SHARE;

	if (l->n == 0) {
		printf("%s%s%s\n", conf_name(k), *c->value[k] ? " " : "",
		    c->value[k]);
		return;
	}
	for (i = 0; i < l->n; i += 1 + pair) {
		if (i == 0 || k != CONF_SEND_COMMAND)
			printf("%s", conf_name(k));
		printf(" %s%s%s", l->w[i], pair ? " " : "",
		    pair ? l->w[i + 1] : "");
		if (i + 1 + pair >= l->n || k != CONF_SEND_COMMAND)
			putchar('\n');
	}
}

/* For crashlogctl: each value that holds, and what is wrong.  Exit code. */
static int
print_conf(const char *path)
{
	static struct conf c;
	int r = conf_read(&c, path != NULL ? path : CONF_FILE);
	char *line, *rest = NULL;
	unsigned k;

	if (c.errors.p != NULL)
		for (line = strtok_r(c.errors.p, "\n", &rest); line != NULL;
		     line = strtok_r(NULL, "\n", &rest))
			printf("error %s\n", line);
	for (k = 0; k < CONF_KEYS; k++)
		print_value(&c, k);
	if (fflush(stdout) == EOF)
		msg_die_sys(EXIT_SYSTEM, "unable to write");
	return r == 2 ? EXIT_USAGE : r;
}

int
main(int argc, char **argv)
{
	static struct wrapper w = {
	    .confpath = CONF_FILE, .state = CONF_STATE, .separator = ";/"};
	int stands_in = 0;
	char **values, *amiss;

	open_descriptors();
	msg_init("usercrash-wrapper");
	args_help(argv, SYNOPSIS);
	if (argc > 1 && strcmp(argv[1], "--conf") == 0)
		return print_conf(argv[2]);
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	values = parse_options(&w, argv, &stands_in);
	if (isatty(STDIN_FILENO) ||
	    (w.mode == WRAPPER_FRONT && !stands_in && !kernel_calls()))
		msg_die(EXIT_USAGE,
		    "this is for the kernel to call, with a core: see "
		    "crashlogctl enable");
	find_self(&w, argv[0]);
	if (told_take(&w.told, values) == -1)
		wrapper_no_memory();
	amiss = w.mode == WRAPPER_FRONT ? told_amiss(&w.told) : NULL;
	if (amiss != NULL)
		msg_warn("core_pattern is not crashlogctl's:%s", amiss);
	wrapper_decide(&w);
	switch (w.mode) {
	case WRAPPER_AFTER:
		wrapper_after(&w);
	case WRAPPER_STORE:
		wrapper_store(&w);
	default:
		front(&w);
	}
}
