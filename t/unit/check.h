/*
 * check: counting what holds and what does not.
 *
 * A unit that goes through the same checks for several things says in
 * check_about which it is at; that is told with what fails.
 */
#ifndef T_CHECK_H
#define T_CHECK_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

extern int failed, checks;
extern const char *check_about;

void check_that(
    int ok, const char *about, const char *file, int line, const char *e);

#define CHECK_OF(about, e) check_that(!!(e), about, __FILE__, __LINE__, #e)
#define CHECK(e) CHECK_OF(check_about, e)
#define FAILS(e, why) CHECK((errno = 0, (e) == -1) && errno == (why))

/* What a test cannot go on without: exits 111. */
void must(int ok, const char *doing);

#define MUST(e) must((e), #e)

/* Says how many; main's result. */
int check_report(void);

#endif
