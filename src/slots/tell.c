/* How much of the log a program and a user may have; see slots/slots.h. */
#include <stdio.h>

#include "slots/ring.h"

static const struct ring_slot *
newest(const struct ring *r, const struct slots_entry *e, int user)
{
	const struct ring_slot *s, *last = NULL;

	for (s = r->slot; s < r->slot + r->n; s++)
		if (s->used && s->known &&
		    (user ? s->uid == e->uid : s->key == e->key) &&
		    (last == NULL || s->seq > last->seq))
			last = s;
	return last;
}

/* The window that is under way, or a new one. */
static struct ring_lines
window(const struct ring_lines *w, int64_t now)
{
	if (w == NULL || now < w->since || now - w->since >= SLOTS_LINES_S)
		return (struct ring_lines){now, 0};
	return *w;
}

void
ring_tell(const struct ring *r, struct slots_entry *e, int64_t now,
    struct ring_told *t)
{
	const struct ring_slot *program = newest(r, e, 0);
	const struct ring_slot *user = newest(r, e, 1);

	t->program = window(program ? &program->told.program : NULL, now);
	t->user = window(user ? &user->told.user : NULL, now);
	t->quiet = user ? user->told.quiet : 0;
	if (t->program.n >= SLOTS_LINES ||
	    (e->uid != 0 && t->user.n >= SLOTS_USER_LINES)) {
		e->tell = SLOTS_COUNTED;
		t->quiet++;
		return;
	}
	t->program.n++;
	t->user.n++;
	e->tell = t->program.n == SLOTS_LINES ||
		(e->uid != 0 && t->user.n == SLOTS_USER_LINES)
	    ? SLOTS_TOLD_LAST
	    : SLOTS_TOLD;
	e->quiet = t->quiet;
	t->quiet = 0;
}

void
slots_told(const struct slots_entry *e, long uid, char text[128])
{
	int n = 0;

	*text = '\0';
	if (e->quiet > 0)
		n = snprintf(text, 128,
		    "; before it %llu of user %ld were only counted",
		    (unsigned long long)e->quiet, uid);
	if (e->tell == SLOTS_TOLD_LAST)
		snprintf(text + n, 128 - (size_t)n,
		    "; more of them in this minute are only counted");
}
