#include "target/corefiles.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/inroot.h"
#include "base/io.h"
#include "base/opener.h"
#include "elf/debuglink.h"
#include "target/modhead.h"

/* What a search has found so far. */
struct search {
	int fd;	     /* a file that may be it, or -1 */
	int verdict; /* of that */
	int other;   /* there was one that is not it */
	int err;     /* why one could not be opened */
	char path[PATH_MAX];
	int root; /* the directory that path is below, -1 our root */
};

static int
permitted(int fd, uid_t owner)
{
	struct stat st;

	if (fd != -1 &&
	    (fstat(fd, &st) == -1 ||
		(!(st.st_mode & S_IROTH) && st.st_uid != owner))) {
		close(fd);
		return fails(EACCES);
	}
	return fd;
}

/* In the other machine's root or ours, if somebody may have it. */
static int
open_in(const struct corefiles *c, int root, const char *path)
{
	int fd;

	if (root != -1)
		fd = inroot_open(root, path);
	else if (c->where->opener != NULL)
		fd = opener_open(c->where->opener, path);
	else
		fd = io_open_regular(AT_FDCWD, path);
	return permitted(fd, c->owner);
}

int
corefiles_open(const struct corefiles *c, const char *path)
{
	if (*path == '/')
		return open_in(c, c->where->rootfd, path);
	return fails(ENOENT);
}

/* Takes a file in if it is better than what was there; 1 when it is proven. */
static int
consider(struct search *s, struct target *t, const struct module *m, int fd,
    const char *path)
{
	int verdict;

	if (fd == -1) {
		if (errno != ENOENT && errno != ENOTDIR)
			s->err = errno;
		return 0;
	}
	verdict = modhead_judge(t, m, fd);
	if (verdict == MODFILE_OTHER)
		s->other = 1;
	if (verdict == MODFILE_OTHER ||
	    (verdict == MODFILE_MAYBE && s->fd != -1)) {
		close(fd);
		return 0;
	}
	io_close(&s->fd);
	s->fd = fd;
	s->verdict = verdict;
	snprintf(s->path, sizeof(s->path), "%s", path);
	return verdict == MODFILE_SAME;
}

static void
search_module(const struct corefiles *c, struct target *t, struct module *m,
    struct search *s)
{
	char path[PATH_MAX];
	size_t i;
	int fd;

	if (consider(s, t, m, corefiles_open(c, m->path), m->path)) {
		s->root = c->where->rootfd;
		return;
	}
	s->root = s->fd != -1 ? c->where->rootfd : -1;
	for (i = 0; i < c->where->nlibdirs; i++) {
		if (m->baselen == 0 || *m->base == '[' ||
		    snprintf(path, sizeof(path), "%s/%.*s",
			c->where->libdirs[i], (int)m->baselen,
			m->base) >= (int)sizeof(path))
			continue;
		fd = open_in(c, -1, path);
		if (consider(s, t, m, fd, path)) {
			s->root = -1;
			return;
		}
		if (s->fd == fd && fd != -1)
			s->root = -1;
	}
}

/* Takes fd over; unless it is the module's own file, or there is no room. */
static void
add_debug(struct module *m, int fd, int unchecked, uint32_t crc)
{
	struct stat a, b;

	if (fd == -1)
		return;
	if (m->ndebugs == MODULE_DEBUGS ||
	    (m->fd != -1 && fstat(fd, &a) == 0 && fstat(m->fd, &b) == 0 &&
		a.st_ino == b.st_ino && a.st_dev == b.st_dev)) {
		close(fd);
		return;
	}
	m->debug[m->ndebugs].fd = fd;
	m->debug[m->ndebugs].unchecked = unchecked;
	m->debug[m->ndebugs++].crc = crc;
}

/* Beside the file at path, in .debug there, and in the tree of such files. */
static void
open_linked(
    const struct corefiles *c, struct module *m, const char *path, int root)
{
	const char *slash = strrchr(path, '/');
	int dir = slash != NULL ? (int)(slash - path) : 0, i;
	char name[DEBUGLINK_NAME], at[PATH_MAX];
	uint32_t crc;

	if (m->fd == -1 || debuglink_read(m->fd, name, &crc) == -1)
		return;
	if (slash == NULL) {
		path = ".";
		dir = 1;
	}
	for (i = 0; i < 3; i++) {
		snprintf(at, sizeof(at), "%s%s%.*s/%s%s",
		    i == 2 ? elfsym_debug_root : "",
		    i == 2 && *path != '/' ? "/" : "", dir, path,
		    i == 1 ? ".debug/" : "", name);
		add_debug(m, open_in(c, root, at), 1, crc);
	}
}

/* The build-id as memory has it; its length, 0 none. */
static int
id_in_memory(struct target *t, const struct module *m, unsigned char *id)
{
	struct modhead *h = malloc(sizeof(*h)); /* most is never touched */
	uint64_t bias;
	int n = 0;

	if (h != NULL && modhead_memory(t, m->start, h) == 0 &&
	    modhead_bias(t, m, h, &bias) == 0)
		n = (int)modhead_id(t, h, bias, id);
	free(h);
	return n;
}

/* By build-id below the other machine's root; ours is asked when names are
 * looked for. */
static void
open_by_id(const struct corefiles *c, struct target *t, struct module *m)
{
	unsigned char id[ELFSYM_ID_MAX], own[ELFSYM_ID_MAX];
	char path[PATH_MAX];
	int n, fd;

	if (c->where->rootfd == -1)
		return;
	n = m->fd != -1 ? elfsym_buildid(m->fd, id) : id_in_memory(t, m, id);
	if (n < 2 || elfsym_debug_path(id, (size_t)n, path, sizeof(path)) == -1)
		return;
	fd = open_in(c, c->where->rootfd, path);
	if (fd != -1 &&
	    (elfsym_buildid(fd, own) != n || memcmp(id, own, (size_t)n) != 0)) {
		close(fd);
		return;
	}
	add_debug(m, fd, 0, 0);
}

static void
open_module(const struct corefiles *c, struct target *t, struct module *m)
{
	struct search s = {.fd = -1, .root = -1};

	search_module(c, t, m, &s);
	m->fd = s.fd;
	m->judged = s.verdict;
	m->byname = 1;
	open_by_id(c, t, m);
	if (s.fd == -1) {
		m->fdwhy = s.other ? "the file now is another one"
		    : s.err == ETIMEDOUT
		    ? "its file system did not answer in time"
		    : s.err != 0      ? "the file cannot be opened"
		    : *m->path == '/' ? "the file is gone"
				      : "where the file is was not told";
		return;
	}
	open_linked(c, m, s.path, s.root);
}

int
corefiles_open_all(const struct corefiles *c, struct target *t)
{
	uint64_t entry = target_auxv(t, AT_ENTRY, 0);
	const char *exe = c->where->exe;
	struct module *m;
	size_t i;

	for (i = 0; i < t->nmods; i++) {
		m = &t->mods[i];
		if (*m->path == '[')
			continue;
		if (exe == NULL || entry < m->start || entry >= m->end) {
			open_module(c, t, m);
			continue;
		}
		m->fd = io_open_regular(AT_FDCWD, exe);
		if (m->fd == -1)
			return -1;
		m->byname = 1;
		open_by_id(c, t, m);
		open_linked(c, m, exe, -1);
	}
	return 0;
}
