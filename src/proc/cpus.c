#include "proc/cpus.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/io.h"
#include "base/num.h"

enum { LIST_MAX = 65536 };

int
cpus_parse(const char *text, struct cpus *c)
{
	const char *p = text, *end = p + strcspn(p, "\n");
	uint64_t from, to;
	int top = 0;

	memset(c, 0, sizeof(*c));
	while (p < end) {
		if (num_scan(p, end, 10, &from, &p) == -1)
			return fails(EINVAL);
		to = from;
		if (p < end && *p == '-' &&
		    num_scan(p + 1, end, 10, &to, &p) == -1)
			return fails(EINVAL);
		if (to < from || to >= CPUS_MAX)
			return fails(EINVAL);
		for (; from <= to; from++)
			c->set[from / 8] |= (unsigned char)(1 << from % 8);
		top = (int)to + 1 > top ? (int)to + 1 : top;
		if (p < end && *p++ != ',')
			return fails(EINVAL);
	}
	return top;
}

int
cpus_read(const char *path, struct cpus *c)
{
	struct buf b = {0};
	int n = -1;

	if (io_slurp(AT_FDCWD, path, LIST_MAX, &b, NULL) == 0)
		n = cpus_parse(b.p != NULL ? b.p : "", c);
	buf_free(&b);
	return n;
}

int
cpus_has(const struct cpus *c, unsigned cpu)
{
	return c->set[cpu / 8] >> cpu % 8 & 1;
}

unsigned
cpus_possible(void)
{
	struct cpus c;
	long n = cpus_read("/sys/devices/system/cpu/possible", &c);

	if (n <= 0)
		n = sysconf(_SC_NPROCESSORS_CONF);
	return n > 0 ? (unsigned)n : 1;
}
