/*
 * unit_procdir: what a program calls itself is nothing else in its stat and its
 * status.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/io.h"
#include "proc/procdir.h"

#include "check.h"

enum { PARENT = 4 /* its place in stat, proc_pid_stat(5) */ };

static void
test_name(const char *name)
{
	struct buf b = {0};
	int dirfd = proc_open(getpid());

	check_about = name;
	MUST(dirfd != -1 && prctl(PR_SET_NAME, name, 0, 0, 0) == 0);
	CHECK(proc_stat_number(dirfd, "stat", PARENT) == getppid());
	MUST(io_slurp(dirfd, "status", 1 << 16, &b, NULL) == 0);
	CHECK(proc_status_number(b.p, b.len, "Tgid", 0) == getpid());
	CHECK(proc_status_number(b.p, b.len, "PPid", 0) == getppid());
	CHECK(proc_status_number(b.p, b.len, "Uid", 0) == (long)getuid());
	buf_free(&b);
	close(dirfd);
}

int
main(void)
{
	test_name("ordinary");
	test_name("");
	test_name(")");
	test_name("x) R 1 1 1 1");
	test_name(") ) ) ) ) )");
	test_name("(x");
	test_name("a\nTgid:\t1");
	test_name("\nPPid:\t4711");
	test_name("a\\nUid:\t4711");
	return check_report();
}
