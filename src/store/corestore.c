#include "store/corestore.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/deadline.h"
#include "base/owned.h"
#include "store/storefile.h"
#include "store/storeparts.h"

enum { /* bytes written between two looks at the limits */
	WATCH = 4 << 20,
	SURVEY = 64 << 20, /* a look at all that is there */
	BEHIND = 256 << 20 /* bytes that may wait for the disk, about */
};

/* The host's directory, made if need be. */
static int
open_host(const struct corestore *s, const char *host)
{
	int made, fd;

	made = mkdirat(s->dirfd, host, 0750) == 0;
	if (!made && errno != EEXIST)
		return -1;
	fd = owned_sub(s->dirfd, host);
	if (fd != -1 && made && fsync(s->dirfd) == -1 && errno != EINVAL)
		io_close(&fd);
	return fd;
}

/* With the lock held. */
static int
create(struct store_part *p)
{
	unsigned n;

	for (n = 0; n < STORE_TRIES; n++) {
		store_join(p->stem, n, p->suffix, ".part", p->name);
		p->fd = openat(p->hostfd, p->name,
		    O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (p->fd != -1)
			return flock(p->fd, LOCK_EX | LOCK_NB);
		if (errno != EEXIST)
			return -1;
	}
	p->limit = "too many cores of this name were never completed";
	return -1;
}

/* What the disk says, in the words of a limit. */
static void
note_limit(struct store_part *p)
{
	if (p->limit != NULL)
		return;
	if (errno == ENOSPC)
		p->limit = "the receiver's disk is full";
	else if (errno == EDQUOT)
		p->limit = "the receiver's disk quota is used up";
	else if (errno == EFBIG)
		p->limit = "larger than a file may be at the receiver";
}

void
store_aim(const struct corestore *s, const char *host, const char *stem,
    const char *suffix, struct store_part *p)
{
	memset(p, 0, sizeof(*p));
	p->store = s;
	p->fd = p->hostfd = -1;
	store_host(host, p->host);
	snprintf(p->stem, sizeof(p->stem), "%s", stem);
	snprintf(p->suffix, sizeof(p->suffix), "%s", suffix);
}

/* Parts that nobody writes go before a core is refused. */
static int
keep_floor(struct store_part *p)
{
	while (store_floor(p) == -1) {
		if (errno != ENOSPC)
			return -1;
		if (parts_shed(p->store) == -1)
			return fails(ENOSPC);
		p->limit = NULL;
	}
	return 0;
}

int
store_begin(const struct corestore *s, const char *host, const char *stem,
    const char *suffix, struct store_part *p)
{
	int lockfd, r = -1;

	store_aim(s, host, stem, suffix, p);
	lockfd = store_lock(s);
	if (lockfd == -1)
		return -1;
	p->hostfd = open_host(s, p->host);
	if (p->hostfd != -1)
		r = create(p);
	io_close(&lockfd);
	if (r == 0)
		r = keep_floor(p);
	if (r == -1) {
		note_limit(p);
		store_drop(p);
	}
	return r;
}

/* Now and then, and in any case at the end. */
static int
watch(struct store_part *p, int end)
{
	uint64_t total = p->store->total;
	int lockfd, r;

	p->watched = p->data;
	if (keep_floor(p) == -1)
		return -1;
	if (total == 0)
		return 0;
	if (!end && p->data - p->surveyed < SURVEY &&
	    p->data - p->surveyed < total / 16)
		return 0;
	p->surveyed = p->data;
	lockfd = store_lock(p->store);
	if (lockfd == -1)
		return -1;
	r = store_make_room(p);
	io_close(&lockfd);
	return r;
}

static int
write_at(int fd, const char *data, size_t len, uint64_t off)
{
	ssize_t n;

	for (; len > 0; data += n, len -= (size_t)n, off += (size_t)n) {
		n = pwrite(fd, data, len, (off_t)off);
		if (n == -1 && errno == EINTR)
			n = 0;
		if (n == -1)
			return -1;
	}
	return 0;
}

/*
 * Begins to write to the disk what has come, and every BEHIND bytes waits for
 * what there was at the last such point.  So the disk is busy from the first,
 * and the fsync(2) at the end, which the sender waits for, has little to do.
 * An error of the disk told here is not told again (errseq).
 */
static int
push(struct store_part *p, uint64_t top)
{
	int r;

	r = sync_file_range(p->fd, (off_t)p->pushed, (off_t)(top - p->pushed),
	    SYNC_FILE_RANGE_WRITE);
	p->pushed = top;
	if (r == 0 && p->data - p->paced >= BEHIND) {
		/* not 0, which would be to the end of the file */
		r = sync_file_range(p->fd, 0, (off_t)p->pace + 1,
		    SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE |
			SYNC_FILE_RANGE_WAIT_AFTER);
		p->paced = p->data;
		p->pace = top;
	}
	if (r == -1 && (errno == EIO || errno == ENOSPC || errno == EDQUOT))
		return -1;
	return 0;
}

int
store_write(struct store_part *p, const void *data, size_t len, uint64_t off)
{
	uint64_t max = p->store->maxcore;

	if (max != 0 && len > max - p->data) {
		p->limit = "the core is larger than the receiver allows";
		errno = EFBIG;
		return -1;
	}
	if (write_at(p->fd, data, len, off) == -1)
		goto fail;
	p->data += len;
	if (p->data - p->watched < WATCH ||
	    (push(p, off + len) == 0 && watch(p, 0) == 0))
		return 0;
fail:
	note_limit(p);
	return -1;
}

static int
sync_file(int fd)
{
	/* the errors of what cannot be synced at all, fsync(2) */
	return fsync(fd) == -1 && errno != EINVAL && errno != EROFS ? -1 : 0;
}

static int
write_info(struct store_part *p, const struct buf *info)
{
	char name[STORE_NAME_MAX + 8];
	int fd, r;

	snprintf(name, sizeof(name), "%s.info", p->name);
	unlinkat(p->hostfd, name, 0);
	fd = openat(p->hostfd, name,
	    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd == -1)
		return -1;
	r = io_write_full(fd, info->p, info->len);
	if (r == 0)
		r = fchmod(fd, 0440);
	if (r == 0)
		r = sync_file(fd);
	io_close(&fd);
	return r;
}

int
store_seal(struct store_part *p, uint64_t size, const struct buf *info)
{
	if (ftruncate(p->fd, (off_t)size) == -1 || fchmod(p->fd, 0440) == -1 ||
	    sync_file(p->fd) == -1 || watch(p, 1) == -1 ||
	    write_info(p, info) == -1) {
		note_limit(p);
		return -1;
	}
	return 0;
}

static void
end_part(struct store_part *p)
{
	io_close(&p->fd);
	io_close(&p->hostfd);
}

void
store_keep(struct store_part *p, char out[STORE_PATH_MAX])
{
	snprintf(out, STORE_PATH_MAX, "%s/%s", p->host, p->name);
	fsync(p->hostfd);
	end_part(p);
}

void
store_drop(struct store_part *p)
{
	int lockfd, saved = errno;

	if (p->fd != -1)
		store_unlink(p->hostfd, p->name);
	parts_forget(p);
	if (p->hostfd != -1) {
		/* Under the lock, for whoever is about to use it. */
		lockfd = store_lock(p->store);
		if (lockfd != -1)
			unlinkat(p->store->dirfd, p->host, AT_REMOVEDIR);
		io_close(&lockfd);
	}
	end_part(p);
	errno = saved;
}
