/*
 * unit_turn: no more at once than there are turns, in the order they came, and
 * none is lost with who had it.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/child.h"
#include "base/deadline.h"
#include "base/turn.h"

#include "check.h"

enum { WAITERS = 12, LONG_MS = 60000, SOON_MS = 30 };

static struct {
	atomic_int come, inside, most;
	int order[WAITERS];
} * all;
static int dirfd, held[3]; /* our own turns */

/* How many locks of the file are held, or waited for. */
static int
locks(const char *name, int waited)
{
	char line[256], ino[32];
	struct stat st;
	FILE *f = fopen("/proc/locks", "r");
	int n = 0;

	MUST(f != NULL && fstatat(dirfd, name, &st, 0) == 0);
	snprintf(ino, sizeof(ino), ":%llu ", (unsigned long long)st.st_ino);
	while (fgets(line, sizeof(line), f) != NULL)
		n += (strstr(line, "-> ") != NULL) == waited &&
		    strstr(line, ino) != NULL;
	fclose(f);
	return n;
}

static _Noreturn void
wait_and_work(int i, unsigned n)
{
	int inside, most, k;

	for (k = 0; k < 3; k++)
		close(held[k]);
	if (turn_take(dirfd, "t", n, 0, deadline_in(LONG_MS)) == -1)
		_exit(1);
	all->order[atomic_fetch_add(&all->come, 1)] = i;
	inside = atomic_fetch_add(&all->inside, 1) + 1;
	most = atomic_load(&all->most);
	while (inside > most &&
	    !atomic_compare_exchange_weak(&all->most, &most, inside))
		;
	poll(NULL, 0, 5);
	atomic_fetch_sub(&all->inside, 1);
	_exit(0);
}

static pid_t
start(int i, unsigned n)
{
	pid_t pid = child_fork();

	MUST(pid != -1);
	if (pid == 0)
		wait_and_work(i, n);
	return pid;
}

static int
all_end_well(const pid_t pid[WAITERS])
{
	int i, status, good = 1;

	for (i = 0; i < WAITERS; i++)
		good &= waitpid(pid[i], &status, 0) == pid[i] && status == 0;
	return good;
}

/* Of three turns two are never free. */
static void
test_order(void)
{
	int64_t deadline = deadline_in(LONG_MS);
	pid_t pid[WAITERS];
	int i;

	for (i = 0; i < 3; i++)
		CHECK((held[i] = turn_take(dirfd, "t", 3, 0, deadline)) != -1);
	memset(all, 0, sizeof(*all));
	for (i = 0; i < WAITERS; i++) {
		pid[i] = start(i, 3);
		/* the first of them has the queue, and looks for a turn */
		while (locks("t", 0) + locks("t", 1) < 3 + 1 + i &&
		    deadline_left(deadline) > 0)
			poll(NULL, 0, 1);
	}
	CHECK(atomic_load(&all->come) == 0);
	close(held[1]);
	CHECK(all_end_well(pid));
	CHECK(atomic_load(&all->most) == 1);
	for (i = 0; i < WAITERS; i++)
		CHECK(all->order[i] == i);
	close(held[0]);
	close(held[2]);
}

static void
test_bound(void)
{
	pid_t pid[WAITERS];
	int i;

	memset(all, 0, sizeof(*all));
	for (i = 0; i < WAITERS; i++)
		pid[i] = start(i, 3);
	CHECK(all_end_well(pid));
	CHECK(atomic_load(&all->come) == WAITERS);
	CHECK(atomic_load(&all->most) <= 3);
}

static void
test_deadline(void)
{
	int64_t deadline = deadline_in(LONG_MS);
	pid_t first;

	CHECK((held[0] = turn_take(dirfd, "t", 2, 0, deadline)) != -1);
	CHECK((held[1] = turn_take(dirfd, "t", 2, 0, deadline)) != -1);
	/* as the first in the queue, and behind another */
	FAILS(turn_take(dirfd, "t", 2, 0, deadline_in(SOON_MS)), ETIMEDOUT);
	memset(all, 0, sizeof(*all));
	first = start(0, 2);
	while (locks("t", 0) < 3 && deadline_left(deadline) > 0)
		poll(NULL, 0, 1);
	FAILS(turn_take(dirfd, "t", 2, 0, deadline_in(SOON_MS)), ETIMEDOUT);
	kill(first, SIGKILL);
	waitpid(first, NULL, 0);
	close(held[0]);
	CHECK((held[0] = turn_take(dirfd, "t", 2, 0, deadline)) != -1);
	close(held[0]);
	close(held[1]);
}

static void
test_low(void)
{
	int64_t deadline = deadline_in(LONG_MS);

	CHECK((held[0] = turn_take(dirfd, "t", 2, 1, deadline)) != -1);
	FAILS(turn_take(dirfd, "t", 2, 1, deadline_in(SOON_MS)), ETIMEDOUT);
	CHECK((held[1] = turn_take(dirfd, "t", 2, 0, deadline)) != -1);
	close(held[0]);
	close(held[1]);
}

static void
test_file(void)
{
	struct stat st;

	CHECK(fstatat(dirfd, "t", &st, 0) == 0 && (st.st_mode & 0777) == 0600);
	MUST(symlinkat("t", dirfd, "link") == 0);
	FAILS(turn_take(dirfd, "link", 2, 0, deadline_in(0)), ELOOP);
	MUST(mkfifoat(dirfd, "fifo", 0600) == 0);
	FAILS(turn_take(dirfd, "fifo", 2, 0, deadline_in(0)), EPERM);
	CHECK(turn_number(UINT64_MAX / 2) == TURN_MIN);
	CHECK(turn_number(1) == TURN_MAX);
}

int
main(void)
{
	char dir[] = "/tmp/unit_turn.XXXXXX";
	static const char *const names[] = {"t", "link", "fifo"};
	size_t i;

	MUST(mkdtemp(dir) != NULL);
	dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	all = child_shared(sizeof(*all));
	MUST(dirfd != -1 && all != NULL);
	test_order();
	test_bound();
	test_deadline();
	test_low();
	test_file();
	for (i = 0; i < sizeof(names) / sizeof(*names); i++)
		unlinkat(dirfd, names[i], 0);
	rmdir(dir);
	return check_report();
}
