/* fuzz_track: records of perf rings, as they come and out of order. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "track/mapbook.h"
#include "track/recqueue.h"

static volatile uint64_t sink;

static void
on_mapped(
    void *ctx, const struct mapproc *p, struct mapfile *f, const struct map *m)
{
	(void)ctx;
	sink += (uint64_t)p->pid + strlen(m->name);
	f->held = f;
}

static void
on_unmapped(void *ctx, struct mapfile *f)
{
	(void)ctx;
	if (f->held != f)
		abort();
}

static int
is_alive(void *ctx, pid_t pid)
{
	(void)ctx;
	return pid % 2;
}

static void
touch(struct mapbook *b, pid_t pid, uint64_t time)
{
	const struct mapproc *p = mapbook_find(b, pid, time);
	uint64_t end = 0;
	struct map m;
	size_t i;

	if (p == NULL)
		return;
	for (i = 0; i < p->space->n; i++) {
		mapspace_get(p->space, i, &m);
		if (m.start >= m.end || m.start < end)
			abort();
		end = m.end;
		sink += strlen(m.name);
	}
	if (p->exe != NULL)
		sink += strlen(p->exe->name);
	sink += strlen(p->comm) + (uint64_t)mapbook_doubtful(b, p, time);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct mapbook_opts o = {.keep_ns = 1000,
	    .ended_max = 8,
	    .bytes_max = 65536,
	    .mapped = on_mapped,
	    .unmapped = on_unmapped,
	    .alive = is_alive};
	struct mapbook *b = mapbook_new(&o);
	struct mapbook_stats st;
	struct recqueue q;
	struct perfrec r;
	uint16_t n;
	void *p;

	if (b == NULL)
		return 0;
	recqueue_init(&q, 4096);
	/* each record has its length in bytes 6 and 7 */
	while (len >= 8) {
		memcpy(&n, data + 6, sizeof(n));
		n = n < 8 ? 8 : n;
		if (n > len)
			n = (uint16_t)len;
		/* exactly as long, for the sanitizer's sake */
		p = malloc(n);
		if (p == NULL)
			abort();
		memcpy(p, data, n);
		recqueue_put(&q, p, n);
		free(p);
		while (recqueue_take(&q, 1 << 20, &r)) {
			mapbook_apply(b, &r);
			touch(b, r.pid, r.time);
			touch(b, r.ppid, 0);
		}
		data += n;
		len -= n;
	}
	while (recqueue_take(&q, UINT64_MAX, &r))
		mapbook_apply(b, &r);
	mapbook_sweep(b, 1 << 20, 1 << 21);
	mapbook_expire(b, UINT64_MAX);
	mapbook_get_stats(b, &st);
	if (st.ended > st.procs)
		abort();
	mapbook_free(b);
	recqueue_free(&q);
	return 0;
}
