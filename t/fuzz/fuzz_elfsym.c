/* fuzz_elfsym: every question elfsym answers, about a file that is the input.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/io.h"
#include "elf/elfpackage.h"
#include "elf/elfsym.h"
#include "fuzz.h"

static int
by_vaddr(const void *a, const void *b)
{
	const struct elfsym_query *x = a, *y = b;

	return x->vaddr < y->vaddr ? -1 : x->vaddr > y->vaddr;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	/* around the functions of t/fixtures/lib*.elf */
	struct elfsym_query q[12] = {{.vaddr = 0x490}, {.vaddr = 0x4b4},
	    {.vaddr = 0x4e1}, {.vaddr = 0x4f8}, {.vaddr = 0x530},
	    {.vaddr = 0x600}, {.vaddr = 0x2511}, {.vaddr = 0x2511}};
	unsigned char id[ELFSYM_ID_MAX];
	struct elf_package package;
	uint64_t off, addr, size;
	struct elfsym_head h;
	static int fd = -1;
	const char *note;
	int i, n;

	if (fd == -1) {
		fd = memfd_create("fuzz", MFD_CLOEXEC);
		elfsym_debug_root = "/nonexistent";
	}
	if (fd == -1 || ftruncate(fd, 0) == -1 || lseek(fd, 0, SEEK_SET) != 0 ||
	    io_write_full(fd, data, len) == -1)
		abort();
	if (len >= 32)
		for (i = 8; i < 12; i++)
			memcpy(
			    &q[i].vaddr, data + len - 8 * (size_t)(i - 7), 8);
	qsort(q, 12, sizeof(q[0]), by_vaddr);
	n = elfsym_buildid(fd, id);
	if (n > ELFSYM_ID_MAX)
		abort();
	elfsym_note_buildid(data, len, id);
	elf_note_package(data, len, &package);
	elfsym_head(fd, &h);
	if (h.nloads != 0 && h.loads == NULL)
		abort();
	elfsym_head_free(&h);
	elfsym_find(fd, "lib_data", &addr);
	if (elfsym_section(fd, ".eh_frame", &off, &addr, &size) == 0 &&
	    (off > len || size > len - off))
		abort();
	elfsym_resolve(fd, q, 12);
	elfsym_resolve_all(fd, id, n > 0 ? (size_t)n : 0, q, 12, &note);
	for (i = 0; i < 12; i++) {
		if (q[i].name != NULL &&
		    (q[i].start > q[i].vaddr || q[i].name[0] == '\0' ||
			strlen(q[i].name) > ELFSYM_NAME_MAX))
			abort();
		free(q[i].name);
	}
	return 0;
}
