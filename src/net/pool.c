#include "net/pool.h"

#include <poll.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "base/deadline.h"

static volatile sig_atomic_t stopping;

static void
on_stop(int sig)
{
	(void)sig;
	stopping++;
}

static void
on_child(int sig)
{
	(void)sig; /* only to end ppoll(2) */
}

int
pool_init(struct pool *p, unsigned max)
{
	static const int caught[] = {SIGTERM, SIGINT, SIGCHLD};
	struct sigaction sa = {.sa_handler = on_stop};
	sigset_t blocked;
	size_t i;

	p->child = calloc(max, sizeof(*p->child));
	if (p->child == NULL)
		return -1;
	p->n = 0;
	p->max = max;
	p->killed = NULL;
	sigemptyset(&blocked);
	for (i = 0; i < 3; i++)
		sigaddset(&blocked, caught[i]);
	sigprocmask(SIG_BLOCK, &blocked, &p->unblocked);
	for (i = 0; i < 3; i++) {
		sigdelset(&p->unblocked, caught[i]);
		if (caught[i] == SIGCHLD)
			sa.sa_handler = on_child;
		sigaction(caught[i], &sa, NULL);
	}
	return 0;
}

int
pool_stopping(void)
{
	return stopping;
}

void
pool_add(struct pool *p, pid_t pid, uint64_t kin)
{
	p->child[p->n++] = (struct pool_child){pid, kin};
}

unsigned
pool_count(const struct pool *p, uint64_t kin)
{
	unsigned i, n = 0;

	for (i = 0; i < p->n; i++)
		n += p->child[i].kin == kin;
	return n;
}

void
pool_reap(struct pool *p)
{
	unsigned i;
	pid_t pid;
	int status;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (WIFSIGNALED(status) && p->killed != NULL)
			p->killed(pid, WTERMSIG(status));
		for (i = 0; i < p->n; i++)
			if (p->child[i].pid == pid) {
				p->child[i] = p->child[--p->n];
				break;
			}
	}
}

int
pool_sleep(const struct pool *p, int fd, int ms)
{
	struct pollfd pfd = {.fd = fd, .events = POLLIN};
	struct timespec ts = {ms / 1000, ms % 1000 * 1000000L};

	return ppoll(&pfd, 1, ms < 0 ? NULL : &ts, &p->unblocked) > 0;
}

int
pool_finish(struct pool *p, int64_t deadline)
{
	int signals = stopping;

	for (pool_reap(p); p->n > 0; pool_reap(p)) {
		if (stopping != signals || deadline_left(deadline) == 0)
			return -1;
		pool_sleep(p, -1, deadline_left(deadline));
	}
	return 0;
}
