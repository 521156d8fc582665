#include "proc/pagemap.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/io.h"

/* present, swapped */
#define PAGE_HERE (UINT64_C(3) << 62)

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
is_here(struct pagemap *p, uint64_t page)
{
	ssize_t r;

	if (page - p->first >= p->n) {
		p->first = page - page % PAGEMAP_AT_ONCE;
		r = io_pread_full(p->fd, p->entry, sizeof(p->entry),
		    p->first * sizeof(p->entry[0]));
		p->n = r > 0 ? (size_t)r / sizeof(p->entry[0]) : 0;
	}
	return page - p->first >= p->n ||
	    (p->entry[page - p->first] & PAGE_HERE) != 0;
}

size_t
pagemap_span(struct pagemap *p, uint64_t addr, size_t len, int *here)
{
	uint64_t page = addr / p->page;
	size_t n = (size_t)(p->page - addr % p->page);

	*here = p->fd == -1 || is_here(p, page);
	while (n < len && p->fd != -1 && ++page - p->first < p->n &&
	    is_here(p, page) == *here)
		n += p->page;
	return n < len && p->fd != -1 ? n : len;
}
