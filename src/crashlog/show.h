/* show: rows and counts, in whatever form is asked for. */
#ifndef CRASHLOG_SHOW_H
#define CRASHLOG_SHOW_H

#include "crashlog/pick.h"
#include "crashlog/screen.h"

/* Reports, where first is the head of the first column (SLOT or HOST), and
 * cores, whose names begin behind dir. */
void show_list(struct screen *, const struct hit *, size_t n, int hosts);
void show_cores(struct screen *, const struct hit *, size_t n, const char *dir);

/* One crash, for counting: of a report, or a line of the ledger
 * (slots/ledger.h). */
struct seen {
	const char *key, *program, *signature, *time, *cause;
	size_t order; /* the later the greater */
};

/* The bars of programs and of signatures, of so many of each. */
void show_top(struct screen *, const struct hit *, size_t n, size_t most);

/* The lines of a ledger between two times, NULL any: an array of n, or NULL.
 * The text must stay, and is changed. */
struct seen *
ledger_lines(struct buf *, const char *since, const char *until, size_t *n);
/* The time of the last mark ("TIME NAME" a line) of that name, or of any, whose
 * name it is then; NULL. */
const char *ledger_mark(struct buf *, const char **name);
/* How often each signature came in each hour, day or month (bytes of a time
 * that make one). */
void show_over(
    struct screen *, struct seen *, size_t n, size_t most, const char *by);
/* Which are new since then. */
void show_since(struct screen *, struct seen *, size_t n, size_t most,
    const char *since, const char *name);

#endif
