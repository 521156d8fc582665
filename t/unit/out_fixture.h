/*
 * out_fixture: a report as out/out writes it, of some of everything, and
 * files to hold one.
 */
#ifndef T_OUT_FIXTURE_H
#define T_OUT_FIXTURE_H

#include "base/io.h"
#include "out/out.h"

/* A temporary file with these bytes, its name gone; all of one again,
 * NUL-terminated. */
int file_new(const void *s, size_t n);
struct buf file_read(int fd);

/* A report with so many threads: written; its text, the caller's to free. */
void sample(struct out *o, int rows);
struct buf sample_of(enum out_format format, int rows);

#endif
