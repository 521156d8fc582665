/*
 * fuzz_corerecv: a whole connection, from bytes at random to the reply.
 *
 * The checksums of every other input's frames are put right first, else
 * hardly any would get far.  It comes from a file descriptor, into a store
 * below /dev/shm or /tmp that is emptied after each.  Whatever came: nothing
 * but the store has changed, a core has its name only when the reply says so,
 * and memory and descriptors are as they were.
 */
#include <dirent.h>
#include <endian.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/owned.h"
#include "fuzz.h"
#include "store/corerecv.h"
#include "stream/crc32c.h"

static char dir[64];
static struct corerecv_cfg cfg;

static void
leave(void)
{
	unlinkat(cfg.store.dirfd, ".lock", 0);
	rmdir(dir);
}

static void
begin(void)
{
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	snprintf(dir, sizeof(dir), "/dev/shm/fuzz_corerecv.XXXXXX");
	if (mkdtemp(dir) == NULL) {
		snprintf(dir, sizeof(dir), "/tmp/fuzz_corerecv.XXXXXX");
		if (mkdtemp(dir) == NULL)
			abort();
	}
	cfg.store.dirfd = owned_dir(dir, OWNED_ANY, NULL);
	if (cfg.store.dirfd == -1)
		abort();
	cfg.store.maxcore = 8 << 20;
	cfg.store.total = 32 << 20;
	cfg.idlems = 10000;
	cfg.lifems = 10000;
	atexit(leave);
}

/* Empties the store: how many files had a core's name. */
static int
empty(int storefd, int depth)
{
	struct dirent *e;
	DIR *d;
	int fd, n = 0;

	fd = dup(storefd);
	lseek(fd, 0, SEEK_SET);
	d = fdopendir(fd);
	if (d == NULL)
		abort();
	while ((e = readdir(d)) != NULL) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (depth == 0 && strcmp(e->d_name, ".lock") == 0)
			continue;
		/* hidden, or too long a name */
		if (e->d_name[0] == '.')
			abort();
		fd = depth == 0 ? openat(storefd, e->d_name,
				      O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
				: -1;
		if (fd != -1) {
			n += empty(fd, 1);
			close(fd);
			if (unlinkat(storefd, e->d_name, AT_REMOVEDIR) == -1)
				abort();
			continue;
		}
		if (unlinkat(storefd, e->d_name, 0) == -1)
			abort();
		if (depth == 0) {
			if (strcmp(e->d_name, STORE_NEWEST) != 0)
				abort();
		} else if (strncmp(e->d_name, "core.", 5) != 0) {
			abort();
		} else {
			n += !store_ends(e->d_name, ".info") &&
			    !store_ends(e->d_name, ".part");
		}
	}
	closedir(d);
	return n;
}

/* Frames with right checksums, whatever else they are. */
static void
repair(unsigned char *p, size_t len)
{
	struct crash_id id;
	const char *why;
	uint32_t crc, n;
	ssize_t head;

	head = stream_head_parse((char *)p, len, &id, &why);
	if (head <= 0)
		return;
	for (p += head, len -= (size_t)head; len >= STREAM_FRAME;) {
		memcpy(&n, p + 4, sizeof(n));
		n = le32toh(n);
		if (n > len - STREAM_FRAME)
			n = (uint32_t)(len - STREAM_FRAME);
		crc = htole32(crc32c(0, p + STREAM_FRAME, n));
		memcpy(p + 16, &crc, sizeof(crc));
		crc = htole32(crc32c(0, p, 20));
		memcpy(p + 20, &crc, sizeof(crc));
		p += STREAM_FRAME + n;
		len -= STREAM_FRAME + n;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct corerecv_outcome o;
	char line[STREAM_REPLY_MAX], text[2048];
	int infd, outfd, stored, next;
	unsigned char *copy;
	ssize_t n;

	if (*dir == '\0')
		begin();
	cfg.proxy = len % 5 == 0;
	cfg.byaddress = len % 3 == 0;
	copy = malloc(len + 1);
	if (copy == NULL)
		abort();
	memcpy(copy, data, len);
	if (len % 2)
		repair(copy, len);
	infd = memfd_create("in", MFD_CLOEXEC);
	outfd = memfd_create("out", MFD_CLOEXEC);
	if (infd == -1 || outfd == -1 || write(infd, copy, len) != (ssize_t)len)
		abort();
	free(copy);
	lseek(infd, 0, SEEK_SET);
	corerecv_meet(infd, &o);
	corerecv_serve(infd, outfd, &cfg, &o);
	n = pread(outfd, line, sizeof(line), 0);
	if ((o.result == RECV_EMPTY) != (n == 0) ||
	    (n > 0 && memchr(line, '\n', (size_t)n) != line + n - 1))
		abort();
	stored = o.result == RECV_STORED;
	if (stored && strncmp(line, "OK ", 3) != 0)
		abort();
	if (o.result != RECV_EMPTY)
		corerecv_line(&o, text, sizeof(text));
	if (empty(cfg.store.dirfd, 0) != stored)
		abort();
	close(infd);
	close(outfd);
	/* no descriptor is left behind */
	next = dup(0);
	if (next > 64)
		abort();
	close(next);
	return 0;
}
