#include "send/sendtext.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void put(char text[SENDTEXT_MAX], const char *, ...)
    __attribute__((format(printf, 2, 3)));

static void
put(char text[SENDTEXT_MAX], const char *fmt, ...)
{
	size_t n = strlen(text);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text + n, SENDTEXT_MAX - n, fmt, ap);
	va_end(ap);
}

static void
put_crash(char *text, const struct crash_id *id)
{
	char pid[24] = "?", signo[24] = "?";

	if (id->pid >= 0)
		snprintf(pid, sizeof(pid), "%" PRId64, id->pid);
	if (id->signal >= 0)
		snprintf(signo, sizeof(signo), "%" PRId64, id->signal);
	put(text, "%s[%s] signal %s: ", *id->comm ? id->comm : "?", pid, signo);
}

static uint64_t
holes(uint64_t size, uint64_t data)
{
	return size > data ? size - data : 0;
}

static void
put_amount(char *text, const struct send_result *r, double seconds)
{
	static const char *const from[] = {"the stream", "memory", "the spool"};

	put(text, ": %" PRIu64 " bytes, %" PRIu64 " data, %" PRIu64 " holes",
	    r->size, r->data, holes(r->size, r->data));
	/* what was there already was neither packed nor sent */
	if (r->told < r->data && r->joint == 0)
		put(text, ", packed to %" PRIu64, r->told);
	put(text, ", %.3f s, from %s", seconds, from[r->from]);
	if (r->joint > 0)
		put(text, ", resumed at %" PRIu64 ", %" PRIu64 " sent again",
		    r->joint, r->twice);
	if (*r->state)
		put(text, ", incomplete: %s", r->state);
	if (*r->why)
		put(text, " (%s)", r->why);
}

void
sendtext(const struct send_result *r, const char *place, double seconds,
    char text[SENDTEXT_MAX])
{
	const char *why = *r->why ? r->why : "no receiver";

	*text = '\0';
	if (place == NULL && r->outcome != SEND_LOST)
		place = "?";
	put_crash(text, &r->id);
	switch (r->outcome) {
	case SEND_SENT:
		put(text, "sent to %s%s%s", r->to, *r->name ? " as " : "",
		    r->name);
		put_amount(text, r, seconds);
		break;
	case SEND_SPOOLED:
		put(text, "spooled as %.4096s", place);
		put_amount(text, r, seconds);
		break;
	case SEND_WITHHELD:
		put(text, "withheld: its memory may hold secrets");
		if (r->id.dumpmode >= 0)
			put(text, " (dump mode %" PRId64 ")", r->id.dumpmode);
		put(text, ", -x sends it");
		break;
	case SEND_DAMAGED:
		put(text, "damaged: %s; now %.4096s.damaged", why, place);
		break;
	case SEND_NO_CORE:
		put(text, "refused: this is no core, -e says what else it is");
		break;
	case SEND_LOST:
		if (place != NULL)
			put(text, "kept as %.4096s: %s", place, why);
		else
			put(text, "lost: %s", why);
		break;
	}
}

void
sendtext_progress(
    const struct send_result *r, double seconds, char text[SENDTEXT_MAX])
{
	uint64_t data = r->meter.data, next = r->meter.next;

	snprintf(text, SENDTEXT_MAX,
	    "%" PRIu64 " MiB sent, %" PRIu64 " MiB holes, %.0f MiB/s",
	    data >> 20, holes(next, data) >> 20,
	    seconds > 0 ? (double)data / seconds / (1 << 20) : 0.0);
}
