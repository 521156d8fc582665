/* What is wanted, by the conf and what crashlogctl(8) has saved. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/bytes.h"
#include "base/msg.h"
#include "base/turn.h"
#include "wrap/before.h"
#include "wrap/rate.h"
#include "wrap/wrapper.h"

/* lines of one ignored program in the log, in so many seconds */
enum { LINES = 10, LINES_S = 60 };

static void
read_conf(struct wrapper *w)
{
	const char *first;

	if (conf_read(&w->conf, w->confpath) == 0 || w->mode != WRAPPER_FRONT)
		return;
	first = w->conf.errors.p != NULL ? w->conf.errors.p : "";
	msg_warn("%.*s%s", (int)strcspn(first, "\n"), first,
	    w->conf.nerrors > 1 ? " (and more: see crashlogctl check)" : "");
}

static int
any_match(const struct words *patterns, const char *name)
{
	size_t i;

	for (i = 0; i < patterns->n; i++)
		if (conf_match(patterns->w[i], name))
			return 1;
	return 0;
}

/* Those of a loop have not the whole log. */
static void
tell_ignored(const struct wrapper *w, const char *name)
{
	const struct rate_limit limit = {
	    .n = LINES - 1, .seconds = LINES_S, .file = "ignored"};
	char key[RATE_KEY], why[TRUST_WHY] = "";
	enum rate found;

	snprintf(
	    key, sizeof(key), "%016" PRIx64, fnv1a(FNV1A, name, strlen(name)));
	found = rate_note(w->state, &limit, key, (int64_t)time(NULL), why);
	if (found == RATE_KEPT)
		msg_info("%s: ignored", wrapper_crash(w));
	else if (found == RATE_FIRST)
		msg_info("%s: ignored; more of this program in the next %d s "
			 "are, unsaid",
		    wrapper_crash(w), (int)LINES_S);
}

/* What is said of this program. */
static void
apply_policy(struct wrapper *w)
{
	static const char gone[] = " (deleted)";
	const struct words *shares = &w->conf.list[CONF_PROGRAM_SHARE];
	const char *exe = told_exe(&w->told);
	char *name = strdup(*exe != '\0' ? exe : told(&w->told, 'e'));
	size_t i, len = name == NULL ? 0 : strlen(name);

	if (name == NULL)
		wrapper_no_memory();
	if (len >= strlen(gone) && strcmp(name + len - strlen(gone), gone) == 0)
		name[len - strlen(gone)] = '\0';
	if (any_match(&w->conf.list[CONF_NO_CORE], name))
		w->send = 0, w->store = NULL;
	w->small = any_match(&w->conf.list[CONF_SMALL_CORE], name);
	for (i = 0; i + 1 < shares->n; i += 2)
		if (conf_match(shares->w[i], name)) {
			/* the server knows but one share */
			w->share = shares->w[i + 1];
			w->socket = "/dev/null";
			break;
		}
	if (any_match(&w->conf.list[CONF_IGNORE], name)) {
		w->report = w->send = w->hooks = 0;
		w->store = NULL;
		if (w->mode == WRAPPER_FRONT)
			tell_ignored(w, name);
	}
	free(name);
}

/* The store, and what is called as before. */
static void
decide_before(struct wrapper *w)
{
	const struct conf *c = &w->conf;
	char why[TRUST_WHY], *before = before_saved(w->state, why), *own;

	if (*why != '\0' && w->mode == WRAPPER_FRONT)
		msg_warn("%s: ignored", why);
	if (conf_is(c, CONF_STORE, "auto") && before != NULL &&
	    *before != '|') {
		if (asprintf(&own, "%s/cores", w->state) == -1)
			wrapper_no_memory();
		w->store = own;
	} else if (!conf_is(c, CONF_STORE, "auto") &&
	    !conf_is(c, CONF_STORE, "no"))
		w->store = c->value[CONF_STORE];
	if (before != NULL && before_is_other(before) &&
	    conf_is(c, CONF_DEFAULT_APP, "yes"))
		w->app = before;
}

void
wrapper_decide(struct wrapper *w)
{
	const struct conf *c = &w->conf;
	const char *dumpmode = told(&w->told, 'd');

	read_conf(w);
	w->report = 1;
	w->send = *c->value[CONF_RECEIVER] != '\0' ||
	    c->list[CONF_SEND_COMMAND].n > 0;
	w->hooks = c->list[CONF_HOOK].n > 0;
	w->socket = c->value[CONF_SOCKET];
	w->share = conf_is(c, CONF_SHARE, "auto") ? NULL : c->value[CONF_SHARE];
	decide_before(w);
	if (c->list[CONF_IGNORE].n + c->list[CONF_NO_CORE].n +
		c->list[CONF_SMALL_CORE].n + c->list[CONF_PROGRAM_SHARE].n >
	    0)
		apply_policy(w);
	if (w->send && *dumpmode != '\0' && strcmp(dumpmode, "1") != 0 &&
	    conf_is(c, CONF_SUID_CORES, "keep")) {
		w->send = 0;
		if (w->mode == WRAPPER_FRONT)
			msg_info("%s: its core stays here: dump mode %.16s "
				 "(suid-cores keep)",
			    wrapper_crash(w), dumpmode);
	}
	if (conf_is(c, CONF_CORE_LIMIT, "honour") &&
	    strcmp(told(&w->told, 'c'), "0") == 0)
		w->send = 0, w->store = NULL;
}

unsigned
wrapper_wait(const struct wrapper *w)
{
	return conf_number(&w->conf, CONF_REPORT_WAIT) * (1 + TURN_WAITS);
}
