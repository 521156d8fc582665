/*
 * unit_slots: the ring, step by step.
 * Prints one line per failed check; exits 0 when there was none.
 */
#include <signal.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "ring_fixture.h"

static void
test_order(void)
{
	int fd;

	begin(3, 3);
	publish(1, "a");
	AT("usercrash_00");
	publish(2, "b");
	AT("usercrash_01");
	publish(3, "c");
	AT("usercrash_02");
	/* Nothing is chosen, nor evicted, before publication. */
	fd = new_report("d");
	CHECK(count("usercrash_") == 3 && holds("usercrash_00", "a"));
	publish(5, "e");
	AT("usercrash_00");
	CHECK(slots_publish(ringfd, fd, &cfg, 4, later(), name) == 0);
	close(fd);
	AT("usercrash_01");
	CHECK(holds("usercrash_00", "e") && holds("usercrash_01", "d"));
	CHECK(unlinkat(ringfd, "usercrash_00", 0) == 0);
	publish(6, "f");
	AT("usercrash_00");
	publish(7, "g");
	AT("usercrash_02");
	CHECK(count(".pub.") == 0 && count(".tmp.") == 0);
}

static void
test_share(void)
{
	begin(8, 2);
	publish(1, "1");
	publish(2, "2");
	publish(1, "3");
	AT("usercrash_02");
	publish(1, "4");
	AT("usercrash_00");
	publish(1, "5");
	AT("usercrash_02");
	CHECK(holds("usercrash_01", "2"));
	begin(8, 0); /* a quarter */
	publish(1, "1");
	publish(1, "2");
	publish(1, "3");
	AT("usercrash_00");
	begin(1, 0); /* at least one */
	publish(1, "1");
	publish(1, "2");
	AT("usercrash_00");
	CHECK(holds("usercrash_00", "2"));
}

static void
test_modes(mode_t mask)
{
	struct stat st;
	gid_t gid;
	int fd;

	umask(mask);
	begin(2, 1);
	publish(1, "a");
	CHECK(stat(path, &st) == 0 && (st.st_mode & 07777) == 0750);
	gid = st.st_gid;
	CHECK(fstatat(ringfd, name, &st, 0) == 0);
	CHECK((st.st_mode & 07777) == 0640 && st.st_nlink == 1);
	CHECK(st.st_uid == geteuid() && st.st_gid == gid);
	CHECK(fstatat(ringfd, ".slots", &st, 0) == 0);
	CHECK((st.st_mode & 077) == 0);
	cfg.group = "no such group";
	fd = new_report("b");
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

	begin(2, 1);
	c = cfg;
	snprintf(link, sizeof(link), "%s.link", path);
	CHECK(symlink(path, link) == 0);
	c.dir = link;
	CHECK(slots_open(&c) == -1 && (errno == ENOTDIR || errno == ELOOP));
	c.dir = "/dev/null";
	FAILS(slots_open(&c), ENOTDIR);
	c.dir = "/nonexistent/dir";
	FAILS(slots_open(&c), ENOENT);
	CHECK(chmod(path, 0770) == 0);
	FAILS(slots_open(&cfg), EPERM);
	CHECK(chmod(path, 0757) == 0);
	FAILS(slots_open(&cfg), EPERM);
	CHECK(chmod(path, 0755) == 0);
	if (geteuid() == 0) {
		CHECK(chown(path, 65534, 0) == 0);
		FAILS(slots_open(&cfg), EPERM);
		CHECK(chown(path, 0, 0) == 0);
	}
	fd = slots_open(&cfg);
	CHECK(fd != -1);
	close(fd);

	cfg.minfree = UINT64_MAX;
	FAILS(slots_tmp(ringfd, &cfg, later()), ENOSPC);
	cfg.minfree = 1;
	fd = slots_tmp(ringfd, &cfg, later());
	CHECK(fd != -1);
	FAILS(slots_publish(ringfd, fd, &cfg, 1, later(), name), ENODATA);
	CHECK(write(fd, "x", 1) == 1);
	cfg.n = 0;
	FAILS(slots_publish(ringfd, fd, &cfg, 1, later(), name), EINVAL);
	cfg.n = SLOTS_MAX + 1;
	FAILS(slots_publish(ringfd, fd, &cfg, 1, later(), name), EINVAL);
	cfg.n = 2;
	FAILS(slots_publish(ringfd, ringfd, &cfg, 1, later(), name), EINVAL);
	memfd = memfd_create("foreign", MFD_CLOEXEC);
	CHECK(write(memfd, "x", 1) == 1);
	FAILS(slots_publish(ringfd, memfd, &cfg, 1, later(), name), EXDEV);
	close(memfd);
	CHECK(count("usercrash_") == 0);
	/* All those failures left it as it was. */
	CHECK(slots_publish(ringfd, fd, &cfg, 1, later(), name) == 0);
	close(fd);
}

static void
test_again(void)
{
	struct stat st;
	int fd, status;
	pid_t pid;

	begin(2, 2);
	fd = new_report("a");
	CHECK(slots_publish(ringfd, fd, &cfg, 1, later(), name) == 0);
	AT("usercrash_00");
	/* The server was killed before it could answer: the client tries. */
	pid = fork();
	if (pid == 0) {
		name[0] = '\0';
		_exit(slots_publish(ringfd, fd, &cfg, 1, later(), name) != 0 ||
		    strcmp(name, "usercrash_00") != 0);
	}
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	CHECK(count("usercrash_") == 1);
	CHECK(fstat(fd, &st) == 0 && st.st_nlink == 1);
	publish(2, "b");
	publish(3, "c");
	CHECK(holds("usercrash_00", "c") && holds("usercrash_01", "b"));
	FAILS(slots_publish(ringfd, fd, &cfg, 1, later(), name), ESTALE);
	close(fd);
}

static void
link_hidden(int fd, const char *hidden)
{
	char proc[32];

	snprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd);
	CHECK(linkat(AT_FDCWD, proc, ringfd, hidden, AT_SYMLINK_FOLLOW) == 0);
}

/* Killed between link and rename. */
static void
test_leftover(void)
{
	int fd;

	if (named)
		return;
	begin(4, 2);
	publish(9, "0");
	fd = new_report("a");
	link_hidden(fd, ".pub.0000000000000007");
	/* its own client comes back with it */
	CHECK(slots_publish(ringfd, fd, &cfg, 7, later(), name) == 0);
	AT("usercrash_01");
	CHECK(count(".pub.") == 0 && count("usercrash_") == 2);
	close(fd);
	/* nobody comes back: the next holder finishes it */
	fd = new_report("b");
	link_hidden(fd, ".pub.0000000000000007");
	close(fd);
	publish(8, "c");
	AT("usercrash_03");
	CHECK(holds("usercrash_02", "b") && count(".pub.") == 0);
	/* it was counted to its program */
	publish(7, "d");
	AT("usercrash_01");
	/* what is none of ours is let be */
	CHECK(symlinkat("/etc/passwd", ringfd, ".pub.0000000000000001") == 0);
	CHECK(mkdirat(ringfd, ".pub.0000000000000002", 0700) == 0);
	publish(8, "e");
	CHECK(count(".pub.") == 2);
}

static void
test_records(const char *how)
{
	char junk[4000];
	int fd;

	begin(3, 3);
	publish(1, "a");
	publish(2, "b");
	publish(3, "c");
	fd = openat(ringfd, ".slots", O_RDWR);
	CHECK(fd != -1);
	memset(junk, *how == 'j' ? 0xa5 : 0, sizeof(junk));
	if (*how == 'm') {
		CHECK(unlinkat(ringfd, ".slots", 0) == 0);
	} else if (*how == 't') {
		CHECK(ftruncate(fd, 40 + 39) == 0);
	} else {
		CHECK(pwrite(fd, junk, sizeof(junk), 0) == sizeof(junk));
	}
	close(fd);
	/* the order of modification takes over */
	publish(4, "d");
	AT(*how == 't' ? "usercrash_01" : "usercrash_00");
	publish(5, "e");
	AT(*how == 't' ? "usercrash_02" : "usercrash_01");
	publish(6, "f");
	AT(*how == 't' ? "usercrash_00" : "usercrash_02");
	CHECK(count("usercrash_") == 3);
}

/* A record that looks well but is not what was written. */
static void
test_flipped(void)
{
	unsigned char high = 200;
	int fd;

	begin(3, 3);
	publish(1, "a");
	publish(2, "b");
	publish(3, "c");
	fd = openat(ringfd, ".slots", O_RDWR);
	CHECK(pwrite(fd, &high, 1, 2 * 40 + 8) == 1); /* its seq */
	close(fd);
	publish(4, "d");
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
	int64_t end = later();
	pid_t pid;

	begin(2, 2);
	cfg.named = 0;
	publish(1, "a");
	pid = fork();
	if (pid == 0) {
		raise(SIGSTOP);
		publish(2, "b");
		_exit(failed != 0);
	}
	CHECK(waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status));
	lock = openat(ringfd, ".slots", O_RDWR | O_CLOEXEC);
	CHECK(flock(lock, LOCK_EX) == 0);
	CHECK(kill(pid, SIGCONT) == 0);
	while (!has_open(pid, "/.slots") && deadline_left(end) != 0)
		usleep(1000);
	CHECK(unlinkat(ringfd, ".slots", 0) == 0);
	close(openat(ringfd, ".slots", O_RDWR | O_CREAT | O_CLOEXEC, 0600));
	close(lock);
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	CHECK(fstatat(ringfd, ".slots", &st, 0) == 0 && st.st_size > 0);
}

static void
test_lock(void)
{
	int fd, lock;
	int64_t soon;

	begin(2, 1);
	publish(1, "a");
	lock = openat(ringfd, ".slots", O_RDWR);
	CHECK(flock(lock, LOCK_EX) == 0);
	cfg.named = 0;
	fd = new_report("b");
	soon = deadline_in(60);
	FAILS(slots_publish(ringfd, fd, &cfg, 1, soon, name), ETIMEDOUT);
	CHECK(deadline_left(soon) == 0);
	close(lock);
	CHECK(slots_publish(ringfd, fd, &cfg, 1, later(), name) == 0);
	close(fd);
	/* a lock that is no plain file of ours */
	fd = new_report("c");
	CHECK(unlinkat(ringfd, ".slots", 0) == 0);
	CHECK(symlinkat("/etc/passwd", ringfd, ".slots") == 0);
	FAILS(slots_publish(ringfd, fd, &cfg, 1, later(), name), ELOOP);
	CHECK(unlinkat(ringfd, ".slots", 0) == 0);
	CHECK(mkfifoat(ringfd, ".slots", 0600) == 0);
	FAILS(slots_publish(ringfd, fd, &cfg, 1, later(), name), EPERM);
	CHECK(unlinkat(ringfd, ".slots", 0) == 0);
	CHECK(mkdirat(ringfd, ".slots", 0700) == 0);
	FAILS(slots_publish(ringfd, fd, &cfg, 1, later(), name), EISDIR);
	CHECK(unlinkat(ringfd, ".slots", AT_REMOVEDIR) == 0);
	CHECK(slots_publish(ringfd, fd, &cfg, 1, later(), name) == 0);
	close(fd);
}

static void
test_sizes(void)
{
	unsigned i;

	begin(103, 103);
	for (i = 0; i < 103; i++)
		publish(i, "a");
	AT("usercrash_102");
	publish(i, "b");
	AT("usercrash_00");
	cfg.n = 2; /* smaller: the others stay, in any state */
	publish(i, "c");
	AT("usercrash_01");
	publish(i, "d");
	AT("usercrash_00");
	CHECK(count("usercrash_") == 103);
	cfg.n = 103; /* and larger again: the order still holds */
	publish(i, "e");
	AT("usercrash_02");
	begin(5, 5); /* also when the newest were beyond the smaller one */
	for (i = 0; i < 5; i++)
		publish(i, "a");
	cfg.n = 2;
	publish(5, "b");
	AT("usercrash_00");
	cfg.n = 5;
	for (i = 1; i < 5; i++)
		publish(i + 5, "c");
	AT("usercrash_04");
	/* names that are not quite slots are none */
	begin(2, 2);
	CHECK(mkdirat(ringfd, "usercrash_000", 0700) == 0);
	CHECK(mkdirat(ringfd, "usercrash_1", 0700) == 0);
	CHECK(mkdirat(ringfd, "usercrash_00.gz", 0700) == 0);
	CHECK(mkdirat(ringfd, "usercrash_99999999999999999999", 0700) == 0);
	publish(1, "a");
	AT("usercrash_00");
}

static void
test_odd_slots(void)
{
	int fd;

	begin(3, 3);
	CHECK(mkdirat(ringfd, "usercrash_00", 0700) == 0);
	CHECK(symlinkat("/etc/passwd", ringfd, "usercrash_01") == 0);
	CHECK(mkfifoat(ringfd, "usercrash_02", 0600) == 0);
	publish(1, "a");
	publish(2, "b");
	CHECK(holds("usercrash_01", "a") && holds("usercrash_02", "b"));
	CHECK(access("/etc/passwd", F_OK) == 0);
	begin(1, 1);
	CHECK(mkdirat(ringfd, "usercrash_00", 0700) == 0);
	fd = new_report("c");
	FAILS(slots_publish(ringfd, fd, &cfg, 1, later(), name), EISDIR);
	/* once the way is free it is published after all */
	CHECK(unlinkat(ringfd, "usercrash_00", AT_REMOVEDIR) == 0);
	CHECK(slots_publish(ringfd, fd, &cfg, 1, later(), name) == 0);
	close(fd);
	CHECK(holds("usercrash_00", "c") && count(".pub.") == 0);
}

/* Without O_TMPFILE: the dead's files go, the living's stay. */
static void
test_hidden(void)
{
	int fd, status;
	pid_t pid;

	if (!named)
		return;
	begin(4, 4);
	fd = new_report("a");
	CHECK(count(".tmp.") == 1);
	pid = fork();
	if (pid == 0) {
		close(fd);
		new_report("dead");
		raise(SIGKILL);
	}
	CHECK(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status));
	CHECK(count(".tmp.") == 2);
	close(new_report("gone")); /* made, and the dead one swept */
	CHECK(count(".tmp.") == 2);
	publish(2, "b");
	AT("usercrash_00");
	CHECK(count(".tmp.") == 1);
	CHECK(slots_publish(ringfd, fd, &cfg, 1, later(), name) == 0);
	AT("usercrash_01");
	CHECK(slots_publish(ringfd, fd, &cfg, 1, later(), name) == 0);
	AT("usercrash_01");
	CHECK(count(".tmp.") == 0);
	close(fd);
}

int
main(void)
{
	if (mkdtemp(base) == NULL)
		return 111;
	for (named = 0; named <= 1; named++) {
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
	return end();
}
