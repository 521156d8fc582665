#include "base/args.h"

#include <inttypes.h>
#include <string.h>

#include "base/msg.h"
#include "base/num.h"

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
