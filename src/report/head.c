/*
 * The first block of a report: when, where, who and by which signal, as far as
 * that is told and needs no unwinding.  It leaves before anything is done that
 * can hang or die; where even that much was not reached, whoever waits for the
 * report writes it with what the kernel said (crash_head()).
 */
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "base/io.h"
#include "base/utc.h"
#include "core/corekind.h"
#include "report/crash_dump.h"
#include "report/sections.h"
#include "report/signals.h"

static void
dump_time(const struct crash *c, struct out *o)
{
	time_t t = c->time > 0 ? (time_t)c->time : time(NULL);
	char text[UTC_TEXT];

	utc_text(t, text);
	out_str(o, "time", OUT_KEY, text);
}

static void
dump_host(const struct crash *c, struct out *o)
{
	struct utsname u;
	const char *arch = core_machine_name(c->t->machine);

	if (uname(&u) == -1)
		memset(&u, 0, sizeof(u));
	if (c->offline) {
		key_unavailable(o, "host", c->proc_why);
		key_unavailable(o, "kernel", c->proc_why);
	} else {
		/* %h of core(5) is the container's own */
		out_str(o, "host", OUT_KEY,
		    c->host != NULL && *c->host != '\0' &&
			    !(c->pi != NULL && *c->pi->host != '\0')
			? c->host
			: u.nodename);
		out_str(o, "kernel", OUT_KEY, u.release);
	}
	out_str(o, "arch", OUT_KEY, arch != NULL ? arch : u.machine);
}

/* The number of the signal, 0 none. */
static int
crash_signo(const struct crash *c)
{
	const struct core_head *h = c->head;

	if (c->signo != 0 || h == NULL)
		return c->signo;
	if (h->nthreads > 0 && h->threads[0].cursig != 0)
		return h->threads[0].cursig;
	return h->signo;
}

void
dump_head(const struct crash *c, struct out *o)
{
	int signo = crash_signo(c);

	out_str(o, "format", OUT_HIDE, "usercrash");
	out_u64(o, "version", OUT_HIDE, 1);
	out_text(o, "usercrash report 1\n");
	dump_time(c, o);
	dump_host(c, o);
	dump_identity(c, o);
	if (signo != 0)
		number_and_name(
		    o, "signal", "signal_name", signo, signal_name(signo));
}

int
crash_has_head(int fd, enum out_format format)
{
	static const char *const begins[] = {
	    [OUT_TEXT] = "usercrash report 1\n",
	    [OUT_JSON] = "{\n\"format\": \"usercrash\",\n\"version\": 1,\n"};
	const size_t len = strlen(begins[format]);
	char start[64];

	return io_pread_full(fd, start, len, 0) == (ssize_t)len &&
	    memcmp(start, begins[format], len) == 0;
}

int
crash_head(struct crash *c, int fd, enum out_format format)
{
	struct target t;
	struct out *o;

	if (ftruncate(fd, 0) == -1 || lseek(fd, 0, SEEK_SET) == -1)
		return -1;
	target_init(&t);
	c->t = &t;
	o = out_new(fd, format);
	if (o == NULL)
		return -1;
	dump_head(c, o);
	out_str(o, "signature", OUT_KEY, "none");
	out_text(o, "\n");
	return out_finish(o);
}
