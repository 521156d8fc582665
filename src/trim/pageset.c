#include "trim/pageset.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/bytes.h"

enum { PAGE = 4096, UNSETTLED_MAX = 65536 };

static void
settle(struct pageset *s)
{
	size_t i, n = 0;

	ARRAY_SORT(s->run, s->n, start);
	for (i = 0; i < s->n; i++) {
		if (n > 0 && s->run[i].start <= s->run[n - 1].end) {
			if (s->run[i].end > s->run[n - 1].end)
				s->run[n - 1].end = s->run[i].end;
			continue;
		}
		s->run[n++] = s->run[i];
	}
	/* array_room() grows by n: the room is there, whatever n becomes */
	s->n = s->settled = n;
}

/* One who looks through a stack asks for what it has just asked for. */
static int
is_last(const struct pageset *s, const struct pages *p)
{
	const struct pages *last = &s->run[s->n - 1];

	return s->n > s->settled && p->start >= last->start &&
	    p->end <= last->end;
}

void
pageset_add(struct pageset *s, uint64_t addr, uint64_t len)
{
	struct pages p = {addr - addr % PAGE, addr + len};

	if (len == 0 || addr + len < addr)
		return;
	p.end += p.end % PAGE != 0 ? PAGE - p.end % PAGE : 0;
	if (p.end <= p.start || (s->n > 0 && is_last(s, &p)))
		return;
	if (s->n - s->settled >= UNSETTLED_MAX + s->settled)
		settle(s);
	if (ARRAY_ROOM(s->run, s->n) == -1) {
		s->failed = 1;
		return;
	}
	s->run[s->n++] = p;
}

int
pageset_settle(struct pageset *s)
{
	settle(s);
	return s->failed ? fails(ENOMEM) : 0;
}

int
pageset_next(
    const struct pageset *s, uint64_t *from, uint64_t end, uint64_t *to)
{
	size_t i = ARRAY_ABOVE(s->run, s->n, end, *from);

	if (i == s->n || s->run[i].start >= end)
		return 0;
	if (s->run[i].start > *from)
		*from = s->run[i].start;
	*to = s->run[i].end < end ? s->run[i].end : end;
	return *from < *to;
}

void
pageset_free(struct pageset *s)
{
	free(s->run);
	memset(s, 0, sizeof(*s));
}
