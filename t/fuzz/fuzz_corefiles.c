/*
 * fuzz_corefiles: the mappings of a core out of forged segments and NT_FILE,
 * and its link map.
 *
 * The input is, three words each, segments and files by turns, whose mappings
 * must be in order and cover no more than was said; then it is the memory of a
 * program at BASE, with the auxv at its beginning, and its list of loaded
 * objects is read from there.
 */
#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "target/coremaps.h"
#include "target/linkmap.h"

#define BASE UINT64_C(0x10000)

enum { MOST = 4096 };

static const uint8_t *memory;
static size_t memory_len;

static ssize_t
read_memory(struct target *t, uint64_t addr, void *p, size_t len)
{
	(void)t;
	if (addr < BASE || addr - BASE >= memory_len)
		return -1;
	if (len > memory_len - (addr - BASE))
		len = memory_len - (size_t)(addr - BASE);
	memcpy(p, memory + (addr - BASE), len);
	return (ssize_t)len;
}

static int
open_none(void *arg, const char *path)
{
	(void)arg;
	if (strlen(path) > 4096)
		abort();
	return -1;
}

static int
by_vaddr(const void *a, const void *b)
{
	const struct core_seg *x = a, *y = b;

	return (x->vaddr > y->vaddr) - (x->vaddr < y->vaddr);
}

/* In order, none empty or over another, each within what it came of. */
static void
check(const struct coremaps *c)
{
	struct map *m;
	size_t n, i;

	if (coremaps_make(c, &m, &n) == -1)
		abort();
	if (n > 2 * (c->nsegs + c->nfiles) + 1)
		abort();
	for (i = 0; i < n; i++)
		if (m[i].start >= m[i].end || m[i].name == NULL ||
		    (i > 0 && m[i].start < m[i - 1].end))
			abort();
	free(m);
}

static void
fuzz_maps(const uint8_t *data, size_t len)
{
	static struct core_seg segs[MOST];
	static struct core_file files[MOST];
	struct coremaps c = {.segs = segs, .files = files};
	uint64_t w[3];
	size_t i;

	for (i = 0; (i + 1) * sizeof(w) <= len && i < MOST; i++) {
		memcpy(w, data + i * sizeof(w), sizeof(w));
		if (i % 2 == 0) {
			if (w[0] + w[1] < w[0]) /* as target_core.c does */
				continue;
			segs[c.nsegs].vaddr = w[0];
			segs[c.nsegs].memsz = w[1];
			segs[c.nsegs++].flags = (uint32_t)w[2];
		} else {
			files[c.nfiles].start = w[0];
			files[c.nfiles].end = w[1];
			files[c.nfiles].off = w[2];
			files[c.nfiles++].name = w[2] & 1 ? "/a" : "/b";
		}
	}
	qsort(segs, c.nsegs, sizeof(*segs), by_vaddr);
	c.vdso = c.nsegs > 0 ? segs[0].vaddr : 0;
	check(&c);
}

static void
fuzz_links(const uint8_t *data, size_t len)
{
	struct core_seg seg = {.vaddr = BASE, .memsz = len, .filesz = len};
	struct linkmap_from from = {
	    .program = "prog", .segs = &seg, .nsegs = 1, .open = open_none};
	struct coremaps c = {.segs = &seg, .nsegs = 1};
	struct linkmap l;
	struct target t;

	memory = data;
	memory_len = len;
	target_init(&t);
	t.read = read_memory;
	t.auxvlen = len < 512 ? len : 512;
	t.auxv = malloc(t.auxvlen + 1);
	if (t.auxv == NULL)
		abort();
	memcpy(t.auxv, data, t.auxvlen);
	if (linkmap_read(&t, &from, &l) == -1)
		abort();
	c.files = l.files;
	c.nfiles = l.nfiles;
	check(&c);
	linkmap_free(&l);
	target_free(&t);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	fuzz_maps(data, len);
	fuzz_links(data, len);
	return 0;
}
