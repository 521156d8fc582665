/*
 * unit_corepack: on a link of any speed a core is there about as soon as by the
 * better of the two ways, all of it packed or none, with what a socket takes at
 * once and what packing does beside a link that is busy.
 */
#include <string.h>

#include "send/corepack.h"

#include "check.h"

enum { BLOCKS = 1024, HEADS = 4096 };

struct link {
	double wire, pack; /* ns for a byte */
	double left;	   /* of a packed byte */
	double room;	   /* bytes that are taken at once */
	double now, busy;  /* ns: the clock, the link's end of work */
};

static double
send_bytes(struct link *l, double bytes)
{
	double at = l->busy > l->now ? l->busy : l->now, since = l->now;

	l->busy = at + bytes * l->wire;
	l->now += bytes / 8; /* the copy of it */
	if (l->busy - l->room * l->wire > l->now)
		l->now = l->busy - l->room * l->wire;
	return l->now - since;
}

/* The ns until all of it is there. */
static double
core(struct link l, enum corepack_when when, int *packed)
{
	struct corepack k = {.when = when};
	double bytes;
	int i;

	*packed = 0;
	corepack_again(&k);
	for (i = 0; i < BLOCKS; i++) {
		bytes = STREAM_BLOCK;
		if (k.on) {
			k.plain = STREAM_BLOCK;
			k.packed = (uint64_t)(bytes *= l.left);
			k.ns = (uint64_t)(STREAM_BLOCK * l.pack);
			l.now += STREAM_BLOCK * l.pack;
			++*packed;
		}
		bytes += HEADS;
		corepack_sent(
		    &k, (uint64_t)bytes, (uint64_t)send_bytes(&l, bytes));
	}
	return l.busy > l.now ? l.busy : l.now;
}

static void
about_as_soon(struct link l)
{
	int some, all, none;
	double took = core(l, COREPACK_AUTO, &some);
	double yes = core(l, COREPACK_YES, &all);
	double no = core(l, COREPACK_NO, &none);
	double best = yes < no ? yes : no;

	CHECK(all == BLOCKS && none == 0);
	CHECK(took < 1.2 * best);
	if (yes < 0.7 * no)
		CHECK(some > BLOCKS * 3 / 4);
	if (no < yes)
		CHECK(some < BLOCKS / 16);
}

int
main(void)
{
	static const struct {
		const char *about;
		struct link link;
	} links[] = {
	    {"10 Mbit/s", {800, 5, 0.5, 1 << 18, 0, 0}},
	    {"100 Mbit/s", {80, 5, 0.56, 1 << 20, 0, 0}},
	    {"1 Gbit/s", {8.5, 4.7, 0.56, 8 << 20, 0, 0}},
	    {"1 Gbit/s, much of it zeros", {8.5, 1, 0.1, 8 << 20, 0, 0}},
	    {"1 Gbit/s, a slow board", {8.5, 20, 0.5, 1 << 20, 0, 0}},
	    {"1 Gbit/s, nothing to win", {8.5, 2, 1, 8 << 20, 0, 0}},
	    {"10 Gbit/s", {0.85, 4.7, 0.56, 16 << 20, 0, 0}},
	    {"memory", {0.1, 4.7, 0.3, 0, 0, 0}},
	};
	size_t i;

	for (i = 0; i < sizeof(links) / sizeof(*links); i++) {
		check_about = links[i].about;
		about_as_soon(links[i].link);
	}
	return check_report();
}
