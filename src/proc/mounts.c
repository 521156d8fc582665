#include "proc/mounts.h"

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/io.h"

/* The n'th field (from 0) of a line, up to a blank or the end. */
static const char *
field(const char *p, const char *end, unsigned n, size_t *len)
{
	const char *sp;

	for (;;) {
		sp = memchr(p, ' ', (size_t)(end - p));
		if (n-- == 0)
			break;
		if (sp == NULL)
			return NULL;
		p = sp + 1;
	}
	*len = (size_t)((sp != NULL ? sp : end) - p);
	return p;
}

/* The next byte of an escaped name; \ooo is one byte. */
static unsigned char
next_byte(const char **p, const char *end)
{
	const char *s = *p;

	if (*s == '\\' && end - s >= 4 && s[1] >= '0' && s[1] <= '3' &&
	    s[2] >= '0' && s[2] <= '7' && s[3] >= '0' && s[3] <= '7') {
		*p += 4;
		return (unsigned char)((s[1] - '0') << 6 | (s[2] - '0') << 3 |
		    (s[3] - '0'));
	}
	return (unsigned char)*(*p)++;
}

/* How much of the path the mount point covers; -1 when it is elsewhere. */
static long
covers(const char *mp, size_t mplen, const char *path)
{
	const char *end = mp + mplen, *at = path;

	if (mplen == 1 && *mp == '/')
		return 0;
	while (mp < end)
		if (*at == '\0' || next_byte(&mp, end) != (unsigned char)*at++)
			return -1;
	return *at == '/' || *at == '\0' ? at - path : -1;
}

/* ID PARENT DEV ROOT POINT OPTIONS [TAGS...] - TYPE SOURCE OPTIONS */
const char *
mounts_type(const char *text, size_t len, const char *path, size_t *typelen)
{
	static const char dash[] = " - ";
	const char *p = text, *end = text + len, *nl, *mp, *sep, *type;
	const char *found = NULL;
	size_t mplen, tlen;
	long best = -1, n;

	for (; p < end; p = nl + 1) {
		nl = memchr(p, '\n', (size_t)(end - p));
		if (nl == NULL)
			break;
		mp = field(p, nl, 4, &mplen);
		sep = memmem(p, (size_t)(nl - p), dash, sizeof(dash) - 1);
		if (mp == NULL || sep == NULL || sep < mp)
			continue;
		type = field(sep + 3, nl, 0, &tlen);
		n = covers(mp, mplen, path);
		/* of two at one place the later one lies on top */
		if (n >= best && n != -1) {
			best = n;
			found = type;
			*typelen = tlen;
		}
	}
	return found;
}

const char *
mounts_dev_type(const char *text, size_t len, uint64_t dev, size_t *typelen)
{
	static const char dash[] = " - ";
	const char *p = text, *end = text + len, *nl, *at, *sep;
	char want[32];
	size_t n, wantlen;

	wantlen = (size_t)snprintf(
	    want, sizeof(want), "%u:%u", (unsigned)(dev >> 32), (unsigned)dev);
	for (; p < end; p = nl + 1) {
		nl = memchr(p, '\n', (size_t)(end - p));
		if (nl == NULL)
			break;
		at = field(p, nl, 2, &n);
		if (at == NULL || n != wantlen || memcmp(at, want, n) != 0)
			continue;
		sep = memmem(at, (size_t)(nl - at), dash, sizeof(dash) - 1);
		return sep == NULL ? NULL : field(sep + 3, nl, 0, typelen);
	}
	return NULL;
}

int
mounts_is_local(const char *type, size_t len)
{
	static const char *const known[] = {"bcachefs", "btrfs", "devtmpfs",
	    "erofs", "exfat", "ext2", "ext3", "ext4", "f2fs", "hugetlbfs",
	    "iso9660", "jfs", "ntfs3", "ramfs", "reiserfs", "rootfs",
	    "squashfs", "tmpfs", "udf", "vfat", "xfs", "zfs"};
	size_t i;

	for (i = 0; type != NULL && i < NELEM(known); i++)
		if (strlen(known[i]) == len && memcmp(known[i], type, len) == 0)
			return 1;
	return 0;
}

int
mounts_may_hang(const char *text, size_t len, const char *path)
{
	size_t n;
	const char *type = mounts_type(text, len, path, &n);

	if (type == NULL)
		return 0;
	return (n == 4 && memcmp(type, "fuse", 4) == 0) ||
	    (n > 5 && memcmp(type, "fuse.", 5) == 0) ||
	    (n == 6 && memcmp(type, "autofs", 6) == 0);
}

int
mounts_of_may_hang(int procfd, const char *path)
{
	struct buf text = {0};
	int r = 1;

	if (io_slurp(procfd, "mountinfo", MOUNTS_MAX, &text, NULL) == 0)
		r = mounts_may_hang(text.p, text.len, path);
	buf_free(&text);
	return r;
}
