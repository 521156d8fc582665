/* Which reports have to go for a new one; the rule is in slots/slots.h. */
#include "slots/ring.h"

enum { ROOT = 0 };

static int
ring_older(const struct ring_slot *a, const struct ring_slot *b)
{
	if (a->known != b->known)
		return !a->known;
	if (a->known)
		return a->seq < b->seq;
	if (a->mtime.tv_sec != b->mtime.tv_sec)
		return a->mtime.tv_sec < b->mtime.tv_sec;
	return a->mtime.tv_nsec < b->mtime.tv_nsec;
}

/* In slots or, with bytes, in those. */
static uint64_t
weight(const struct ring_slot *s, int bytes)
{
	return bytes ? s->size : 1;
}

static int
counts(const struct ring_slot *s)
{
	return s->used && s->known && !s->blocked;
}

static uint64_t
held(const struct ring *r, uint32_t uid, int bytes)
{
	const struct ring_slot *s;
	uint64_t sum = 0;

	for (s = r->slot; s < r->slot + r->n; s++)
		if (counts(s) && s->uid == uid)
			sum += weight(s, bytes);
	return sum;
}

/* The only one who may hold more than half: who is left when each cancels out
 * another (Boyer and Moore). */
static uint32_t
most(const struct ring *r, int bytes)
{
	const struct ring_slot *s;
	uint32_t uid = ROOT;
	uint64_t left = 0, w;

	for (s = r->slot; s < r->slot + r->n; s++) {
		if (!counts(s))
			continue;
		w = weight(s, bytes);
		if (s->uid == uid)
			left += w;
		else if (left >= w)
			left -= w;
		else {
			uid = s->uid;
			left = w - left;
		}
	}
	return uid;
}

/*
 * The oldest that may go for a report of uid, other than those of slot `not`
 * (-1 none); all: slots or, with bytes, bytes that there may be.
 */
static int
ring_oldest(
    const struct ring *r, uint32_t uid, uint64_t all, int bytes, int not )
{
	uint32_t greedy = most(r, bytes);
	int over = greedy != ROOT && held(r, greedy, bytes) > all / 2;
	int spare = !over && uid != ROOT && held(r, ROOT, bytes) <= all / 2;
	const struct ring_slot *s, *best = NULL, *any = NULL;

	for (s = r->slot; s < r->slot + r->n; s++) {
		if (!s->used || s->blocked || s - r->slot == not )
			continue;
		if (any == NULL || ring_older(s, any))
			any = s;
		if (over ? !s->known || s->uid != greedy
			 : spare && s->known && s->uid == ROOT)
			continue;
		if (best == NULL || ring_older(s, best))
			best = s;
	}
	if (best == NULL)
		best = any;
	return best == NULL ? -1 : (int)(best - r->slot);
}

/* The program's own oldest, other than that in slot `not`, and how many it
 * holds. */
static int
ring_own(const struct ring *r, uint64_t key, int not, unsigned *n)
{
	const struct ring_slot *s, *own = NULL;

	*n = 0;
	for (s = r->slot; s < r->slot + r->n; s++) {
		if (!counts(s) || s->key != key || s - r->slot == not )
			continue;
		++*n;
		if (own == NULL || ring_older(s, own))
			own = s;
	}
	return own == NULL ? -1 : (int)(own - r->slot);
}

int
ring_pick(const struct ring *r, const struct slots_entry *e)
{
	unsigned i, n;
	int own = ring_own(r, e->key, -1, &n);

	if (own != -1 && n >= r->share)
		return own;
	for (i = 0; i < r->n; i++)
		if (!r->slot[i].used && !r->slot[i].blocked)
			return (int)i;
	return ring_oldest(r, e->uid, r->n, 0, -1);
}

int
ring_excess(
    const struct ring *r, const struct slots_entry *e, int k, uint64_t size)
{
	const struct ring_slot *s;
	uint64_t sum = size;
	unsigned n;
	int own;

	for (s = r->slot; s < r->slot + r->n; s++)
		if (s->used && s - r->slot != k)
			sum += s->size;
	if (r->total == 0 || sum <= r->total)
		return -1;
	own = ring_own(r, e->key, k, &n);
	return own != -1 ? own : ring_oldest(r, e->uid, r->total, 1, k);
}
