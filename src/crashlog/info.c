#include "crashlog/info.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/bytes.h"
#include "crashlog/when.h"

enum { N, FUNCTION, MODULE, OWN, LINE, FIELDS };

struct frame {
	char *f[FIELDS];
};

struct frames {
	struct frame *frame;
	size_t n;
	const char *cause;
	size_t marked; /* the first of the program's own, or n */
};

static int
has(const char *v)
{
	return v != NULL && *v != '\0' && strcmp(v, "-") != 0;
}

static void
read_frames(struct frames *fs, struct buf *b)
{
	char *line, *save = NULL, *p;
	struct frame f;
	int i;

	for (line = b->p == NULL ? NULL : strtok_r(b->p, "\n", &save);
	     line != NULL; line = strtok_r(NULL, "\n", &save)) {
		if (strncmp(line, "cause\t", 6) == 0) {
			fs->cause = line + 6;
			screen_printable(line + 6, strlen(line + 6));
			continue;
		}
		for (i = 0, p = line; i < FIELDS && p != NULL; i++) {
			f.f[i] = p;
			p = strchr(p, '\t');
			if (p != NULL)
				*p++ = '\0';
		}
		if (i < FIELDS || ARRAY_ROOM(fs->frame, fs->n) == -1)
			continue;
		for (i = 0; i < FIELDS; i++)
			screen_printable(f.f[i], strlen(f.f[i]));
		if (*f.f[OWN] == '1' && fs->marked == SIZE_MAX)
			fs->marked = fs->n;
		fs->frame[fs->n++] = f;
	}
}

/* A line: its name before the first item, commas between. */
struct line {
	const char *name;
	size_t items;
};

static void
item(struct screen *s, struct line *l, const char *before, const char *v)
{
	if (!has(v))
		return;
	if (l->items++ == 0)
		put(s, "  %-10s ", l->name);
	else
		put(s, ", ");
	put(s, "%s%s", before, v);
}

static void
end_line(struct screen *s, const struct line *l)
{
	if (l->items > 0)
		put(s, "\n");
}

static void
put_line(struct screen *s, const char *name, const char *v)
{
	struct line l = {name, 0};

	item(s, &l, "", v);
	end_line(s, &l);
}

static void
put_when(struct screen *s, const char *time, int64_t now)
{
	int64_t t = when_rfc3339(time), d = now - t;

	if (!has(time))
		return;
	put(s, "  %-10s %s", "when", time);
	if (t != -1 && d >= 0 && d < 120)
		put(s, " (%d s ago)", (int)d);
	else if (t != -1 && d >= 0 && d < 7200)
		put(s, " (%d min ago)", (int)(d / 60));
	else if (t != -1 && d >= 0 && d < 172800)
		put(s, " (%d h ago)", (int)(d / 3600));
	else if (t != -1 && d >= 0)
		put(s, " (%lld days ago)", (long long)(d / 86400));
	put(s, "\n");
}

static void
put_where(struct screen *s, const char *const *v)
{
	struct line l = {"where", 0};
	char id[64], before[192];
	const char *runtime =
	    has(v[CONTAINER_RUNTIME]) ? v[CONTAINER_RUNTIME] : "";

	item(s, &l, "host ", v[HOST]);
	item(s, &l, "container host ", v[CONTAINER_HOST]);
	item(s, &l, "unit ", has(v[USER_UNIT]) ? v[USER_UNIT] : v[UNIT]);
	snprintf(id, sizeof(id), "%.*s", (int)screen_bytes(v[CONTAINER], 12),
	    v[CONTAINER]);
	snprintf(before, sizeof(before), "%.*s%scontainer ",
	    (int)screen_bytes(runtime, 40), runtime,
	    *runtime != '\0' ? " " : "");
	item(s, &l, before, has(v[CONTAINER]) ? id : "-");
	item(s, &l, "pod ", v[POD]);
	end_line(s, &l);
}

static void
put_who(struct screen *s, const char *const *v, const char *user)
{
	struct line l = {"who", 0};

	item(s, &l, "pid ", v[PID]);
	if (strcmp(v[TID], v[PID]) != 0)
		item(s, &l, "thread ", v[TID]);
	if (has(v[THREAD]) && strcmp(v[THREAD], v[COMM]) != 0) {
		item(s, &l, "\"", v[THREAD]);
		put(s, "\"");
	}
	item(s, &l, "uid ", v[UID]);
	if (has(user))
		put(s, "%s(%s)", l.items > 0 ? " " : "", user);
	end_line(s, &l);
}

/* The others of its signature, and from when to when. */
static size_t
same_as(const struct info *in, const char **oldest, const char **newest)
{
	const struct row *r;
	size_t n = 0;

	*oldest = *newest = in->row->v[TIME];
	for (r = in->all->row; r < in->all->row + in->all->n; r++) {
		if (strcmp(r->v[SIGNATURE], in->row->v[SIGNATURE]) != 0)
			continue;
		n++;
		if (strcmp(r->v[TIME], *oldest) < 0)
			*oldest = r->v[TIME];
		if (strcmp(r->v[TIME], *newest) > 0)
			*newest = r->v[TIME];
	}
	return n;
}

static void
put_signature(struct screen *s, const struct info *in)
{
	const char *oldest, *newest;
	size_t n = same_as(in, &oldest, &newest);

	if (!row_signed(in->row))
		return;
	put(s, "  %-10s %s, ", "signature", in->row->v[SIGNATURE]);
	if (n < 2)
		put(s, "the only one here\n");
	else
		put(s, "%zu here, %s to %s\n", n, oldest, newest);
}

static void
put_frame(struct screen *s, const struct frames *fs, size_t i)
{
	char *const *f = fs->frame[i].f;
	int mark = i == fs->marked;

	put(s, "%s%s #%-2s %s", mark ? BOLD(s) : "", mark ? ">" : " ", f[N],
	    f[FUNCTION]);
	if (*f[LINE] != '\0')
		put(s, "  %s", f[LINE]);
	else if (has(f[MODULE]))
		put(s, "  (%s)", f[MODULE]);
	put(s, "%s\n", mark ? PLAIN(s) : "");
}

/* The length of a library's name up to its version. */
static int
plain_name(const char *module)
{
	const char *so = strstr(module, ".so");

	return (int)(so == NULL ? strlen(module) : (size_t)(so - module));
}

/* n frames of the system from there on, which stand together. */
static void
put_folded(struct screen *s, const struct frames *fs, size_t from, size_t n)
{
	size_t i, k;

	if (n == 1)
		put_frame(s, fs, from);
	if (n < 2)
		return;
	put(s, "      ... %zu frames of ", n);
	for (i = from; i < from + n; i++) {
		const char *m = fs->frame[i].f[MODULE];
		int len = plain_name(m);

		for (k = from; k < i; k++)
			if (plain_name(fs->frame[k].f[MODULE]) == len &&
			    strncmp(fs->frame[k].f[MODULE], m, (size_t)len) ==
				0)
				break;
		if (k == i)
			put(s, "%s%.*s", i > from ? ", " : "", len, m);
	}
	put(s, "\n");
}

static void
put_frames(struct screen *s, const struct info *in, const struct frames *fs)
{
	int aborted = strcmp(in->row->v[SIGNAL_NAME], "SIGABRT") == 0;
	size_t i, n = 0, shown = 0;

	if (fs->n == 0)
		put(s, "  no frames: see crashlogctl show\n");
	for (i = 0; i < fs->n && shown < INFO_FRAMES; i++) {
		/* where it crashed stands for itself */
		if (*fs->frame[i].f[OWN] != '1' && (i > 0 || aborted)) {
			n++;
			continue;
		}
		put_folded(s, fs, i - n, n);
		n = 0;
		put_frame(s, fs, i);
		shown++;
	}
	put_folded(s, fs, i - n, n);
	if (i < fs->n)
		put(s, "      ... and %zu more\n", fs->n - i);
}

static void
put_core(struct screen *s, const struct info *in)
{
	const struct row *r = in->row;

	if (has(r->v[CORE]))
		put(s, "  %-10s %s (%s MiB)\n", "core", r->v[CORE], r->v[MIB]);
	else if (in->store != NULL)
		put(s, "  %-10s none in %s\n", "core", in->store);
	else
		put(s, "  %-10s none: no local store\n", "core");
}

static void
put_text(struct screen *s, const struct info *in, const struct frames *fs)
{
	const char *const *v = in->row->v;
	struct line program = {"program", 0}, said = {"said", 0};

	put(s, "%s%s%s: %s%s\n", BOLD(s), RED(s), v[PROGRAM],
	    fs->cause != NULL	? fs->cause
		: has(v[CAUSE]) ? v[CAUSE]
				: v[SIGNAL_NAME],
	    PLAIN(s));
	put_when(s, v[TIME], in->now);
	put_where(s, v);
	item(s, &program, "", v[EXE]);
	item(s, &program, "package ", v[PACKAGED]);
	end_line(s, &program);
	if (has(v[SIGNAL]) && strcmp(v[SIGNAL], v[SIGNAL_NAME]) != 0)
		put(s, "  %-10s %s %s\n", "signal", v[SIGNAL], v[SIGNAL_NAME]);
	else
		put_line(s, "signal", v[SIGNAL]);
	put_who(s, v, in->user);
	put_signature(s, in);
	item(s, &said, "", v[ABORT_MESSAGE]);
	item(s, &said, "", v[EXCEPTION_TEXT]);
	end_line(s, &said);
	put_line(s, "note", v[NOTE]);
	put(s, "\n");
	put_frames(s, in, fs);
	put(s, "\n");
	put_line(s, "report", v[PATH]);
	put_core(s, in);
	put(s, "  %-10s crashlogctl %s %s\n", "next",
	    has(v[CORE]) ? in->next : "show", has(v[SLOT]) ? v[SLOT] : v[PATH]);
}

static void
put_json(struct screen *s, const struct info *in, const struct frames *fs)
{
	static const enum col members[] = {TIME, HOST, PROGRAM, EXE, PID, TID,
	    THREAD, COMM, UID, SIGNAL, SIGNAL_NAME, SIGNATURE, PACKAGE,
	    PACKAGE_VERSION, UNIT, USER_UNIT, CONTAINER, CONTAINER_RUNTIME,
	    CONTAINER_HOST, POD, ABORT_MESSAGE, EXCEPTION, EXCEPTION_TEXT,
	    NOTE};
	const char *const *v = in->row->v, *oldest, *newest;
	char text[24];

	put(s, "{");
	s->members = 0;
	for (size_t i = 0; i < NELEM(members); i++)
		put_member(s, col_name[members[i]], v[members[i]], 1);
	put_member(s, "cause", fs->cause != NULL ? fs->cause : v[CAUSE], 0);
	put_member(s, "user", in->user, 0);
	snprintf(text, sizeof(text), "%zu", same_as(in, &oldest, &newest));
	put_member(s, "count", text, 1);
	put_member(s, "oldest", oldest, 0);
	put_member(s, "newest", newest, 0);
	put_member(s, "report", v[PATH], 0);
	put_member(s, "core", v[CORE], 0);
	put(s, ",\n \"frames\": [");
	for (size_t i = 0; i < fs->n; i++) {
		char *const *f = fs->frame[i].f;

		put(s, "%s\n  {", i > 0 ? "," : "");
		s->members = 0;
		put_member(s, "n", f[N], 1);
		put_member(s, "function", f[FUNCTION], 0);
		put_member(s, "module", f[MODULE], 0);
		put(s, ", \"own\": %s", *f[OWN] == '1' ? "true" : "false");
		put_member(s, "line", *f[LINE] != '\0' ? f[LINE] : NULL, 0);
		put(s, "}");
	}
	put(s, "]}\n");
}

void
info_show(struct screen *s, const struct info *in)
{
	struct frames fs = {.marked = SIZE_MAX};

	read_frames(&fs, in->frames);
	if (s->form == FORM_JSON)
		put_json(s, in, &fs);
	else
		put_text(s, in, &fs);
	free(fs.frame);
}
