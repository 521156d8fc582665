/*
 * unit_slots: the ring, step by step.
 * Prints one line per failed check; exits 0 when there was none.
 */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/deadline.h"

#include "ring_fixture.h"

static void
test_order(void)
{
	int fd;

	ring_begin(3, 3);
	ring_publish(1, "a");
	AT("usercrash_00");
	ring_publish(2, "b");
	AT("usercrash_01");
	ring_publish(3, "c");
	AT("usercrash_02");
	/* Nothing is chosen, nor evicted, before publication. */
	fd = ring_report("d");
	CHECK(ring_count("usercrash_") == 3 && ring_holds("usercrash_00", "a"));
	ring_publish(5, "e");
	AT("usercrash_00");
	CHECK(ring_place(fd, 4) == 0);
	close(fd);
	AT("usercrash_01");
	CHECK(
	    ring_holds("usercrash_00", "e") && ring_holds("usercrash_01", "d"));
	CHECK(unlinkat(ring.fd, "usercrash_00", 0) == 0);
	ring_publish(6, "f");
	AT("usercrash_00");
	ring_publish(7, "g");
	AT("usercrash_02");
	CHECK(ring_count(".pub.") == 0 && ring_count(".tmp.") == 0);
}

static void
test_share(void)
{
	ring_begin(8, 2);
	ring_publish(1, "1");
	ring_publish(2, "2");
	ring_publish(1, "3");
	AT("usercrash_02");
	ring_publish(1, "4");
	AT("usercrash_00");
	ring_publish(1, "5");
	AT("usercrash_02");
	CHECK(ring_holds("usercrash_01", "2"));
	ring_begin(8, 0); /* a quarter */
	ring_publish(1, "1");
	ring_publish(1, "2");
	ring_publish(1, "3");
	AT("usercrash_00");
	ring_begin(1, 0); /* at least one */
	ring_publish(1, "1");
	ring_publish(1, "2");
	AT("usercrash_00");
	CHECK(ring_holds("usercrash_00", "2"));
}

static void
test_modes(mode_t mask)
{
	struct stat st;
	gid_t gid;
	int fd;

	umask(mask);
	ring_begin(2, 1);
	ring_publish(1, "a");
	CHECK(stat(ring.path, &st) == 0 && (st.st_mode & 07777) == 0750);
	gid = st.st_gid;
	CHECK(fstatat(ring.fd, ring.name, &st, 0) == 0);
	CHECK((st.st_mode & 07777) == 0640 && st.st_nlink == 1);
	CHECK(st.st_uid == geteuid() && st.st_gid == gid);
	CHECK(fstatat(ring.fd, ".slots", &st, 0) == 0);
	CHECK((st.st_mode & 077) == 0);
	ring.cfg.group = "no such group";
	fd = ring_report("b");
	CHECK(fstat(fd, &st) == 0 && (st.st_mode & 07777) == 0640);
	if (geteuid() == 0)
		CHECK(st.st_gid == 0);
	close(fd);
	umask(022);
}

static void
test_refused(void)
{
	struct slots_cfg c;
	char link[80];
	int fd, memfd;

	ring_begin(2, 1);
	c = ring.cfg;
	snprintf(link, sizeof(link), "%s.link", ring.path);
	CHECK(symlink(ring.path, link) == 0);
	c.dir = link;
	CHECK(slots_open(&c) == -1 && (errno == ENOTDIR || errno == ELOOP));
	c.dir = "/dev/null";
	FAILS(slots_open(&c), ENOTDIR);
	c.dir = "/nonexistent/dir";
	FAILS(slots_open(&c), ENOENT);
	CHECK(chmod(ring.path, 0770) == 0);
	FAILS(slots_open(&ring.cfg), EPERM);
	CHECK(chmod(ring.path, 0757) == 0);
	FAILS(slots_open(&ring.cfg), EPERM);
	CHECK(chmod(ring.path, 0755) == 0);
	if (geteuid() == 0) {
		CHECK(chown(ring.path, 65534, 0) == 0);
		FAILS(slots_open(&ring.cfg), EPERM);
		CHECK(chown(ring.path, 0, 0) == 0);
	}
	fd = slots_open(&ring.cfg);
	CHECK(fd != -1);
	close(fd);

	ring.cfg.minfree = UINT64_MAX;
	FAILS(slots_tmp(ring.fd, &ring.cfg, ring_later()), ENOSPC);
	ring.cfg.minfree = 1;
	fd = slots_tmp(ring.fd, &ring.cfg, ring_later());
	CHECK(fd != -1);
	FAILS(ring_place(fd, 1), ENODATA);
	CHECK(write(fd, "x", 1) == 1);
	ring.cfg.n = 0;
	FAILS(ring_place(fd, 1), EINVAL);
	ring.cfg.n = SLOTS_MAX + 1;
	FAILS(ring_place(fd, 1), EINVAL);
	ring.cfg.n = 2;
	FAILS(ring_place(ring.fd, 1), EINVAL);
	memfd = memfd_create("foreign", MFD_CLOEXEC);
	CHECK(write(memfd, "x", 1) == 1);
	FAILS(ring_place(memfd, 1), EXDEV);
	close(memfd);
	CHECK(ring_count("usercrash_") == 0);
	/* All those failures left it as it was. */
	CHECK(ring_place(fd, 1) == 0);
	close(fd);
}

static void
test_again(void)
{
	struct stat st;
	int fd, status;
	pid_t pid;

	ring_begin(2, 2);
	fd = ring_report("a");
	CHECK(ring_place(fd, 1) == 0);
	AT("usercrash_00");
	/* The server was killed before it could answer: the client tries. */
	pid = fork();
	if (pid == 0) {
		ring.name[0] = '\0';
		_exit(ring_place(fd, 1) != 0 ||
		    strcmp(ring.name, "usercrash_00") != 0);
	}
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	CHECK(ring_count("usercrash_") == 1);
	CHECK(fstat(fd, &st) == 0 && st.st_nlink == 1);
	ring_publish(2, "b");
	ring_publish(3, "c");
	CHECK(
	    ring_holds("usercrash_00", "c") && ring_holds("usercrash_01", "b"));
	FAILS(ring_place(fd, 1), ESTALE);
	close(fd);
}

static void
link_hidden(int fd, const char *hidden)
{
	char proc[32];

	snprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd);
	CHECK(linkat(AT_FDCWD, proc, ring.fd, hidden, AT_SYMLINK_FOLLOW) == 0);
}

/* Killed between link and rename. */
static void
test_leftover(void)
{
	int fd;

	if (ring.named)
		return;
	ring_begin(4, 2);
	ring_publish(9, "0");
	fd = ring_report("a");
	link_hidden(fd, ".pub.0000000000000007");
	/* its own client comes back with it */
	CHECK(ring_place(fd, 7) == 0);
	AT("usercrash_01");
	CHECK(ring_count(".pub.") == 0 && ring_count("usercrash_") == 2);
	close(fd);
	/* nobody comes back: the next holder finishes it */
	fd = ring_report("b");
	link_hidden(fd, ".pub.0000000000000007");
	close(fd);
	ring_publish(8, "c");
	AT("usercrash_03");
	CHECK(ring_holds("usercrash_02", "b") && ring_count(".pub.") == 0);
	/* it was counted to its program */
	ring_publish(7, "d");
	AT("usercrash_01");
	/* what is none of ours is let be */
	CHECK(symlinkat("/etc/passwd", ring.fd, ".pub.0000000000000001") == 0);
	CHECK(mkdirat(ring.fd, ".pub.0000000000000002", 0700) == 0);
	ring_publish(8, "e");
	CHECK(ring_count(".pub.") == 2);
}

static void
test_records(const char *how)
{
	char junk[4000];
	int fd;

	ring_begin(3, 3);
	ring_publish(1, "a");
	ring_publish(2, "b");
	ring_publish(3, "c");
	fd = openat(ring.fd, ".slots", O_RDWR);
	CHECK(fd != -1);
	memset(junk, *how == 'j' ? 0xa5 : 0, sizeof(junk));
	if (*how == 'm') {
		CHECK(unlinkat(ring.fd, ".slots", 0) == 0);
	} else if (*how == 't') {
		CHECK(ftruncate(fd, 40 + 39) == 0);
	} else {
		CHECK(pwrite(fd, junk, sizeof(junk), 0) == sizeof(junk));
	}
	close(fd);
	/* the order of modification takes over */
	ring_publish(4, "d");
	AT(*how == 't' ? "usercrash_01" : "usercrash_00");
	ring_publish(5, "e");
	AT(*how == 't' ? "usercrash_02" : "usercrash_01");
	ring_publish(6, "f");
	AT(*how == 't' ? "usercrash_00" : "usercrash_02");
	CHECK(ring_count("usercrash_") == 3);
}

/* A record that looks well but is not what was written. */
static void
test_flipped(void)
{
	unsigned char high = 200;
	int fd;

	ring_begin(3, 3);
	ring_publish(1, "a");
	ring_publish(2, "b");
	ring_publish(3, "c");
	fd = openat(ring.fd, ".slots", O_RDWR);
	CHECK(pwrite(fd, &high, 1, 2 * 40 + 8) == 1); /* its seq */
	close(fd);
	ring_publish(4, "d");
	AT("usercrash_02");
}

static int
has_open(pid_t pid, const char *file)
{
	char list[64], link[128], to[256];
	struct dirent *e;
	ssize_t len;
	DIR *d;
	int found = 0;

	snprintf(list, sizeof(list), "/proc/%d/fd", (int)pid);
	d = opendir(list);
	while (d != NULL && !found && (e = readdir(d)) != NULL) {
		snprintf(link, sizeof(link), "%s/%.40s", list, e->d_name);
		len = readlink(link, to, sizeof(to) - 1);
		if (len < (ssize_t)strlen(file))
			continue;
		to[len] = '\0';
		found = strcmp(to + len - strlen(file), file) == 0;
	}
	if (d != NULL)
		closedir(d);
	return found;
}

/* The lock is removed under one who waits for it: a dead inode locks none. */
static void
test_lock_removed(void)
{
	struct stat st;
	int lock, status;
	int64_t end = ring_later();
	pid_t pid;

	ring_begin(2, 2);
	ring.cfg.named = 0;
	ring_publish(1, "a");
	pid = fork();
	if (pid == 0) {
		raise(SIGSTOP);
		ring_publish(2, "b");
		_exit(failed != 0);
	}
	CHECK(waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status));
	lock = openat(ring.fd, ".slots", O_RDWR | O_CLOEXEC);
	CHECK(flock(lock, LOCK_EX) == 0);
	CHECK(kill(pid, SIGCONT) == 0);
	while (!has_open(pid, "/.slots") && deadline_left(end) != 0)
		usleep(1000);
	CHECK(unlinkat(ring.fd, ".slots", 0) == 0);
	close(openat(ring.fd, ".slots", O_RDWR | O_CREAT | O_CLOEXEC, 0600));
	close(lock);
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	CHECK(fstatat(ring.fd, ".slots", &st, 0) == 0 && st.st_size > 0);
}

static void
test_lock(void)
{
	int fd, lock;
	int64_t soon;

	ring_begin(2, 1);
	ring_publish(1, "a");
	lock = openat(ring.fd, ".slots", O_RDWR);
	CHECK(flock(lock, LOCK_EX) == 0);
	ring.cfg.named = 0;
	fd = ring_report("b");
	soon = deadline_in(60);
	FAILS(slots_publish(ring.fd, fd, &ring.cfg, 1, soon, ring.name),
	    ETIMEDOUT);
	CHECK(deadline_left(soon) == 0);
	close(lock);
	CHECK(ring_place(fd, 1) == 0);
	close(fd);
	/* a lock that is no plain file of ours */
	fd = ring_report("c");
	CHECK(unlinkat(ring.fd, ".slots", 0) == 0);
	CHECK(symlinkat("/etc/passwd", ring.fd, ".slots") == 0);
	FAILS(ring_place(fd, 1), ELOOP);
	CHECK(unlinkat(ring.fd, ".slots", 0) == 0);
	CHECK(mkfifoat(ring.fd, ".slots", 0600) == 0);
	FAILS(ring_place(fd, 1), EPERM);
	CHECK(unlinkat(ring.fd, ".slots", 0) == 0);
	CHECK(mkdirat(ring.fd, ".slots", 0700) == 0);
	FAILS(ring_place(fd, 1), EISDIR);
	CHECK(unlinkat(ring.fd, ".slots", AT_REMOVEDIR) == 0);
	CHECK(ring_place(fd, 1) == 0);
	close(fd);
}

static void
test_sizes(void)
{
	unsigned i;

	ring_begin(103, 103);
	for (i = 0; i < 103; i++)
		ring_publish(i, "a");
	AT("usercrash_102");
	ring_publish(i, "b");
	AT("usercrash_00");
	ring.cfg.n = 2; /* smaller: the others stay, in any state */
	ring_publish(i, "c");
	AT("usercrash_01");
	ring_publish(i, "d");
	AT("usercrash_00");
	CHECK(ring_count("usercrash_") == 103);
	ring.cfg.n = 103; /* and larger again: the order still holds */
	ring_publish(i, "e");
	AT("usercrash_02");
	ring_begin(5, 5); /* also when the newest were beyond the smaller one */
	for (i = 0; i < 5; i++)
		ring_publish(i, "a");
	ring.cfg.n = 2;
	ring_publish(5, "b");
	AT("usercrash_00");
	ring.cfg.n = 5;
	for (i = 1; i < 5; i++)
		ring_publish(i + 5, "c");
	AT("usercrash_04");
	/* names that are not quite slots are none */
	ring_begin(2, 2);
	CHECK(mkdirat(ring.fd, "usercrash_000", 0700) == 0);
	CHECK(mkdirat(ring.fd, "usercrash_1", 0700) == 0);
	CHECK(mkdirat(ring.fd, "usercrash_00.gz", 0700) == 0);
	CHECK(mkdirat(ring.fd, "usercrash_99999999999999999999", 0700) == 0);
	ring_publish(1, "a");
	AT("usercrash_00");
}

static void
test_odd_slots(void)
{
	int fd;

	ring_begin(3, 3);
	CHECK(mkdirat(ring.fd, "usercrash_00", 0700) == 0);
	CHECK(symlinkat("/etc/passwd", ring.fd, "usercrash_01") == 0);
	CHECK(mkfifoat(ring.fd, "usercrash_02", 0600) == 0);
	ring_publish(1, "a");
	ring_publish(2, "b");
	CHECK(
	    ring_holds("usercrash_01", "a") && ring_holds("usercrash_02", "b"));
	CHECK(access("/etc/passwd", F_OK) == 0);
	ring_begin(1, 1);
	CHECK(mkdirat(ring.fd, "usercrash_00", 0700) == 0);
	fd = ring_report("c");
	FAILS(ring_place(fd, 1), EISDIR);
	/* once the way is free it is published after all */
	CHECK(unlinkat(ring.fd, "usercrash_00", AT_REMOVEDIR) == 0);
	CHECK(ring_place(fd, 1) == 0);
	close(fd);
	CHECK(ring_holds("usercrash_00", "c") && ring_count(".pub.") == 0);
}

/* Without O_TMPFILE: the dead's files go, the living's stay. */
static void
test_hidden(void)
{
	int fd, status;
	pid_t pid;

	if (!ring.named)
		return;
	ring_begin(4, 4);
	fd = ring_report("a");
	CHECK(ring_count(".tmp.") == 1);
	pid = fork();
	if (pid == 0) {
		close(fd);
		ring_report("dead");
		raise(SIGKILL);
	}
	CHECK(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status));
	CHECK(ring_count(".tmp.") == 2);
	close(ring_report("gone")); /* made, and the dead one swept */
	CHECK(ring_count(".tmp.") == 2);
	ring_publish(2, "b");
	AT("usercrash_00");
	CHECK(ring_count(".tmp.") == 1);
	CHECK(ring_place(fd, 1) == 0);
	AT("usercrash_01");
	CHECK(ring_place(fd, 1) == 0);
	AT("usercrash_01");
	CHECK(ring_count(".tmp.") == 0);
	close(fd);
}

int
main(void)
{
	for (ring.named = 0; ring.named <= 1; ring.named++) {
		test_order();
		test_share();
		test_modes(0);
		test_modes(077);
		test_refused();
		test_again();
		test_leftover();
		test_records("junk");
		test_records("zeros");
		test_records("missing");
		test_records("truncated");
		test_flipped();
		test_lock();
		test_lock_removed();
		test_sizes();
		test_odd_slots();
		test_hidden();
	}
	return ring_end();
}
