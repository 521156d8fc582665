#include "store/storeparts.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/owned.h"
#include "store/storefile.h"
#include "stream/crc32c.h"

#define PARTS ".parts"
enum { PIECE = 1 << 20 };

struct entry {
	char key[STREAM_KEY];
	char path[STORE_PATH_MAX + 2]; /* HOST, NUL, NAME */
	const char *name;
	struct timespec mtime;
	uint64_t bytes;
};

/* What a pass through the keys finds. */
struct pass {
	const struct corestore *store;
	int partsfd;
	const char *host;      /* whose are counted by themselves */
	unsigned all, of_host; /* that nobody writes */
	struct entry oldest, oldest_of_host;
};

/* The line of a key, taken apart; -1: there is none, or it makes no sense. */
static int
read_entry(int partsfd, const char *key, struct entry *e)
{
	int fd = owned_file(partsfd, key);
	char *slash;
	ssize_t n;

	if (fd == -1)
		return -1;
	n = io_read_full(fd, e->path, sizeof(e->path) - 1);
	close(fd);
	if (n <= 0 || e->path[n - 1] != '\n')
		return fails(EPROTO);
	e->path[n - 1] = '\0';
	slash = strchr(e->path, '/');
	if (slash == NULL || *e->path == '.' ||
	    strncmp(slash + 1, "core.", 5) != 0 ||
	    strchr(slash + 1, '/') != NULL || !store_ends(slash, ".part"))
		return fails(EPROTO);
	*slash = '\0';
	e->name = slash + 1;
	snprintf(e->key, sizeof(e->key), "%s", key);
	return 0;
}

/* --- bounds --------------------------------------------------------------- */

/* The name points into the entry itself. */
static void
copy(struct entry *to, const struct entry *from)
{
	*to = *from;
	to->name = to->path + (from->name - from->path);
}

static int
is_older(const struct entry *a, const struct entry *b)
{
	if (b->name == NULL || a->mtime.tv_sec != b->mtime.tv_sec)
		return b->name == NULL || a->mtime.tv_sec < b->mtime.tv_sec;
	return a->mtime.tv_nsec < b->mtime.tv_nsec;
}

static int
remove_part(const struct pass *p, const struct entry *e, const char *why)
{
	if (store_evict(p->store, e->path, e->name, e->bytes, why) == -1)
		return -1;
	unlinkat(p->partsfd, e->key, 0);
	return 0;
}

static int
is_too_old(const struct corestore *s, const struct entry *e)
{
	int64_t age = (int64_t)time(NULL) - (int64_t)e->mtime.tv_sec;

	return age > s->keepms / 1000;
}

static void
look_at(struct pass *p, const char *key)
{
	struct entry e = {.name = NULL};
	struct stat st;
	int hostfd, idle;

	if (read_entry(p->partsfd, key, &e) == -1) {
		unlinkat(p->partsfd, key, 0);
		return;
	}
	hostfd = owned_sub(p->store->dirfd, e.path);
	if (hostfd == -1 ||
	    fstatat(hostfd, e.name, &st, AT_SYMLINK_NOFOLLOW) == -1) {
		unlinkat(p->partsfd, key, 0); /* the part has gone before */
		io_close(&hostfd);
		return;
	}
	idle = owned_idle(hostfd, e.name);
	close(hostfd);
	if (!idle)
		return;
	e.mtime = st.st_mtim;
	e.bytes = (uint64_t)st.st_blocks * 512;
	if (is_too_old(p->store, &e) &&
	    remove_part(p, &e, "whose sender did not come back") == 0)
		return;
	p->all++;
	if (is_older(&e, &p->oldest))
		copy(&p->oldest, &e);
	if (p->host == NULL || strcmp(e.path, p->host) != 0)
		return;
	p->of_host++;
	if (is_older(&e, &p->oldest_of_host))
		copy(&p->oldest_of_host, &e);
}

/* With the lock held. */
static int
pass(struct pass *p)
{
	DIR *d = io_opendir(p->partsfd, ".");
	struct dirent *e;

	if (d == NULL)
		return -1;
	while ((e = readdir(d)) != NULL)
		if (e->d_name[0] != '.' && strlen(e->d_name) == STREAM_KEY - 1)
			look_at(p, e->d_name);
	closedir(d);
	return 0;
}

/* For one more. */
static int
make_place(const struct pass *p)
{
	if (p->of_host >= PARTS_HOST)
		return remove_part(p, &p->oldest_of_host, "to make room");
	if (p->all >= PARTS_MAX)
		return remove_part(p, &p->oldest, "to make room");
	return 0;
}

int
parts_shed(const struct corestore *s)
{
	struct pass p = {.store = s};
	int lockfd = store_lock(s), r = -1;

	if (lockfd == -1)
		return -1;
	p.partsfd = owned_sub(s->dirfd, PARTS);
	if (p.partsfd != -1 && pass(&p) == 0 && p.all > 0)
		r = remove_part(&p, &p.oldest, "to make room");
	io_close(&p.partsfd);
	close(lockfd);
	return r;
}

/* --- keys ----------------------------------------------------------------- */

static int
write_entry(int partsfd, const struct store_part *p, const char *key)
{
	char line[STORE_PATH_MAX + 2];
	int n, fd, r;

	n = snprintf(line, sizeof(line), "%s/%s\n", p->host, p->name);
	unlinkat(partsfd, key, 0);
	fd = openat(partsfd, key,
	    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd == -1)
		return -1;
	r = io_write_full(fd, line, (size_t)n);
	close(fd);
	if (r == -1)
		unlinkat(partsfd, key, 0);
	return r;
}

void
parts_note(struct store_part *part, const char *key)
{
	struct pass p = {.store = part->store, .host = part->host};
	int lockfd;

	if (*key == '\0' || p.store->keepms == 0)
		return;
	lockfd = store_lock(p.store);
	if (lockfd == -1)
		return;
	(void)!mkdirat(p.store->dirfd, PARTS, 0700);
	p.partsfd = owned_sub(p.store->dirfd, PARTS);
	if (p.partsfd != -1 && pass(&p) == 0 && make_place(&p) == 0 &&
	    write_entry(p.partsfd, part, key) == 0)
		snprintf(part->key, sizeof(part->key), "%s", key);
	io_close(&p.partsfd);
	close(lockfd);
}

void
parts_forget(struct store_part *p)
{
	char path[sizeof(PARTS) + STREAM_KEY];
	int saved = errno;

	if (*p->key == '\0')
		return;
	snprintf(path, sizeof(path), PARTS "/%s", p->key);
	unlinkat(p->store->dirfd, path, 0);
	*p->key = '\0';
	errno = saved;
}

/* --- going on ------------------------------------------------------------- */

/* Is that a name this core's part could have? */
static int
is_name(const struct store_part *p, const char *name)
{
	char own[STORE_NAME_MAX];
	unsigned n;

	for (n = 0; n < STORE_TRIES; n++) {
		store_join(p->stem, n, p->suffix, ".part", own);
		if (strcmp(own, name) == 0)
			return 1;
	}
	return 0;
}

/* The part, ours alone and to be written.  What is kept may be 0440. */
static int
take(int hostfd, const char *name)
{
	int fd = owned_file(hostfd, name), r;

	if (fd == -1)
		return -1;
	r = flock(fd, LOCK_EX | LOCK_NB);
	if (r == 0)
		r = fchmod(fd, 0600);
	io_close(&fd);
	if (r == -1)
		return -1;
	fd = openat(hostfd, name, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	if (fd != -1 && flock(fd, LOCK_EX | LOCK_NB) == -1)
		io_close(&fd);
	return fd;
}

/* With the lock held. */
static int
find(struct store_part *p, int partsfd, const char *key)
{
	struct entry e;

	if (read_entry(partsfd, key, &e) == -1 ||
	    strcmp(e.path, p->host) != 0 || !is_name(p, e.name))
		return 0;
	p->hostfd = owned_sub(p->store->dirfd, p->host);
	if (p->hostfd == -1)
		return 0;
	p->fd = take(p->hostfd, e.name);
	if (p->fd != -1) {
		snprintf(p->name, sizeof(p->name), "%s", e.name);
		snprintf(p->key, sizeof(p->key), "%s", key);
		return 1;
	}
	io_close(&p->hostfd);
	return errno == EWOULDBLOCK ? -1 : 0;
}

int
parts_find(struct store_part *p, const char *key)
{
	int lockfd, partsfd, r;

	if (p->store->keepms == 0 || (lockfd = store_lock(p->store)) == -1)
		return 0;
	partsfd = owned_sub(p->store->dirfd, PARTS);
	r = partsfd == -1 ? 0 : find(p, partsfd, key);
	io_close(&partsfd);
	io_close(&lockfd);
	return r;
}

struct measure { /* a file being read */
	int fd;
	char *piece;
	const struct parts_beat *beat;
	uint32_t crc;
};

/* [from, to) of it into the sum; 0, or -1. */
static int
sum_data(struct measure *m, uint64_t from, uint64_t to)
{
	size_t n;

	for (; from < to; from += n) {
		n = to - from < PIECE ? (size_t)(to - from) : PIECE;
		if (io_pread_full(m->fd, m->piece, n, from) != (ssize_t)n)
			return -1;
		m->crc = crc32c(m->crc, m->piece, n);
		m->beat->beat(m->beat->arg);
	}
	return 0;
}

static int
sum(struct measure *m, uint64_t size)
{
	uint64_t at = 0, from, to;
	off_t o;

	while (at < size) {
		/* where holes cannot be told from data all is data */
		o = lseek(m->fd, (off_t)at, SEEK_DATA);
		from = o == -1 ? (errno == ENXIO ? size : at) : (uint64_t)o;
		o = from < size ? lseek(m->fd, (off_t)from, SEEK_HOLE) : -1;
		to = o == -1 ? size : (uint64_t)o;
		m->crc = crc32c_zeros(m->crc, from - at);
		if (sum_data(m, from, to) == -1)
			return -1;
		at = to;
	}
	return 0;
}

int
parts_measure(
    struct store_part *p, struct stream_has *has, const struct parts_beat *b)
{
	uint64_t max = p->store->maxcore;
	struct measure m = {.fd = p->fd, .beat = b};
	struct stat st;
	int r;

	memset(has, 0, sizeof(*has));
	if (fstat(p->fd, &st) == -1)
		return -1;
	has->off = (uint64_t)st.st_size;
	p->data = (uint64_t)st.st_blocks * 512;
	if (p->data > has->off)
		p->data = has->off;
	if (max != 0 && p->data > max)
		return fails(EFBIG);
	p->watched = p->surveyed = p->paced = p->data;
	p->pushed = p->pace = has->off;
	m.piece = malloc(PIECE);
	if (m.piece == NULL)
		return -1;
	r = sum(&m, has->off);
	has->crc = m.crc;
	free(m.piece);
	return r;
}

void
parts_leave(struct store_part *p)
{
	parts_forget(p);
	io_close(&p->fd);
	io_close(&p->hostfd);
}
