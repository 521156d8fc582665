/*
 * unit_maptrack		the bookkeeping of mappings: records, their
 *order, address spaces, processes.  No perf is needed. unit_maptrack seed
 *writes t/fixtures/perf.records to stdout
 */
#include <errno.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "perf_fixture.h"
#include "proc/cpus.h"
#include "proc/procscan.h"
#include "track/mapbook.h"
#include "track/perfring.h"
#include "track/recqueue.h"

#include "check.h"

/* --- records -------------------------------------------------------------- */

static void
test_decode(void)
{
	struct perfrec r;
	struct rec x;
	size_t n;

	rec_mmap(&x, 7, 8, 0x1000, 0x2000, 0x3000, "/lib/x", 5);
	CHECK(perfrec_decode(x.p, x.len, &r) == 0);
	CHECK(r.type == PERFREC_MMAP && r.pid == 7 && r.tid == 7);
	CHECK(r.time == 8 && r.map.start == 0x1000 && r.map.end == 0x3000);
	CHECK(r.map.off == 0x3000 && r.map.prot == (MAP_R | MAP_X));
	CHECK(r.map.dev == (UINT64_C(8) << 32 | 1) && r.map.ino == 5);
	CHECK(r.map.idlen == 0 && strcmp(r.map.name, "/lib/x") == 0);

	rec_set_id(&x, "12345678", 8);
	CHECK(perfrec_decode(x.p, x.len, &r) == 0);
	CHECK(r.map.idlen == 8 && memcmp(r.map.id, "12345678", 8) == 0);
	CHECK(r.map.ino == 0 && r.map.dev == 0);
	x.p[40] = 21; /* longer than any */
	CHECK(perfrec_decode(x.p, x.len, &r) == 0 && r.map.idlen == 0);

	rec_mmap(&x, 7, 8, 0x1000, 0x2000, 0, "//anon", 0);
	CHECK(perfrec_decode(x.p, x.len, &r) == 0 && *r.map.name == '\0');
	rec_mmap(&x, 7, 8, 0x1000, 0, 0, "/x", 0);
	CHECK(perfrec_decode(x.p, x.len, &r) == -1 && errno == EBADMSG);
	rec_mmap(&x, 7, 8, UINT64_MAX - 0xfff, 0x2000, 0, "/x", 0);
	CHECK(perfrec_decode(x.p, x.len, &r) == -1);

	rec_comm(&x, 7, 9, 10, "bash", 0);
	CHECK(perfrec_decode(x.p, x.len, &r) == 0 && r.type == PERFREC_COMM);
	CHECK(r.pid == 7 && r.tid == 9 && r.time == 10);
	CHECK(strcmp(r.comm, "bash") == 0);
	rec_comm(&x, 7, 7, 10, "bash", 1);
	CHECK(perfrec_decode(x.p, x.len, &r) == 0 && r.type == PERFREC_EXEC);
	rec_task(&x, PERF_RECORD_FORK, 9, 7, 9, 7, 11);
	CHECK(perfrec_decode(x.p, x.len, &r) == 0 && r.type == PERFREC_FORK);
	CHECK(r.pid == 9 && r.ppid == 7 && r.tid == 9 && r.ptid == 7);
	CHECK(r.time == 11);
	rec_task(&x, PERF_RECORD_EXIT, 9, 7, 10, 9, 12);
	CHECK(perfrec_decode(x.p, x.len, &r) == 0 && r.type == PERFREC_EXIT);
	CHECK(r.pid == 9 && r.tid == 10 && r.time == 12);
	rec_lost(&x, 5, 13);
	CHECK(perfrec_decode(x.p, x.len, &r) == 0 && r.type == PERFREC_LOST);
	CHECK(r.lost == 5 && r.time == 13);

	/* not in our pid namespace; of the kernel itself */
	rec_task(&x, PERF_RECORD_FORK, 0, 7, 9, 7, 11);
	CHECK(perfrec_decode(x.p, x.len, &r) == 0 && r.type == PERFREC_OTHER);
	rec_task(&x, PERF_RECORD_FORK, -1, 7, 9, 7, 11);
	CHECK(perfrec_decode(x.p, x.len, &r) == 0 && r.type == PERFREC_OTHER);

	/* cut anywhere, with the size told as it is and as it was */
	rec_mmap(&x, 7, 8, 0x1000, 0x2000, 0x3000, "/lib/x", 5);
	for (n = 0; n < x.len; n++) {
		unsigned char *p = malloc(n ? n : 1);

		memcpy(p, x.p, n);
		CHECK(perfrec_decode(p, n, &r) == -1);
		if (n >= 8) {
			uint16_t size = (uint16_t)n;

			memcpy(p + 6, &size, 2);
			if (perfrec_decode(p, n, &r) == 0)
				CHECK(r.map.name >= (char *)p + 72 &&
				    r.map.name + strlen(r.map.name) <
					(char *)p + n);
		}
		free(p);
	}
	/* a name without its end */
	memset(x.p + 72, 'x', x.len - 72);
	CHECK(perfrec_decode(x.p, x.len, &r) == -1);
}

static void
test_queue(void)
{
	struct recqueue q;
	struct perfrec r;
	struct rec x;
	uint64_t t, last = 0;
	unsigned i, n = 0;

	recqueue_init(&q, 1 << 20);
	/* two rings, each in order */
	for (t = 10; t < 1000; t += 10) {
		rec_comm(&x, 1, 1, t, "a", 0);
		CHECK(recqueue_put(&q, x.p, x.len) == 0);
	}
	for (t = 5; t < 1000; t += 7) {
		rec_comm(&x, 2, 2, t, "b", 0);
		CHECK(recqueue_put(&q, x.p, x.len) == 0);
	}
	while (recqueue_take(&q, 500, &r)) {
		CHECK(r.time >= last && r.time <= 500);
		CHECK(*r.comm == (r.pid == 1 ? 'a' : 'b'));
		last = r.time;
		n++;
	}
	CHECK(n == 50 + 71);
	/* late, and still older than what waits */
	rec_comm(&x, 3, 3, 400, "c", 0);
	CHECK(recqueue_put(&q, x.p, x.len) == 0);
	CHECK(recqueue_take(&q, UINT64_MAX, &r) == 1 && r.pid == 3);
	while (recqueue_take(&q, UINT64_MAX, &r))
		n++;
	CHECK(n == 99 + 143);
	/* of equal times the order stays */
	for (i = 1; i <= 9; i++) {
		rec_comm(&x, (int)i, (int)i, 7, "d", 0);
		recqueue_put(&q, x.p, x.len);
	}
	rec_comm(&x, 99, 99, 6, "e", 0);
	recqueue_put(&q, x.p, x.len);
	CHECK(recqueue_take(&q, 7, &r) == 1 && r.pid == 99);
	for (i = 1; i <= 9; i++)
		CHECK(recqueue_take(&q, 7, &r) == 1 && r.pid == (int)i);
	CHECK(recqueue_take(&q, UINT64_MAX, &r) == 0);

	/* never empty, never bigger */
	for (t = 0; t < 100000; t++) {
		rec_comm(&x, 1, 1, t, "a", 0);
		CHECK(recqueue_put(&q, x.p, x.len) == 0);
		if (t >= 1000)
			CHECK(recqueue_take(&q, UINT64_MAX, &r) == 1 &&
			    r.time == t - 1000);
	}
	CHECK(q.bytes.len < 200000 && q.cap <= 4096);
	CHECK(recqueue_put(&q, "x", 1) == -1 && errno == EBADMSG);
	recqueue_free(&q);

	recqueue_init(&q, 100);
	rec_comm(&x, 1, 1, 1, "a", 0);
	CHECK(recqueue_put(&q, x.p, x.len) == 0);
	CHECK(recqueue_put(&q, x.p, x.len) == 0);
	CHECK(recqueue_put(&q, x.p, x.len) == 0);
	CHECK(recqueue_put(&q, x.p, x.len) == -1 && errno == ENOBUFS);
	CHECK(recqueue_take(&q, 1, &r) == 1);
	recqueue_free(&q);
}

/* --- spaces --------------------------------------------------------------- */

static unsigned dropped;

static void
count_drop(void *ctx, struct mapfile *f)
{
	(void)ctx;
	(void)f;
	dropped++;
}

/* Random mappings, held against a table of pages. */
static void
test_space(void)
{
	enum { PAGES = 64, STEPS = 4000 };
	static const char *const names[] = {"/a", "/b", "/c", "", "/e"};
	int who[PAGES], off[PAGES], i, k, n, at;
	struct mapspace *s, *shared = NULL;
	struct mapfiles t;
	struct map m;
	size_t j;

	srand(1);
	CHECK(mapfiles_init(&t) == 0);
	t.drop = count_drop;
	s = mapspace_new(&t);
	for (i = 0; i < PAGES; i++)
		who[i] = -1;
	for (i = 0; i < STEPS; i++) {
		memset(&m, 0, sizeof(m));
		at = rand() % PAGES;
		n = 1 + rand() % (PAGES - at < 9 ? PAGES - at : 9);
		k = rand() % 5;
		m.start = (uint64_t)at << 12;
		m.end = (uint64_t)(at + n) << 12;
		m.off = (uint64_t)(rand() % 100) << 12;
		m.name = names[k];
		m.ino = (uint64_t)k;
		if (i % 97 == 0 && shared == NULL) {
			shared = s;
			shared->refs++; /* as a child does */
		}
		CHECK(mapspace_put(&t, &s, &m) != NULL);
		CHECK(s != shared);
		if (shared != NULL && i % 97 == 50) {
			mapspace_unref(&t, shared);
			shared = NULL;
		}
		for (j = 0; j < (size_t)n; j++) {
			who[at + (int)j] = k;
			off[at + (int)j] = (int)(m.off >> 12) + (int)j;
		}
		for (j = 0; j < s->n; j++) {
			mapspace_get(s, j, &m);
			CHECK(m.start < m.end);
			CHECK(j == 0 || s->m[j - 1].end <= m.start);
		}
		for (k = 0, j = 0; k < PAGES; k++) {
			while (j < s->n && s->m[j].end <= (uint64_t)k << 12)
				j++;
			if (j == s->n || s->m[j].start > (uint64_t)k << 12) {
				CHECK(who[k] == -1);
				continue;
			}
			mapspace_get(s, j, &m);
			CHECK(
			    who[k] >= 0 && strcmp(m.name, names[who[k]]) == 0);
			CHECK(off[k] ==
			    (int)((m.off + ((uint64_t)k << 12) - m.start) >>
				12));
		}
	}
	CHECK(t.n <= 5);
	mapspace_unref(&t, shared);
	mapspace_unref(&t, s);
	CHECK(t.n == 0 && t.bytes == 0 && dropped >= 5);
	mapfiles_free(&t);
}

/* --- processes ------------------------------------------------------------ */

static int living; /* what the hook says */
static unsigned mapped, unmapped;

static int
hook_alive(void *ctx, pid_t pid)
{
	(void)ctx;
	(void)pid;
	return living;
}

static void
hook_mapped(
    void *ctx, const struct mapproc *p, struct mapfile *f, const struct map *m)
{
	(void)ctx;
	CHECK(p->pid > 0 && strcmp(f->name, m->name) == 0);
	if (f->held == NULL)
		mapped++;
	f->held = f;
}

static void
hook_unmapped(void *ctx, struct mapfile *f)
{
	(void)ctx;
	CHECK(f->held == f);
	unmapped++;
}

static int
seed(
    struct mapbook *b, pid_t pid, const char *exe, struct map *m, uint64_t time)
{
	struct procseen s = {
	    .pid = pid, .ppid = 1, .comm = "init", .maps = m, .n = 1};

	strcpy(s.exe, exe);
	return mapbook_seed(b, &s, time);
}

static struct mapbook *
new_book(size_t ended_max, size_t bytes_max)
{
	struct mapbook_opts o = {.keep_ns = 1000,
	    .ended_max = ended_max,
	    .bytes_max = bytes_max,
	    .mapped = hook_mapped,
	    .unmapped = hook_unmapped,
	    .alive = hook_alive};
	struct mapbook *b = mapbook_new(&o);

	if (b == NULL)
		exit(111);
	living = 0;
	mapped = unmapped = 0;
	return b;
}

static void
apply(struct mapbook *b, const struct rec *x)
{
	struct perfrec r;

	CHECK(perfrec_decode(x->p, x->len, &r) == 0);
	CHECK(mapbook_apply(b, &r) == 0);
}

static void
do_map(struct mapbook *b, int pid, uint64_t time, uint64_t at, const char *name)
{
	struct rec x;

	rec_mmap(&x, pid, time, at, 0x1000, 0, name, 1);
	apply(b, &x);
}

static void
do_fork(struct mapbook *b, int pid, int parent, uint64_t time)
{
	struct rec x;

	rec_task(&x, PERF_RECORD_FORK, pid, parent, pid, parent, time);
	apply(b, &x);
}

static void
do_exec(struct mapbook *b, int pid, uint64_t time, const char *comm)
{
	struct rec x;

	rec_comm(&x, pid, pid, time, comm, 1);
	apply(b, &x);
}

static void
do_exit(struct mapbook *b, int pid, int tid, uint64_t time)
{
	struct rec x;

	rec_task(&x, PERF_RECORD_EXIT, pid, 1, tid, 1, time);
	apply(b, &x);
}

/* The names of its mappings, in order. */
static const char *
has(struct mapbook *b, int pid, uint64_t time)
{
	static char text[256];
	const struct mapproc *p = mapbook_find(b, pid, time);
	struct map m;
	size_t i;

	*text = '\0';
	for (i = 0; p != NULL && i < p->space->n; i++) {
		mapspace_get(p->space, i, &m);
		strcat(text, m.name);
	}
	return p == NULL ? "none" : text;
}

#define HAS(pid, time, want) CHECK(strcmp(has(b, pid, time), want) == 0)

static void
test_book(void)
{
	struct mapbook *b = new_book(100, 1 << 20);
	const struct mapproc *p;
	struct mapbook_stats st;
	struct rec x;

	HAS(1, 5, "none");
	do_exec(b, 10, 100, "sh");
	do_map(b, 10, 101, 0x1000, "/sh");
	do_map(b, 10, 102, 0x4000, "/libc");
	HAS(10, 103, "/sh/libc");
	p = mapbook_find(b, 10, 103);
	CHECK(p->since == 100 && strcmp(p->comm, "sh") == 0);
	CHECK(strcmp(p->exe->name, "/sh") == 0);
	CHECK(!mapbook_doubtful(b, p, 103));

	/* a child has what its parent had then, whatever that does later */
	do_fork(b, 11, 10, 200);
	do_map(b, 10, 210, 0x8000, "/later");
	HAS(11, 220, "/sh/libc");
	HAS(10, 220, "/sh/libc/later");
	do_map(b, 11, 230, 0x8000, "/own");
	HAS(11, 240, "/sh/libc/own");
	HAS(10, 240, "/sh/libc/later");
	CHECK(strcmp(mapbook_find(b, 11, 240)->exe->name, "/sh") == 0);
	CHECK(mapbook_find(b, 11, 240)->ppid == 10);

	/* exec: nothing is left, but a late question finds what was */
	do_exec(b, 11, 300, "ls");
	do_map(b, 11, 301, 0x1000, "/ls");
	HAS(11, 302, "/ls");
	HAS(11, 299, "/sh/libc/own");
	CHECK(mapbook_find(b, 11, 302)->ppid == 10);
	CHECK(strcmp(mapbook_find(b, 11, 302)->exe->name, "/ls") == 0);

	/* a thread is no process; its comm is not the leader's; its exit ends
	 * nothing */
	rec_task(&x, PERF_RECORD_FORK, 11, 11, 12, 11, 310);
	apply(b, &x);
	HAS(12, 311, "none");
	CHECK(mapbook_find(b, 11, 311)->since == 300);
	rec_comm(&x, 11, 12, 311, "worker", 0);
	apply(b, &x);
	CHECK(strcmp(mapbook_find(b, 11, 312)->comm, "ls") == 0);
	do_exit(b, 11, 12, 313);
	CHECK(mapbook_find(b, 11, 314)->ended == 0);
	rec_comm(&x, 11, 11, 315, "renamed", 0);
	apply(b, &x);
	CHECK(strcmp(mapbook_find(b, 11, 316)->comm, "renamed") == 0);

	/* dead, and still known for a while */
	do_exit(b, 11, 11, 400);
	HAS(11, 350, "/ls");
	HAS(11, 500, "/ls");
	mapbook_expire(b, 1399);
	HAS(11, 350, "/ls");
	mapbook_expire(b, 1401);
	HAS(11, 350, "none");

	/* the leader has gone, threads of it have not */
	do_exit(b, 10, 10, 1500);
	living = 1;
	mapbook_expire(b, 9000);
	HAS(10, 9001, "/sh/libc/later");
	living = 0;
	mapbook_expire(b, 10001);
	HAS(10, 10001, "none");
	mapbook_get_stats(b, &st);
	CHECK(st.procs == 0 && st.files == 0 && st.bytes == 0);
	CHECK(mapped == unmapped && mapped >= 5);

	/* the number is used again at once */
	do_exec(b, 20, 20000, "one");
	do_map(b, 20, 20001, 0x1000, "/one");
	do_exit(b, 20, 20, 20010);
	do_fork(b, 20, 999, 20020);
	do_exec(b, 20, 20030, "two");
	do_map(b, 20, 20031, 0x1000, "/two");
	HAS(20, 20005, "/one");
	HAS(20, 20015, "/one");
	HAS(20, 20025, "");
	HAS(20, 20035, "/two");
	/* and when its exit was never reported */
	do_fork(b, 20, 999, 20040);
	HAS(20, 20045, "");
	HAS(20, 20035, "/two");
	mapbook_free(b);
	CHECK(mapped == unmapped);
}

static void
test_doubt(void)
{
	struct mapbook *b = new_book(100, 1 << 20);
	struct map m = {.start = 0x1000,
	    .end = 0x2000,
	    .name = "/seed",
	    .prot = MAP_R | MAP_X,
	    .ino = 3};
	struct rec x;

	CHECK(seed(b, 5, "/seed", &m, 50) == 0);
	HAS(5, 10, "/seed");
	CHECK(!mapbook_doubtful(b, mapbook_find(b, 5, 60), 60));
	CHECK(strcmp(mapbook_find(b, 5, 60)->exe->name, "/seed") == 0);
	/* what /proc already said is not entered once more */
	do_map(b, 5, 40, 0x1000, "/older");
	HAS(5, 60, "/seed");

	do_exec(b, 6, 70, "a");
	do_map(b, 6, 71, 0x1000, "/a");
	/* what was lost later is no matter of what was before */
	mapbook_lost(b, 75, 80);
	CHECK(!mapbook_doubtful(b, mapbook_find(b, 6, 74), 74));
	CHECK(mapbook_doubtful(b, mapbook_find(b, 5, 90), 90));
	CHECK(mapbook_doubtful(b, mapbook_find(b, 6, 90), 90));
	/* what begins later is sure, but not as the child of a doubtful one */
	do_exec(b, 6, 91, "b");
	CHECK(!mapbook_doubtful(b, mapbook_find(b, 6, 92), 92));
	do_fork(b, 7, 5, 93);
	CHECK(mapbook_doubtful(b, mapbook_find(b, 7, 94), 94));
	do_exec(b, 7, 95, "c");
	CHECK(!mapbook_doubtful(b, mapbook_find(b, 7, 96), 96));
	do_fork(b, 13, 98765, 96);
	CHECK(mapbook_doubtful(b, mapbook_find(b, 13, 97), 97));
	do_fork(b, 14, 13, 97);
	CHECK(mapbook_doubtful(b, mapbook_find(b, 14, 98), 98));
	do_map(b, 8, 97, 0x1000, "/from nowhere");
	CHECK(mapbook_doubtful(b, mapbook_find(b, 8, 98), 98));
	CHECK(mapbook_find(b, 8, 98)->exe == NULL);
	/* read again: the old mappings are gone, the rest is sure */
	m.name = "/new";
	CHECK(seed(b, 5, "", &m, 100) == 0);
	HAS(5, 101, "/new");
	CHECK(!mapbook_doubtful(b, mapbook_find(b, 5, 101), 101));
	CHECK(mapbook_find(b, 5, 101)->exe == NULL);

	/* a second loss; the first still counts */
	do_exec(b, 9, 70, "d");
	do_exec(b, 12, 101, "e");
	mapbook_lost(b, 105, 108);
	CHECK(mapbook_doubtful(b, mapbook_find(b, 9, 102), 102));
	CHECK(!mapbook_doubtful(b, mapbook_find(b, 12, 102), 102));
	CHECK(mapbook_doubtful(b, mapbook_find(b, 12, 106), 106));
	CHECK(mapbook_doubtful(b, mapbook_find(b, 12, 200), 200));
	rec_lost(&x, 3, 109); /* since when is not said */
	apply(b, &x);
	CHECK(mapbook_doubtful(b, mapbook_find(b, 12, 102), 102));

	/* whose end was lost */
	living = 1;
	mapbook_sweep(b, 99, 110);
	CHECK(mapbook_find(b, 8, 111)->ended == 0);
	living = 0;
	mapbook_sweep(b, 99, 110);
	CHECK(mapbook_find(b, 8, 111)->ended == 110);
	CHECK(mapbook_find(b, 5, 111)->ended == 0);
	/* one that was thought dead is seen in /proc: its leader had gone */
	CHECK(seed(b, 8, "", &m, 120) == 0);
	CHECK(mapbook_find(b, 8, 121)->ended == 0);
	mapbook_free(b);
	CHECK(mapped == unmapped);
}

/* Memory stays where it is, whatever goes on. */
static void
test_bounds(void)
{
	struct mapbook *b = new_book(64, 1 << 20);
	struct mapbook_stats st;
	char name[4096];
	uint64_t t = 1;
	size_t most = 0;
	int i;

	/* execs by the thousand, and not one that lives */
	for (i = 0; i < 20000; i++, t += 10) {
		do_fork(b, 100 + i, 1, t);
		do_exec(b, 100 + i, t + 1, "true");
		do_map(b, 100 + i, t + 2, 0x1000, "/bin/true");
		do_map(b, 100 + i, t + 3, 0x8000, "/lib/libc.so");
		do_exit(b, 100 + i, 100 + i, t + 4);
		mapbook_get_stats(b, &st);
		most = st.bytes > most ? st.bytes : most;
	}
	CHECK(st.ended <= 64 && st.procs <= 65 && st.files == 2);
	CHECK(most < 64 << 10);
	/* the youngest are there */
	CHECK(strcmp(has(b, 100 + i - 1, t), "/bin/true/lib/libc.so") == 0);

	/* zombies: all claim to live; still only so many are asked at once */
	living = 1;
	for (i = 0; i < 200; i++, t += 10) {
		do_fork(b, 50000 + i, 1, t);
		do_exit(b, 50000 + i, 50000 + i, t + 1);
	}
	living = 0;
	mapbook_expire(b, t + 10000);
	mapbook_get_stats(b, &st);
	CHECK(st.ended == 0);

	/* one that maps without end */
	do_exec(b, 7, t, "greedy");
	for (i = 0; i < 20000; i++)
		do_map(b, 7, t, 0x10000 + 0x2000 * (uint64_t)i, "");
	CHECK(mapbook_find(b, 7, t)->space->n <= MAPSPACE_MAX);
	CHECK(mapbook_find(b, 7, t)->space->incomplete);
	CHECK(mapbook_doubtful(b, mapbook_find(b, 7, t), t));
	do_exec(b, 7, t + 1, "long");
	memset(name, 'x', sizeof(name));
	name[0] = '/';
	for (i = 0; i < 3000; i++) {
		snprintf(
		    name + sizeof(name) - 8, 8, "%07u", (unsigned)i % 10000000);
		do_map(b, 7, t + 1, 0x10000 + 0x2000 * (uint64_t)i, name);
	}
	CHECK(mapbook_find(b, 7, t + 1)->space->incomplete);
	mapbook_get_stats(b, &st);
	CHECK(st.bytes < (1 << 20) + 16384 && st.refused > 0);
	/* the others go on as soon as there is room */
	do_exit(b, 7, 7, t + 2);
	do_exec(b, 8, t + 3, "modest");
	do_map(b, 8, t + 4, 0x1000, "/modest");
	CHECK(strcmp(has(b, 8, t + 5), "/modest") == 0);
	mapbook_free(b);
	CHECK(mapped == unmapped);
}

/* --- what stands around --------------------------------------------------- */

static void
test_text(void)
{
	static struct cpus c;
	static const char stat[] =
	    "77 (a) S (1 b)) R 66 77 77 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 1 0 "
	    "300 1 2 3\n";
	struct procseen s;
	size_t n;

	CHECK(cpus_parse("0-3\n", &c) == 4 && c.set[0] == 0xf);
	CHECK(cpus_parse("1,3-4,9\n", &c) == 10);
	CHECK(c.set[0] == 0x1a && c.set[1] == 2);
	CHECK(cpus_has(&c, 9) && !cpus_has(&c, 8));
	CHECK(cpus_parse("\n", &c) == 0);
	CHECK(cpus_parse("0,\n", &c) == 1);
	CHECK(cpus_parse("3-1\n", &c) == -1 && errno == EINVAL);
	CHECK(cpus_parse("0;1\n", &c) == -1);
	CHECK(cpus_parse("x\n", &c) == -1);
	CHECK(cpus_parse("0-99999\n", &c) == -1);
	CHECK(cpus_parse("0-99999999999999999999999\n", &c) == -1);
	CHECK(cpus_parse("0-", &c) == -1);
	CHECK(cpus_possible() >= (unsigned)sysconf(_SC_NPROCESSORS_ONLN));

	memset(&s, 0, sizeof(s));
	CHECK(procscan_parse_stat(stat, sizeof(stat) - 1, &s) == 0);
	CHECK(s.pid == 77 && s.ppid == 66 && strcmp(s.comm, "a) S (1 b)") == 0);
	CHECK(s.start == 300 * UINT64_C(10000000));
	for (n = 0; n < (size_t)(strstr(stat, "300") - stat); n++) {
		char *p = malloc(n ? n : 1);

		memcpy(p, stat, n);
		CHECK(procscan_parse_stat(p, n, &s) == -1);
		free(p);
	}
}

/* One record of each kind and some that overlap, for the fuzzer. */
static void
write_seed(void)
{
	struct rec x;

	rec_task(&x, PERF_RECORD_FORK, 7, 1, 7, 1, 10);
	fwrite(x.p, x.len, 1, stdout);
	rec_comm(&x, 7, 7, 11, "sh", 1);
	fwrite(x.p, x.len, 1, stdout);
	rec_mmap(&x, 7, 12, 0x1000, 0x4000, 0, "/bin/sh", 5);
	rec_set_id(&x, "0123456789abcdef0123", 20);
	fwrite(x.p, x.len, 1, stdout);
	rec_mmap(&x, 7, 13, 0x2000, 0x1000, 0x1000, "//anon", 0);
	fwrite(x.p, x.len, 1, stdout);
	rec_task(&x, PERF_RECORD_FORK, 8, 7, 8, 7, 14);
	fwrite(x.p, x.len, 1, stdout);
	rec_mmap(&x, 8, 15, 0x3000, 0x9000, 0, "/lib/libc.so.6", 6);
	fwrite(x.p, x.len, 1, stdout);
	rec_comm(&x, 8, 8, 16, "name", 0);
	fwrite(x.p, x.len, 1, stdout);
	rec_lost(&x, 3, 17);
	fwrite(x.p, x.len, 1, stdout);
	rec_task(&x, PERF_RECORD_EXIT, 8, 7, 8, 7, 18);
	fwrite(x.p, x.len, 1, stdout);
}

int
main(int argc, char *argv[])
{
	if (argc == 2 && strcmp(argv[1], "seed") == 0) {
		write_seed();
		return 0;
	}
	test_decode();
	test_queue();
	test_space();
	test_book();
	test_doubt();
	test_bounds();
	test_text();
	return check_report();
}
