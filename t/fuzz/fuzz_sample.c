/*
 * fuzz_sample: a stack, registers and mappings of a file, all hostile.  All
 * of the input is the file, its end the stack as well.
 */
#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/deadline.h"
#include "base/io.h"
#include "fuzz.h"
#include "target/target_sample.h"
#include "unwind/symbols.h"
#include "unwind/unwind.h"

enum { STACK = 0x7ffd0000, PAGES = 4 };

static volatile uint64_t sink;
static char path[64];

static void
gone(void)
{
	unlink(path);
}

static void
make_file(const void *p, size_t n, struct map *m)
{
	struct stat st;
	int fd;

	if (*path == '\0') {
		snprintf(
		    path, sizeof(path), "/tmp/fuzz_sample.%d", (int)getpid());
		atexit(gone);
	}
	unlink(path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd == -1 || io_write_full(fd, p, n) == -1 || fstat(fd, &st) == -1)
		abort();
	close(fd);
	m->name = path;
	m->dev = (uint64_t)major(st.st_dev) << 32 | minor(st.st_dev);
	m->ino = st.st_ino;
}

static void
unwind(struct modcache *c, const struct sample *s)
{
	struct unwind_limits lim = {.head = 16,
	    .tail = 4,
	    .frames = 256,
	    .deadline = deadline_in(5000)};
	struct sample_verdict v;
	struct symbols *sy;
	struct symbol sym;
	struct unwinder *u;
	struct target t;
	struct trace *tr;
	size_t i;

	target_init(&t);
	if (target_sample_open(c, s, &t) == -1)
		abort();
	for (i = 0; i < t.nmaps; i++)
		if (t.maps[i].start >= t.maps[i].end ||
		    (i > 0 && t.maps[i].start < t.maps[i - 1].end))
			abort();
	u = unwind_new(&t);
	sy = symbols_new(&t);
	if (u != NULL && sy != NULL &&
	    unwind_thread(u, &t.threads[0], &lim) == 0) {
		tr = &t.threads[0].trace;
		for (i = 0; i < tr->n; i++)
			symbols_add(sy, tr->f[i].pc, 0);
		symbols_run(sy);
		for (i = 0; i < tr->n; i++) {
			symbols_get(sy, tr->f[i].pc, 0, &sym);
			sink += sym.name != NULL ? strlen(sym.name) : 0;
		}
		sample_judge(&t, &v);
		sink += strlen(v.why);
	}
	symbols_free(sy);
	unwind_free(u);
	target_free(&t);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct modcache *cache;
	static unsigned char page[PAGES][TARGET_PAGE];
	struct modcache_limits lim = {.files = 4};
	struct sample_page pages[PAGES];
	struct map maps[2] = {{.start = 0x400000, .prot = MAP_R | MAP_X}};
	struct regs regs = {.n = arch_native->gregs};
	struct sample s = {.machine = arch_native->machine,
	    .regs = &regs,
	    .pages = pages,
	    .npages = PAGES,
	    .stack_lo = STACK,
	    .stack_hi = STACK + sizeof(page),
	    .maps = maps,
	    .nmaps = 2};
	size_t tail = len < sizeof(page) ? len : sizeof(page), i, at;

	if (cache == NULL && (cache = modcache_new(&lim)) == NULL)
		abort();
	make_file(data, len, &maps[0]);
	maps[0].end = 0x400000 + (len / TARGET_PAGE + 1) * TARGET_PAGE;
	data += len - tail;
	len = tail;
	maps[1] = maps[0];
	maps[1].start = maps[0].end + (len > 0 ? data[0] : 0) * TARGET_PAGE;
	maps[1].end = maps[1].start + TARGET_PAGE;
	maps[1].off = (len > 1 ? data[1] : 0) * TARGET_PAGE;
	memset(page, 0, sizeof(page));
	memcpy(page, data, len);
	for (i = 0; i < PAGES; i++) {
		pages[i].addr = STACK + i * TARGET_PAGE;
		pages[i].p = page[i];
	}
	for (i = 0; i < regs.n; i++) { /* into the file, or at the stack */
		at = len > 0 ? data[(2 + i) % len] : 0;
		regs.r[i] = i % 2 ? 0x400000 + at * 64 : STACK + at * 8;
	}
	regs.r[arch_native->pc] = 0x400000 + (len > 3 ? data[3] : 0) * 64;
	regs.r[arch_native->sp] = STACK + 64;
	unwind(cache, &s);
	return 0;
}
