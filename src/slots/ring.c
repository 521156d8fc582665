#include "slots/ring.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/num.h"
#include "base/owned.h"

#define RING_FILE ".slots"
#define RING_SLOT "usercrash_"

/* What `.slots` holds at slot * sizeof(struct ring_record). */
struct ring_record {
	uint64_t key;
	uint64_t seq; /* from 1 */
	uint64_t ino;
	struct ring_told told;
	uint32_t uid;
	uint32_t slot;
	uint32_t version; /* RECORD_VERSION; others are not ours to read */
	uint32_t sum;
};

enum { RECORD_VERSION = 2 };

_Static_assert(sizeof(struct ring_record) == 80, "layout of .slots");

static uint32_t
ring_sum(const struct ring_record *r)
{
	const unsigned char *p = (const unsigned char *)r;
	uint32_t h = 2166136261u; /* FNV-1a */
	size_t i;

	for (i = 0; i < offsetof(struct ring_record, sum); i++)
		h = (h ^ p[i]) * 16777619u;
	return h;
}

static int
ring_same(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_dev == b->st_dev;
}

int
ring_lock(struct ring *r, int dirfd, int64_t deadline)
{
	struct stat st;

	memset(r, 0, sizeof(*r));
	r->dirfd = dirfd;
	r->lockfd = owned_lock(dirfd, RING_FILE, deadline, &st);
	r->records = r->lockfd == -1 ? 0 : (uint64_t)st.st_size;
	return r->lockfd == -1 ? -1 : 0;
}

void
ring_close(struct ring *r)
{
	int saved = errno;

	free(r->slot);
	r->slot = NULL;
	errno = saved;
	io_close(&r->lockfd);
}

/* The slot a name stands for, written exactly so; -1 if none. */
static int
ring_parse(const char *name)
{
	char canon[SLOTS_NAME_MAX];
	uint64_t v;

	if (strncmp(name, RING_SLOT, strlen(RING_SLOT)) != 0 ||
	    num_u64(name + strlen(RING_SLOT), 10, 0, SLOTS_MAX - 1, &v) == -1)
		return -1;
	snprintf(canon, sizeof(canon), RING_SLOT "%02u", (unsigned)v);
	return strcmp(canon, name) == 0 ? (int)v : -1;
}

static int
ring_load_records(struct ring *r)
{
	struct ring_record *rec;
	struct ring_slot *s;
	ssize_t got;
	size_t i, max;

	/* Also those beyond n: the order has to hold when n grows again. */
	max = (size_t)(r->records / sizeof(*rec));
	if (max > SLOTS_MAX)
		max = SLOTS_MAX;
	rec = calloc(max + 1, sizeof(*rec));
	if (rec == NULL)
		return -1;
	got =
	    max == 0 ? 0 : io_pread_full(r->lockfd, rec, max * sizeof(*rec), 0);
	for (i = 0; got > 0 && i < (size_t)got / sizeof(*rec); i++) {
		if (rec[i].slot != i || rec[i].seq == 0 ||
		    rec[i].version != RECORD_VERSION ||
		    rec[i].seq == UINT64_MAX || rec[i].sum != ring_sum(rec + i))
			continue;
		if (rec[i].seq > r->seq)
			r->seq = rec[i].seq;
		if (i >= r->n)
			continue;
		s = &r->slot[i];
		if (s->used && rec[i].ino == s->ino) {
			s->known = 1;
			s->key = rec[i].key;
			s->uid = rec[i].uid;
			s->seq = rec[i].seq;
			s->told = rec[i].told;
		} else {
			s->intent = (ino_t)rec[i].ino;
			s->intentkey = rec[i].key;
		}
	}
	free(rec);
	return 0;
}

int
ring_load(struct ring *r, const struct slots_cfg *cfg, const struct stat *st)
{
	unsigned n = cfg->n;
	const char *name;
	struct ring_slot *s;
	struct io_dir d;
	struct stat f;
	int k;

	r->n = n;
	r->share = cfg->share ? cfg->share : n / 4 ? n / 4 : 1;
	r->total = cfg->total;
	/* so that there is always room without root's half */
	if (r->total != 0 && r->total < 2 * cfg->reportmax)
		r->total = 2 * cfg->reportmax;
	r->slot = calloc(n, sizeof(*r->slot));
	if (r->slot == NULL)
		return -1;
	if (io_dir_open(&d, r->dirfd, ".") == -1)
		return -1;
	while ((name = io_dir_next(&d)) != NULL) {
		if (strncmp(name, RING_PUB, strlen(RING_PUB)) == 0 ||
		    strncmp(name, RING_TMP, strlen(RING_TMP)) == 0)
			r->hidden = 1;
		k = ring_parse(name);
		if (k == -1 ||
		    fstatat(r->dirfd, name, &f, AT_SYMLINK_NOFOLLOW) == -1)
			continue;
		if (S_ISREG(f.st_mode) && ring_same(&f, st))
			snprintf(r->slotname, sizeof(r->slotname),
			    RING_SLOT "%02d", k);
		if ((unsigned)k >= n)
			continue;
		s = &r->slot[k];
		s->used = 1;
		s->blocked = S_ISDIR(f.st_mode);
		s->ino = f.st_ino;
		s->mtime = f.st_mtim;
		s->size = S_ISREG(f.st_mode) ? (uint64_t)f.st_size : 0;
	}
	io_done(d.fd);
	return ring_load_records(r);
}

/* Room for a report of that size in slot k, which is on the disk already. */
static void
ring_trim(struct ring *r, const struct slots_entry *e, int k, uint64_t size)
{
	char name[SLOTS_NAME_MAX];
	int old;

	while ((old = ring_excess(r, e, k, size)) != -1) {
		snprintf(name, sizeof(name), RING_SLOT "%02d", old);
		unlinkat(r->dirfd, name, 0);
		/* gone, or not to be tried again */
		r->slot[old].used = 0;
	}
}

int
ring_link(int dirfd, int fd, const char *name)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (linkat(AT_FDCWD, path, dirfd, name, AT_SYMLINK_FOLLOW) == 0)
		return 0;
	if (errno != ENOENT)
		return -1;
	/* No /proc; this way needs CAP_DAC_READ_SEARCH before 6.10. */
	if (linkat(fd, "", dirfd, name, AT_EMPTY_PATH) == 0)
		return 0;
	/* Once it has lost its last name a file gets no other. */
	if (errno == ENOENT)
		errno = ESTALE;
	return -1;
}

/* Into its slot; what has no name yet, and is to have a slot that is free,
 * right there. */
static int
ring_name(struct ring *r, const struct ring_report *report, const char *name,
    int used)
{
	if (report->fd != -1 && !used) {
		if (ring_link(r->dirfd, report->fd, name) == 0)
			return 0;
		if (errno != EEXIST ||
		    ring_link(r->dirfd, report->fd, report->hidden) == -1)
			return -1;
	}
	return renameat(r->dirfd, report->hidden, r->dirfd, name);
}

int
ring_put(
    struct ring *r, const struct ring_report *report, struct slots_entry *e)
{
	struct ring_record rec = {.version = RECORD_VERSION};
	const struct stat *st = report->st;
	struct ring_slot *s;
	int k = -1;

	if (report->resume)
		for (s = r->slot; s < r->slot + r->n; s++)
			if (s->intent == st->st_ino && s->intentkey == e->key &&
			    !s->blocked)
				k = (int)(s - r->slot);
	if (k == -1)
		k = ring_pick(r, e);
	if (k == -1) {
		errno = EISDIR;
		return -1;
	}
	s = &r->slot[k];
	/* else, should we die, the record would be lost of what is there */
	if (report->fd != -1 && s->used &&
	    ring_link(r->dirfd, report->fd, report->hidden) == -1)
		return -1;
	ring_tell(r, e, time(NULL), &rec.told);
	ring_trim(r, e, k, (uint64_t)st->st_size);
	rec.key = e->key;
	rec.uid = e->uid;
	rec.seq = r->seq + 1;
	rec.ino = st->st_ino;
	rec.slot = (uint32_t)k;
	rec.sum = ring_sum(&rec);
	/*
	 * The record goes first: until it has its name it is about an inode
	 * that is not there, hence ignored.  One that cannot be written (a full
	 * disk) costs the slot its place in the order, not the crash its
	 * report.
	 */
	(void)!pwrite(
	    r->lockfd, &rec, sizeof(rec), (off_t)k * (off_t)sizeof(rec));
	snprintf(e->name, sizeof(e->name), RING_SLOT "%02d", k);
	if (ring_name(r, report, e->name, s->used) == -1)
		return -1;
	r->seq++;
	memset(s, 0, sizeof(*s));
	s->used = s->known = 1;
	s->ino = st->st_ino;
	s->size = (uint64_t)st->st_size;
	s->key = e->key;
	s->uid = e->uid;
	s->seq = r->seq;
	s->told = rec.told;
	return 0;
}

/* Whose a `.pub.KEY.UID` is: -1 if it is none.  The UID may be missing. */
static int
ring_pub_parse(const char *name, struct slots_entry *e)
{
	const char *p = name + strlen(RING_PUB), *end = name + strlen(name);
	uint64_t uid;

	e->uid = SLOTS_UID_UNKNOWN;
	if (num_scan(p, end, 16, &e->key, &p) == -1)
		return -1;
	if (p == end)
		return 0;
	if (*p != '.' || num_u64(p + 1, 16, 0, UINT32_MAX, &uid) == -1)
		return -1;
	e->uid = (uint32_t)uid;
	return 0;
}

int
ring_tidy(struct ring *r, const struct stat *st)
{
	struct slots_entry entry;
	struct ring_report report = {NULL, -1, NULL, 1};
	struct dirent *e;
	struct stat f;
	DIR *d;
	int pub;

	d = io_opendir(r->dirfd, ".");
	if (d == NULL)
		return -1;
	while ((e = readdir(d)) != NULL) {
		pub = strncmp(e->d_name, RING_PUB, strlen(RING_PUB)) == 0;
		if (pub ? st == NULL
			: strncmp(e->d_name, RING_TMP, strlen(RING_TMP)) != 0)
			continue;
		if (strlen(e->d_name) >= SLOTS_NAME_MAX ||
		    fstatat(r->dirfd, e->d_name, &f, AT_SYMLINK_NOFOLLOW) ==
			-1 ||
		    !S_ISREG(f.st_mode))
			continue;
		if (!pub && st != NULL && ring_same(&f, st)) {
			snprintf(r->tmpname, sizeof(r->tmpname), "%.*s",
			    SLOTS_NAME_MAX - 1, e->d_name);
			continue;
		}
		if (!pub) {
			/* Its writers hold the lock as long as one lives. */
			if (owned_idle(r->dirfd, e->d_name))
				unlinkat(r->dirfd, e->d_name, 0);
			continue;
		}
		report.hidden = e->d_name;
		report.st = &f;
		if (ring_pub_parse(e->d_name, &entry) == 0 &&
		    ring_put(r, &report, &entry) == 0 && ring_same(&f, st))
			memcpy(r->slotname, entry.name, sizeof(entry.name));
	}
	closedir(d);
	return 0;
}
