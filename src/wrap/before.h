/*
 * before: what was in core_pattern before, as crashlogctl(8) has saved it, and
 * how it is called.
 */
#ifndef WRAP_BEFORE_H
#define WRAP_BEFORE_H

#include "wrap/told.h"
#include "wrap/trust.h"

/*
 * The pattern, or NULL: nothing was saved (why is empty), or what is there is
 * not to be believed.
 */
char *before_saved(const char *state, char why[TRUST_WHY]);
/* Whether that is a program, and none of ours. */
int before_is_other(const char *pattern);
/*
 * Its words, as format_corename() of the kernel (fs/coredump.c) makes them:
 * taken apart before it is expanded, a "%" with a blank behind it included.
 * -1 ENOMEM.
 */
int before_words(const char *pattern, struct told *, struct words *);

#endif
