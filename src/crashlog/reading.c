#include "crashlog/reading.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/msg.h"
#include "crashlog/when.h"
#include "slots/ledger.h"

void
reading_time(const char *word, char text[UTC_TEXT])
{
	int64_t t = when_seconds(word, (int64_t)time(NULL));

	if (t == -1)
		msg_refuse(EXIT_USAGE,
		    "'%s' is no time; such are: -2h, yesterday, 2026-11-26, "
		    "'2026-11-26 10:00:00', 10:00, 2026-11-26T09:00:00Z",
		    word);
	utc_text(t, text);
}

void
read_reports(struct reading *in)
{
	const struct options *o = in->o;
	const char *dir = o->dir, *word;
	int r, found, error, files = 0;

	r = o->store != NULL ? find_store(&in->rows, dir, 1)
			     : find_ring(&in->rows, dir);
	error = errno;
	for (size_t i = 0; i < o->pick.words; i++) {
		word = o->pick.word[i];
		found =
		    strchr(word, '/') == NULL ? 0 : find_file(&in->rows, word);
		if (found == -1)
			msg_refuse(EXIT_SYSTEM, "unable to read %s: %s", word,
			    strerror(errno));
		files |= found;
	}
	if (r == -1 && !files && error == ENOENT) {
		/* an empty answer, to who will not read an error */
		if (in->s.form == FORM_JSON)
			return;
		msg_refuse(EXIT_PARTIAL, "there is no %s: no report yet", dir);
	}
	if (r == -1 && !files)
		msg_refuse(
		    EXIT_SYSTEM, "unable to read %s: %s", dir, strerror(error));
	(void)find_beside(dir, ".notes", ROWS_NOTES, &in->notes);
}

void
read_cores(struct reading *in)
{
	const char *dir = in->o->cores;

	if (dir != NULL && find_store(&in->cores, dir, 0) == -1 &&
	    errno != ENOENT)
		msg_refuse(
		    EXIT_SYSTEM, "unable to read %s: %s", dir, strerror(errno));
}

/* And the cores, which are there for who may read them. */
void
read_both(struct reading *in)
{
	read_reports(in);
	if (in->o->cores != NULL)
		(void)find_store(&in->cores, in->o->cores, 0);
}

static void
read_ledger(struct reading *in)
{
	const char *dir = in->o->dir;

	(void)find_beside(dir, ".ledger.1", LEDGER_MAX + 4096, &in->text);
	if (find_beside(dir, ".ledger", LEDGER_MAX + 4096, &in->text) == 0)
		return;
	if (errno == ENOENT)
		msg_refuse(EXIT_PARTIAL, "there is no ledger in %s yet", dir);
	msg_refuse(
	    EXIT_SYSTEM, "unable to read %s/.ledger: %s", dir, strerror(errno));
}

void
read_top(struct reading *in)
{
	if (in->o->by == NULL)
		read_reports(in);
	else
		read_ledger(in);
}

static void
read_mark(struct reading *in)
{
	const char *at;

	in->name = in->o->pick.words > 0 ? in->o->pick.word[0] : NULL;
	(void)find_beside(in->o->dir, ".marks", ROWS_NOTES, &in->marks);
	at = ledger_mark(&in->marks, &in->name);
	if (in->name == NULL)
		msg_refuse(EXIT_USAGE, "since: when? there is no mark yet");
	if (at == NULL)
		reading_time(in->name, in->mark);
	else
		snprintf(in->mark, sizeof(in->mark), "%s", at);
}

void
read_since(struct reading *in)
{
	read_mark(in);
	read_ledger(in);
}

void
read_info(struct reading *in)
{
	read_both(in);
	if (in->o->frames != NULL &&
	    io_slurp(AT_FDCWD, in->o->frames, ROWS_NOTES, &in->text, NULL) ==
		-1)
		msg_die_sys(EXIT_SYSTEM, "unable to read %s", in->o->frames);
}

void
read_time(struct reading *in)
{
	reading_time(
	    in->o->pick.words > 0 ? in->o->pick.word[0] : "", in->mark);
}
