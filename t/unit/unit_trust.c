/*
 * unit_trust: by the descriptor, whatever the name was a moment before: only a
 * regular file that nobody else may write is believed.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "wrap/trust.h"

#include "check.h"

static char why[TRUST_WHY];

/* Is it believed?  Closes it. */
static int
is_believed(int fd)
{
	int r;

	must(fd != -1, "open");
	strcpy(why, "?");
	r = trust_file(fd, why);
	close(fd);
	return r;
}

/* A regular file; or not. */
static void
test_kinds(int dirfd)
{
	int p[2];

	CHECK(is_believed(openat(dirfd, "f", O_RDONLY)) && *why == '\0');
	MUST(mkfifoat(dirfd, "p", 0600) == 0);
	CHECK(!is_believed(openat(dirfd, "p", O_RDONLY | O_NONBLOCK)));
	CHECK(strcmp(why, "not a regular file") == 0);
	CHECK(!is_believed(openat(dirfd, ".", O_RDONLY)));
	CHECK(strcmp(why, "not a regular file") == 0);
	CHECK(!is_believed(open("/dev/null", O_RDONLY)));
	CHECK(strcmp(why, "not a regular file") == 0);
	MUST(pipe(p) == 0);
	CHECK(!is_believed(p[0]));
	close(p[1]);
	unlinkat(dirfd, "p", 0);
}

static void
test_rights(int dirfd)
{
	static const mode_t bad[] = {0620, 0602, 0666};
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		MUST(fchmodat(dirfd, "f", bad[i], 0) == 0);
		CHECK(!is_believed(openat(dirfd, "f", O_RDONLY)));
		CHECK(strcmp(why, "others may write it") == 0);
	}
	MUST(fchmodat(dirfd, "f", 0644, 0) == 0);
	CHECK(is_believed(openat(dirfd, "f", O_RDONLY)));
	if (geteuid() != 0)
		return;
	MUST(fchownat(dirfd, "f", 4242, 0, 0) == 0);
	CHECK(!is_believed(openat(dirfd, "f", O_RDONLY)));
	CHECK(strcmp(why, "owned by user 4242") == 0);
}

int
main(void)
{
	char dir[] = "/tmp/unit_trust.XXXXXX";
	int dirfd, fd;

	MUST(mkdtemp(dir) != NULL);
	dirfd = open(dir, O_RDONLY | O_DIRECTORY);
	fd = openat(dirfd, "f", O_WRONLY | O_CREAT, 0600);
	MUST(dirfd != -1 && fd != -1);
	close(fd);
	test_kinds(dirfd);
	test_rights(dirfd);
	unlinkat(dirfd, "f", 0);
	close(dirfd);
	rmdir(dir);
	return check_report();
}
