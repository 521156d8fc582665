/*
 * ring_fixture: an empty ring in a directory of its own, and looks into it.
 * For the units that test slots/slots; each includes it once.
 */
#ifndef T_RING_FIXTURE_H
#define T_RING_FIXTURE_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/deadline.h"
#include "slots/slots.h"

static char base[] = "/tmp/unit_ring.XXXXXX";
static char path[64];
static char name[SLOTS_NAME_MAX];
static struct slots_cfg cfg;
static int ringfd = -1;

static int named; /* the whole again, as if there were no O_TMPFILE */
#define CHECK_ABOUT (named ? "named" : "")
#include "check.h"

#define AT(want) CHECK(strcmp(name, (want)) == 0)

static int64_t
later(void)
{
	return deadline_in(20000);
}

/* A new, empty directory and a ring of n there. */
static void
begin(unsigned n, unsigned share)
{
	static int serial;

	if (ringfd != -1)
		close(ringfd);
	snprintf(path, sizeof(path), "%s/%d", base, serial++);
	slots_defaults(&cfg);
	cfg.dir = path;
	cfg.n = n;
	cfg.share = share;
	cfg.minfree = 0;
	cfg.named = named;
	ringfd = slots_open(&cfg);
	CHECK(ringfd != -1);
}

static int
new_report(const char *text)
{
	int fd = slots_tmp(ringfd, &cfg, later());

	CHECK(fd != -1);
	CHECK(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	return fd;
}

static void
publish(uint64_t key, const char *text)
{
	int fd = new_report(text);

	name[0] = '\0';
	CHECK(slots_publish(ringfd, fd, &cfg, key, later(), name) == 0);
	close(fd);
}

static int
holds(const char *file, const char *text)
{
	char b[64];
	ssize_t n;
	int fd = openat(ringfd, file, O_RDONLY | O_NOFOLLOW);

	n = fd == -1 ? -1 : read(fd, b, sizeof(b));
	if (fd != -1)
		close(fd);
	return n == (ssize_t)strlen(text) && memcmp(b, text, strlen(text)) == 0;
}

static int
count(const char *prefix)
{
	DIR *d = opendir(path);
	struct dirent *e;
	int n = 0;

	while ((e = readdir(d)) != NULL)
		n += strncmp(e->d_name, prefix, strlen(prefix)) == 0;
	closedir(d);
	return n;
}

/* Removes everything and says how it went: main's result. */
static int
end(void)
{
	char rm[64];

	snprintf(rm, sizeof(rm), "rm -rf %s", base);
	if (system(rm) != 0)
		return 111;
	printf("%d checks, %d failed\n", checks, failed);
	return failed != 0;
}

#endif
