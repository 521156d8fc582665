/* fuzz_perfmap: a map of a program's own code (elf/perfmap.h) is the input. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/io.h"
#include "elf/elfsym.h"
#include "elf/perfmap.h"
#include "fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct elfsym_query q[] = {{.vaddr = 0}, {.vaddr = 0x1000},
	    {.vaddr = 0x1010}, {.vaddr = 0x1010}, {.vaddr = 0x2000},
	    {.vaddr = UINT64_MAX}};
	static int fd = -1;
	size_t i;

	if (fd == -1)
		fd = memfd_create("fuzz", MFD_CLOEXEC);
	if (fd == -1 || ftruncate(fd, 0) == -1 || lseek(fd, 0, SEEK_SET) != 0 ||
	    io_write_full(fd, data, len) == -1)
		abort();
	perfmap_resolve(fd, q, sizeof(q) / sizeof(q[0]));
	for (i = 0; i < sizeof(q) / sizeof(q[0]); i++) {
		if (q[i].name != NULL &&
		    (q[i].vaddr - q[i].start >= q[i].size ||
			q[i].name[0] == '\0' ||
			strlen(q[i].name) > ELFSYM_NAME_MAX))
			abort();
		free(q[i].name);
	}
	return 0;
}
