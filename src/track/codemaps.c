#include "track/codemaps.h"

#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "proc/procdir.h"
#include "proc/procscan.h"
#include "target/jitmap.h"

enum { STATUS_MAX = 65536 };

void
codemaps_init(struct codemaps *c)
{
	unsigned i;

	memset(c, 0, sizeof(*c));
	for (i = 0; i < CODEMAPS_MAX; i++)
		c->of[i].fd = -1;
}

static void
drop(struct codemap *m)
{
	io_close(&m->fd);
	memset(m, 0, sizeof(*m));
	m->fd = -1;
}

void
codemaps_free(struct codemaps *c)
{
	unsigned i;

	for (i = 0; i < CODEMAPS_MAX; i++)
		drop(&c->of[i]);
}

static struct codemap *
find(struct codemaps *c, pid_t pid, uint64_t since)
{
	unsigned i;

	for (i = 0; i < CODEMAPS_MAX; i++)
		if (c->of[i].pid == pid && c->of[i].since == since)
			return &c->of[i];
	return NULL;
}

static void
look(struct codemaps *c, struct codemap *m)
{
	struct buf status = {0};
	int procfd = proc_open(m->pid);

	if (procfd == -1)
		return;
	if (procscan_was(m->pid, m->asked) == 1 &&
	    io_slurp_once(procfd, "status", STATUS_MAX, &status, NULL) == 0)
		m->fd = jitmap_find(procfd, &status);
	if (m->fd != -1)
		m->serial = ++c->serial;
	buf_free(&status);
	close(procfd);
}

void
codemaps_add(struct codemaps *c, pid_t pid, uint64_t since, uint64_t now)
{
	struct codemap *m = find(c, pid, since);

	if (m != NULL)
		return;
	m = &c->of[c->next++ % CODEMAPS_MAX];
	drop(m);
	m->pid = pid;
	m->since = since;
	m->asked = now;
}

void
codemaps_idle(struct codemaps *c, uint64_t now, uint64_t keep)
{
	struct codemap *m;

	for (m = c->of; m < c->of + CODEMAPS_MAX; m++) {
		if (m->pid == 0)
			continue;
		if (m->gone == 0 && procscan_was(m->pid, m->asked) != 1)
			m->gone = now;
		if (m->gone != 0 && now - m->gone > keep)
			drop(m);
		else if (m->gone == 0 && m->fd == -1)
			look(c, m);
	}
}

const struct codemap *
codemaps_get(struct codemaps *c, pid_t pid, uint64_t since)
{
	struct codemap *m = find(c, pid, since);

	if (m == NULL)
		return NULL;
	if (m->fd == -1)
		look(c, m);
	return m->fd != -1 ? m : NULL;
}
