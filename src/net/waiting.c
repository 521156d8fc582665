#include "net/waiting.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/deadline.h"

enum { LINGER_MS = 1000, DRAIN = 16 << 20 };

int
waiting_init(struct waiting *w, unsigned max)
{
	w->n = 0;
	w->max = max;
	w->conn = calloc(max, sizeof(*w->conn));
	return w->conn == NULL ? -1 : 0;
}

void
waiting_add(struct waiting *w, int fd, uint64_t kin, int64_t until)
{
	w->conn[w->n++] = (struct waiting_conn){fd, kin, until, 0};
}

unsigned
waiting_count(const struct waiting *w, uint64_t kin)
{
	unsigned i, n = 0;

	for (i = 0; i < w->n; i++)
		n += w->conn[i].kin == kin;
	return n;
}

/* What has come is taken, for a close(2) with unread data is a reset. */
static void
drain(int fd)
{
	static char waste[64 << 10];
	size_t n;

	for (n = 0; n < DRAIN; n += sizeof(waste))
		if (recv(fd, waste, sizeof(waste), MSG_DONTWAIT) <= 0)
			return;
}

void
waiting_remove(struct waiting *w, unsigned i)
{
	if (w->conn[i].refused)
		drain(w->conn[i].fd);
	close(w->conn[i].fd);
	w->n--;
	memmove(&w->conn[i], &w->conn[i + 1], (w->n - i) * sizeof(w->conn[i]));
}

void
waiting_refuse(struct waiting *w, unsigned i)
{
	struct waiting_conn *c = &w->conn[i];

	shutdown(c->fd, SHUT_WR);
	c->refused = 1;
	c->until = deadline_in(LINGER_MS);
}

int
waiting_left(const struct waiting *w)
{
	int64_t first = INT64_MAX;
	unsigned i;

	for (i = 0; i < w->n; i++)
		if (w->conn[i].until < first)
			first = w->conn[i].until;
	return deadline_left(first);
}

void
waiting_close(struct waiting *w)
{
	unsigned i;

	for (i = 0; i < w->n; i++)
		close(w->conn[i].fd);
	w->n = 0;
}
