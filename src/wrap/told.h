/*
 * told: what the kernel says of a crash, in the words of core_pattern.
 *
 * Each is a letter of core(5) and the value: P4711 s11 ... hhost ename.  Every
 * value is text that the crashed process may have chosen, in pieces, and is
 * only ever handed on.
 */
#ifndef WRAP_TOLD_H
#define WRAP_TOLD_H

#include <limits.h>

#include "wrap/words.h"

#define TOLD_LETTERS "PIpiugdstcCFhe"

struct told {
	const char *value[sizeof(TOLD_LETTERS)]; /* "" unknown */
	char *words;	    /* that came as values, none twice: letters */
	struct words odd;   /* what is none */
	const char *pid;    /* "0": not known */
	char exe[PATH_MAX]; /* told_exe()'s */
	int looked;
};

/*
 * Takes them.  A letter counts once, and after the host name only the name of
 * the thread can come: kernels before 5.3 split both at their blanks, and
 * neither may pass for another value.  -1 ENOMEM.
 */
int told_take(struct told *, char *const words[]);
const char *told(const struct told *, char letter);
/* What lacks and what is odd, as one text, or NULL. */
char *told_amiss(const struct told *);
/* The path of its executable, as /proc has it; "" unknown. */
const char *told_exe(struct told *);
/* As the programs take it: --pid=4711 ... */
void told_options(const struct told *, struct words *);
/* As it came. */
void told_words(const struct told *, struct words *);
/* Text as it may be shown: printable ASCII, else \xNN.  NULL with ENOMEM. */
char *told_shown(const char *text);

#endif
