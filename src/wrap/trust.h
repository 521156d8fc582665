/*
 * trust: what is root's alone (or the caller's own), for nobody else to write.
 *
 * What is looked at is what is used: files by their descriptor.  Programs are
 * looked at by their real name, and so is each directory above them.
 */
#ifndef WRAP_TRUST_H
#define WRAP_TRUST_H

#include <limits.h>

enum { TRUST_WHY = PATH_MAX + 96 };

/* 1, or 0 and why not: "owned by user 999", "not a regular file" ... */
int trust_file(int fd, char why[TRUST_WHY]);
/*
 * Opens dir/name, of which neither may be a link, with flags, and 0600 where
 * they say that it is made.  -1: there is none (why is empty), or it cannot be
 * trusted, or opened.
 */
int
trust_open(const char *dir, const char *name, int flags, char why[TRUST_WHY]);
/* A program, and all directories above it; a sticky one does for what is
 * root's in it.  1, or 0 and why not. */
int trust_program(const char *path, char why[TRUST_WHY]);

#endif
