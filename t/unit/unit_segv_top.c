/*
 * unit_segv_top: a table that is full loses no fault, and what ended a process
 * last; a screen has no more lines than its terminal, whatever is in it.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "check.h"
#include "segv/segv_top.h"

enum { MANY = 3 * TOP_ROWS, FATAL = 500, LINES = 12, COLUMNS = 70 };

static struct segv_top top;
static const struct segv_opts opts;

static void
add(enum segv_kind kind, const char *comm, const char *signature, int joined)
{
	struct segv_event ev = {
	    .kind = kind, .have = SEGV_HAVE_LEADER, .joined = joined};
	struct segv_resolved l = {.ev = &ev, .opts = &opts, .time = {5, 0}};

	snprintf(ev.leader, sizeof(ev.leader), "%s", comm);
	snprintf(l.signature, sizeof(l.signature), "%s", signature);
	snprintf(l.cause, sizeof(l.cause), "because of \033[2J %s", comm);
	segv_top_add(&top, &l);
}

static uint64_t
sum(int fatal)
{
	uint64_t n = top.others[fatal];
	size_t i;

	for (i = 0; i < top.n; i++)
		n += top.row[i].fatal == fatal ? top.row[i].n : 0;
	return n;
}

static size_t
rows(int fatal)
{
	size_t i, n = 0;

	for (i = 0; i < top.n; i++)
		n += top.row[i].fatal == fatal;
	return n;
}

static void
test_full(void)
{
	char name[16];
	int i;

	for (i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "p%d", i);
		if (i % (MANY / FATAL) == 0)
			add(SEGV_FATAL, name, "1", 0);
		segv_top_add_limited(&top, name, 10, 5);
		add(SEGV_LIVES, "same", "2", 0);
		add(SEGV_FATAL, "same", "2", i == 0);
	}
	segv_top_add_limited(&top, "", 7, 5);
	CHECK(top.n == TOP_ROWS);
	CHECK(sum(0) == (uint64_t)MANY * 11 + 7);
	CHECK(sum(1) == MANY + 1 + (MANY + MANY / FATAL - 1) / (MANY / FATAL));
	/* none of these went for a handled one */
	CHECK(rows(1) == 1 + (MANY + MANY / FATAL - 1) / (MANY / FATAL));
	CHECK(top.others[1] == 0);
	/* and then they do */
	for (i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "q%d", i);
		add(SEGV_FATAL, name, "1", 0);
	}
	CHECK(top.n == TOP_ROWS);
	CHECK(rows(0) == 0);
	CHECK(sum(0) == (uint64_t)MANY * 11 + 7);
	CHECK(sum(1) ==
	    2 * MANY + 1 + (MANY + MANY / FATAL - 1) / (MANY / FATAL));
}

/* All that one screen of so many lines is. */
static void
show(struct buf *b, unsigned lines, int last)
{
	struct segv_top_screen s = {.when = {9, 0},
	    .rows = (uint16_t)lines,
	    .columns = lines > 0 ? COLUMNS : 0,
	    .last = (uint8_t)last};
	struct out *o;
	int p[2];
	ssize_t n;

	must(pipe(p) == 0, "a pipe");
	o = out_new(p[1], OUT_TEXT);
	must(o != NULL, "memory");
	out_feed(o);
	CHECK(segv_top_show(&top, o, &s) == 0);
	CHECK(out_finish(o) == 0);
	close(p[1]);
	b->len = 0;
	must(buf_reserve(b, 1 << 16) == 0, "memory");
	n = io_read_full(p[0], b->p, 1 << 16);
	must(n >= 0, "read");
	b->len = (size_t)n;
	b->p[n] = '\0';
	close(p[0]);
}

static size_t
count(const struct buf *b, const char *what)
{
	const char *p = b->p;
	size_t n = 0;

	for (; (p = strstr(p, what)) != NULL; p++)
		n++;
	return n;
}

static void
test_screen(void)
{
	struct buf b = {0};
	int i;
	char name[16];

	memset(&top, 0, sizeof(top));
	for (i = 0; i < 50; i++) {
		snprintf(name, sizeof(name), "p%d\033\n", i);
		add(SEGV_FATAL, name, "1", 0);
		add(SEGV_LIVES, name, "1", 0);
	}
	add(SEGV_LIVES, "often", "1", 0);
	add(SEGV_LIVES, "often", "1", 0);
	show(&b, LINES, 0);
	CHECK(count(&b, "\n") < LINES);
	CHECK(count(&b, "others") == 2);
	CHECK(strstr(b.p, "FATAL") < strstr(b.p, "HANDLED"));
	/* the most frequent first */
	CHECK(strstr(strstr(b.p, "HANDLED"), "often") != NULL);
	/* one to go home, one to clear the rest, one at the end of each line */
	CHECK(count(&b, "\033") == count(&b, "\033[K") + 2);
	show(&b, 0, 0);
	CHECK(b.len == 0); /* nothing new */
	show(&b, 0, 1);
	CHECK(count(&b, "\n") == 50 + 51 + 4);
	CHECK(count(&b, "\033") == 0);
	CHECK(count(&b, "\\x1b") == 3 * 100 + 1);
	buf_free(&b);
}

int
main(void)
{
	test_full();
	test_screen();
	return check_report();
}
