/* How a received core gets its name; the contract is in store/corestore.h. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/io.h"
#include "base/num.h"
#include "base/owned.h"
#include "store/storefile.h"
#include "store/storeparts.h"
#include "stream/streamtext.h"

enum { INFO_MAX = 64 << 10 };

/* The number that a line is all of. */
static int
line_value(const struct streamtext_line *line, int base, uint64_t *v)
{
	const char *rest, *end = line->value + line->len;

	return num_scan(line->value, end, base, v, &rest) == 0 && rest == end;
}

/* Is the core of that name there, with this size and checksum? */
static int
is_same(int hostfd, const char *name, uint64_t size, uint32_t crc)
{
	char path[STORE_NAME_MAX + 8], *text;
	struct streamtext_line line;
	const char *at;
	struct stat st;
	uint64_t v;
	int fd, same = 0;
	ssize_t n;

	if (fstatat(hostfd, name, &st, AT_SYMLINK_NOFOLLOW) == -1 ||
	    !S_ISREG(st.st_mode) ||
	    ((uint64_t)st.st_size != size && !store_ends(name, STORE_PACKED)))
		return 0;
	snprintf(path, sizeof(path), "%s.info", name);
	fd = owned_file(hostfd, path);
	if (fd == -1)
		return 0;
	text = malloc(INFO_MAX);
	n = text == NULL ? -1 : io_read_full(fd, text, INFO_MAX);
	close(fd);
	for (at = text; n > 0 && streamtext_next(&at, text + n, &line) == 1;) {
		if (streamtext_is(&line, "bytes") && line_value(&line, 10, &v))
			same |= v == size;
		if (streamtext_is(&line, "checksum") &&
		    line_value(&line, 16, &v))
			same |= (v == crc) << 1;
	}
	free(text);
	return same == 3;
}

/* rename(2) that replaces nothing, also where the file system cannot. */
static int
rename_new(int dirfd, const char *from, const char *to)
{
	/* musl has no renameat2(); 1 is RENAME_NOREPLACE */
	if (syscall(SYS_renameat2, dirfd, from, dirfd, to, 1) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -1;
	if (linkat(dirfd, from, dirfd, to, 0) == -1)
		return -1;
	return unlinkat(dirfd, from, 0);
}

/* Moves the part and its ".info" to a name that is free. */
static int
move(struct store_part *p, const char *name)
{
	char from[STORE_NAME_MAX + 8], to[STORE_NAME_MAX + 8];

	snprintf(from, sizeof(from), "%s.info", p->name);
	snprintf(to, sizeof(to), "%s.info", name);
	/* One that lies there without its core says nothing. */
	unlinkat(p->hostfd, to, 0);
	if (rename_new(p->hostfd, from, to) == -1 && errno != ENOENT)
		return -1;
	if (rename_new(p->hostfd, p->name, name) == -1) {
		rename_new(p->hostfd, to, from);
		return -1;
	}
	snprintf(p->name, sizeof(p->name), "%s", name);
	return 0;
}

static int
is_free(int hostfd, const char *name)
{
	struct stat st;

	return fstatat(hostfd, name, &st, AT_SYMLINK_NOFOLLOW) == -1 &&
	    errno == ENOENT;
}

int
store_rename(struct store_part *p, const char *stem, const char *suffix)
{
	char name[STORE_NAME_MAX];
	int lockfd, r = -1;
	unsigned n;

	lockfd = store_lock(p->store);
	if (lockfd == -1)
		return -1;
	for (n = 0; n < STORE_TRIES && r == -1; n++) {
		store_join(stem, n, suffix, ".part", name);
		if (is_free(p->hostfd, name)) {
			r = move(p, name);
			break;
		}
	}
	if (r == 0) {
		snprintf(p->stem, sizeof(p->stem), "%s", stem);
		snprintf(p->suffix, sizeof(p->suffix), "%s", suffix);
	} else if (n == STORE_TRIES) {
		p->limit = "too many cores of this name were never completed";
	}
	close(lockfd);
	return r;
}

/*
 * The link to the newest.  Nothing but a link is replaced: a file of that
 * name is somebody's core.
 */
static void
point(const struct corestore *s, const char *path)
{
	static const char tmp[] = "." STORE_NEWEST;
	struct stat st;

	if (fstatat(s->dirfd, STORE_NEWEST, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    !S_ISLNK(st.st_mode))
		return;
	unlinkat(s->dirfd, tmp, 0);
	if (symlinkat(path, s->dirfd, tmp) == 0 &&
	    renameat(s->dirfd, tmp, s->dirfd, STORE_NEWEST) == -1)
		unlinkat(s->dirfd, tmp, 0);
}

/* Earlier deliveries of the same crash that broke off.  A name with something
 * unknown in it may be another crash's. */
static void
clear_parts(const struct store_part *p, const char *suffix)
{
	char name[STORE_NAME_MAX];
	unsigned n;

	if (strstr(p->stem, ".unknown") != NULL)
		return;
	for (n = 0; n < STORE_TRIES; n++) {
		store_join(p->stem, n, suffix, ".part", name);
		if (is_free(p->hostfd, name))
			continue;
		if (owned_idle(p->hostfd, name))
			store_unlink(p->hostfd, name);
	}
}

/* Is it the name of one of the same thread name, process and encoding? */
static int
is_kin(const struct store_part *p, const char *name, const char *tail)
{
	size_t prefix = (size_t)(strrchr(p->stem, '.') + 1 - p->stem);
	const size_t packed = sizeof(STORE_PACKED) - 1;
	const char *suffix = p->suffix;
	size_t n;

	if (strncmp(name, p->stem, prefix) != 0 ||
	    strlen(name) >= STORE_NAME_MAX)
		return 0;
	name += prefix;
	name += strcspn(name, "."); /* the time */
	n = strspn(name + (*name == '.'), "0123456789");
	name += n > 0 ? n + 1 : 0;
	/* packed here or not is the same */
	if (strcmp(suffix, STORE_PACKED) == 0)
		suffix = "";
	if (*suffix == '\0' && strncmp(name, STORE_PACKED, packed) == 0)
		name += packed;
	n = strlen(suffix);
	return strncmp(name, suffix, n) == 0 && strcmp(name + n, tail) == 0;
}

/*
 * With the lock held: is this core, of the same thread name and process, there
 * already, whatever its time?  Then ours goes, and p has the other's name: 1.
 * tail: ".part" for one that is incomplete by the sender's own word.
 */
static int
take_same(struct store_part *p, uint64_t size, uint32_t crc, const char *tail)
{
	DIR *d = io_opendir(p->hostfd, ".");
	struct dirent *e;
	size_t len;
	int r = 0;

	if (d == NULL)
		return -1;
	while (r == 0 && (e = readdir(d)) != NULL) {
		len = strlen(e->d_name);
		if (len >= sizeof(p->name) || !is_kin(p, e->d_name, tail) ||
		    strcmp(e->d_name, p->name) == 0 ||
		    !is_same(p->hostfd, e->d_name, size, crc))
			continue;
		r = store_unlink(p->hostfd, p->name) == -1 ? -1 : 1;
		if (r == 1)
			memcpy(p->name, e->d_name, len + 1);
	}
	closedir(d);
	return r;
}

/* With the lock held. */
static int
place(struct store_part *p, uint64_t size, uint32_t crc, int *again)
{
	char name[STORE_NAME_MAX];
	unsigned n;

	*again = take_same(p, size, crc, "");
	if (*again != 0)
		return *again == 1 ? 0 : -1;
	for (n = 0; n < STORE_TRIES; n++) {
		store_join(p->stem, n, p->suffix, "", name);
		if (is_free(p->hostfd, name))
			return move(p, name);
	}
	p->limit = "the receiver has too many cores of this name";
	errno = EEXIST;
	return -1;
}

int
store_keep_once(
    struct store_part *p, uint64_t size, uint32_t crc, char out[STORE_PATH_MAX])
{
	int lockfd = store_lock(p->store), r;

	if (lockfd == -1)
		return -1;
	r = take_same(p, size, crc, ".part");
	parts_forget(p);
	close(lockfd);
	if (r != -1)
		store_keep(p, out);
	return r == -1 ? -1 : 0;
}

int
store_publish(struct store_part *p, uint64_t size, uint32_t crc,
    char out[STORE_PATH_MAX], int *again)
{
	int lockfd;

	*again = 0;
	lockfd = store_lock(p->store);
	if (lockfd == -1)
		return -1;
	if (place(p, size, crc, again) == -1) {
		close(lockfd);
		return -1;
	}
	snprintf(out, STORE_PATH_MAX, "%s/%s", p->host, p->name);
	parts_forget(p);
	if (!*again)
		point(p->store, out);
	clear_parts(p, p->suffix);
	if (strcmp(p->suffix, STORE_PACKED) == 0)
		clear_parts(p, "");
	close(lockfd);
	if (fsync(p->hostfd) == -1 && errno != EINVAL)
		return -1;
	close(p->fd);
	close(p->hostfd);
	p->fd = p->hostfd = -1;
	return 0;
}
