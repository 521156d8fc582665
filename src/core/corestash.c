#include "core/corestash.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/deadline.h"

enum { BLOCK = 64 << 10, PAGE = 4096 };

static int
all_zero(const char *p, size_t n)
{
	return n == 0 || (p[0] == 0 && memcmp(p, p + 1, n - 1) == 0);
}

/* Is some wanted address so near that the page at addr may be its stack? */
static int
is_wanted(const uint64_t *want, size_t n, uint64_t addr)
{
	size_t lo = 0, hi = n, mid;

	/* the last want that is not above the page by more than BELOW */
	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (want[mid] <= addr + PAGE + STASH_BELOW)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo > 0 &&
	    (want[lo - 1] > addr || addr - want[lo - 1] < STASH_WINDOW);
}

/* The segment with file offset off, or NULL; *hint speeds up a sequence. */
static const struct core_seg *
segment_at(const struct core_head *h, uint64_t off, size_t *hint)
{
	const struct core_seg *s;

	for (; *hint < h->nsegs; ++*hint) {
		s = &h->segs[*hint];
		if (s->filesz != 0 && off < s->off + s->filesz)
			return off >= s->off ? s : NULL;
	}
	return NULL;
}

int
core_stash(int fd, const struct core_head *h, const uint64_t *want,
    size_t nwant, int64_t deadline, const char **why)
{
	const struct core_seg *s;
	uint64_t off = h->raw.len, kept = 0, addr;
	size_t have = 0, n, i, hint = 0;
	char *block;
	ssize_t r;
	int outfd;

	*why = NULL;
	outfd = memfd_create("core", MFD_CLOEXEC);
	block = malloc(BLOCK);
	if (outfd == -1 || block == NULL)
		goto fail;
	for (;;) {
		if (deadline_poll(fd, POLLIN, deadline) <= 0) {
			*why = "the core did not arrive in time";
			break;
		}
		/* blocks end on page boundaries of the file */
		r = read(fd, block + have, BLOCK - off % PAGE - have);
		if (r == -1 && errno == EINTR)
			continue;
		if (r <= 0) {
			if (have == 0)
				break;
			r = 0; /* the rest, then end at the next read */
		}
		have += (size_t)r;
		if (r > 0 && (off + have) % PAGE != 0 &&
		    have < BLOCK - off % PAGE)
			continue;
		for (i = 0; i < have; i += n) {
			n = PAGE - (off + i) % PAGE;
			n = n < have - i ? n : have - i;
			s = segment_at(h, off + i, &hint);
			if (s == NULL || all_zero(block + i, n))
				continue;
			addr = s->vaddr + (off + i - s->off);
			if (s->filesz > STASH_SMALL &&
			    !is_wanted(want, nwant, addr))
				continue;
			if (kept + n > STASH_MAX) {
				*why = "more than 256 MiB near the stacks";
				continue;
			}
			kept += n;
			if (pwrite(outfd, block + i, n, (off_t)(off + i)) !=
			    (ssize_t)n)
				goto fail;
		}
		off += have;
		have = 0;
	}
	/* zero pages were left out, but they were there */
	if (ftruncate(outfd, (off_t)(off + have)) == -1)
		goto fail;
	free(block);
	return outfd;
fail:
	free(block);
	if (outfd != -1)
		close(outfd);
	return -1;
}
