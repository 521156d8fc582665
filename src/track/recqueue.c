#include "track/recqueue.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

enum { FIRST_CAP = 256 };

void
recqueue_init(struct recqueue *q, size_t max)
{
	memset(q, 0, sizeof(*q));
	q->max = max;
	q->sorted = 1;
}

void
recqueue_free(struct recqueue *q)
{
	buf_free(&q->bytes);
	free(q->q);
	recqueue_init(q, q->max);
}

/* What waits moves to the front, in order of time. */
static int
compact(struct recqueue *q)
{
	struct buf left = {0};
	size_t i, k, len = 0;

	for (i = q->head; i < q->n; i++)
		len += q->q[i].len;
	if (len > 0 && buf_reserve(&left, len) == -1)
		return -1;
	for (i = q->head, k = 0; i < q->n; i++, k++) {
		buf_append(&left, q->bytes.p + q->q[i].off, q->q[i].len);
		q->q[k] = q->q[i];
		q->q[k].off = left.len - q->q[k].len;
	}
	buf_free(&q->bytes);
	q->bytes = left;
	q->head = 0;
	q->n = k;
	return 0;
}

static int
reserve(struct recqueue *q, size_t len)
{
	void *p;

	if (q->head == q->n) {
		q->head = q->n = 0;
		q->bytes.len = 0;
	}
	/* each is moved but once for as many that are taken */
	if (q->head > q->n / 2 && q->head >= FIRST_CAP && compact(q) == -1)
		return -1;
	if (len > q->max || q->bytes.len > q->max - len)
		return fails(ENOBUFS);
	if (q->n < q->cap)
		return 0;
	q->cap = q->cap ? q->cap * 2 : FIRST_CAP;
	p = reallocarray(q->q, q->cap, sizeof(*q->q));
	if (p == NULL) {
		q->cap = q->n;
		return -1;
	}
	q->q = p;
	return 0;
}

int
recqueue_put(struct recqueue *q, const void *p, size_t len)
{
	struct queued *e;
	struct perfrec r;

	if (perfrec_decode(p, len, &r) == -1)
		return -1;
	if (r.type == PERFREC_OTHER)
		return 0;
	if (reserve(q, len) == -1)
		return -1;
	e = &q->q[q->n];
	e->time = r.time;
	e->off = q->bytes.len;
	e->len = len;
	if (buf_append(&q->bytes, p, len) == -1)
		return -1;
	if (q->n > q->head && e->time < e[-1].time)
		q->sorted = 0;
	q->n++;
	return 0;
}

/* Of two at the same time that of the same ring stays the first. */
static int
by_time(const void *a, const void *b)
{
	const struct queued *x = a, *y = b;

	if (x->time != y->time)
		return x->time > y->time ? 1 : -1;
	return (x->off > y->off) - (x->off < y->off);
}

int
recqueue_take(struct recqueue *q, uint64_t time, struct perfrec *r)
{
	struct queued *e;

	if (!q->sorted)
		qsort(q->q + q->head, q->n - q->head, sizeof(*q->q), by_time);
	q->sorted = 1;
	if (q->head == q->n || q->q[q->head].time > time)
		return 0;
	e = &q->q[q->head++];
	perfrec_decode(q->bytes.p + e->off, e->len, r);
	return 1;
}
