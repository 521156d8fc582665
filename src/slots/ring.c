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
	int64_t time; /* seconds, for people; nothing here reads it */
	uint32_t slot;
	uint32_t sum;
};

_Static_assert(sizeof(struct ring_record) == 40, "layout of .slots");

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
	memset(r, 0, sizeof(*r));
	r->dirfd = dirfd;
	r->lockfd = owned_lock(dirfd, RING_FILE, deadline);
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
	struct stat st;
	size_t i, max;

	/* Also those beyond n: the order has to hold when n grows again. */
	if (fstat(r->lockfd, &st) == -1)
		return -1;
	max = (size_t)st.st_size / sizeof(*rec);
	if (max > SLOTS_MAX)
		max = SLOTS_MAX;
	rec = calloc(max + 1, sizeof(*rec));
	if (rec == NULL)
		return -1;
	got = io_pread_full(r->lockfd, rec, max * sizeof(*rec), 0);
	for (i = 0; got > 0 && i < (size_t)got / sizeof(*rec); i++) {
		if (rec[i].slot != i || rec[i].seq == 0 ||
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
			s->seq = rec[i].seq;
		} else {
			s->intent = (ino_t)rec[i].ino;
			s->intentkey = rec[i].key;
		}
	}
	free(rec);
	return 0;
}

int
ring_load(struct ring *r, unsigned n, unsigned share, const struct stat *st)
{
	struct dirent *e;
	struct ring_slot *s;
	struct stat f;
	DIR *d;
	int k;

	r->n = n;
	r->share = share ? share : n / 4 ? n / 4 : 1;
	r->slot = calloc(n, sizeof(*r->slot));
	if (r->slot == NULL)
		return -1;
	d = io_opendir(r->dirfd, ".");
	if (d == NULL)
		return -1;
	while ((e = readdir(d)) != NULL) {
		if (strncmp(e->d_name, RING_PUB, strlen(RING_PUB)) == 0 ||
		    strncmp(e->d_name, RING_TMP, strlen(RING_TMP)) == 0)
			r->hidden = 1;
		k = ring_parse(e->d_name);
		if (k == -1 ||
		    fstatat(r->dirfd, e->d_name, &f, AT_SYMLINK_NOFOLLOW) == -1)
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
	}
	closedir(d);
	return ring_load_records(r);
}

static int
ring_older(const struct ring_slot *a, const struct ring_slot *b)
{
	if (a->known != b->known)
		return !a->known;
	if (a->known)
		return a->seq < b->seq;
	if (a->mtime.tv_sec != b->mtime.tv_sec)
		return a->mtime.tv_sec < b->mtime.tv_sec;
	return a->mtime.tv_nsec < b->mtime.tv_nsec;
}

/* The slot for a new report of that program; -1 EISDIR: all blocked. */
static int
ring_pick(const struct ring *r, uint64_t key)
{
	const struct ring_slot *s, *oldest = NULL, *own = NULL, *free = NULL;
	unsigned held = 0;

	for (s = r->slot; s < r->slot + r->n; s++) {
		if (s->blocked)
			continue;
		if (!s->used) {
			if (free == NULL)
				free = s;
			continue;
		}
		if (oldest == NULL || ring_older(s, oldest))
			oldest = s;
		if (!s->known || s->key != key)
			continue;
		held++;
		if (own == NULL || ring_older(s, own))
			own = s;
	}
	if (held >= r->share)
		return (int)(own - r->slot);
	if (free != NULL)
		return (int)(free - r->slot);
	if (oldest != NULL)
		return (int)(oldest - r->slot);
	errno = EISDIR;
	return -1;
}

/* Six parameters: three are the report: its name, its file, whose it is. */
int
ring_put(struct ring *r, const char *hidden, const struct stat *st,
    uint64_t key, int resume, char name[SLOTS_NAME_MAX])
{
	struct ring_record rec;
	struct ring_slot *s;
	int k = -1;

	if (resume)
		for (s = r->slot; s < r->slot + r->n; s++)
			if (s->intent == st->st_ino && s->intentkey == key &&
			    !s->blocked)
				k = (int)(s - r->slot);
	if (k == -1)
		k = ring_pick(r, key);
	if (k == -1)
		return -1;
	memset(&rec, 0, sizeof(rec));
	rec.key = key;
	rec.seq = r->seq + 1;
	rec.ino = st->st_ino;
	rec.time = time(NULL);
	rec.slot = (uint32_t)k;
	rec.sum = ring_sum(&rec);
	/*
	 * The record goes first: until the rename it is about an inode that is
	 * not there, hence ignored.  One that cannot be written (a full disk)
	 * costs the slot its place in the order, not the crash its report.
	 */
	(void)!pwrite(
	    r->lockfd, &rec, sizeof(rec), (off_t)k * (off_t)sizeof(rec));
	snprintf(name, SLOTS_NAME_MAX, RING_SLOT "%02d", k);
	if (renameat(r->dirfd, hidden, r->dirfd, name) == -1)
		return -1;
	r->seq++;
	s = &r->slot[k];
	memset(s, 0, sizeof(*s));
	s->used = s->known = 1;
	s->ino = st->st_ino;
	s->key = key;
	s->seq = r->seq;
	return 0;
}

int
ring_tidy(struct ring *r, const struct stat *st)
{
	char slot[SLOTS_NAME_MAX];
	struct dirent *e;
	struct stat f;
	uint64_t key;
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
		if (num_u64(e->d_name + strlen(RING_PUB), 16, 0, UINT64_MAX,
			&key) == 0 &&
		    ring_put(r, e->d_name, &f, key, 1, slot) == 0 &&
		    ring_same(&f, st))
			memcpy(r->slotname, slot, sizeof(slot));
	}
	closedir(d);
	return 0;
}
