#include "target/modcache.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/io.h"
#include "elf/ehframe.h"
#include "target/modopen.h"
#include "target/target.h"

enum {
	FILES_MAX = 512,
	FDS_MAX = 4096,
	FDS_SPARE = 64,	   /* of RLIMIT_NOFILE, for everything else */
	SEGMENTS_MAX = 512 /* linkers make a dozen */
};
/* Search tables made from .eh_frame that are kept, in all. */
#define TABLES_MAX ((size_t)32 << 20)

enum { BUCKETS = 1024 };

struct modcache {
	struct modfile *bucket[BUCKETS];
	struct modfile *newest, *oldest; /* of those that nobody holds */
	size_t nfiles, nidle, maxidle;
	size_t nfds, maxfds;
	size_t tables;
	uint64_t serial;
	struct symcache *syms;
	struct blocks *blocks;
	struct modopen open;
	struct modcache_limits lim;
};

static size_t
allowed_fds(size_t want)
{
	struct rlimit rl;

	if (getrlimit(RLIMIT_NOFILE, &rl) == -1)
		return want;
	if (rl.rlim_cur < want + FDS_SPARE) {
		rl.rlim_cur = rl.rlim_max < want + FDS_SPARE ? rl.rlim_max
							     : want + FDS_SPARE;
		setrlimit(RLIMIT_NOFILE, &rl);
		getrlimit(RLIMIT_NOFILE, &rl);
	}
	if (rl.rlim_cur >= want + FDS_SPARE)
		return want;
	return rl.rlim_cur > 2 * FDS_SPARE ? rl.rlim_cur - FDS_SPARE
					   : FDS_SPARE;
}

struct modcache *
modcache_new(const struct modcache_limits *lim)
{
	struct modcache *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->maxidle = lim->files > 0 ? lim->files : FILES_MAX;
	c->maxfds = allowed_fds(lim->fds > 0 ? lim->fds : FDS_MAX);
	c->syms = symcache_new(
	    lim->symbols > 0 ? lim->symbols : SYMCACHE_MAX, SYMCACHE_BYTES);
	c->blocks = blocks_new();
	if (c->syms == NULL || c->blocks == NULL) {
		if (c->syms != NULL)
			symcache_free(c->syms);
		blocks_free(c->blocks);
		free(c);
		return NULL;
	}
	c->lim = *lim;
	modopen_init(&c->open);
	return c;
}

struct symcache *
modcache_symbols(struct modcache *c)
{
	return c->syms;
}

struct blocks *
modcache_blocks(struct modcache *c)
{
	return c->blocks;
}

static struct modfile **
bucket(struct modcache *c, const char *path)
{
	return &c->bucket[fnv1a(FNV1A, path, strlen(path)) % BUCKETS];
}

static void
close_file(struct modcache *c, struct modfile *f)
{
	if (f->fd == -1)
		return;
	close(f->fd);
	f->fd = -1;
	c->nfds--;
	if (c->lim.closed != NULL)
		c->lim.closed(c->lim.ctx, f->serial);
}

static size_t
table_bytes(const struct ehtable *t)
{
	return t == NULL ? 0 : sizeof(*t) + t->n * sizeof(*t->e);
}

/* All that was read of the file. */
static void
forget(struct modcache *c, struct modfile *f)
{
	c->tables -= table_bytes(f->own);
	ehtable_free(f->own);
	f->own = NULL;
	f->ehstate = MODULE_UNKNOWN;
	elfsym_head_free(&f->head);
	memset(&f->head, 0, sizeof(f->head));
	f->idlen = 0;
	f->serial = 0;
}

static void
free_file(struct modcache *c, struct modfile *f)
{
	struct modfile **p = bucket(c, f->path);

	while (*p != f)
		p = &(*p)->next;
	*p = f->next;
	close_file(c, f);
	forget(c, f);
	c->nfiles--;
	free((char *)f->path);
	free(f);
}

static void
leave_idle(struct modcache *c, struct modfile *f)
{
	*(f->newer != NULL ? &f->newer->older : &c->newest) = f->older;
	*(f->older != NULL ? &f->older->newer : &c->oldest) = f->newer;
	f->newer = f->older = NULL;
	c->nidle--;
}

static void
join_idle(struct modcache *c, struct modfile *f)
{
	f->newer = NULL;
	f->older = c->newest;
	*(c->newest != NULL ? &c->newest->newer : &c->oldest) = f;
	c->newest = f;
	c->nidle++;
}

void
modcache_free(struct modcache *c)
{
	size_t i;

	if (c == NULL)
		return;
	for (i = 0; i < BUCKETS; i++)
		while (c->bucket[i] != NULL)
			free_file(c, c->bucket[i]);
	symcache_free(c->syms);
	blocks_free(c->blocks);
	modopen_end(&c->open);
	free(c);
}

void
modcache_count(const struct modcache *c, size_t *fds, size_t *files)
{
	*fds = c->nfds;
	*files = c->nfiles;
}

/* Asked for in the same words, or known to be what is asked for. */
static int
is_it(const struct modfile *f, const struct map *m)
{
	if (strcmp(f->path, m->name) != 0)
		return 0;
	if (m->idlen > 0)
		return (f->wantidlen == m->idlen &&
			   memcmp(f->wantid, m->id, m->idlen) == 0) ||
		    (f->idlen == m->idlen &&
			memcmp(f->id, m->id, m->idlen) == 0);
	return (f->wantidlen == 0 && f->wantdev == m->dev &&
		   f->wantino == m->ino) ||
	    (f->fd != -1 && f->dev == m->dev && f->ino == m->ino);
}

static struct modfile *
find(struct modcache *c, const struct map *m)
{
	struct modfile *f;

	for (f = *bucket(c, m->name); f != NULL; f = f->next)
		if (is_it(f, m))
			return f;
	return NULL;
}

static struct modfile *
add(struct modcache *c, const struct map *m)
{
	struct modfile **p, *f = calloc(1, sizeof(*f));

	if (f == NULL)
		return NULL;
	f->path = strdup(m->name);
	if (f->path == NULL) {
		free(f);
		return NULL;
	}
	f->fd = -1;
	f->wantdev = m->dev;
	f->wantino = m->ino;
	f->wantidlen = m->idlen;
	memcpy(f->wantid, m->id, m->idlen);
	p = bucket(c, m->name);
	f->next = *p;
	*p = f;
	c->nfiles++;
	join_idle(c, f);
	return f;
}

/* struct map has device numbers in a form of its own (proc/maps.h). */
static uint64_t
device(const struct stat *st)
{
	return (uint64_t)major(st->st_dev) << 32 | minor(st->st_dev);
}

static int
is_unchanged(const struct modfile *f, const struct stat *st)
{
	return f->serial != 0 && f->size == (uint64_t)st->st_size &&
	    f->dev == device(st) && f->ino == st->st_ino &&
	    f->mtime.tv_sec == st->st_mtim.tv_sec &&
	    f->mtime.tv_nsec == st->st_mtim.tv_nsec;
}

static void
span(struct modfile *f)
{
	const struct elfsym_load *l;
	uint64_t lo, hi;
	size_t i;

	f->lowest = UINT64_MAX;
	f->highest = 0;
	for (i = 0; i < f->head.nloads; i++) {
		l = &f->head.loads[i];
		lo = l->vaddr - l->vaddr % TARGET_PAGE;
		if (l->vaddr + l->memsz < l->vaddr || /* wraps: forged */
		    l->vaddr + l->memsz > UINT64_MAX - TARGET_PAGE)
			continue;
		hi = (l->vaddr + l->memsz + TARGET_PAGE - 1) / TARGET_PAGE *
		    TARGET_PAGE;
		f->lowest = lo < f->lowest ? lo : f->lowest;
		f->highest = hi > f->highest ? hi : f->highest;
	}
}

/* What is under fd now; its headers, unless they are still those. */
static void
load(struct modcache *c, struct modfile *f, int fd, const struct stat *st)
{
	int n;

	f->fd = fd;
	f->why = NULL;
	c->nfds++;
	if (is_unchanged(f, st))
		return;
	forget(c, f);
	f->serial = ++c->serial;
	f->size = (uint64_t)st->st_size;
	f->dev = device(st);
	f->ino = st->st_ino;
	f->mtime = st->st_mtim;
	if (c->lim.half == MODCACHE_OPENS)
		return;
	if (elfsym_head(fd, &f->head) == -1) {
		memset(&f->head, 0, sizeof(f->head));
		return;
	}
	if (f->head.nloads > SEGMENTS_MAX) {
		elfsym_head_free(&f->head);
		memset(&f->head, 0, sizeof(f->head));
	}
	span(f);
	n = elfsym_buildid(fd, f->id);
	f->idlen = n > 0 ? (size_t)n : 0;
}

/* Every process has the same one; it is read out of our own memory. */
static void
load_vdso(struct modcache *c, struct modfile *f, const struct map *m)
{
	const void *p = (const void *)getauxval(AT_SYSINFO_EHDR);
	struct stat st;
	int fd;

	f->why = "it is not ours";
	if (p == NULL || m->end - m->start > 1 << 20)
		return;
	fd = memfd_create("vdso", MFD_CLOEXEC);
	if (fd == -1)
		return;
	/* write(2) fails, and nothing faults, if theirs is longer */
	if (io_write_full(fd, p, m->end - m->start) == -1 ||
	    fstat(fd, &st) == -1)
		close(fd);
	else
		load(c, f, fd, &st);
}

static void
attach(struct modcache *c, struct modfile *f, const struct map *m,
    const pid_t *pid, size_t npids)
{
	struct modopened got;
	int fd;

	if (c->lim.half == MODCACHE_GIVEN && *f->path == '/') {
		if (f->why == NULL)
			f->why = "the file is gone";
		return;
	}
	/* in place, or under the feet of a program that is being built */
	if (f->fd != -1 && f->used == 0 && *f->path == '/' &&
	    (fstat(f->fd, &got.st) == -1 || !is_unchanged(f, &got.st)))
		close_file(c, f);
	if (f->fd != -1)
		return;
	if (c->nfds >= c->maxfds) {
		f->why = "too many files are open";
		return;
	}
	if (*f->path == '[') {
		if (c->lim.half != MODCACHE_OPENS)
			load_vdso(c, f, m);
		return;
	}
	fd = modopen_map(&c->open, m, pid, npids, &got);
	f->why = got.why;
	if (fd != -1)
		load(c, f, fd, &got.st);
}

/* Known, and held. */
static struct modfile *
hold(struct modcache *c, const struct map *m)
{
	struct modfile *f;

	if (*m->name != '/' && strcmp(m->name, "[vdso]") != 0) {
		errno = ENOENT;
		return NULL;
	}
	f = find(c, m);
	if (f == NULL && (f = add(c, m)) == NULL)
		return NULL;
	if (f->refs++ == 0)
		leave_idle(c, f);
	return f;
}

struct modfile *
modcache_get(
    struct modcache *c, const struct map *m, const pid_t *pid, size_t npids)
{
	struct modfile *f = hold(c, m);

	if (f != NULL)
		attach(c, f, m, pid, npids);
	return f;
}

struct modfile *
modcache_give(struct modcache *c, const struct map *m, int fd, const char *why)
{
	struct modfile *f = hold(c, m);
	struct stat st;

	if (f == NULL || (fd != -1 && f->used > 0)) {
		io_close(&fd);
		return f;
	}
	f->why = why;
	if (fd == -1)
		return f;
	close_file(c, f);
	if (fstat(fd, &st) == -1)
		close(fd);
	else
		load(c, f, fd, &st);
	return f;
}

void
modfile_ref(struct modfile *f)
{
	f->refs++;
}

void
modfile_release(struct modcache *c, struct modfile *f)
{
	if (--f->refs > 0)
		return;
	/* an open file would keep its file system from being unmounted; the
	 * vdso is on none, and here nobody else holds it */
	if (c->lim.half != MODCACHE_GIVEN || *f->path != '[')
		close_file(c, f);
	join_idle(c, f);
	while (c->nidle > c->maxidle) {
		f = c->oldest;
		leave_idle(c, f);
		free_file(c, f);
	}
}

int
modfile_keep_table(struct modcache *c, struct modfile *f, struct ehtable *t)
{
	size_t n = table_bytes(t);

	if (f->own != NULL || n > TABLES_MAX - c->tables)
		return 0;
	f->own = t;
	f->ehstate = MODULE_YES;
	c->tables += n;
	return 1;
}
