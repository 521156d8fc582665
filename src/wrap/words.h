/*
 * words: the argument list of a program, as it grows.
 *
 * Memory that runs out is told once, by words_argv(): until then a list that
 * failed takes what it is given and does nothing.  What is put in is kept by
 * its address, unless words_format() makes it.
 */
#ifndef WRAP_WORDS_H
#define WRAP_WORDS_H

#include <stddef.h>

struct words {
	char **w; /* n of them, and NULL behind */
	size_t n, cap;
	int failed;
};

void words_add(struct words *, const char *);
void words_format(struct words *, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* Those; between them and what is there already, if both are anything, sep
 * (NULL none). */
void words_more(struct words *, const char *sep, const struct words *);
/* NULL with ENOMEM when it is not all there. */
char **words_argv(const struct words *);

#endif
