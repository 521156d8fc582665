#include "send/corecopy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/array.h"
#include "base/bytes.h"

int
corecopy_plan(struct corecopy *c, uint64_t addr, uint64_t end)
{
	struct corecopy_run *last = c->n > 0 ? &c->run[c->n - 1] : NULL;

	if (addr >= end || (last != NULL && addr < last->end))
		return fails(EINVAL);
	if (last != NULL && last->end == addr) {
		last->end = end;
	} else {
		if (ARRAY_ROOM(c->run, c->n) == -1)
			return -1;
		c->run[c->n].addr = addr;
		c->run[c->n].end = end;
		c->run[c->n++].at = c->len;
	}
	c->len += end - addr;
	return 0;
}

int
corecopy_room(struct corecopy *c)
{
	void *p;

	if (c->len == 0 || c->len > SIZE_MAX)
		return fails(ENOMEM);
	p = mmap(NULL, (size_t)c->len, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p == MAP_FAILED)
		return -1;
	/* a fault for 2 MiB instead of 512 */
	madvise(p, (size_t)c->len, MADV_HUGEPAGE);
	c->p = p;
	return 0;
}

int
corecopy_next(const struct corecopy *c, uint64_t *from, uint64_t end,
    size_t max, uint64_t *to)
{
	size_t i = ARRAY_ABOVE(c->run, c->n, end, *from);

	if (*from >= end || i == c->n || c->run[i].addr >= end)
		return 0;
	if (c->run[i].addr > *from)
		*from = c->run[i].addr;
	*to = c->run[i].end < end ? c->run[i].end : end;
	if (*to - *from > max)
		*to = *from + max;
	return 1;
}

void
corecopy_read(const struct corecopy *c, uint64_t addr, void *p, size_t len)
{
	uint64_t at, n, end = addr + len;
	unsigned char *out = p;
	size_t i;

	memset(p, 0, len);
	for (i = ARRAY_ABOVE(c->run, c->n, end, addr);
	     i < c->n && c->run[i].addr < end; i++) {
		at = c->run[i].addr > addr ? c->run[i].addr : addr;
		n = (c->run[i].end < end ? c->run[i].end : end) - at;
		memcpy(out + (at - addr),
		    c->p + c->run[i].at + (at - c->run[i].addr), (size_t)n);
	}
}

void
corecopy_free(struct corecopy *c)
{
	if (c->p != NULL)
		munmap(c->p, (size_t)c->len);
	free(c->run);
	memset(c, 0, sizeof(*c));
}
