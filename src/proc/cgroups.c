#include "proc/cgroups.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/bytes.h"

enum {
	KNOWN = 64,	     /* answers kept, vain ones too */
	KERNFS_HANDLE = 0xfe /* FILEID_KERNFS, linux/exportfs.h */
};

struct cgroups {
	int fd; /* the root of the hierarchy */
	char root[PATH_MAX];
	size_t rootlen;
	struct {
		uint64_t id; /* 0: free */
		char *path;  /* NULL: not to be had */
	} known[KNOWN];
	unsigned next;
};

static const char *const mounts[] = {
    "/sys/fs/cgroup", "/sys/fs/cgroup/unified"};

/* What a descriptor is called. */
static int
name_of(int fd, char *path, size_t n)
{
	char link[32];
	ssize_t len;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	len = readlink(link, path, n);
	if (len <= 0 || (size_t)len >= n)
		return -1;
	path[len] = '\0';
	return 0;
}

struct cgroups *
cgroups_open(void)
{
	struct cgroups *c = calloc(1, sizeof(*c));
	struct statfs fs;
	size_t i;

	if (c == NULL)
		return NULL;
	for (i = 0; i < NELEM(mounts); i++) {
		c->fd = open(mounts[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (c->fd == -1)
			continue;
		if (fstatfs(c->fd, &fs) == 0 &&
		    fs.f_type == CGROUP2_SUPER_MAGIC &&
		    name_of(c->fd, c->root, sizeof(c->root)) == 0) {
			c->rootlen = strlen(c->root);
			return c;
		}
		close(c->fd);
	}
	free(c);
	errno = ENOENT;
	return NULL;
}

void
cgroups_close(struct cgroups *c)
{
	size_t i;

	if (c == NULL)
		return;
	for (i = 0; i < KNOWN; i++)
		free(c->known[i].path);
	close(c->fd);
	free(c);
}

static char *
look_up(const struct cgroups *c, uint64_t id)
{
	union {
		struct file_handle h;
		unsigned char room[sizeof(struct file_handle) + sizeof(id)];
	} u;
	char path[PATH_MAX], *p = NULL;
	int fd;

	memset(&u, 0, sizeof(u));
	u.h.handle_bytes = sizeof(id);
	u.h.handle_type = KERNFS_HANDLE;
	memcpy(u.h.f_handle, &id, sizeof(id));
	fd = open_by_handle_at(c->fd, &u.h, O_PATH | O_CLOEXEC);
	if (fd == -1)
		return NULL;
	if (name_of(fd, path, sizeof(path)) == 0 &&
	    strncmp(path, c->root, c->rootlen) == 0)
		p = strdup(path[c->rootlen] == '/' ? path + c->rootlen : "/");
	close(fd);
	return p;
}

const char *
cgroups_path(struct cgroups *c, uint64_t id)
{
	size_t i;

	if (id == 0)
		return NULL;
	for (i = 0; i < KNOWN; i++)
		if (c->known[i].id == id)
			return c->known[i].path;
	i = c->next++ % KNOWN;
	free(c->known[i].path);
	c->known[i].path = look_up(c, id);
	c->known[i].id = id;
	return c->known[i].path;
}
