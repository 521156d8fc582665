#include "crash/crashproc.h"

#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "proc/procdir.h"

int
crashproc_open(struct stream_id *id, int pidfd, int corefd)
{
	pid_t tid = id->tid > 0 ? (pid_t)id->tid : 0, found;
	struct stat st;
	int fd = -1;

	if (id->pid > 0)
		fd = proc_open_crashed((pid_t)id->pid, tid, pidfd);
	if (fd != -1 || pidfd != -1)
		return fd;
	if (id->pid <= 0 &&
	    (geteuid() != 0 || fstat(corefd, &st) == -1 ||
		!S_ISFIFO(st.st_mode)))
		return -1;
	found = proc_find_crashed(id->pid > 0 ? (pid_t)id->pid : 0);
	if (found <= 0 || (fd = proc_open_crashed(found, 0, -1)) == -1)
		return -1;
	if (id->pid > 0) {
		id->pid = found;
		id->tid = -1;
	}
	return fd;
}

void
crashproc_complete(struct stream_id *id, int procfd)
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
