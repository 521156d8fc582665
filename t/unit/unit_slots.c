/*
 * unit_slots: the ring, step by step.
 * Prints one line per failed check; exits 0 when there was none.
 */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bytes.h"
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
		CHECK(ftruncate(fd, 80 + 79) == 0);
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
	CHECK(pwrite(fd, &high, 1, 2 * 80 + 8) == 1); /* its seq */
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
	struct slots_entry e = {.key = 1};
	int fd, other, lock;
	int64_t soon;

	ring_begin(2, 1);
	ring_publish(1, "a");
	lock = openat(ring.fd, ".slots", O_RDWR);
	CHECK(flock(lock, LOCK_EX) == 0);
	ring.cfg.named = 0;
	fd = ring_report("b");
	soon = deadline_in(60);
	/* it waits for whoever has the lock next */
	CHECK(slots_publish(ring.fd, fd, &ring.cfg, soon, &e) == 0);
	CHECK(strncmp(e.name, ".pub.", 5) == 0);
	CHECK(deadline_left(soon) == 0);
	/* as one of them does, and no second one of that program */
	other = ring_report("B");
	FAILS(slots_publish(ring.fd, other, &ring.cfg, deadline_in(60), &e),
	    ETIMEDOUT);
	close(other);
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

/* As somebody's crash of a program of its own. */
static void
by(uint32_t uid, uint64_t key, const char *text)
{
	ring.uid = uid;
	ring_publish(key, text);
	ring.uid = 0;
}

/* How many of the reports hold that. */
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

/* Class 25: one user, any number of programs. */
static void
test_users(void)
{
	uint64_t key = 100;
	int i, root;

	ring_begin(20, 0);
	for (i = 0; i < 6; i++)
		by(0, key++, "root");
	for (i = 0; i < 4; i++)
		by(1001, key++, "other");
	for (i = 0; i < 50; i++)
		by(1000, key++, "greedy");
	CHECK(copies("root") == 6);
	CHECK(copies("other") >= 3);
	CHECK(copies("greedy") <= 11);
	/* what comes next takes from who has more than half */
	for (i = 0; i < 50; i++)
		by(1000, key++, "greedy");
	CHECK(copies("other") >= 3);
	for (i = 0; i < 5; i++)
		by(0, key++, "root");
	root = copies("root");
	CHECK(root >= 7);
	/* many users: none of them evicts root's half */
	for (i = 0; i < 100; i++)
		by(2000 + (uint32_t)i, key++, "many");
	CHECK(copies("root") == root && copies("many") == 20 - root);
	/* root's own go like any, and so does what is beyond its half */
	for (i = 0; i < 30; i++)
		by(0, key++, "root");
	CHECK(copies("root") == 20);
	by(1000, key++, "late");
	CHECK(copies("late") == 1 && copies("root") == 19);
	/* the oldest is one of those, whoever comes next */
	by(1001, key++, "later");
	CHECK(copies("late") == 1 && copies("root") == 18);
}

static void
by_size(uint32_t uid, uint64_t key, off_t size)
{
	int fd;

	ring.uid = uid;
	fd = ring_report("x");
	CHECK(ftruncate(fd, size) == 0);
	CHECK(ring_place(fd, key) == 0);
	close(fd);
	ring.uid = 0;
}

static uint64_t
bytes_in_all(void)
{
	char file[SLOTS_NAME_MAX];
	uint64_t sum = 0;
	struct stat st;
	unsigned i;

	for (i = 0; i < ring.cfg.n; i++) {
		snprintf(file, sizeof(file), "usercrash_%02u", i);
		if (fstatat(ring.fd, file, &st, 0) == 0)
			sum += (uint64_t)st.st_size;
	}
	return sum;
}

/* Not more bytes than allowed, of the same program first. */
static void
test_bytes(void)
{
	int i;

	ring_begin(40, 40);
	ring.cfg.total = 1000;
	ring.cfg.reportmax = 100;
	for (i = 0; i < 4; i++)
		by_size(0, 1, 100); /* slots 0 to 3 */
	for (i = 0; i < 6; i++)
		by_size(1000, 2, 100);
	CHECK(bytes_in_all() == 1000);
	by_size(1000, 2, 90);
	CHECK(bytes_in_all() == 990);
	CHECK(ring_count("usercrash_") == 10);
	/* the program's oldest, slot 4, went; then that which was next */
	CHECK(faccessat(ring.fd, "usercrash_04", F_OK, 0) == -1);
	by_size(1000, 2, 50);
	CHECK(faccessat(ring.fd, "usercrash_05", F_OK, 0) == -1);
	/* many names of one user: root's stay */
	for (i = 0; i < 30; i++) {
		by_size(1000, 10 + (uint64_t)i, 100);
		CHECK(bytes_in_all() <= 1000);
	}
	for (i = 0; i < 4; i++) {
		char file[SLOTS_NAME_MAX];

		snprintf(file, sizeof(file), "usercrash_%02d", i);
		CHECK(faccessat(ring.fd, file, F_OK, 0) == 0);
	}
	/* less than two reports' worth is two */
	ring.cfg.total = 1;
	by_size(0, 99, 100);
	CHECK(bytes_in_all() == 200);
}

/* What the log is told of: some, and how many the others were. */
static void
test_told(void)
{
	int i;

	ring_begin(20, 0);
	for (i = 0; i < SLOTS_LINES - 1; i++) {
		by(1000, 1, "a");
		CHECK(ring.tell == SLOTS_TOLD && ring.quiet == 0);
	}
	by(1000, 1, "a");
	CHECK(ring.tell == SLOTS_TOLD_LAST);
	for (i = 0; i < 300; i++) {
		by(1000, 1, "a");
		CHECK(ring.tell == SLOTS_COUNTED);
	}
	/* another program's line says how many there were */
	by(1000, 2, "b");
	CHECK(ring.tell == SLOTS_TOLD && ring.quiet == 300);
	by(1001, 1, "a");
	CHECK(ring.tell == SLOTS_COUNTED);
	by(1001, 3, "c");
	CHECK(ring.tell == SLOTS_TOLD && ring.quiet == 1);
	/* any number of programs of one user, but root's */
	for (i = 0; i < SLOTS_USER_LINES + 5; i++)
		by(1000, 100 + (uint64_t)i, "d");
	CHECK(ring.tell == SLOTS_COUNTED);
	for (i = 0; i < SLOTS_USER_LINES + 5; i++)
		by(0, 200 + (uint64_t)i, "e");
	CHECK(ring.tell == SLOTS_TOLD);
}

/* What another does to the space there is, when a report's is reserved. */
static struct {
	int takes, taken; /* all that is left */
	int err;
} space;

/* In the place of libc's. */
int
fallocate(int fd, int mode, off_t off, off_t len)
{
	space.taken = space.takes;
	errno = space.err;
	if (space.err != 0)
		return -1;
#if defined(__LP64__)
	return (int)syscall(SYS_fallocate, fd, mode, off, len);
#else /* whose numbers take two registers each */
	(void)fd;
	(void)mode;
	return len < 0 || off != 0 ? fails(EINVAL) : fails(EOPNOTSUPP);
#endif
}

int
fstatvfs(int fd, struct statvfs *v)
{
	struct statfs fs;

	memset(v, 0, sizeof(*v));
	if (fstatfs(fd, &fs) == -1)
		return -1;
	v->f_frsize = (unsigned long)fs.f_frsize;
	v->f_blocks = fs.f_blocks;
	v->f_bavail = space.taken ? 0 : fs.f_bavail;
	return 0;
}

/* The floor holds while many are being written, and what a report does not need
 * is given back. */
static void
test_floor(void)
{
	struct statvfs v;
	struct stat st;
	int fd, can;

	ring_begin(2, 2);
	CHECK(fstatvfs(ring.fd, &v) == 0);
	fd = openat(ring.fd, "can", O_RDWR | O_CREAT | O_EXCL, 0600);
	can = fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 4 << 20) == 0;
	close(fd);
	CHECK(unlinkat(ring.fd, "can", 0) == 0);
	ring.cfg.reportmax = 4 << 20;
	ring.cfg.minfree = 4096;
	/* room for all that may write: nothing is taken */
	ring.cfg.writers = 1;
	fd = ring_report("x");
	CHECK(fstat(fd, &st) == 0 && st.st_blocks < 100);
	CHECK(ring_place(fd, 1) == 0);
	close(fd);
	ring.cfg.writers = UINT_MAX;
	fd = ring_report("x");
	CHECK(fstat(fd, &st) == 0);
	if (can) {
		CHECK(st.st_blocks >= (4 << 20) / 512 && st.st_size == 1);
		CHECK(ring_place(fd, 1) == 0);
		CHECK(fstat(fd, &st) == 0 && st.st_blocks < 100);
	}
	close(fd);
	/* free now, but not with a whole report */
	ring.cfg.reportmax = (uint64_t)v.f_blocks * v.f_frsize;
	FAILS(slots_tmp(ring.fd, &ring.cfg, ring_later()), ENOSPC);
	/* nor where another was faster, or has the last that may be taken */
	ring.cfg.reportmax = 4096;
	space.takes = 1;
	FAILS(slots_tmp(ring.fd, &ring.cfg, ring_later()), ENOSPC);
	space.takes = space.taken = 0;
	for (space.err = ENOSPC; space.err != 0;
	     space.err = space.err == ENOSPC ? EDQUOT : 0)
		FAILS(slots_tmp(ring.fd, &ring.cfg, ring_later()), space.err);
	/* a file system that cannot is no reason */
	space.err = EOPNOTSUPP;
	close(ring_report("x"));
	space.err = 0;
	/* nor where nothing can be reserved (EINVAL, below 0) */
	ring.cfg.reportmax = UINT64_C(1) << 63;
	FAILS(slots_tmp(ring.fd, &ring.cfg, ring_later()), ENOSPC);
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
		test_users();
		test_bytes();
		test_told();
		test_floor();
	}
	return ring_end();
}
