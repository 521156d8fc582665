#include "crash/crashproc.h"

#include <errno.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "proc/procdir.h"

int
crashproc_open(
    struct crash_id *id, int corefd, struct buf *status, const char **why)
{
	pid_t pid = id->pid > 0 ? (pid_t)id->pid : 0, found;
	pid_t tid = id->tid > 0 ? (pid_t)id->tid : 0;
	int pidfd = (int)id->pidfd, fd = -1;
	struct stat st;

	if (pid != 0)
		fd = proc_open_crashed(pid, tid, pidfd, status);
	*why = fd != -1	      ? NULL
	    : pid == 0	      ? "which one it is was not said"
	    : errno == ESRCH  ? "the process is gone"
	    : errno == ESTALE ? "its process id now belongs to another process"
			      : "/proc cannot be read";
	if (fd != -1 || (pid != 0 && pidfd != -1))
		return fd;
	if (pid == 0 &&
	    (geteuid() != 0 || fstat(corefd, &st) == -1 ||
		!S_ISFIFO(st.st_mode)))
		return -1;
	found = proc_find_crashed(pid);
	if (found <= 0 ||
	    (fd = proc_open_crashed(found, 0, pidfd, status)) == -1)
		return -1;
	if (pid != 0) {
		id->pid = found;
		id->tid = -1;
	}
	return fd;
}

void
crashproc_complete(struct crash_id *id, int procfd)
{
	ssize_t n;

	if (id->time == -1)
		id->time = time(NULL);
	if (*id->host == '\0')
		gethostname(id->host, sizeof(id->host) - 1);
	if (procfd == -1)
		return;
	n = readlinkat(procfd, "exe", id->exe, sizeof(id->exe) - 1);
	if (n > 0)
		id->exe[n] = '\0';
}
