/* fuzz_corehead: the head of a core, whole and as it grows. */
#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "core/corehead.h"
#include "fuzz.h"

static volatile uint64_t sink;

/* Reads all that was decoded, so that a sanitizer sees what points astray. */
static uint64_t
touch(const struct core_head *h)
{
	uint64_t sum = 0;
	size_t i, k;

	for (i = 0; i < h->nthreads; i++)
		for (k = 0; k < h->threads[i].regslen; k++)
			sum += h->threads[i].regs[k];
	for (i = 0; i < h->nfiles; i++)
		sum += strlen(h->files[i].name) + h->files[i].off;
	for (i = 0; i < h->nsegs; i++)
		sum += h->segs[i].memsz;
	sum += strlen(h->psname) + strlen(h->psargs);
	if (h->trouble != NULL)
		sum += strlen(h->trouble);
	return sum + core_auxv(h->auxv, h->auxvlen, AT_ENTRY, 1);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct core_head h;
	int64_t need;
	size_t n;
	int step;

	memset(&h, 0, sizeof(h));
	h.stream = len & 1;
	/* As a reader does it: never more than was asked for, and each answer
	 * asks for more than the one before. */
	for (step = 0; (need = core_head_need(&h)) > 0; step++) {
		if ((uint64_t)need <= h.raw.len || step > 8)
			abort();
		if (h.raw.len == len)
			break;
		n = (uint64_t)need < len ? (size_t)need : len;
		/* exactly as long, for the sanitizer's sake */
		h.raw.p = realloc(h.raw.p, n);
		if (h.raw.p == NULL)
			abort();
		memcpy(h.raw.p + h.raw.len, data + h.raw.len, n - h.raw.len);
		h.raw.len = h.raw.cap = n;
		core_head_decode(&h);
		sink += touch(&h);
	}
	if (core_head_decode(&h) == 0 && need != 0)
		abort();
	sink += touch(&h);
	core_head_free(&h);
	return 0;
}
