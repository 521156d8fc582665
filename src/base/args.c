#include "base/args.h"

#include <inttypes.h>

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
