/*
 * fuzz_gopclntab: the input is a Go program's table, with its own magic and
 * with that of each version of Go, or a whole file.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/io.h"
#include "elf/elfsym.h"
#include "elf/gopclntab.h"
#include "fuzz.h"

static void
ask(struct gopclntab *t, uint64_t vaddr)
{
	struct gofunc f;
	uint64_t size;
	char *name;

	if (gopclntab_find(t, vaddr, &f) == -1)
		return;
	if (vaddr < f.start || vaddr >= f.end)
		abort();
	name = gopclntab_name(t, &f);
	if (name != NULL && (*name == '\0' || strlen(name) > ELFSYM_NAME_MAX))
		abort();
	free(name);
	if (gopclntab_frame(t, &f, vaddr, &size) == 0 && size > 1 << 30)
		abort();
}

static void
walk(int fd, const uint8_t *data, size_t len)
{
	struct gopclntab *t = gopclntab_at(fd, 0, len, 0x401000);
	uint64_t start = 0;
	int i;

	if (t == NULL)
		return;
	if (len >= 32) /* where the header has its text begin */
		memcpy(&start, data + 24, sizeof(start));
	for (i = 0; i < 8; i++) {
		ask(t, start + (uint64_t)i * 48);
		ask(t, 0x401000 + (uint64_t)i * 48);
	}
	gopclntab_free(t);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const uint32_t magic[] = {
	    0xfffffffb, 0xfffffffa, 0xfffffff0, 0xfffffff1};
	static int fd = -1;
	size_t i;

	if (fd == -1)
		fd = memfd_create("fuzz", MFD_CLOEXEC);
	if (fd == -1 || ftruncate(fd, 0) == -1 || lseek(fd, 0, SEEK_SET) != 0 ||
	    io_write_full(fd, data, len) == -1)
		abort();
	gopclntab_free(gopclntab_open(fd));
	walk(fd, data, len);
	for (i = 0; len >= sizeof(*magic) && i < NELEM(magic); i++) {
		if (pwrite(fd, &magic[i], sizeof(*magic), 0) == -1)
			abort();
		walk(fd, data, len);
	}
	return 0;
}
