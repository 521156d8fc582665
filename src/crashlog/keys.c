/*
 * The keys of a report, "key: value" a line up to an empty one, or in JSON
 * "key": value up to the backtrace (usercrash-report(5)); and those of
 * PATH.info beside a core, which knows what a core does not tell.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/bytes.h"
#include "base/num.h"
#include "base/utc.h"
#include "crashlog/rows.h"
#include "crashlog/screen.h"

const char *const col_name[COLS] = {"time", "host", "pid", "tid", "thread",
    "comm", "exe", "uid", "signal", "signal_name", "cause", "signature",
    "package", "package_version", "unit", "user_unit", "container_id",
    "container_runtime", "container_host", "pod", "abort_message", "exception",
    "exception_text", "format", "slot", "program", "package", "count", "note",
    "path", "core", "mib", "state"};

static const char deleted[] = " (deleted)";

/* The string of JSON that s begins with, and has in its place then. */
static void
unquote(char *s, size_t *n)
{
	size_t out = 0;

	for (size_t i = 1; i < *n && s[i] != '"'; i++) {
		if (s[i] == '\\' && i + 1 < *n)
			i++;
		s[out++] = s[i];
	}
	*n = out;
}

/* A line of n bytes, behind which there is room for a NUL; its column, or -1,
 * and its value. */
static int
take(char *s, size_t n, int json, char **value)
{
	size_t len, skip;

	for (int k = 0; k < KEYS; k++) {
		len = strlen(col_name[k]);
		skip = len + 2 + 2 * (size_t)json;
		if (n < skip || memcmp(s + json, col_name[k], len) != 0 ||
		    memcmp(s + json + len, json ? "\": " : ": ",
			2 + (size_t)json) != 0 ||
		    (json && *s != '"'))
			continue;
		s += skip;
		n -= skip;
		if (json && n > 0 && s[n - 1] == ',')
			n--;
		if (json && n > 0 && (*s == '{' || *s == '['))
			return -1;
		if (json && n > 0 && *s == '"')
			unquote(s, &n);
		screen_printable(s, n);
		*value = s;
		return k;
	}
	return -1;
}

static const char *
known(const char *value)
{
	return *value == '\0' || strncmp(value, "unavailable: ", 13) == 0
	    ? "-"
	    : value;
}

/* Why it is no report, or NULL. */
static const char *
take_report(struct row *r)
{
	char *s = r->head.p, *end = s + r->head.len, *nl, *value;
	int json = 0, lines = 0, k;

	for (; s < end; s = nl + 1) {
		nl = memchr(s, '\n', (size_t)(end - s));
		if (nl == NULL)
			nl = end;
		if (lines == 0) {
			json = nl - s == 1 && *s == '{';
			if (!json &&
			    (nl - s < 18 ||
				memcmp(s, "usercrash report ", 17) != 0 ||
				s[17] < '0' || s[17] > '9'))
				break;
		}
		if (++lines > ROWS_LINES || (!json && nl == s) ||
		    (json && nl - s >= 11 &&
			memcmp(s, "\"backtrace\"", 11) == 0))
			break;
		k = take(s, (size_t)(nl - s), json, &value);
		if (k >= 0)
			r->v[k] = known(value);
	}
	if (lines < 2 || (json && strcmp(r->v[FORMAT], "usercrash") != 0))
		return "not a report";
	return NULL;
}

/* What was sent with a core: a report's own keys go before, but for the time,
 * which is that of the crash and not that of a file. */
static void
take_info(struct row *r)
{
	char *s = r->info.p, *end = s + r->info.len, *nl, *value;
	char text[UTC_TEXT];
	uint64_t t;
	int k;

	for (; s < end; s = nl + 1) {
		nl = memchr(s, '\n', (size_t)(end - s));
		if (nl == NULL)
			nl = end;
		if (nl == s)
			break;
		k = take(s, (size_t)(nl - s), 0, &value);
		if (k < 0 || (k == SIGNAL && r->v[STATE][0] == '-') ||
		    (k != TIME && strcmp(r->v[k], "-") != 0))
			continue;
		r->v[k] = known(value);
		if (k == TIME && num_u64(value, 10, 0, INT64_MAX, &t) == 0) {
			utc_text((int64_t)t, text);
			r->v[TIME] = row_own(r, strdup(text));
		}
	}
}

const char *
row_own(struct row *r, char *s)
{
	if (s != NULL && ARRAY_ROOM(r->own, r->nown) == 0)
		return r->own[r->nown++] = s;
	free(s);
	return "-";
}

void
row_show(struct row *r)
{
	static const enum col paths[] = {PATH, CORE};
	char *p;

	for (size_t i = 0; i < NELEM(paths); i++) {
		p = strdup(r->v[paths[i]]);
		if (p != NULL)
			screen_printable(p, strlen(p));
		r->v[paths[i]] = row_own(r, p);
	}
}

/* The last part of the executable's path, or the name of the process. */
static void
name_program(struct row *r)
{
	const char *exe = strrchr(r->v[EXE], '/');
	char *name;
	size_t n;

	exe = exe == NULL ? r->v[EXE] : exe + 1;
	n = strlen(exe);
	if (n >= sizeof(deleted) - 1 &&
	    strcmp(exe + n - (sizeof(deleted) - 1), deleted) == 0)
		n -= sizeof(deleted) - 1;
	name = n == 0 || strcmp(exe, "-") == 0 ? NULL : strndup(exe, n);
	r->v[PROGRAM] = name == NULL ? r->v[COMM] : row_own(r, name);
}

/* "11 SIGSEGV" in text, two keys in JSON. */
static void
name_signal(struct row *r)
{
	char *number = strdup(r->v[SIGNAL]), *blank;

	blank = number == NULL ? NULL : strchr(number, ' ');
	if (blank != NULL) {
		*blank = '\0';
		if (strcmp(r->v[SIGNAL_NAME], "-") == 0)
			r->v[SIGNAL_NAME] =
			    strspn(number, "0123456789") == strlen(number)
			    ? r->v[SIGNAL] + (blank + 1 - number)
			    : r->v[SIGNAL];
	} else if (strcmp(r->v[SIGNAL_NAME], "-") == 0) {
		r->v[SIGNAL_NAME] = r->v[SIGNAL];
	}
	r->v[SIGNAL] = row_own(r, number);
}

void
row_fill(struct row *r)
{
	const char *why = "unable to read it";
	char *p;

	for (int k = 0; k < COLS; k++)
		if (r->v[k] == NULL)
			r->v[k] = "-";
	/* a core is what has a state */
	if (r->v[STATE][0] == '-') {
		if (r->error == 0)
			why =
			    r->head.p == NULL ? "not a report" : take_report(r);
		if (why != NULL) {
			for (int k = 0; k < KEYS; k++)
				r->v[k] = "-";
			r->v[COMM] = "?";
			r->v[CAUSE] = why;
		}
	}
	if (r->info.p != NULL)
		take_info(r);
	name_signal(r);
	name_program(r);
	r->v[PACKAGED] = r->v[PACKAGE];
	if (strcmp(r->v[PACKAGE], "-") != 0 &&
	    strcmp(r->v[PACKAGE_VERSION], "-") != 0 &&
	    asprintf(&p, "%s %s", r->v[PACKAGE], r->v[PACKAGE_VERSION]) != -1)
		r->v[PACKAGED] = row_own(r, p);
}
