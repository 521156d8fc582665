#include "base/turn.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/deadline.h"
#include "base/io.h"
#include "base/privdrop.h"

enum {
	QUEUE = 4096, /* the bytes of the two queues; the turns are 0 ... */
	LOOK_MS = 2,  /* for a free turn, by the first in the queue */
	AGAIN_MS = 50 /* a signal may come before what it is to end */
};

unsigned
turn_number(uint64_t memory)
{
	struct sysinfo si;
	uint64_t n;

	if (sysinfo(&si) == -1)
		return TURN_MIN;
	n = (uint64_t)si.totalram * si.mem_unit / 8 / memory;
	return n < TURN_MIN ? TURN_MIN : n > TURN_MAX ? TURN_MAX : (unsigned)n;
}

static int
lock(int fd, int how, int type, off_t at)
{
	struct flock l = {.l_type = (short)type,
	    .l_whence = SEEK_SET,
	    .l_start = at,
	    .l_len = 1};

	return fcntl(fd, how, &l);
}

static int
is_taken(void)
{
	return errno == EAGAIN || errno == EACCES || errno == EINTR;
}

static void
on_alarm(int sig)
{
	(void)sig;
}

/* Sleeps in the queue; the clock wakes it up again and again. */
static int
queue_up(int fd, off_t queue, int64_t deadline)
{
	struct sigaction sa = {.sa_handler = on_alarm}, old;
	int left = deadline_left(deadline), r;
	struct itimerval t = {{0, AGAIN_MS * 1000L},
			     {left / 1000, left % 1000 * 1000L + 1}},
			 none = {{0, 0}, {0, 0}};

	sigaction(SIGALRM, &sa, &old);
	setitimer(ITIMER_REAL, &t, NULL);
	while ((r = lock(fd, F_OFD_SETLKW, F_WRLCK, queue)) == -1 &&
	    errno == EINTR)
		if (deadline_left(deadline) == 0) {
			errno = ETIMEDOUT;
			break;
		}
	setitimer(ITIMER_REAL, &none, NULL);
	sigaction(SIGALRM, &old, NULL);
	return r;
}

struct turns {
	unsigned n;	 /* 0: as many as there is memory for */
	uint64_t memory; /* then: for each */
	int low;
};

/* The first in the queue: one of the turns, of which there is one at least. */
static int
find_turn(int fd, struct turns t, int64_t deadline)
{
	unsigned i;

	for (;;) {
		for (i = 0; i == 0 || i < t.n - (unsigned)t.low; i++) {
			if (lock(fd, F_OFD_SETLK, F_WRLCK, (off_t)i) == 0)
				return 0;
			if (!is_taken())
				return -1;
			if (t.n == 0)
				t.n = turn_number(t.memory);
		}
		if (deadline_left(deadline) == 0)
			return fails(ETIMEDOUT);
		poll(NULL, 0, LOOK_MS);
	}
}

static int
take(int dirfd, const char *name, struct turns t, int64_t deadline)
{
	off_t queue = QUEUE + t.low;
	struct stat st;
	int fd = openat(dirfd, name,
	    O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);

	if (fd == -1)
		return -1;
	errno = EPERM;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    st.st_uid == priv_uid() &&
	    (lock(fd, F_OFD_SETLK, F_WRLCK, queue) == 0 ||
		(is_taken() && queue_up(fd, queue, deadline) == 0)) &&
	    find_turn(fd, t, deadline) == 0) {
		lock(fd, F_OFD_SETLK, F_UNLCK, queue);
		return fd;
	}
	io_close(&fd);
	return -1;
}

int
turn_take(int dirfd, const char *name, unsigned n, int low, int64_t deadline)
{
	return take(dirfd, name, (struct turns){n, 0, low != 0}, deadline);
}

int
turn_take_for(
    int dirfd, const char *name, uint64_t memory, int low, int64_t deadline)
{
	return take(dirfd, name, (struct turns){0, memory, low != 0}, deadline);
}
