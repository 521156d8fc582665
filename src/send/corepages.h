/*
 * corepages: which pages of anonymous memory there are.  A part of coremem.
 *
 * From /proc/PID/pagemap: by its PAGEMAP_SCAN request (Linux 6.7), whose time
 * goes with the pages there are, else by reading 8 bytes for each page there
 * could be (linux Documentation/admin-guide/mm/pagemap.rst).  Answers are kept
 * for the queries to come, which ascend.
 */
#ifndef SEND_COREPAGES_H
#define SEND_COREPAGES_H

#include <stddef.h>
#include <stdint.h>

struct corepages_run {
	uint64_t start, end;
};

struct corepages {
	int fd; /* /proc/PID/pagemap; -1: every page may be there */
	int noscan;
	size_t page;
	uint64_t from, upto; /* what the runs tell about */
	struct corepages_run *run;
	size_t n, at;
	uint64_t *entry; /* room for reading, without PAGEMAP_SCAN */
};

/* fd is set.  -1 ENOMEM. */
int corepages_init(struct corepages *, size_t page);
void corepages_close(struct corepages *);
/*
 * The next pages in [addr, end), within one mapping, that are in memory or
 * swapped: 1 with [*from, *to); 0 when there are none; -1 ESRCH when the
 * process has gone.
 */
int corepages_next(struct corepages *, uint64_t addr, uint64_t end,
    uint64_t *from, uint64_t *to);

#endif
