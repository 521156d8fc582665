/*
 * corepattern: the kernel's core_pattern, and whether a socket can be in it.
 *
 * Kernels before 6.16 take "@/path" for the name of a file, 6.16 knows only
 * that one, 6.17 "@@/path" as well.  Nothing is printed.  Sources: core(5),
 * fs/coredump.c.
 */
#ifndef ACCEPT_COREPATTERN_H
#define ACCEPT_COREPATTERN_H

enum { COREPATTERN_MAX = 127 };

/* "@@" or "@", what this kernel knows best, or "" for none. */
const char *corepattern_socket(void);
/* What is set; "" where that cannot be read. */
void corepattern_get(char pattern[COREPATTERN_MAX + 1]);
/* Sets it and reads it back.  0; -1 with errno, EINVAL: not taken as it is. */
int corepattern_set(const char *pattern);
/*
 * The pattern that makes the kernel run that command, with the specifiers it
 * has.  -1 EINVAL: none can, as there is a blank in a word, or no absolute path
 * at the beginning, or it is too long.
 */
int corepattern_pipe(char **command, char pattern[COREPATTERN_MAX + 1]);

#endif
