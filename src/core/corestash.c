#include "core/corestash.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/array.h"
#include "base/deadline.h"
#include "base/io.h"

enum { BLOCK = 64 << 10, PAGE = 4096 };

struct stashing {
	const struct core_head *h;
	struct core_stash *s;
	int outfd;
	uint64_t kept; /* bytes */
	size_t hint;   /* the segment looked at last */
};

static int
all_zero(const char *p, size_t n)
{
	return n == 0 || (p[0] == 0 && memcmp(p, p + 1, n - 1) == 0);
}

/* Is some wanted address so near that the page at addr may be its stack? */
static int
is_wanted(const struct core_stash *s, uint64_t addr)
{
	/* the last want that is not above the page by more than BELOW */
	size_t n = array_above(
	    s->want, s->n, sizeof(*s->want), 0, addr + PAGE + STASH_BELOW);

	return n > 0 &&
	    (s->want[n - 1] > addr || addr - s->want[n - 1] < STASH_WINDOW);
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

/* Keeps what is wanted of the bytes that stand at off in the core; -1 errno. */
static int
keep(struct stashing *k, const char *block, size_t have, uint64_t off)
{
	const struct core_seg *seg;
	uint64_t addr;
	size_t i, n;

	for (i = 0; i < have; i += n) {
		n = PAGE - (off + i) % PAGE;
		n = n < have - i ? n : have - i;
		seg = segment_at(k->h, off + i, &k->hint);
		if (seg == NULL || all_zero(block + i, n))
			continue;
		addr = seg->vaddr + (off + i - seg->off);
		if (seg->filesz > STASH_SMALL && !is_wanted(k->s, addr))
			continue;
		if (k->kept + n > STASH_MAX) {
			k->s->why = "more than 256 MiB near the stacks";
			continue;
		}
		k->kept += n;
		if (pwrite(k->outfd, block + i, n, (off_t)(off + i)) !=
		    (ssize_t)n)
			return -1;
	}
	return 0;
}

int
core_stash(int fd, const struct core_head *h, struct core_stash *s)
{
	struct stashing k = {.h = h, .s = s};
	uint64_t off = h->raw.len;
	size_t have = 0;
	char *block;
	ssize_t r;

	s->why = NULL;
	k.outfd = memfd_create("core", MFD_CLOEXEC);
	block = malloc(BLOCK);
	if (k.outfd == -1 || block == NULL)
		goto fail;
	for (;;) {
		if (deadline_poll(fd, POLLIN, s->deadline) <= 0) {
			s->why = "the core did not arrive in time";
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
		if (keep(&k, block, have, off) == -1)
			goto fail;
		off += have;
		have = 0;
	}
	/* zero pages were left out, but they were there */
	if (ftruncate(k.outfd, (off_t)(off + have)) == -1)
		goto fail;
	free(block);
	return k.outfd;
fail:
	free(block);
	io_close(&k.outfd);
	return -1;
}
