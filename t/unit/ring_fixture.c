#include "ring_fixture.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/deadline.h"

static char base[] = "/tmp/unit_ring.XXXXXX";

struct ring_fixture ring = {.fd = -1};

int64_t
ring_later(void)
{
	return deadline_in(20000);
}

void
ring_begin(unsigned n, unsigned share)
{
	static int serial;

	check_about = ring.named ? "named" : "";
	if (serial == 0)
		MUST(mkdtemp(base) != NULL);
	if (ring.fd != -1)
		close(ring.fd);
	snprintf(ring.path, sizeof(ring.path), "%s/%d", base, serial++);
	slots_defaults(&ring.cfg);
	ring.cfg.dir = ring.path;
	ring.cfg.n = n;
	ring.cfg.share = share;
	ring.cfg.minfree = 0;
	ring.uid = 0;
	ring.cfg.named = ring.named;
	ring.fd = slots_open(&ring.cfg);
	CHECK(ring.fd != -1);
}

int
ring_report(const char *text)
{
	int fd = slots_tmp(ring.fd, &ring.cfg, ring_later());

	CHECK(fd != -1);
	CHECK(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	return fd;
}

int
ring_place(int fd, uint64_t key)
{
	struct slots_entry e = {.key = key, .uid = ring.uid};
	int r = slots_publish(ring.fd, fd, &ring.cfg, ring_later(), &e);

	memcpy(ring.name, e.name, sizeof(ring.name));
	ring.tell = e.tell;
	ring.quiet = e.quiet;
	return r;
}

void
ring_publish(uint64_t key, const char *text)
{
	int fd = ring_report(text);

	ring.name[0] = '\0';
	CHECK(ring_place(fd, key) == 0);
	close(fd);
}

int
ring_holds(const char *file, const char *text)
{
	char b[64];
	ssize_t n;
	int fd = openat(ring.fd, file, O_RDONLY | O_NOFOLLOW);

	n = fd == -1 ? -1 : read(fd, b, sizeof(b));
	if (fd != -1)
		close(fd);
	return n == (ssize_t)strlen(text) && memcmp(b, text, strlen(text)) == 0;
}

int
ring_count(const char *prefix)
{
	DIR *d = opendir(ring.path);
	struct dirent *e;
	int n = 0;

	while ((e = readdir(d)) != NULL)
		n += strncmp(e->d_name, prefix, strlen(prefix)) == 0;
	closedir(d);
	return n;
}

int
ring_end(void)
{
	char rm[64];

	snprintf(rm, sizeof(rm), "rm -rf %s", base);
	if (system(rm) != 0)
		return 111;
	return check_report();
}
