#include "wrap/rate.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/deadline.h"
#include "base/io.h"
#include "base/num.h"
#include "base/owned.h"

enum { LOCK_MS = 10000, FILE_MAX = 4 << 20 };

struct ledger {
	struct buf kept; /* lines that stay */
	size_t lines;
	uint64_t had; /* of the key */
	int said;
};

/* TIME KEY, in [p, nl). */
static void
take_line(struct ledger *l, const char *p, const char *nl, const char *key,
    const int64_t during[2])
{
	size_t len = strlen(key);
	const char *k;
	uint64_t at;

	if (num_scan(p, nl, 10, &at, &k) == -1 || *k++ != ' ' || k >= nl ||
	    memchr(k, ' ', (size_t)(nl - k)) != NULL ||
	    (int64_t)at <= during[0] || (int64_t)at > during[1])
		return;
	if ((size_t)(nl - k) >= len && memcmp(k, key, len) == 0) {
		l->had += k + len == nl;
		l->said |= k + len + 1 == nl && *(nl - 1) == '!';
	}
	if (buf_append(&l->kept, p, (size_t)(nl - p) + 1) == 0)
		l->lines++;
}

static void
write_back(int fd, struct ledger *l)
{
	char *p = l->kept.p;

	for (; l->lines > RATE_LINES; l->lines--)
		p = strchr(p, '\n') + 1;
	l->kept.len -= (size_t)(p - l->kept.p);
	if (ftruncate(fd, 0) == 0 && lseek(fd, 0, SEEK_SET) == 0)
		io_write_full(fd, p, l->kept.len);
}

static enum rate
note(int fd, const struct rate_limit *r, const char *key, int64_t now)
{
	const int64_t during[2] = {
	    now - (int64_t)r->seconds, now + (int64_t)r->seconds};
	struct ledger l = {.lines = 0};
	char line[RATE_KEY + 32];
	struct buf b = {0};
	char *p, *nl;
	ssize_t n;
	int many;

	if (buf_reserve(&b, FILE_MAX) == -1 ||
	    (n = io_read_full(fd, b.p, FILE_MAX)) == -1)
		return RATE_KEPT;
	for (p = b.p; p < b.p + n; p = nl + 1) {
		nl = memchr(p, '\n', (size_t)(b.p + n - p));
		if (nl == NULL)
			break;
		take_line(&l, p, nl, key, during);
	}
	many = l.had >= r->n;
	if (many && l.said)
		return RATE_NEXT;
	snprintf(line, sizeof(line), "%" PRId64 " %.*s%s\n", now, RATE_KEY, key,
	    many ? "!" : "");
	if (buf_append(&l.kept, line, strlen(line)) == 0) {
		l.lines++;
		write_back(fd, &l);
	}
	return many ? RATE_FIRST : RATE_KEPT;
}

enum rate
rate_note(const char *state, const struct rate_limit *r, const char *key,
    int64_t now, char why[TRUST_WHY])
{
	enum rate found;
	int fd;

	mkdir(state, 0700);
	fd = trust_open(state, r->file, O_RDWR | O_CREAT, why);
	if (fd == -1)
		return RATE_KEPT;
	/* better without than not at all */
	owned_hold(fd, deadline_in(LOCK_MS));
	found = note(fd, r, key, now);
	io_close(&fd);
	return found;
}
