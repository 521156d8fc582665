#include "wrap/words.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { FIRST = 32 };

void
words_add(struct words *l, const char *word)
{
	size_t cap = l->cap > 0 ? 2 * l->cap : FIRST;
	char **w;

	if (l->n + 1 >= l->cap) {
		w = realloc(l->w, cap * sizeof(*w));
		if (w == NULL) {
			l->failed = 1;
			return;
		}
		l->w = w;
		l->cap = cap;
	}
	l->w[l->n++] = (char *)word;
	l->w[l->n] = NULL;
}

void
words_format(struct words *l, const char *fmt, ...)
{
	va_list ap;
	char *word;

	va_start(ap, fmt);
	if (vasprintf(&word, fmt, ap) == -1)
		l->failed = 1;
	else
		words_add(l, word);
	va_end(ap);
}

void
words_more(struct words *l, const char *sep, const struct words *more)
{
	size_t i;

	if (sep != NULL && l->n > 0 && more->n > 0)
		words_add(l, sep);
	for (i = 0; i < more->n; i++)
		words_add(l, more->w[i]);
	l->failed |= more->failed;
}

char **
words_argv(const struct words *l)
{
	if (!l->failed)
		return l->w;
	errno = ENOMEM;
	return NULL;
}
