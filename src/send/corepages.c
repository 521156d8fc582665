#include "send/corepages.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/io.h"

enum {
	RUNS = 512,
	ENTRIES = 8192 /* 32 MiB at a time */
};

/* linux/fs.h, which may be older than the kernel */
struct scan_region {
	uint64_t start, end, categories;
};
struct scan_arg {
	uint64_t size, flags, start, end, walk_end, vec, vec_len, max_pages;
	uint64_t inverted, mask, anyof, want;
};
#define SCAN_REQUEST _IOWR('f', 16, struct scan_arg)
#define SCAN_PRESENT (UINT64_C(1) << 3)
#define SCAN_SWAPPED (UINT64_C(1) << 4)
#define SCAN_PFNZERO (UINT64_C(1) << 5)

#define ENTRY_THERE (UINT64_C(3) << 62) /* present, swapped */

int
corepages_init(struct corepages *c, size_t page)
{
	c->page = page;
	c->from = c->upto = 0;
	c->n = c->at = 0;
	if (c->run == NULL)
		c->run = calloc(RUNS, sizeof(*c->run));
	return c->run == NULL ? -1 : 0;
}

void
corepages_close(struct corepages *c)
{
	io_close(&c->fd);
	free(c->run);
	free(c->entry);
	c->run = NULL;
	c->entry = NULL;
	c->fd = -1;
}

static void
add_run(struct corepages *c, uint64_t start, uint64_t end)
{
	if (c->n > 0 && c->run[c->n - 1].end == start) {
		c->run[c->n - 1].end = end;
		return;
	}
	c->run[c->n].start = start;
	c->run[c->n++].end = end;
}

/* Pages that are the shared page of zeros are none to us. */
static int
scan(struct corepages *c, uint64_t addr, uint64_t end)
{
	struct scan_region region[RUNS];
	struct scan_arg a = {.size = sizeof(a),
	    .start = addr,
	    .end = end,
	    .vec = (uintptr_t)region,
	    .vec_len = RUNS,
	    .inverted = SCAN_PFNZERO,
	    .mask = SCAN_PFNZERO,
	    .anyof = SCAN_PRESENT | SCAN_SWAPPED,
	    .want = SCAN_PRESENT};
	int i, n;

	do
		n = ioctl(c->fd, SCAN_REQUEST, &a);
	while (n == -1 && errno == EINTR);
	if (n == -1)
		return -1;
	for (i = 0; i < n; i++)
		add_run(c, region[i].start, region[i].end);
	c->upto = a.walk_end > addr ? a.walk_end : end;
	return 0;
}

static int
read_entries(struct corepages *c, uint64_t addr, uint64_t end)
{
	uint64_t n = (end - addr + c->page - 1) / c->page, i, at;
	ssize_t r;

	if (c->entry == NULL)
		c->entry = calloc(ENTRIES, sizeof(*c->entry));
	if (c->entry == NULL)
		return -1;
	if (n > ENTRIES)
		n = ENTRIES;
	r = io_pread_full(c->fd, c->entry, n * sizeof(*c->entry),
	    addr / c->page * sizeof(*c->entry));
	if (r == -1)
		return -1;
	n = (uint64_t)r / sizeof(*c->entry);
	if (n == 0)
		return fails(ESRCH);
	for (i = 0; i < n; i++) {
		at = addr + i * c->page;
		if (c->entry[i] & ENTRY_THERE) {
			if (c->n == RUNS && c->run[c->n - 1].end != at)
				break;
			add_run(c, at, at + c->page);
		}
	}
	c->upto = addr + i * c->page;
	return 0;
}

/* Tells of pages from addr on, at least one, at most up to end. */
static int
learn(struct corepages *c, uint64_t addr, uint64_t end)
{
	addr -= addr % c->page;
	end += (c->page - end % c->page) % c->page;
	c->n = c->at = 0;
	c->from = addr;
	if (c->fd == -1) {
		add_run(c, addr, end);
		c->upto = end;
		return 0;
	}
	if (!c->noscan) {
		if (scan(c, addr, end) == 0)
			return 0;
		if (errno == ESRCH)
			return -1;
		c->noscan = 1;
	}
	return read_entries(c, addr, end);
}

int
corepages_next(struct corepages *c, uint64_t addr, uint64_t end, uint64_t *from,
    uint64_t *to)
{
	const struct corepages_run *r;

	while (addr < end) {
		if ((addr < c->from || addr >= c->upto) &&
		    learn(c, addr, end) == -1)
			return -1;
		if (c->at >= c->n || c->run[c->at].start > addr)
			c->at = 0;
		for (; c->at < c->n; c->at++)
			if (c->run[c->at].end > addr)
				break;
		if (c->at == c->n) {
			addr = c->upto;
			continue;
		}
		r = &c->run[c->at];
		if (r->start >= end)
			return 0;
		*from = r->start > addr ? r->start : addr;
		*to = r->end < end ? r->end : end;
		return 1;
	}
	return 0;
}
