/*
 * corecopy: the memory of a process, in memory of ours.  A part of coremem.
 *
 * What is sent may take as long as the network likes; what has been copied
 * needs the process no more, which can end and be started again meanwhile.
 */
#ifndef SEND_CORECOPY_H
#define SEND_CORECOPY_H

#include <stddef.h>
#include <stdint.h>

struct corecopy_run {
	uint64_t addr, end; /* of the process */
	uint64_t at;	    /* in the copy */
};

struct corecopy {
	struct corecopy_run *run; /* in order of addresses, apart */
	size_t n;
	unsigned char *p;
	uint64_t len;
};

/* Adds a run, which follows those that are there; they are planned before one
 * byte is copied.  -1 ENOMEM; EINVAL: it does not. */
int corecopy_plan(struct corecopy *, uint64_t addr, uint64_t end);
/* Room for what was planned, then to be filled in.  -1 ENOMEM. */
int corecopy_room(struct corecopy *);
/* As coremem_next(), coremem_read(): what was not planned is zeros. */
int corecopy_next(const struct corecopy *, uint64_t *from, uint64_t end,
    size_t max, uint64_t *to);
void corecopy_read(const struct corecopy *, uint64_t addr, void *, size_t len);
void corecopy_free(struct corecopy *);

#endif
