/*
 * procinfo: what /proc tells of one process, gathered as bytes.
 *
 * Gathering needs the caller's privileges and parses nothing but numbers the
 * kernel itself writes; interpreting comes later, without them.  Each item
 * fails alone: its err is then an errno and its text empty.  Every item has a
 * bound; cut says it was reached.
 */
#ifndef PROC_PROCINFO_H
#define PROC_PROCINFO_H

#include <sys/types.h>

#include "base/io.h"

enum proc_item {
	PROC_EXE, /* link target */
	PROC_CWD,
	PROC_ROOT,
	PROC_CMDLINE,
	PROC_STATUS,
	PROC_COMM, /* without the newline that comm has */
	PROC_LIMITS,
	PROC_CGROUP,
	PROC_MAPS,
	PROC_AUXV,
	PROC_MOUNTS,  /* mountinfo */
	PROC_ENVIRON, /* only with PROC_WANT_ENVIRON */
	PROC_ITEMS
};

enum { PROC_WANT_ENVIRON = 1 };
enum { PROC_FDS_MAX = 65536, PROC_TASKS_MAX = 65536, PROC_MAPS_MIB = 128 };

struct proc_text {
	struct buf b;
	int err, cut;
};

struct proc_fd {
	int fd, flags; /* flags: open(2) flags as in fdinfo, octal there */
	uint64_t pos;
	int have_info;
	char *target; /* NULL when unreadable */
};

struct proc_task {
	pid_t tid, nstid; /* nstid: in its innermost pid namespace */
	char state;	  /* as in status, 0 unknown */
	char comm[64];	  /* NUL-terminated, hostile */
	size_t commlen;
};

struct proc_ns {
	const char *name; /* "pid", "mnt", ... */
	uint64_t ino;	  /* 0 unknown */
	int foreign;	  /* not the one we are in */
};
enum { PROC_NS_MAX = 8, PROC_HOST_MAX = 65 };

struct procinfo {
	struct proc_text item[PROC_ITEMS];
	struct proc_fd *fds;
	size_t nfds, fds_left_out;
	int fds_err;
	struct proc_task *tasks;
	size_t ntasks, tasks_left_out;
	int tasks_err;
	struct proc_ns ns[PROC_NS_MAX];
	size_t nns;
	/* of its UTS namespace, where that is not ours; "" unknown */
	char host[PROC_HOST_MAX];
};

/* What was read of it already, and is not read again; NULL unknown. */
struct procinfo_seen {
	const struct buf *status; /* or empty */
	const char *exe;	  /* or "" */
};

/*
 * Fills *pi from the process directory; seen may be NULL.  -1 only for ENOMEM,
 * and EPERM should there be no way back from the process's UTS namespace, which
 * is entered for its host name (setns(2)): to be called before the second
 * thread is made.
 */
int procinfo_gather(
    int dirfd, int want, const struct procinfo_seen *seen, struct procinfo *pi);
void procinfo_free(struct procinfo *pi);
/*
 * The host name of its UTS namespace, which is entered where it is not ours;
 * "" where it may not be.  -1 as of procinfo_gather().
 */
int proc_host(int procfd, char host[PROC_HOST_MAX]);

/* What is mounted, where that is for the process what it is for us and known;
 * the procinfo may be NULL. */
const struct buf *procinfo_our_mounts(const struct procinfo *);
/* Is tid (as it is called here) one of its threads? */
int procinfo_has(const struct procinfo *, pid_t tid);
/* The first number of a field of /proc/PID/status, -1 when that is not there;
 * the procinfo may be NULL. */
long procinfo_number(const struct procinfo *, const char *field);
/* The thread known as nstid inside its namespace; NULL when not listed. */
const struct proc_task *procinfo_task(const struct procinfo *, pid_t nstid);

#endif
