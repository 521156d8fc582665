#include "proc/pagemap.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/io.h"

/* present, swapped; a guard of madvise(2), which is "swapped" as well (and is
 * told from it since Linux 6.15) */
#define PAGE_HERE (UINT64_C(3) << 62)
#define PAGE_GUARD (UINT64_C(1) << 58)

void
pagemap_open(struct pagemap *p, int procfd)
{
	p->fd = openat(procfd, "pagemap", O_RDONLY | O_CLOEXEC);
	p->page = (uint64_t)sysconf(_SC_PAGESIZE);
	p->n = 0;
}

void
pagemap_close(struct pagemap *p)
{
	io_close(&p->fd);
}

void
pagemap_forget(struct pagemap *p)
{
	p->n = 0;
}

/* What is known of a page; what is not to be known is there. */
static int
what_is(struct pagemap *p, uint64_t page)
{
	uint64_t entry;
	ssize_t r;

	if (page - p->first >= p->n) {
		p->first = page - page % PAGEMAP_AT_ONCE;
		r = io_pread_full(p->fd, p->entry, sizeof(p->entry),
		    p->first * sizeof(p->entry[0]));
		p->n = r > 0 ? (size_t)r / sizeof(p->entry[0]) : 0;
	}
	if (page - p->first >= p->n)
		return PAGEMAP_HERE;
	entry = p->entry[page - p->first];
	if (entry & PAGE_GUARD)
		return PAGEMAP_GUARD;
	return entry & PAGE_HERE ? PAGEMAP_HERE : PAGEMAP_NOT_HERE;
}

size_t
pagemap_span(struct pagemap *p, uint64_t addr, size_t len, int *what)
{
	uint64_t page = addr / p->page;
	size_t n = (size_t)(p->page - addr % p->page);

	*what = p->fd == -1 ? PAGEMAP_HERE : what_is(p, page);
	while (n < len && p->fd != -1 && ++page - p->first < p->n &&
	    what_is(p, page) == *what)
		n += p->page;
	return n < len && p->fd != -1 ? n : len;
}
