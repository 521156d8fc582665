/*
 * core_accept: the kernel's coredump socket as a service for any handler.
 *
 * core_accept [-pv] [-c children] [-t seconds] [-w seconds] -i | -l path
 *     command [argument ...]
 * core_accept -k
 *
 * - takes connections of the kernel ("@@/path" in core_pattern): the one on
 *   fd 0 (-i), those of a socket that activation passes, or its own (-l);
 * - asks the kernel for the core and to let the process wait, works out what
 *   core_pattern's %-specifiers would have said, and becomes the command: the
 *   core on fd 0, a pidfd of the process on fd 3, RLIMIT_CORE 1, as behind a
 *   pipe.  So every handler for a pipe works behind a socket;
 * - sets core_pattern, where that is wanted (-p), once it answers, and at its
 * end to a pipe to the same command, so that at no moment nobody is there;
 * - a handler that crashes is not handed to itself: RLIMIT_CORE 1 is refused,
 *   as the kernel does with a pipe;
 * - a process stands still until its handler has closed the core: so all that
 *   wait here do it with a deadline, and an acceptor that does not answer is
 *   killed and replaced by the process that watches it and holds the socket.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "accept/accepting.h"
#include "base/args.h"
#include "base/bytes.h"
#include "base/io.h"
#include "base/msg.h"

#define SYNOPSIS                                                       \
	"[-pv] [-c children] [-t seconds] [-w seconds] -i | -l path\n" \
	"\tcommand [argument ...]\n"                                   \
	"       core_accept -k"

enum {
	CHILDREN_MAX = 4096,
	COMMAND_S = 3600 /* a core of 100 GB over a network */
};

struct accepted {
	struct accepting net;
	char **command;
	unsigned command_s;
	int inetd, pattern;
};

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

/* Becomes the command.  Returns its exit code when that cannot be. */
static int
become(void *arg, struct dumped *d)
{
	const struct accepted *a = arg;
	char **argv = told(d, a->command);

	if (argv == NULL) {
		accepting_lost(d, "make its command", errno);
		return EXIT_SYSTEM;
	}
	msg_debug(1, "%s[%d] signal %d: %s", d->comm, (int)d->pid, d->signal,
	    argv[0]);
	setsid(); /* what stops a server at a terminal is not meant for it */
	alarm(a->command_s);
	execvp(argv[0], argv);
	accepting_lost(d, argv[0], errno);
	return EXIT_SYSTEM;
}

/* What core_pattern may begin with here, for a script.  Exit code. */
static int
print_kernel(void)
{
	const char *how = corepattern_socket();

	printf("%s\n", *how != '\0' ? how : "|");
	return *how != '\0' ? EXIT_DONE : EXIT_PARTIAL;
}

static void
parse_options(int argc, char *argv[], struct accepted *a)
{
	int kernel = 0, opt;
	const struct args_row rows[] = {{'i', .flag = &a->inetd},
	    {'c', .number = &a->net.max, .min = 1, .max = CHILDREN_MAX},
	    {'k', .flag = &kernel}, {'l', .text = &a->net.path},
	    {'p', .flag = &a->pattern},
	    {'t', .number = &a->command_s, .max = ARGS_SECONDS_MAX},
	    {'w', .number = &a->net.wait_s, .min = 1, .max = 3600}};

	/* "+": what follows the command is the command's */
	while ((opt = getopt(argc, argv, "+c:ikl:pt:vw:")) != -1)
		if (!args_take(rows, NELEM(rows), opt, optarg))
			msg_usage(SYNOPSIS);
	if (kernel)
		exit(print_kernel());
	if (optind == argc || (a->inetd && (a->net.path != NULL || a->pattern)))
		msg_usage(SYNOPSIS);
	a->command = argv + optind;
	if (a->net.path != NULL)
		accepting_path(a->net.path);
	if (strchr(a->command[0], '/') != NULL &&
	    access(a->command[0], X_OK) == -1)
		msg_die_sys(EXIT_USAGE, "unable to run %s", a->command[0]);
	if (a->pattern && corepattern_pipe(a->command, a->net.pattern) == -1)
		msg_die(EXIT_USAGE,
		    "option -p: no core_pattern can be made of the command: "
		    "it wants an absolute path, words without blanks, and at "
		    "most %d characters",
		    COREPATTERN_MAX);
}

int
main(int argc, char *argv[])
{
	static struct accepted a = {.net = {.max = ACCEPTING_CHILDREN,
					.wait_s = ACCEPTING_WAIT_S,
					.crash = become,
					.arg = &a},
	    .command_s = COMMAND_S};

	net_spare_stderr();
	msg_init("core_accept");
	args_help(argv, SYNOPSIS);
	parse_options(argc, argv, &a);
	accepting_open(&a.net, a.inetd, SYNOPSIS);
	return accepting_run(&a.net);
}
