/*
 * crashlog_read [options] action [word ...]
 *
 * What crashlogctl(8) knows of reports, cores and the ledger.
 *
 * - what is to be read is found and read first, of each report its keys alone;
 * - then the door is shut (base/sandbox.h), and only then looked into;
 * - what is meant is picked out and shown, as a table, JSON or with tabs; all
 *   of it printable, and in one piece at the end.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/args.h"
#include "base/bytes.h"
#include "base/msg.h"
#include "base/sandbox.h"
#include "base/utc.h"
#include "crashlog/info.h"
#include "crashlog/reading.h"
#include "crashlog/show.h"
#include "slots/ledger.h"
#include "slots/slots.h"

#define SYNOPSIS                                                            \
	"[-1aCerv] [-b period] [-c command] [-d dir] [-F form]\n\t"         \
	"[-f file] [-g command] [-k store] [-n n] [-s store] [-u name]\n\t" \
	"[-w columns] [--container id] [--host name] [--reverse]\n\t"       \
	"[--signal name] [--since time] [--uid n] [--unit name]\n\t"        \
	"[--until time] action [word ...]"

enum { SINCE = 256, UNTIL, MOST = 1000000, TOP = 10 };

static void
parse_options(struct options *o, int argc, char *argv[])
{
	static const struct option longs[] = {
	    {"since", required_argument, NULL, SINCE},
	    {"until", required_argument, NULL, UNTIL},
	    {"signal", required_argument, NULL, 'S'},
	    {"uid", required_argument, NULL, 'U'},
	    {"unit", required_argument, NULL, 'I'},
	    {"container", required_argument, NULL, 'N'},
	    {"host", required_argument, NULL, 'H'},
	    {"reverse", no_argument, NULL, 'r'}, {NULL, 0, NULL, 0}};
	const struct args_row rows[] = {{.opt = 'b', .text = &o->by},
	    {.opt = 'C', .flag = &o->colour}, {.opt = 'a', .flag = &o->all},
	    {.opt = 'c', .text = &o->command}, {.opt = 'd', .text = &o->dir},
	    {.opt = 'e', .flag = &o->one}, {.opt = 'F', .text = &o->form},
	    {.opt = 'f', .text = &o->frames}, {.opt = 'k', .text = &o->cores},
	    {.opt = 'g', .text = &o->next},
	    {.opt = 'n', .number = &o->most, .min = 1, .max = MOST},
	    {.opt = 'r', .flag = &o->pick.oldest},
	    {.opt = 's', .text = &o->store}, {.opt = 'u', .text = &o->user},
	    {.opt = 'w', .number = &o->columns, .max = 10000},
	    {.opt = 'S', .text = &o->pick.signal},
	    {.opt = 'U', .text = &o->pick.uid},
	    {.opt = 'I', .text = &o->pick.unit},
	    {.opt = 'N', .text = &o->pick.container},
	    {.opt = 'H', .text = &o->pick.host}};
	int c;

	while ((c = getopt_long(argc, argv,
		    "+1ab:Cc:d:eF:f:g:k:n:rs:u:vw:", longs, NULL)) != -1) {
		if (c == '1')
			o->most = 1;
		else if (c == SINCE)
			reading_time(optarg, o->since);
		else if (c == UNTIL)
			reading_time(optarg, o->until);
		else if (!args_take(rows, NELEM(rows), c, optarg))
			msg_usage(SYNOPSIS);
	}
	if (o->store != NULL)
		o->dir = o->store;
	o->pick.since = *o->since != '\0' ? o->since : NULL;
	o->pick.until = *o->until != '\0' ? o->until : NULL;
}

static void
fill(struct reading *in)
{
	struct row *r;

	for (r = in->rows.row; r < in->rows.row + in->rows.n; r++) {
		row_fill(r);
		in->unread += r->error == EACCES || r->error == EPERM;
	}
	for (r = in->cores.row; r < in->cores.row + in->cores.n; r++)
		row_fill(r);
	if (rows_relate(&in->rows, &in->notes) == -1)
		msg_die_sys(EXIT_SYSTEM, "unable to count");
}

/* Where nothing is meant, or nothing by a word: what to type instead. */
static void
need_some(const struct reading *in, const char *none)
{
	char rest[64] = "";

	if (in->hits > 0 && none == NULL)
		return;
	if (in->rows.n == 0)
		msg_refuse(
		    EXIT_PARTIAL, "there is no report in %s", in->o->dir);
	if (in->unread == in->rows.n)
		msg_refuse(EXIT_PARTIAL,
		    "%s: no report here can be read: %zu of others in %s",
		    in->o->command, in->unread, in->o->dir);
	if (in->unread > 0)
		snprintf(rest, sizeof(rest), "; %zu of others cannot be read",
		    in->unread);
	msg_refuse(EXIT_PARTIAL,
	    "%s: no report is meant%s%s%s: crashlogctl list shows all %zu%s",
	    in->o->command, none != NULL ? " by '" : "",
	    none != NULL ? none : "", none != NULL ? "'" : "",
	    in->rows.n - in->unread, rest);
}

static void
choose(struct reading *in, struct rows *rows, size_t most, int needed)
{
	struct pick p = in->o->pick;
	const char *none;

	p.most = most;
	if (pick(&p, rows, &in->hit, &in->hits, &none) == -1)
		msg_die_sys(EXIT_SYSTEM, "unable to choose");
	if (needed)
		need_some(in, none);
}

/* Says which there are, where one was to be meant. */
static void
show_all(struct reading *in)
{
	in->s.form = FORM_TABLE;
	show_list(&in->s, in->hit, in->hits, in->o->store != NULL);
	(void)io_write_full(STDERR_FILENO, in->s.out.p, in->s.out.len);
}

static void
need_one(struct reading *in)
{
	size_t which = 0;
	enum meaning twice = pick_double(in->hit, in->hits, &which);
	const char *word =
	    in->o->pick.words > 0 ? in->o->pick.word[in->hit[which].word] : "";

	if (twice != M_NONE)
		show_all(in);
	if (twice == M_SLOT)
		msg_refuse(EXIT_PARTIAL,
		    "%s: %s is a slot and a process: say slot:%s or pid:%s",
		    in->o->command, word, word, word);
	if (twice == M_PID)
		msg_refuse(EXIT_PARTIAL,
		    "%s: %s came more than once: say the slot, --since or "
		    "--until",
		    in->o->command, word);
	if (in->o->one && in->o->most == 0 && !pick_single(in->hit, in->hits)) {
		show_all(in);
		msg_refuse(EXIT_PARTIAL,
		    "%s: more than one is meant: say a slot, -1 or --all",
		    in->o->command);
	}
}

/* Those that a command is about: of several the newest, or so many. */
static void
choose_some(struct reading *in)
{
	const struct options *o = in->o;
	size_t most = o->most == 0 && !o->one && !o->all ? 1 : o->most;

	choose(in, &in->rows, 0, 1);
	/* "the latest" is the latest that can be read */
	if (o->pick.words == 0) {
		in->hits = pick_readable(in->hit, in->hits);
		need_some(in, NULL);
	}
	need_one(in);
	if (most != 0 && in->hits > most)
		in->hits = most;
	if (in->hit[0].row->error != 0)
		msg_refuse(EXIT_SYSTEM, "unable to read %s: %s",
		    in->hit[0].row->v[PATH], strerror(in->hit[0].row->error));
	for (size_t i = 0; i < in->hits; i++)
		pick_core(in->hit[i].row, &in->cores, o->store != NULL);
}

/* Where it may be known whose the others are. */
static void
tell_unread(const struct reading *in, size_t n)
{
	msg_warn("%zu report%s of others in %s cannot be read", n,
	    n == 1 ? "" : "s", in->o->dir);
}

/* Leaves those out that may not be read, and says so. */
static void
leave_unread(struct reading *in)
{
	size_t all = in->hits, n = pick_readable(in->hit, all);

	in->hits = n;
	if (n < all) {
		tell_unread(in, all - n);
		in->code = EXIT_PARTIAL;
	}
}

static void
act_list(struct reading *in)
{
	choose(in, &in->rows, in->o->most, in->o->pick.words > 0);
	leave_unread(in);
	show_list(&in->s, in->hit, in->hits, in->o->store != NULL);
}

static void
act_pick(struct reading *in)
{
	choose_some(in);
	in->s.raw = 1;
	show_list(&in->s, in->hit, in->hits, 0);
}

static void
act_files(struct reading *in)
{
	for (size_t i = 0; i < in->rows.n; i++)
		put(&in->s, "%s\n", in->rows.row[i].v[PATH]);
}

static void
act_cores(struct reading *in)
{
	choose(in, &in->cores, in->o->most, 0);
	show_cores(&in->s, in->hit, in->hits, in->o->cores);
}

static void
act_info(struct reading *in)
{
	struct info info = {.all = &in->rows,
	    .now = (int64_t)time(NULL),
	    .user = in->o->user,
	    .store = in->o->cores,
	    .next = in->o->next,
	    .frames = &in->text};

	choose_some(in);
	row_show(in->hit[0].row);
	info.row = in->hit[0].row;
	info_show(&in->s, &info);
}

static void
act_top(struct reading *in)
{
	const struct options *o = in->o;
	size_t n;

	if (o->by == NULL) {
		choose(in, &in->rows, 0, 0);
		leave_unread(in);
		show_top(&in->s, in->hit, in->hits, o->most ? o->most : TOP);
		return;
	}
	in->seen = ledger_lines(&in->text, o->pick.since, o->pick.until, &n);
	show_over(&in->s, in->seen, n, o->most ? o->most : TOP, o->by);
}

static void
act_since(struct reading *in)
{
	const struct options *o = in->o;
	size_t n;

	in->seen = ledger_lines(&in->text, NULL, NULL, &n);
	show_since(
	    &in->s, in->seen, n, o->most ? o->most : TOP, in->mark, in->name);
}

static void
act_time(struct reading *in)
{
	put(&in->s, "%s\n", in->mark);
}

static void
read_nothing(struct reading *in)
{
	(void)in;
}

/* What others wrote, for a terminal. */
static void
act_text(struct reading *in)
{
	(void)in;
	if (screen_filter(STDIN_FILENO, STDOUT_FILENO) == -1)
		msg_die_sys(EXIT_SYSTEM, "unable to copy");
}

static const struct action actions[] = {{"list", read_reports, act_list},
    {"pick", read_both, act_pick}, {"files", read_reports, act_files},
    {"cores", read_cores, act_cores}, {"info", read_info, act_info},
    {"top", read_top, act_top}, {"since", read_since, act_since},
    {"time", read_time, act_time}, {"text", read_nothing, act_text}};

static void
take_action(struct options *o, struct reading *in, char **argv)
{
	const struct action *a = actions;

	if (*argv == NULL)
		msg_usage(SYNOPSIS);
	while (a < actions + NELEM(actions) && strcmp(a->name, *argv) != 0)
		a++;
	if (a == actions + NELEM(actions))
		msg_usage(SYNOPSIS);
	in->action = a;
	o->pick.word = argv + 1;
	while (argv[1 + o->pick.words] != NULL)
		o->pick.words++;
	if (o->command != NULL)
		msg_init("crashlogctl");
	else
		o->command = a->name;
}

/* From here on what is read is looked into, and nothing else can be. */
static void
shut(void)
{
	const struct sandbox_bounds bounds = {.treefd = -1};
	const char *why;

	if (sandbox_enter(SANDBOX_REPORT, &bounds, 0, &why) == -1)
		msg_die_sys(EXIT_SYSTEM, "unable to shut the door");
	if (why != NULL)
		msg_debug(1, "%s", why);
}

int
main(int argc, char *argv[])
{
	static struct options o = {.dir = SLOTS_DIR, .next = "show"};
	static struct reading in = {.o = &o};

	msg_init("crashlog_read");
	args_help(argv, SYNOPSIS);
	parse_options(&o, argc, argv);
	take_action(&o, &in, argv + optind);
	in.s = (struct screen){.form = screen_form(o.form),
	    .colour = o.colour,
	    .columns = o.columns};
	if (in.s.form == FORMS)
		msg_refuse(EXIT_USAGE, "no form is called %s", o.form);
	in.action->read(&in);
	shut();
	fill(&in);
	in.action->show(&in);
	if (in.s.failed)
		msg_die(EXIT_SYSTEM, "no memory");
	if (io_write_full(STDOUT_FILENO, in.s.out.p, in.s.out.len) == -1)
		msg_die_sys(EXIT_SYSTEM, "unable to write");
	return in.code;
}
