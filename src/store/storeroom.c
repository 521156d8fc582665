/* The limits of the store; the contract is in store/corestore.h. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/floor.h"
#include "base/io.h"
#include "base/owned.h"
#include "store/storefile.h"

/* Found in one pass through the store; when all of them have gone and it is
 * not enough, there is another.  So memory is bounded, however many files. */
enum { OLDEST = 64 };

struct old {
	char host[NAME_MAX + 1], name[NAME_MAX + 1];
	struct timespec mtime;
	uint64_t bytes;
	int part;
};

struct survey {
	struct old *old;
	size_t n;
	uint64_t sum;
};

int
store_floor(struct store_part *p)
{
	int rc = floor_left(p->hostfd, p->store->minfree, FLOOR_CORES, 0);

	if (rc == -1 && errno == ENOSPC)
		p->limit =
		    "the receiver has no more than its minimum of free space";
	return rc;
}

static int
is_older(const struct old *a, const struct old *b)
{
	if (a->part != b->part)
		return a->part;
	if (a->mtime.tv_sec != b->mtime.tv_sec)
		return a->mtime.tv_sec < b->mtime.tv_sec;
	if (a->mtime.tv_nsec != b->mtime.tv_nsec)
		return a->mtime.tv_nsec < b->mtime.tv_nsec;
	return strcmp(a->name, b->name) < 0;
}

/* Into its place, if it is among the oldest. */
static void
note_old(struct survey *s, const struct old *o)
{
	size_t i;

	if (s->n == OLDEST && !is_older(o, &s->old[OLDEST - 1]))
		return;
	i = s->n < OLDEST ? s->n++ : OLDEST - 1;
	for (; i > 0 && is_older(o, &s->old[i - 1]); i--)
		s->old[i] = s->old[i - 1];
	s->old[i] = *o;
}

/* An empty file takes something too. */
static uint64_t
bytes_of(const struct stat *st)
{
	return st->st_blocks < 8 ? 4096 : (uint64_t)st->st_blocks * 512;
}

static void
look_at(struct survey *s, int hostfd, const char *host, const char *name)
{
	struct old o = {.part = 0};
	struct stat st;

	if (fstatat(hostfd, name, &st, AT_SYMLINK_NOFOLLOW) == -1 ||
	    !S_ISREG(st.st_mode))
		return;
	snprintf(o.host, sizeof(o.host), "%s", host);
	snprintf(o.name, sizeof(o.name), "%s", name);
	for (int i = 0; store_beside[i] != NULL; i++) {
		if (!store_ends(name, store_beside[i]))
			continue;
		o.name[strlen(name) - strlen(store_beside[i])] = '\0';
		if (faccessat(hostfd, o.name, F_OK, AT_SYMLINK_NOFOLLOW) ==
			-1 &&
		    errno == ENOENT)
			unlinkat(hostfd, name, 0);
		else
			s->sum += bytes_of(&st);
		return;
	}
	o.bytes = bytes_of(&st);
	s->sum += o.bytes;
	o.part = store_ends(name, ".part");
	o.mtime = st.st_mtim;
	if (strncmp(name, "core.", 5) == 0 && strlen(name) < STORE_NAME_MAX &&
	    (!o.part || owned_idle(hostfd, name)))
		note_old(s, &o);
}

static int
survey(struct survey *s, int storefd)
{
	struct dirent *host, *e;
	DIR *top, *d;

	s->n = 0;
	s->sum = 0;
	top = io_opendir(storefd, ".");
	if (top == NULL)
		return -1;
	while ((host = readdir(top)) != NULL) {
		if (host->d_name[0] == '.')
			continue;
		d = io_opendir(storefd, host->d_name);
		if (d == NULL)
			continue;
		while ((e = readdir(d)) != NULL)
			if (e->d_name[0] != '.')
				look_at(s, dirfd(d), host->d_name, e->d_name);
		closedir(d);
	}
	closedir(top);
	return 0;
}

int
store_make_room(struct store_part *p)
{
	const struct corestore *store = p->store;
	struct survey s = {.n = 0};
	struct stat st;
	size_t i, gone;
	int r = -1;

	if (store->total == 0)
		return 0;
	if (fstat(p->fd, &st) == -1)
		return -1;
	if (bytes_of(&st) > store->total) {
		p->limit =
		    "the core alone is larger than the whole store may be";
		errno = EDQUOT;
		return -1;
	}
	s.old = calloc(OLDEST, sizeof(*s.old));
	if (s.old == NULL)
		return -1;
	do {
		if (survey(&s, store->dirfd) == -1)
			goto out;
		for (i = gone = 0; i < s.n && s.sum > store->total; i++)
			if (store_evict(store, s.old[i].host, s.old[i].name,
				s.old[i].bytes, "to make room") == 0) {
				gone++;
				s.sum -= s.old[i].bytes;
			}
	} while (s.sum > store->total && gone > 0);
	if (s.sum > store->total) {
		p->limit =
		    "the receiver's store is full of cores being received";
		errno = EDQUOT;
		goto out;
	}
	r = 0;
out:
	free(s.old);
	return r;
}
