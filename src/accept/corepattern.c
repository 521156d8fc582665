#include "accept/corepattern.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/io.h"
#include "base/num.h"

#define PATTERN "/proc/sys/kernel/core_pattern"
#define MODES "/proc/sys/kernel/core_modes"

const char *
corepattern_socket(void)
{
	struct buf modes = {0};
	struct utsname u;
	const char *how = "", *end, *p;
	uint64_t major, minor;

	/* younger than the sockets themselves */
	if (io_slurp_once(AT_FDCWD, MODES, 4096, &modes, NULL) == 0) {
		if (memmem(modes.p, modes.len, "socket", 6) != NULL)
			how = "@@";
	} else if (uname(&u) == 0) {
		p = u.release;
		end = p + strlen(p);
		if (num_scan(p, end, 10, &major, &p) == 0 && *p == '.' &&
		    num_scan(p + 1, end, 10, &minor, &p) == 0 &&
		    (major > 6 || (major == 6 && minor >= 16)))
			how = major == 6 && minor == 16 ? "@" : "@@";
	}
	buf_free(&modes);
	return how;
}

void
corepattern_get(char pattern[COREPATTERN_MAX + 1])
{
	int fd = open(PATTERN, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd == -1 ? -1 : read(fd, pattern, COREPATTERN_MAX);

	pattern[n > 0 ? n : 0] = '\0';
	pattern[strcspn(pattern, "\n")] = '\0';
	io_close(&fd);
}

int
corepattern_set(const char *pattern)
{
	char now[COREPATTERN_MAX + 1];
	int fd = open(PATTERN, O_WRONLY | O_CLOEXEC);
	ssize_t n;

	if (fd == -1)
		return -1;
	/* in one piece: what is written of it would be set */
	n = write(fd, pattern, strlen(pattern));
	io_close(&fd);
	if (n == -1)
		return -1;
	corepattern_get(now);
	return strcmp(now, pattern) == 0 ? 0 : fails(EINVAL);
}

int
corepattern_pipe(char **command, char pattern[COREPATTERN_MAX + 1])
{
	size_t len = 0, n;

	if (**command != '/')
		return fails(EINVAL);
	for (; *command != NULL; command++) {
		n = strlen(*command);
		if (n == 0 || (*command)[strcspn(*command, " \t\n")] != '\0' ||
		    len + 1 + n > COREPATTERN_MAX)
			return fails(EINVAL);
		pattern[len] = len == 0 ? '|' : ' ';
		memcpy(pattern + len + 1, *command, n + 1);
		len += 1 + n;
	}
	return 0;
}
