/*
 * modcache: the files that modules come from, shared by many targets.
 *
 * For programs that look at one process after another (segfault_analyzer): a
 * file is opened, checked and its headers are read once.  A file is known by
 * its name together with its build-id or, without one, device and inode; what
 * is found under the name later must still be that file.  Bounded: the least
 * recently used files that nobody holds are forgotten, and only so many
 * descriptors are open.
 *
 * Names and files are hostile: opened read-only below the root directory of a
 * process, without leaving it by links; nothing but a regular file, and none
 * that a user's own program serves (FUSE), which could keep us waiting for
 * ever.
 */
#ifndef TARGET_MODCACHE_H
#define TARGET_MODCACHE_H

#include <sys/types.h>
#include <time.h>

#include "elf/elfsym.h"
#include "elf/symcache.h"
#include "proc/maps.h"
#include "target/blocks.h"

struct modcache;
struct ehtable;

struct modfile {
	int fd;		 /* -1: not to be had, and why says it */
	const char *why; /* static */
	const char *path;
	unsigned char id[ELFSYM_ID_MAX]; /* its build-id */
	size_t idlen;
	struct elfsym_head head;  /* nloads 0: no ELF */
	uint64_t lowest, highest; /* vaddrs of its segments, whole pages */
	uint64_t serial;	  /* key of its symbols; never used again */
	/* search table out of .eh_frame, for bias 0; ehstate is MODULE_* */
	struct ehtable *own;
	int ehstate;

	unsigned used; /* by targets: stays as it is, even if the file does
			  not */
	/* private to modcache.c */
	unsigned refs;
	uint64_t size, dev, ino;
	struct timespec mtime;
	unsigned char wantid[MAP_ID_MAX];
	size_t wantidlen;
	uint64_t wantdev, wantino;
	struct modfile *next, *newer, *older;
};

struct modcache_limits {
	size_t files;	/* known at most, beside those in use; 0: 512 */
	size_t fds;	/* open at most; 0: 4096, or what the limits allow */
	size_t symbols; /* 0: SYMCACHE_MAX */
	/* Of the two halves of a program: one has the right to open files and
	 * does not look into them (nor ask for build-ids: that would be to);
	 * the other is given them. */
	enum { MODCACHE_WHOLE, MODCACHE_OPENS, MODCACHE_GIVEN } half;
	/* MODCACHE_OPENS: what had that serial is not open any more */
	void (*closed)(void *ctx, uint64_t serial);
	void *ctx;
};

/* NULL ENOMEM. */
struct modcache *modcache_new(const struct modcache_limits *);
void modcache_free(struct modcache *);
struct symcache *modcache_symbols(struct modcache *);
struct blocks *modcache_blocks(struct modcache *);

/*
 * The file of a mapping; to be handed back with modfile_release().  Looked for
 * as pid[0]/map_files (where the mapping is pid[0]'s own), by name in our own
 * root directory, then in those of the given processes.  When it is not to be
 * had, or is another file by now, fd is -1 and why says so; a later call tries
 * again.  NULL: ENOMEM, or ENOENT for a mapping of no file.
 */
struct modfile *modcache_get(
    struct modcache *, const struct map *, const pid_t *pid, size_t npids);
/* MODCACHE_GIVEN: the file of a mapping, as modcache_get(): fd is taken over;
 * -1 for none, and why (static). */
struct modfile *
modcache_give(struct modcache *, const struct map *, int fd, const char *why);
void modfile_ref(struct modfile *);
void modfile_release(struct modcache *, struct modfile *);
/* Takes over a search table made for bias 0; 0 when it has one, or there are
 * too many: then it stays the caller's. */
int modfile_keep_table(struct modcache *, struct modfile *, struct ehtable *);
/* Descriptors open, files known. */
void modcache_count(const struct modcache *, size_t *fds, size_t *files);

#endif
