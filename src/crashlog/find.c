/* Where reports and cores are, and their beginnings; see crashlog/rows.h. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/array.h"
#include "base/bytes.h"
#include "crashlog/rows.h"
#include "crashlog/screen.h"
#include "slots/ring.h"

enum { PIECE = 16 << 10 };

static struct row *
add(struct rows *rows)
{
	if (ARRAY_ROOM(rows->row, rows->n) == -1)
		return NULL;
	memset(&rows->row[rows->n], 0, sizeof(*rows->row));
	return &rows->row[rows->n++];
}

static int
find_open(int dirfd, const char *name)
{
	struct stat st;
	int fd = openat(dirfd, name,
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd != -1 && (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode))) {
		io_close(&fd);
		return fails(ENODEV);
	}
	return fd;
}

/* Whether they end in b, which is new from there on. */
static int
has_keys(const struct buf *b, size_t from)
{
	static const char json[] = "\n\"backtrace\"";
	const char *p = b->p + from;
	size_t n = b->len - from;

	return memmem(p, n, "\n\n", 2) != NULL ||
	    memmem(p, n, json, sizeof(json) - 1) != NULL;
}

/* Of a file, as much as its keys are; -1 it cannot be read. */
static int
read_head(int fd, struct buf *b)
{
	size_t from = 0;
	ssize_t n;

	while (b->len < ROWS_HEAD) {
		if (buf_reserve(b, PIECE) == -1)
			return -1;
		n = io_read_full(fd, b->p + b->len, PIECE);
		if (n == -1)
			return -1;
		b->len += (size_t)n;
		b->p[b->len] = '\0';
		if (n < PIECE || has_keys(b, from))
			break;
		from = b->len > 16 ? b->len - 16 : 0;
	}
	return 0;
}

int
find_beside(const char *dir, const char *name, size_t max, struct buf *b)
{
	int at = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int fd = at == -1 ? -1 : find_open(at, name);
	ssize_t n = -1;

	if (fd != -1 && buf_reserve(b, max) == 0)
		n = io_read_full(fd, b->p + b->len, max);
	if (n != -1) {
		b->len += (size_t)n;
		b->p[b->len] = '\0';
	}
	io_close(&fd);
	io_close(&at);
	return n == -1 ? -1 : 0;
}

/* The head of dirfd/name and what is beside it, into a row. */
static void
take_file(struct row *r, int dirfd, const char *name, int report)
{
	char info[PATH_MAX];
	size_t n = strlen(name);
	int fd = -1;

	if (report) {
		fd = dirfd == AT_FDCWD ? io_open_regular(dirfd, name)
				       : find_open(dirfd, name);
		if (fd == -1 || read_head(fd, &r->head) == -1)
			r->error = errno;
		io_close(&fd);
		if (n < 7 || strcmp(name + n - 7, ".report") != 0)
			return;
		n -= 7;
	}
	if (n + sizeof(".info") > sizeof(info))
		return;
	snprintf(info, sizeof(info), "%.*s.info", (int)n, name);
	fd = find_open(dirfd, info);
	if (fd != -1)
		(void)read_head(fd, &r->info);
	io_close(&fd);
}

static int
newer(const void *a, const void *b)
{
	const struct row *x = a, *y = b;

	if (x->order != y->order)
		return x->order < y->order ? 1 : -1;
	if (x->mtime.tv_sec != y->mtime.tv_sec)
		return x->mtime.tv_sec < y->mtime.tv_sec ? 1 : -1;
	if (x->mtime.tv_nsec != y->mtime.tv_nsec)
		return x->mtime.tv_nsec < y->mtime.tv_nsec ? 1 : -1;
	return strcmp(x->v[PATH], y->v[PATH]);
}

static const char *
path_of(struct row *r, const char *dir, const char *sub, const char *name)
{
	char *path;

	if (asprintf(&path, "%s/%s%s%s", dir, sub, *sub != '\0' ? "/" : "",
		name) == -1)
		return NULL;
	return row_own(r, path);
}

static int
take_slots(struct rows *rows, struct ring *ring, const char *dir)
{
	char name[SLOTS_NAME_MAX], *slot;
	struct stat st;
	struct row *r;

	for (unsigned k = 0; k < ring->n; k++) {
		snprintf(name, sizeof(name), "usercrash_%02u", k);
		if (!ring->slot[k].used || ring->slot[k].blocked ||
		    fstatat(ring->dirfd, name, &st, AT_SYMLINK_NOFOLLOW) ==
			-1 ||
		    !S_ISREG(st.st_mode))
			continue;
		if ((r = add(rows)) == NULL ||
		    (r->v[PATH] = path_of(r, dir, "", name)) == NULL ||
		    asprintf(&slot, "%02u", k) == -1)
			return -1;
		r->v[SLOT] = row_own(r, slot);
		r->order = ring->slot[k].known ? ring->slot[k].seq : 0;
		r->mtime = st.st_mtim;
		take_file(r, ring->dirfd, name, 1);
	}
	return 0;
}

int
find_ring(struct rows *rows, const char *dir)
{
	struct slots_cfg cfg = {.n = SLOTS_MAX};
	struct stat none = {.st_ino = 0}; /* no report is looked for */
	struct stat st;
	struct ring ring = {.lockfd = -1};
	size_t before = rows->n;
	int r = -1;

	ring.dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (ring.dirfd == -1)
		return -1;
	/* Without the lock: what changes meanwhile is a report more or less.
	 * Whoever may not read the records has the times. */
	ring.lockfd = find_open(ring.dirfd, ".slots");
	if (ring.lockfd != -1 && fstat(ring.lockfd, &st) == 0)
		ring.records = (uint64_t)st.st_size;
	if (faccessat(ring.dirfd, ".", X_OK, AT_EACCESS) == 0 &&
	    (ring_load(&ring, &cfg, &none) == 0 || ring.lockfd == -1))
		r = take_slots(rows, &ring, dir);
	ring_close(&ring);
	io_close(&ring.dirfd);
	if (rows->n > before)
		qsort(rows->row + before, rows->n - before, sizeof(*rows->row),
		    newer);
	return r;
}

static int
ends(const char *name, const char *end)
{
	size_t n = strlen(name), len = strlen(end);

	return n >= len && strcmp(name + n - len, end) == 0;
}

/* As much as du(1) says. */
static void
name_core(struct row *r, const struct stat *st)
{
	char *mib;

	if (asprintf(&mib, "%.1f", (double)st->st_blocks / 2048) == -1)
		mib = NULL;
	r->v[MIB] = row_own(r, mib);
	r->v[STATE] = ends(r->v[PATH], ".part") ? "partial" : "complete";
}

static int
take_stored(
    struct rows *rows, int at, const char *dir, const char *sub, int reports)
{
	struct dirent *e;
	struct stat st;
	struct row *r;
	DIR *d = io_opendir(at, *sub != '\0' ? sub : ".");
	int res = 0;

	if (d == NULL)
		return *sub != '\0' ? 0 : -1;
	while (res == 0 && (e = readdir(d)) != NULL) {
		if (*e->d_name == '.' ||
		    fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) ==
			-1)
			continue;
		if (S_ISDIR(st.st_mode) && *sub == '\0')
			res = take_stored(rows, at, dir, e->d_name, reports);
		if (!S_ISREG(st.st_mode) ||
		    strncmp(e->d_name, "core.", 5) != 0 ||
		    ends(e->d_name, ".info") ||
		    ends(e->d_name, ".report") != reports)
			continue;
		if ((r = add(rows)) == NULL ||
		    (r->v[PATH] = path_of(r, dir, sub, e->d_name)) == NULL) {
			res = -1;
			break;
		}
		r->mtime = st.st_mtim;
		if (!reports)
			name_core(r, &st);
		take_file(r, dirfd(d), e->d_name, reports);
	}
	closedir(d);
	return res;
}

int
find_store(struct rows *rows, const char *dir, int reports)
{
	int r, fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd == -1)
		return -1;
	r = take_stored(rows, fd, dir, "", reports);
	io_close(&fd);
	if (rows->n > 0)
		qsort(rows->row, rows->n, sizeof(*rows->row), newer);
	return r;
}

int
find_file(struct rows *rows, const char *path)
{
	struct row found = {.error = 0}, *r;

	for (r = rows->row; r < rows->row + rows->n; r++)
		if (strcmp(r->v[PATH], path) == 0)
			return 1;
	take_file(&found, AT_FDCWD, path, 1);
	if (found.head.len > 18 &&
	    (memcmp(found.head.p, "{\n", 2) == 0 ||
		memcmp(found.head.p, "usercrash report ", 17) == 0) &&
	    (r = add(rows)) != NULL) {
		*r = found;
		r->v[PATH] = path;
		return 1;
	}
	buf_free(&found.head);
	buf_free(&found.info);
	return found.error == EACCES ? fails(EACCES) : 0;
}

/* By signature, and by nothing else. */
static int
by_signature(const void *a, const void *b)
{
	const struct row *const *x = a, *const *y = b;

	return strcmp((*x)->v[SIGNATURE], (*y)->v[SIGNATURE]);
}

static int
count_same(struct rows *rows)
{
	struct row **by = calloc(rows->n + 1, sizeof(struct row *));
	char *text;
	size_t i, k, n;

	if (by == NULL)
		return -1;
	for (i = 0; i < rows->n; i++)
		by[i] = &rows->row[i];
	qsort(by, rows->n, sizeof(struct row *), by_signature);
	for (i = 0; i < rows->n; i += n) {
		for (n = 1;
		     i + n < rows->n && by_signature(&by[i], &by[i + n]) == 0;)
			n++;
		for (k = i; k < i + n; k++) {
			if (asprintf(&text, "%zu",
				row_signed(by[k]) ? n : (size_t)1) == -1)
				text = NULL;
			by[k]->v[COUNT] = row_own(by[k], text);
		}
	}
	free(by);
	return 0;
}

int
row_signed(const struct row *r)
{
	const char *s = r->v[SIGNATURE];

	return *s != '\0' && s[strspn(s, "0123456789abcdef")] == '\0';
}

/* "TIME PID<tab>TEXT" a line, by crashlogctl note. */
static void
take_note(struct rows *rows, char *line)
{
	char *pid = strchr(line, ' '), *text = strchr(line, '\t');
	struct row *r;

	if (pid == NULL || text == NULL || text < pid)
		return;
	*pid++ = *text++ = '\0';
	screen_printable(text, strlen(text));
	for (r = rows->row; r < rows->row + rows->n; r++)
		if (strcmp(r->v[TIME], line) == 0 &&
		    strcmp(r->v[PID], pid) == 0 && *text != '\0')
			r->v[NOTE] = text;
}

int
rows_relate(struct rows *rows, struct buf *notes)
{
	char *line, *save = NULL;

	for (line = notes->p == NULL ? NULL : strtok_r(notes->p, "\n", &save);
	     line != NULL; line = strtok_r(NULL, "\n", &save))
		take_note(rows, line);
	return count_same(rows);
}

void
rows_free(struct rows *rows)
{
	struct row *r;

	for (r = rows->row; r < rows->row + rows->n; r++) {
		buf_free(&r->head);
		buf_free(&r->info);
		for (size_t i = 0; i < r->nown; i++)
			free(r->own[i]);
		free(r->own);
	}
	free(rows->row);
	rows->row = NULL;
	rows->n = 0;
}
