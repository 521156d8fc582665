/*
 * gotable: where the table of gopclntab.h lies in a file.  Private to it.
 */
#ifndef ELF_GOTABLE_H
#define ELF_GOTABLE_H

#include <stdint.h>

struct gotable {
	uint64_t off, len; /* in the file */
	uint64_t text;	   /* of the first function, 0 unknown */
};

/* 0, or -1 with errno, ENOENT when there is none. */
int gotable_find(int fd, struct gotable *);

#endif
