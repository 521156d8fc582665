/*
 * fuzz_linkmap: the list of loaded objects in a core without NT_FILE.
 *
 * The input is the memory of a program at BASE, with the auxv at its
 * beginning; the mappings that follow must be in order.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "target/coremaps.h"
#include "target/linkmap.h"

#define BASE UINT64_C(0x10000)

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

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
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
	return 0;
}
