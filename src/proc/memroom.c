#include "proc/memroom.h"

#include <fcntl.h>
#include <string.h>

#include "base/io.h"
#include "base/num.h"

uint64_t
memroom(void)
{
	static const char key[] = "MemAvailable:";
	struct buf b = {.p = NULL};
	uint64_t kib = 0;
	char *p;

	if (io_slurp_once(AT_FDCWD, "/proc/meminfo", 65536, &b, NULL) == 0 &&
	    (p = strstr(b.p, key)) != NULL) {
		p += strcspn(p, "0123456789");
		p[strspn(p, "0123456789")] = '\0';
		num_u64(p, 10, 0, UINT64_MAX >> 10, &kib);
	}
	buf_free(&b);
	return kib << 9;
}
