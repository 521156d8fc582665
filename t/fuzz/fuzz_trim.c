/*
 * fuzz_trim: a core made small, by the rules alone, and read again.
 *
 * The input is the core.  It names no file that is there.  What comes out is no
 * larger than what went in and the heads of its segments, is a core, and tells
 * of the same mappings and threads.
 */
#include <elf.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/io.h"
#include "core/corehead.h"
#include "fuzz.h"
#include "target/module.h"
#include "target/target_core.h"
#include "target/target_notes.h"
#include "trim/rules.h"
#include "trim/smallcore.h"

/* Where no file is. */
static int
empty_root(void)
{
	char dir[] = "/tmp/fuzz_trimXXXXXX";
	int fd;

	if (mkdtemp(dir) == NULL)
		abort();
	fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	rmdir(dir);
	return fd;
}

static ssize_t
read_target(void *arg, uint64_t addr, void *p, size_t len)
{
	struct target *t = arg;

	return t->read(t, addr, p, len);
}

/* As core_trim does. */
static void
fit(struct core_head *h, uint64_t end)
{
	struct core_seg *s;
	size_t i;

	for (i = 0; i < h->nsegs; i++) {
		s = &h->segs[i];
		if (s->off > end || s->filesz > end - s->off)
			s->filesz = s->off < end ? end - s->off : 0;
	}
}

static uint64_t
bytes_of(const struct core_head *h)
{
	uint64_t sum = 0;
	size_t i;

	for (i = 0; i < h->nsegs; i++)
		sum += h->segs[i].filesz;
	return sum;
}

/* What was written, against what it was made of. */
static void
check(int fd, const struct core_head *h, const struct smallcore *c)
{
	struct core_head again;
	size_t i;

	if (core_head_pread(fd, &again) == -1 && h->trouble == NULL)
		abort();
	if (again.nthreads != h->nthreads || again.nfiles != h->nfiles)
		abort();
	if (!c->trimmed && h->nsegs > 0 && h->nnotes < CORE_NOTES_MAX &&
	    h->trouble == NULL && again.nmapped > h->nsegs)
		abort();
	for (i = 0; i < again.nsegs; i++)
		if (again.segs[i].filesz > again.segs[i].memsz ||
		    again.segs[i].off + again.segs[i].filesz > c->size)
			abort();
	core_head_free(&again);
}

static void
trim(struct target *t, const struct core_head *h, size_t len, unsigned how)
{
	const struct trim_rules rules = {.stack = UINT64_C(4096) << (how & 7),
	    .around = UINT64_C(256) << (how >> 3 & 7),
	    .data = how >> 6 & 1};
	struct pageset keep = {0};
	struct smallcore c = {.keep = &keep,
	    .read = read_target,
	    .arg = t,
	    .max = bytes_of(h) < len ? bytes_of(h) : len};
	int fd;

	trim_apply(t, h, &rules, &keep);
	if (pageset_settle(&keep) == 0 && smallcore_from(&c, h) == 0) {
		fd = memfd_create("small", MFD_CLOEXEC);
		if (smallcore_write(fd, &c) == 0)
			check(fd, h, &c);
		close(fd);
	}
	pageset_free(&keep);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static int root = -1;
	struct core_paths where = {.exe = NULL};
	struct core_head h;
	struct target t;
	int fd = memfd_create("core", MFD_CLOEXEC);

	if (root == -1)
		root = empty_root();
	where.rootfd = root;
	if (fd == -1 || io_write_full(fd, data, len) == -1)
		abort();
	target_init(&t);
	if (core_head_pread(fd, &h) == 0 && h.nsegs > 0 && h.nsegs < 4096 &&
	    target_take_notes(&t, &h, NULL, 0) == 0 &&
	    target_core_open(fd, &h, &where, &t) == 0) {
		modules_load(&t);
		fit(&h, len);
		trim(&t, &h, len, len > 0 ? data[len - 1] : 0);
	}
	target_free(&t);
	core_head_free(&h);
	close(fd);
	return 0;
}
