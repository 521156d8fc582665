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

static void
take(const struct args_row *a, const char *arg)
{
	uint64_t v;

	if (a->flag != NULL)
		*a->flag = 1;
	else if (a->text != NULL)
		*a->text = arg;
	else {
		v = args_option(a->opt, arg, a->min, a->max);
		if (a->integer != NULL)
			*a->integer = (int)v;
		else if (a->number != NULL)
			*a->number = (unsigned)v;
		else if (a->mib != NULL)
			*a->mib = v << 20;
		else
			*a->seconds = (int64_t)v * 1000;
	}
}

int
args_take(const struct args_row *rows, size_t n, int opt, const char *arg)
{
	const struct args_row *a;

	if (opt == 'v') {
		msg_set_verbose(msg_verbose() + 1);
		return 1;
	}
	for (a = rows; a < rows + n; a++)
		if (a->opt == opt) {
			take(a, arg);
			return 1;
		}
	return 0;
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
