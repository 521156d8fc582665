/* Command lines, and the process that becomes one. */
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/msg.h"
#include "wrap/wrapper.h"

const char *
wrapper_crash(const struct wrapper *w)
{
	static char name[256];
	const char *s = told(&w->told, 's');

	snprintf(name, sizeof(name), "%.128s[%s] signal %.16s",
	    told(&w->told, 'e'), w->told.pid, *s != '\0' ? s : "?");
	return name;
}

_Noreturn void
wrapper_no_memory(void)
{
	msg_die_sys(EXIT_SYSTEM, "unable to start");
}

int
wrapper_has(const struct wrapper *w, const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", w->bindir, name);
	return access(path, X_OK) == 0;
}

void
wrapper_add(const struct wrapper *w, struct words *l, const char *name)
{
	words_format(l, "%s/%s", w->bindir, name);
}

void
wrapper_add_told(const struct wrapper *w, struct words *l, const char *program)
{
	wrapper_add(w, l, program);
	told_options(&w->told, l);
}

void
wrapper_add_self(const struct wrapper *w, struct words *l, const char *mode)
{
	words_add(l, w->self);
	words_add(l, "-c");
	words_add(l, w->confpath);
	words_add(l, "-s");
	words_add(l, w->state);
	words_add(l, mode);
	told_words(&w->told, l);
}

void
wrapper_add_value(const struct wrapper *w, struct words *l, const char *option,
    enum conf_key key)
{
	words_add(l, option);
	words_add(l, w->conf.value[key]);
}

void
wrapper_add_bound(const struct wrapper *w, struct words *l, const char *option,
    enum conf_key key)
{
	if (!conf_is(&w->conf, key, "auto") && !conf_is(&w->conf, key, "no"))
		wrapper_add_value(w, l, option, key);
}

_Noreturn void
wrapper_become(const struct words *l)
{
	char **argv = words_argv(l);

	if (argv == NULL)
		wrapper_no_memory();
	execv(argv[0], argv);
	msg_die_sys(EXIT_SYSTEM, "unable to run %s", argv[0]);
}

_Noreturn void
wrapper_become_tee(const struct wrapper *w, unsigned stall, int linkto,
    const struct words *commands)
{
	struct words l = {.n = 0};

	wrapper_add(w, &l, "core_tee");
	words_add(&l, "-t");
	words_format(&l, "%u", stall);
	words_add(&l, "-s");
	words_add(&l, w->separator);
	if (linkto) {
		words_add(&l, "-l");
		words_format(&l, "%d", linkto);
	}
	words_more(&l, NULL, commands);
	wrapper_become(&l);
}
