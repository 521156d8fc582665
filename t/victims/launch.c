/*
 * launch: runs a victim in a way that a shell cannot.
 *
 *   launch deleted FILE ARG...   the file is unlinked before it runs
 *   launch memfd FILE ARG...     runs a copy that is only in memory
 *   launch argv0 NAME FILE ARG...
 *   launch closed FILE ARG...    no descriptor is open
 *   launch fresh FILE ARG...     no signal is ignored
 *   launch nocore FILE ARG...    RLIMIT_CORE 1: neither core nor handler,
 *                                whatever core_pattern says, core(5)
 */
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/stat.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

extern char **environ;

static int
in_memory(const char *file)
{
	int fd = open(file, O_RDONLY), memfd = memfd_create("in memory", 0);
	struct stat st;
	off_t done = 0;

	if (fd < 0 || memfd < 0 || fstat(fd, &st) < 0)
		return -1;
	while (done < st.st_size)
		if (sendfile(memfd, fd, &done, (size_t)st.st_size) <= 0)
			return -1;
	close(fd);
	return memfd;
}

int
main(int argc, char *argv[])
{
	int fd = -1;

	if (argc < 3)
		return 100;
	if (strcmp(argv[1], "deleted") == 0) {
		fd = open(argv[2], O_PATH);
		unlink(argv[2]);
		fexecve(fd, argv + 2, environ);
	} else if (strcmp(argv[1], "memfd") == 0) {
		fd = in_memory(argv[2]);
		fexecve(fd, argv + 2, environ);
	} else if (strcmp(argv[1], "argv0") == 0 && argc > 3) {
		char *file = argv[3];

		argv[3] = argv[2];
		execv(file, argv + 3);
	} else if (strcmp(argv[1], "fresh") == 0) {
		for (fd = 1; fd < NSIG; fd++)
			signal(fd, SIG_DFL);
		execv(argv[2], argv + 2);
	} else if (strcmp(argv[1], "nocore") == 0) {
		struct rlimit r;

		if (getrlimit(RLIMIT_CORE, &r) == 0 && r.rlim_max > 0) {
			r.rlim_cur = 1;
			setrlimit(RLIMIT_CORE, &r);
		}
		execvp(argv[2], argv + 2);
	} else if (strcmp(argv[1], "closed") == 0) {
		close_range(0, ~0U, 0);
		execv(argv[2], argv + 2);
	}
	perror("launch");
	return 111;
}
