#include "trim/livemaps.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/num.h"
#include "proc/procinfo.h"
#include "send/corepages.h"
#include "target/target.h"

/* coredump_filter (core(5)) */
enum {
	ANON_PRIVATE = 1,
	ANON_SHARED = 2,
	FILE_PRIVATE = 4,
	FILE_SHARED = 8,
	ELF_HEADERS = 16,
	FILTER = 0x33
};

static unsigned
read_filter(int procfd)
{
	struct buf b = {.p = NULL};
	uint64_t v = FILTER;

	if (io_slurp_once(procfd, "coredump_filter", 64, &b, NULL) == 0 &&
	    b.len > 0) {
		b.p[strcspn(b.p, "\n")] = '\0';
		num_u64(b.p, 16, 0, UINT_MAX, &v);
	}
	buf_free(&b);
	return (unsigned)v;
}

static int
ends_in(const char *s, const char *end)
{
	size_t n = strlen(s), k = strlen(end);

	return n >= k && strcmp(s + n - k, end) == 0;
}

int
livemaps_is_file(const struct map *m)
{
	return m->ino != 0 || *m->name == '/';
}

/* Whether a private mapping of a file has pages of its own, of which it may be
 * that they can no longer be written to: what was relocated (RELRO).  Bits of
 * an entry: linux Documentation/admin-guide/mm/pagemap.rst. */
static int
was_written(int pagemapfd, const struct map *m)
{
	enum { ENTRIES = 1024 };
	uint64_t e[ENTRIES], at;
	ssize_t n, i;

	for (at = m->start / TARGET_PAGE; at < m->end / TARGET_PAGE;
	     at += (uint64_t)n) {
		n = pread(pagemapfd, e, sizeof(e), (off_t)(at * sizeof(*e))) /
		    (ssize_t)sizeof(*e);
		if (n <= 0)
			return 1; /* not known */
		for (i = 0; i < n && at + (uint64_t)i < m->end / TARGET_PAGE;
		     i++)
			if ((e[i] >> 61 & 5) == 4 || e[i] >> 62 & 1)
				return 1;
	}
	return 0;
}

/* Bytes of it that a core has. */
static uint64_t
wanted(const struct map *m, unsigned filter, int pagemapfd)
{
	uint64_t all = m->end - m->start;

	if (strncmp(m->name, "[vvar", 5) == 0 ||
	    strcmp(m->name, "[vsyscall]") == 0)
		return 0;
	if (strcmp(m->name, "[vdso]") == 0)
		return all;
	/* memory that is shared has a file without a name */
	if (m->prot & MAP_S)
		return filter &
			(ends_in(m->name, " (deleted)") ? ANON_SHARED
							: FILE_SHARED)
		    ? all
		    : 0;
	if (!livemaps_is_file(m))
		return filter & ANON_PRIVATE ? all : 0;
	if (filter & FILE_PRIVATE ||
	    (filter & ANON_PRIVATE &&
		(m->prot & MAP_W || was_written(pagemapfd, m))))
		return all;
	if (filter & ELF_HEADERS && m->off == 0 && m->prot & MAP_R)
		return TARGET_PAGE < all ? TARGET_PAGE : all;
	return 0;
}

/* The pages of a segment that there are. */
static int
add_present(struct livemaps *l, struct corepages *pages, size_t i)
{
	const struct core_seg *s = &l->segs[i];
	uint64_t end = s->vaddr + s->filesz, at = s->vaddr, from, to;
	int r;

	/* of a file they are there, whether or not they are mapped as yet */
	if (!map_begins_empty(&l->maps[i]) || pages->fd == -1) {
		pageset_add(&l->present, s->vaddr, s->filesz);
		return 0;
	}
	while (
	    at < end && (r = corepages_next(pages, at, end, &from, &to)) != 0) {
		if (r == -1)
			return -1;
		pageset_add(&l->present, from, to - from);
		at = to;
	}
	return 0;
}

int
livemaps_read(int procfd, struct livemaps *l)
{
	struct corepages pages = {.fd = -1};
	unsigned filter = read_filter(procfd);
	size_t i;
	int r = -1, cut;

	memset(l, 0, sizeof(*l));
	if (maps_read(procfd, (size_t)PROC_MAPS_MIB << 20, &l->text, &cut) ==
		-1 ||
	    maps_parse(l->text.p, l->text.len, &l->maps, &l->nmaps) == -1)
		return -1;
	if (cut || l->nmaps == 0)
		return fails(cut ? EFBIG : ESRCH);
	pages.fd = openat(procfd, "pagemap", O_RDONLY | O_CLOEXEC);
	l->segs = calloc(l->nmaps, sizeof(*l->segs));
	if (l->segs == NULL || corepages_init(&pages, TARGET_PAGE) == -1)
		goto out;
	for (i = 0; i < l->nmaps; i++) {
		l->segs[i].vaddr = l->maps[i].start;
		l->segs[i].memsz = l->maps[i].end - l->maps[i].start;
		l->segs[i].filesz = wanted(&l->maps[i], filter, pages.fd);
		l->segs[i].flags = (l->maps[i].prot & MAP_R ? PF_R : 0) |
		    (l->maps[i].prot & MAP_W ? PF_W : 0) |
		    (l->maps[i].prot & MAP_X ? PF_X : 0);
		if (add_present(l, &pages, i) == -1)
			goto out;
	}
	r = pageset_settle(&l->present);
	for (i = 0; i < l->present.n; i++)
		l->bytes += l->present.run[i].end - l->present.run[i].start;
out:
	corepages_close(&pages);
	return r;
}

void
livemaps_free(struct livemaps *l)
{
	buf_free(&l->text);
	free(l->maps);
	free(l->segs);
	pageset_free(&l->present);
}
