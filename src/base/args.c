#include "base/args.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/msg.h"
#include "base/num.h"

/* -DVERSION=1.2, see Makefile */
#define WORDS_OF(x) #x
#define WORDS(x) WORDS_OF(x)

uint64_t
args_number(const char *what, const char *arg, uint64_t min, uint64_t max)
{
	uint64_t v;

	if (num_u64(arg, 10, min, max, &v) == -1)
		msg_die(EXIT_USAGE,
		    "%s wants a number from %" PRIu64 " to %" PRIu64
		    ", not \"%s\"",
		    what, min, max, arg);
	return v;
}

uint64_t
args_option(int opt, const char *arg, uint64_t min, uint64_t max)
{
	char what[] = "option -?";

	what[sizeof(what) - 2] = (char)opt;
	return args_number(what, arg, min, max);
}

uint64_t
args_mebibytes(int opt, const char *arg)
{
	return args_option(opt, arg, 0, ARGS_MIB_MAX) << 20;
}

int64_t
args_seconds(int opt, const char *arg)
{
	return (int64_t)args_option(opt, arg, 1, ARGS_SECONDS_MAX) * 1000;
}

int
args_either(
    const char *what, const char *arg, const char *first, const char *second)
{
	if (strcmp(arg, first) != 0 && strcmp(arg, second) != 0)
		msg_die(EXIT_USAGE, "%s is neither %s nor %s: %s", what, first,
		    second, arg);
	return strcmp(arg, second) == 0;
}

void
args_help(char *const argv[], const char *synopsis)
{
	const char *arg = argv[0] != NULL ? argv[1] : NULL;

	if (arg == NULL)
		return;
	if (strcmp(arg, "--version") == 0)
		printf("%s (usercrash) " WORDS(VERSION) "\n", msg_prog());
	else if (strcmp(arg, "-h") == 0 || strcmp(arg, "--help") == 0)
		printf("usage: %s %s\n", msg_prog(), synopsis);
	else
		return;
	if (fflush(stdout) == EOF)
		msg_die_sys(EXIT_SYSTEM, "unable to write");
	exit(EXIT_DONE);
}
