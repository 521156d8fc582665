#include "slots/slots.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/deadline.h"
#include "base/floor.h"
#include "base/io.h"
#include "base/num.h"
#include "base/owned.h"
#include "base/privdrop.h"
#include "base/turn.h"
#include "slots/ledger.h"
#include "slots/reader.h"
#include "slots/ring.h"

void
slots_defaults(struct slots_cfg *cfg)
{
	memset(cfg, 0, sizeof(*cfg));
	cfg->dir = SLOTS_DIR;
	cfg->n = SLOTS_N;
	cfg->minfree = FLOOR_SHARE;
	cfg->reportmax = (uint64_t)SLOTS_REPORT_MAX << 20;
	cfg->writers = TURN_MAX;
	cfg->total = (uint64_t)SLOTS_TOTAL << 20;
	cfg->group = SLOTS_GROUP;
}

/*
 * The group's id from /etc/group itself: usercrash_c is linked statically and
 * must not load name service modules.  0 (root) when it is not there.
 */
static gid_t
slots_gid(const char *group)
{
	struct buf b = {0};
	const char *p, *nl, *end, *rest;
	size_t len = group ? strlen(group) : 0;
	uint64_t v;
	gid_t gid = 0;

	if (len == 0 ||
	    io_slurp_once(AT_FDCWD, "/etc/group", 16 << 20, &b, NULL) == -1)
		return 0;
	end = b.p + b.len;
	for (p = b.p; p < end; p = nl + 1) {
		nl = memchr(p, '\n', (size_t)(end - p));
		if (nl == NULL)
			nl = end;
		if ((size_t)(nl - p) <= len || memcmp(p, group, len) != 0 ||
		    p[len] != ':')
			continue;
		p = memchr(p + len + 1, ':', (size_t)(nl - p) - len - 1);
		if (p != NULL && num_scan(p + 1, nl, 10, &v, &rest) == 0 &&
		    (rest == nl || *rest == ':') && v < (gid_t)-1)
			gid = (gid_t)v;
		break;
	}
	buf_free(&b);
	return gid;
}

/* Owner and mode exactly, whatever the umask; tighter where chown fails. */
static int
slots_own(int fd, const struct slots_cfg *cfg, mode_t mode, mode_t tight)
{
	if (priv_uid() == 0 && fchown(fd, 0, slots_gid(cfg->group)) == -1)
		mode = tight;
	return fchmod(fd, mode);
}

int
slots_open(const struct slots_cfg *cfg)
{
	int made, dirfd = owned_dir(cfg->dir, OWNED_OURS, &made);

	if (dirfd != -1 && made && slots_own(dirfd, cfg, 0750, 0700) == -1)
		io_close(&dirfd);
	/* one that stays shut costs no report */
	if (dirfd != -1 && cfg->owner)
		(void)reader_open(dirfd);
	return dirfd;
}

/*
 * Takes what the report may need, so that many at once keep the floor, too.
 * Not where there is room for all of them twice over: to take it and to give
 * it back is an extent more in the journal, and in a storm a fifth of the time
 * (measured on ext4).  Not on btrfs, which would not give back what is not
 * used.
 */
static int
slots_reserve(int fd, const struct slots_cfg *cfg, uint64_t room)
{
	struct statfs fs;

	if (cfg->reportmax * cfg->writers * 2 < room ||
	    fstatfs(fd, &fs) == -1 || fs.f_blocks == 0 ||
	    (uint32_t)fs.f_type == BTRFS_SUPER_MAGIC)
		return 0;
	if (fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, (off_t)cfg->reportmax) == -1)
		return errno == ENOSPC || errno == EDQUOT ? -1 : 0;
	return floor_left(fd, cfg->minfree, SLOTS_MINFREE << 20, 0);
}

/*
 * Without O_TMPFILE: a hidden file, flocked for as long as somebody has it
 * open.  Made under the ring's lock, so that no holder of that sees it before
 * it is flocked and takes it for a dead one's.
 */
static int
slots_tmp_named(int dirfd, int64_t deadline)
{
	static unsigned serial;
	struct timespec ts;
	struct ring ring;
	char name[SLOTS_NAME_MAX];
	int fd = -1, try;

	if (ring_lock(&ring, dirfd, deadline) == 0 &&
	    ring_tidy(&ring, NULL) == 0) {
		for (try = 0; fd == -1 && try < 16; try++) {
			clock_gettime(CLOCK_MONOTONIC, &ts);
			snprintf(name, sizeof(name), RING_TMP "%d.%u.%ld",
			    (int)getpid(), ++serial, ts.tv_nsec);
			fd = openat(dirfd, name,
			    O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
			    0600);
			if (fd == -1 && errno != EEXIST)
				break;
		}
		if (fd != -1)
			flock(fd, LOCK_EX | LOCK_NB);
	}
	ring_close(&ring);
	return fd;
}

int
slots_tmp(int dirfd, const struct slots_cfg *cfg, int64_t deadline)
{
	int fd = -1, none = cfg->named;
	uint64_t room;

	if (floor_room(dirfd, cfg->minfree, SLOTS_MINFREE << 20, &room) == -1)
		return -1;
	if (cfg->reportmax >= room) {
		errno = ENOSPC;
		return -1;
	}
	if (!none) {
		fd = openat(dirfd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
		/* open(2): the last two are what old kernels say */
		none = fd == -1 &&
		    (errno == EOPNOTSUPP || errno == EISDIR ||
			errno == EINVAL || errno == ENOENT);
	}
	if (none)
		fd = slots_tmp_named(dirfd, deadline);
	if (fd != -1 &&
	    (slots_own(fd, cfg, 0640, 0600) == -1 ||
		slots_reserve(fd, cfg, room) == -1)) {
		io_close(&fd);
		return -1;
	}
	return fd;
}

static void
slots_hidden(const struct slots_entry *e, char name[SLOTS_NAME_MAX])
{
	snprintf(name, SLOTS_NAME_MAX, RING_PUB "%016" PRIx64 ".%08" PRIx32,
	    e->key, e->uid);
}

static int
slots_place(
    struct ring *r, int fd, const struct stat *st, struct slots_entry *e)
{
	char hidden[SLOTS_NAME_MAX];
	struct ring_report report = {hidden, -1, st, 0};

	if (r->hidden && ring_tidy(r, st) == -1)
		return -1;
	if (r->slotname[0] != '\0') {
		memcpy(e->name, r->slotname, SLOTS_NAME_MAX);
		return 0;
	}
	slots_hidden(e, hidden);
	if (r->tmpname[0] != '\0') {
		if (renameat(r->dirfd, r->tmpname, r->dirfd, hidden) == -1)
			return -1;
	} else
		report.fd = fd;
	if (ring_put(r, &report, e) == -1)
		return -1;
	/* a disk that is full for a line was not for the report */
	ledger_add(r->dirfd, fd, st->st_mode);
	return 0;
}

static int
slots_is(int dirfd, const char *name, int fd)
{
	struct stat a, b;

	return fstatat(dirfd, name, &a, AT_SYMLINK_NOFOLLOW) == 0 &&
	    fstat(fd, &b) == 0 && a.st_ino == b.st_ino && a.st_dev == b.st_dev;
}

/*
 * Takes the lock.  1: it is not to be had, and the report is where the next one
 * that has it will find it; -1.
 */
static int
slots_lock(
    struct ring *r, int dirfd, int fd, int64_t deadline, struct slots_entry *e)
{
	int64_t turn;

	for (;;) {
		turn = deadline_in(SLOTS_LATE_MS);
		if (ring_lock(r, dirfd, turn < deadline ? turn : deadline) == 0)
			return 0;
		if (errno != ETIMEDOUT)
			return -1;
		slots_hidden(e, e->name);
		if (ring_link(dirfd, fd, e->name) == 0 ||
		    (errno == EEXIST && slots_is(dirfd, e->name, fd)))
			return 1;
		/* EEXIST: another one of the same program waits there */
		if (errno != EEXIST)
			return -1;
		if (deadline_left(deadline) == 0)
			return fails(ETIMEDOUT);
	}
}

int
slots_publish(int dirfd, int fd, const struct slots_cfg *cfg, int64_t deadline,
    struct slots_entry *e)
{
	struct ring ring;
	struct stat st;
	int r;

	e->tell = SLOTS_TOLD;
	e->quiet = 0;
	if (fstat(fd, &st) == -1)
		return -1;
	if (!S_ISREG(st.st_mode) || cfg->n < 1 || cfg->n > SLOTS_MAX) {
		errno = EINVAL;
		return -1;
	}
	if (st.st_size == 0) {
		errno = ENODATA;
		return -1;
	}
	/* without ACLs it stays root's */
	if (cfg->owner && reader_may(e->uid, st.st_mode))
		(void)reader_let(fd, e->uid, st.st_mode);
	/* gives back what was reserved and is not needed */
	if ((uint64_t)st.st_blocks * 512 >= cfg->reportmax)
		(void)!ftruncate(fd, st.st_size);
	if (fsync(fd) == -1 && errno != EINVAL && errno != EROFS)
		return -1;
	r = slots_lock(&ring, dirfd, fd, deadline, e);
	if (r == 0) {
		r = ring_load(&ring, cfg, &st);
		if (r == 0)
			r = slots_place(&ring, fd, &st, e);
	}
	ring_close(&ring);
	return r == 1 ? 0 : r;
}
