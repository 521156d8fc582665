/*
 * fuzz_ntfile: a core's mappings, out of a forged NT_FILE and forged segments.
 *
 * The input is a word, how many segments; three words each of these; then what
 * the note says.  The mappings must be in order and cover no more than was
 * said.
 */
#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "core/notes.h"
#include "fuzz.h"
#include "target/coremaps.h"
#include "target/target.h"

enum { MOST = 256 };

static ssize_t
read_nothing(struct target *t, uint64_t addr, void *p, size_t len)
{
	(void)t;
	(void)addr;
	(void)p;
	(void)len;
	return -1;
}

static int
by_vaddr(const void *a, const void *b)
{
	const struct core_seg *x = a, *y = b;

	return (x->vaddr > y->vaddr) - (x->vaddr < y->vaddr);
}

/* The segments at the beginning of the input; how many of its bytes. */
static size_t
take_segments(const uint8_t *data, size_t len, struct core_head *h)
{
	static struct core_seg segs[MOST];
	uint64_t n, w[3];
	size_t at;

	if (len < sizeof(n))
		return len;
	memcpy(&n, data, sizeof(n));
	h->segs = segs;
	for (at = sizeof(n); n % MOST != 0 && len - at >= sizeof(w); n--) {
		memcpy(w, data + at, sizeof(w));
		at += sizeof(w);
		if (w[0] + w[1] < w[0]) /* as target_core.c does */
			continue;
		segs[h->nsegs].vaddr = w[0];
		segs[h->nsegs].memsz = w[1];
		segs[h->nsegs++].flags = (uint32_t)w[2];
	}
	qsort(segs, h->nsegs, sizeof(*segs), by_vaddr);
	return at;
}

static void
take_note(const uint8_t *data, size_t len, struct core_head *h)
{
	Elf64_Nhdr n = {
	    .n_namesz = 5, .n_descsz = (uint32_t)len, .n_type = NT_FILE};

	/* exactly as long, for the sanitizer's sake */
	h->raw.len = h->raw.cap = sizeof(n) + 8 + len;
	h->raw.p = calloc(1, h->raw.len);
	if (h->raw.p == NULL)
		abort();
	memcpy(h->raw.p, &n, sizeof(n));
	memcpy(h->raw.p + sizeof(n), "CORE", 5);
	memcpy(h->raw.p + sizeof(n) + 8, data, len);
	h->elfclass = ELFCLASS64;
	h->machine = EM_X86_64;
	if (notes_decode(h, (unsigned char *)h->raw.p, h->raw.len, 4) == -1)
		abort();
}

/* In order, none empty or over another, each within what it came of. */
static void
check(struct target *t, const struct core_head *h)
{
	struct map *m = t->maps;
	size_t i;

	if (t->nmaps > 2 * (h->nsegs + h->nfiles) + 1)
		abort();
	for (i = 0; i < t->nmaps; i++)
		if (m[i].start >= m[i].end || m[i].name == NULL ||
		    strlen(m[i].name) > h->raw.len ||
		    (i > 0 && m[i].start < m[i - 1].end))
			abort();
	for (i = 0; i < t->nmods; i++)
		if (t->mods[i].start >= t->mods[i].end)
			abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct core_head h;
	struct coremaps c;
	struct target t;
	size_t at;

	memset(&h, 0, sizeof(h));
	at = take_segments(data, len, &h);
	take_note(data + at, len - at, &h);
	c = (struct coremaps){.segs = h.segs,
	    .nsegs = h.nsegs,
	    .files = h.files,
	    .nfiles = h.nfiles,
	    .vdso = h.nsegs > 0 ? h.segs[0].vaddr : 0};
	target_init(&t);
	t.read = read_nothing;
	if (coremaps_make(&c, &t.maps, &t.nmaps) == -1 ||
	    modules_find(&t) == -1)
		abort();
	check(&t, &h);
	target_free(&t);
	h.segs = NULL;
	core_head_free(&h);
	return 0;
}
