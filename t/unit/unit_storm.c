/*
 * unit_storm: the ring under many publishers, and under kill -9.
 * Prints one line per failed check; exits 0 when there was none.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ring_fixture.h"

static void
test_crowd(void)
{
	struct stat st;
	char file[SLOTS_NAME_MAX], text[32];
	int i, j, status, bad = 0, found[50] = {0};

	ring_begin(50, 50);
	for (i = 0; i < 50; i++)
		if (fork() == 0) {
			snprintf(text, sizeof(text), "report %02d", i);
			ring_publish((uint64_t)i, text);
			_exit(failed != 0);
		}
	while (wait(&status) > 0)
		bad += status != 0;
	CHECK(bad == 0);
	for (i = 0; i < 50; i++) {
		snprintf(file, sizeof(file), "usercrash_%02d", i);
		CHECK(fstatat(ring.fd, file, &st, 0) == 0);
		for (j = 0; j < 50; j++) {
			snprintf(text, sizeof(text), "report %02d", j);
			found[j] += ring_holds(file, text);
		}
	}
	for (j = 0; j < 50; j++)
		CHECK(found[j] == 1);
}

/* Runs a server's publish and kills it at its stop-th system call stop. */
static int
killed_at(int fd, uint64_t key, int stop)
{
	int i, status;
	pid_t pid;

	pid = fork();
	if (pid == 0) {
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) == -1)
			_exit(1);
		raise(SIGSTOP);
		_exit(ring_place(fd, key) != 0);
	}
	CHECK(waitpid(pid, &status, 0) == pid && WIFSTOPPED(status));
	for (i = 0; i < stop && WIFSTOPPED(status); i++) {
		CHECK(ptrace(PTRACE_SYSCALL, pid, NULL, NULL) == 0);
		CHECK(waitpid(pid, &status, 0) == pid);
	}
	if (WIFEXITED(status)) {
		CHECK(WEXITSTATUS(status) == 0);
		return 0;
	}
	CHECK(kill(pid, SIGKILL) == 0);
	CHECK(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status));
	return 1;
}

static int
copies(const char *text)
{
	char file[SLOTS_NAME_MAX];
	unsigned i;
	int n = 0;

	for (i = 0; i < ring.cfg.n; i++) {
		snprintf(file, sizeof(file), "usercrash_%02u", i);
		n += ring_holds(file, text);
	}
	return n;
}

/*
 * kill -9 of the publisher at each of its system calls: never a part, never a
 * double, nothing lost that was complete.  Afterwards comes, by turns, its
 * client with the same report; or first another publisher and then the client.
 */
static void
test_killed(int turn)
{
	char text[32], own[SLOTS_NAME_MAX];
	int fd, stop, more = 1;

	ring_begin(20, 3);
	for (stop = 1; more && stop < 1000; stop++) {
		snprintf(text, sizeof(text), "report %u", (unsigned)stop);
		fd = ring_report(text);
		more = killed_at(fd, (uint64_t)stop % 4, stop);
		CHECK(copies(text) <= 1);
		if (turn)
			ring_publish(100, "other");
		CHECK(ring_place(fd, (uint64_t)stop % 4) == 0);
		memcpy(own, ring.name, sizeof(own));
		close(fd);
		CHECK(copies(text) == 1 && ring_holds(own, text));
		CHECK(ring_count(".pub.") == 0 && ring_count(".tmp.") == 0);
		/* five programs, and each kept to its share all the same */
		CHECK(ring_count("usercrash_") <= 15);
		CHECK(copies("other") <= 3);
	}
	CHECK(!more);
	CHECK(stop > 20);
}

int
main(void)
{
	for (ring.named = 0; ring.named <= 1; ring.named++) {
		test_crowd();
		test_killed(0);
		test_killed(1);
	}
	return ring_end();
}
