/*
 * pagemap: what of a process's memory is there, in pages or swapped.
 *
 * From /proc/PID/pagemap (linux Documentation/admin-guide/mm/pagemap.rst), many
 * pages at once, and what was read is kept for the next question.  To read
 * memory that is not there puts it there, on the process's account.
 */
#ifndef PROC_PAGEMAP_H
#define PROC_PAGEMAP_H

#include <stddef.h>
#include <stdint.h>

enum { PAGEMAP_AT_ONCE = 64 };

/* What a page is.  A guard (MADV_GUARD_INSTALL, by which glibc 2.42 ends the
 * stacks of threads) is nobody's to read, whatever its mapping says. */
enum { PAGEMAP_NOT_HERE, PAGEMAP_HERE, PAGEMAP_GUARD };

struct pagemap { /* private */
	int fd;	 /* -1: everything is said to be there */
	uint64_t page, first;
	size_t n;
	uint64_t entry[PAGEMAP_AT_ONCE];
};

/* Below procfd; where that cannot be had, fd is -1. */
void pagemap_open(struct pagemap *, int procfd);
void pagemap_close(struct pagemap *);
/* What was read is not true any more. */
void pagemap_forget(struct pagemap *);
/*
 * How many of len bytes (at least one) from addr on are as the first is, as far
 * as that is known, and *what that is.
 */
size_t pagemap_span(struct pagemap *, uint64_t addr, size_t len, int *what);

#endif
