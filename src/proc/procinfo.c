#include "proc/procinfo.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/array.h"
#include "base/bytes.h"
#include "base/deadline.h"
#include "base/num.h"
#include "proc/maps.h"
#include "proc/mounts.h"
#include "proc/procdir.h"

enum { LINK_BYTES = PATH_MAX }; /* the kernel has a page for it */

static const struct {
	const char *path;
	int link;
	size_t max;
} item_source[PROC_ITEMS] = {
    [PROC_EXE] = {"exe", 1, LINK_BYTES},
    [PROC_CWD] = {"cwd", 1, LINK_BYTES},
    [PROC_ROOT] = {"root", 1, LINK_BYTES},
    [PROC_CMDLINE] = {"cmdline", 0, 64 << 10},
    [PROC_STATUS] = {"status", 0, 64 << 10},
    [PROC_COMM] = {NULL, 0, 64}, /* status has it */
    [PROC_LIMITS] = {"limits", 0, 16 << 10},
    [PROC_CGROUP] = {"cgroup", 0, 64 << 10},
    [PROC_MAPS] = {"maps", 0, (size_t)PROC_MAPS_MIB << 20},
    [PROC_AUXV] = {"auxv", 0, 4096},
    [PROC_MOUNTS] = {"mountinfo", 0, MOUNTS_MAX},
    [PROC_ENVIRON] = {"environ", 0, 256 << 10},
};

static void
gather_link(int procfd, const char *path, size_t max, struct proc_text *t)
{
	char text[LINK_BYTES];
	ssize_t n = readlinkat(procfd, path, text, max);

	if (n == -1 || buf_append(&t->b, text, (size_t)n) == -1)
		t->err = errno;
	t->cut = n == (ssize_t)max;
}

/* "pos:\t0\nflags:\t0100002\n..." */
static void
parse_fdinfo(const char *p, size_t len, struct proc_fd *f)
{
	const char *v, *rest;
	uint64_t n;
	size_t vlen;

	v = proc_status_field(p, len, "pos", &vlen);
	if (v == NULL || num_scan(v, v + vlen, 10, &f->pos, &rest) == -1)
		return;
	v = proc_status_field(p, len, "flags", &vlen);
	if (v == NULL || num_scan(v, v + vlen, 8, &n, &rest) == -1)
		return;
	f->flags = (int)n;
	f->have_info = 1;
}

static int
by_fd(const void *a, const void *b)
{
	const struct proc_fd *x = a, *y = b;

	return (x->fd > y->fd) - (x->fd < y->fd);
}

static int
gather_fd(int procfd, int fd, const char *name, struct proc_fd *f)
{
	char path[64], text[512], target[PATH_MAX];
	ssize_t n;
	int infofd;

	memset(f, 0, sizeof(*f));
	f->fd = fd;
	snprintf(path, sizeof(path), "fd/%s", name);
	n = readlinkat(procfd, path, target, sizeof(target));
	if (n >= 0 && (f->target = strndup(target, (size_t)n)) == NULL)
		return -1;
	snprintf(path, sizeof(path), "fdinfo/%s", name);
	infofd = openat(procfd, path, O_RDONLY | O_CLOEXEC);
	if (infofd == -1)
		return 0;
	n = read(infofd, text, sizeof(text));
	io_done(infofd);
	if (n > 0)
		parse_fdinfo(text, (size_t)n, f);
	return 0;
}

/* The kernel makes the whole fdinfo for whatever is read of it: an epoll
 * instance of many watches takes it milliseconds. */
enum { FDS_MS = 3000 };

static int
gather_fds(int procfd, struct procinfo *pi)
{
	int64_t deadline = deadline_in(FDS_MS);
	struct io_dir d;
	const char *name;
	uint64_t fd;
	int r = 0;

	if (io_dir_open(&d, procfd, "fd") == -1) {
		pi->fds_err = errno;
		return 0;
	}
	d.full = 1;
	while (r == 0 && (name = io_dir_next(&d)) != NULL) {
		if (num_u64(name, 10, 0, INT_MAX, &fd) == -1)
			continue;
		if (pi->nfds >= PROC_FDS_MAX || deadline_left(deadline) == 0) {
			pi->fds_left_out++;
			continue;
		}
		r = ARRAY_ROOM(pi->fds, pi->nfds);
		if (r == 0)
			r = gather_fd(
			    procfd, (int)fd, name, &pi->fds[pi->nfds]);
		if (r == 0)
			pi->nfds++;
	}
	io_done(d.fd);
	if (pi->nfds > 0)
		qsort(pi->fds, pi->nfds, sizeof(*pi->fds), by_fd);
	return r;
}

static int
by_nstid(const void *a, const void *b)
{
	const struct proc_task *x = a, *y = b;

	return (x->nstid > y->nstid) - (x->nstid < y->nstid);
}

static void
task_status(const struct buf *b, struct proc_task *t)
{
	long n = proc_status_number(b->p, b->len, "NSpid", 1);
	size_t len;
	const char *v = proc_status_field(b->p, b->len, "State", &len);

	if (n > 0)
		t->nstid = (pid_t)n;
	if (v != NULL && len > 0)
		t->state = *v;
}

/* The one whose directory was given: comm and status are here already. */
static int
gather_known(const struct procinfo *pi, int namespaced, struct proc_task *t)
{
	const struct proc_text *comm = &pi->item[PROC_COMM];

	if (t->tid != procinfo_number(pi, "Pid") || comm->err != 0 ||
	    comm->b.len >= sizeof(t->comm))
		return 0;
	t->commlen = comm->b.len;
	memcpy(t->comm, comm->b.p, t->commlen + 1);
	if (namespaced)
		task_status(&pi->item[PROC_STATUS].b, t);
	return 1;
}

static void
gather_task(int taskfd, int namespaced, struct proc_task *t)
{
	struct buf b = {0};
	char path[64];
	ssize_t r;
	int fd;

	snprintf(path, sizeof(path), "%d/comm", (int)t->tid);
	fd = openat(taskfd, path, O_RDONLY | O_CLOEXEC);
	if (fd != -1) {
		r = read(fd, t->comm, sizeof(t->comm) - 1);
		io_done(fd);
		if (r > 0 && t->comm[r - 1] == '\n')
			r--;
		t->commlen = r > 0 ? (size_t)r : 0;
		t->comm[t->commlen] = '\0';
	}
	if (!namespaced)
		return;
	snprintf(path, sizeof(path), "%d/status", (int)t->tid);
	if (io_slurp_once(taskfd, path, 65536, &b, NULL) == -1)
		return;
	task_status(&b, t);
	buf_free(&b);
}

/* taskfd -1: no other than the one that is known. */
static int
add_task(int taskfd, pid_t tid, int namespaced, struct procinfo *pi)
{
	struct proc_task *p;

	if (pi->ntasks >= PROC_TASKS_MAX) {
		pi->tasks_left_out++;
		return 0;
	}
	if (ARRAY_ROOM(pi->tasks, pi->ntasks) == -1)
		return -1;
	p = &pi->tasks[pi->ntasks];
	memset(p, 0, sizeof(*p));
	p->tid = p->nstid = tid;
	if (!gather_known(pi, namespaced, p))
		gather_task(taskfd, namespaced, p);
	pi->ntasks++;
	return 0;
}

static int
gather_tasks(int procfd, int namespaced, struct procinfo *pi)
{
	struct io_dir d;
	const char *name;
	uint64_t tid;
	int r = 0;

	/* while it dumps, one thread stays alone */
	if (procinfo_number(pi, "Threads") == 1 &&
	    procinfo_number(pi, "CoreDumping") == 1 &&
	    pi->item[PROC_COMM].err == 0)
		return add_task(
		    -1, (pid_t)procinfo_number(pi, "Pid"), namespaced, pi);
	if (io_dir_open(&d, procfd, "task") == -1) {
		pi->tasks_err = errno;
		return 0;
	}
	d.full = 1;
	while (r == 0 && (name = io_dir_next(&d)) != NULL)
		if (num_u64(name, 10, 1, INT_MAX, &tid) == 0)
			r = add_task(d.fd, (pid_t)tid, namespaced, pi);
	io_done(d.fd);
	if (pi->ntasks > 0)
		qsort(pi->tasks, pi->ntasks, sizeof(*pi->tasks), by_nstid);
	return r;
}

static void
gather_ns(int procfd, struct procinfo *pi)
{
	static const char *const names[] = {
	    "pid", "mnt", "net", "user", "uts", "ipc", "cgroup"};
	char path[32], own[48];
	struct stat st, self;
	size_t i;

	for (i = 0; i < NELEM(names); i++) {
		snprintf(path, sizeof(path), "ns/%s", names[i]);
		snprintf(own, sizeof(own), "/proc/self/ns/%s", names[i]);
		if (fstatat(procfd, path, &st, 0) == -1)
			continue;
		pi->ns[pi->nns].name = names[i];
		pi->ns[pi->nns].ino = st.st_ino;
		pi->ns[pi->nns].foreign =
		    stat(own, &self) == 0 && self.st_ino != st.st_ino;
		pi->nns++;
	}
}

/* The host name inside a UTS namespace; "" where it may not be entered. */
static int
host_name(int nsfd, char host[PROC_HOST_MAX])
{
	int own = open("/proc/self/ns/uts", O_RDONLY | O_CLOEXEC), r = 0;

	if (own == -1)
		return 0;
	if (setns(nsfd, CLONE_NEWUTS) == 0) {
		if (gethostname(host, PROC_HOST_MAX) == -1)
			*host = '\0';
		host[PROC_HOST_MAX - 1] = '\0';
		r = setns(own, CLONE_NEWUTS);
	}
	close(own);
	return r;
}

int
proc_host(int procfd, char host[PROC_HOST_MAX])
{
	int fd = openat(procfd, "ns/uts", O_RDONLY | O_CLOEXEC), r = 0;

	*host = '\0';
	if (fd != -1) {
		r = host_name(fd, host);
		close(fd);
	}
	return r;
}

/* Ours is not told: it is that of the report. */
static int
gather_host(int procfd, struct procinfo *pi)
{
	size_t i;

	for (i = 0; i < pi->nns; i++)
		if (pi->ns[i].foreign && strcmp(pi->ns[i].name, "uts") == 0)
			return proc_host(procfd, pi->host);
	return 0;
}

/* "Name:\t" and the comm, with \n and \\ escaped (proc_task_name() of
 * fs/proc/array.c). */
static int
comm_of(const struct buf *status, struct proc_text *comm)
{
	static const char key[] = "Name:\t";
	const size_t at = sizeof(key) - 1;
	const char *p, *nl;
	char c;

	nl = status->len > at ? memchr(status->p, '\n', status->len) : NULL;
	if (nl == NULL || memcmp(status->p, key, at) != 0)
		return fails(ENODATA);
	if (buf_reserve(&comm->b, (size_t)(nl - status->p)) == -1)
		return -1;
	for (p = status->p + at; p < nl; p++) {
		c = *p;
		if (c == '\\' && p + 1 < nl)
			c = *++p == 'n' ? '\n' : *p;
		comm->b.p[comm->b.len++] = c;
	}
	comm->b.p[comm->b.len] = '\0';
	return 0;
}

static int
gather_item(int procfd, enum proc_item i, struct procinfo *pi)
{
	struct proc_text *t = &pi->item[i];
	size_t max = item_source[i].max;

	if (i == PROC_COMM)
		return comm_of(&pi->item[PROC_STATUS].b, t);
	if (i == PROC_MAPS)
		return maps_read(procfd, max, &t->b, &t->cut);
	if (i == PROC_MOUNTS)
		return io_slurp(
		    procfd, item_source[i].path, max, &t->b, &t->cut);
	return io_slurp_once(procfd, item_source[i].path, max, &t->b, &t->cut);
}

/* 1: it is there now. */
static int
take_seen(
    const struct procinfo_seen *seen, enum proc_item i, struct proc_text *t)
{
	const struct buf *b = i == PROC_STATUS ? seen->status : NULL;
	size_t n;

	if (b != NULL && b->len > 0)
		return buf_append(&t->b, b->p, b->len) == 0;
	if (i != PROC_EXE || seen->exe == NULL)
		return 0;
	n = strlen(seen->exe);
	return n > 0 && n < LINK_BYTES - 1 &&
	    buf_append(&t->b, seen->exe, n) == 0;
}

static void
gather_items(
    int procfd, int want, const struct procinfo_seen *seen, struct procinfo *pi)
{
	struct proc_text *t;
	size_t i;

	for (i = 0; i < PROC_ITEMS; i++) {
		t = &pi->item[i];
		if (i == PROC_ENVIRON && !(want & PROC_WANT_ENVIRON))
			t->err = ECANCELED;
		else if (seen != NULL && take_seen(seen, i, t))
			continue;
		else if (item_source[i].link)
			gather_link(
			    procfd, item_source[i].path, item_source[i].max, t);
		else if (gather_item(procfd, i, pi) == -1)
			t->err = errno;
	}
}

static int
gather(
    int procfd, int want, const struct procinfo_seen *seen, struct procinfo *pi)
{
	const struct proc_text *t = &pi->item[PROC_STATUS];
	const char *v;
	size_t len;
	int namespaced = 0;

	gather_items(procfd, want, seen, pi);
	/* NSpid holds one number a namespace; one means our own */
	v = t->b.len ? proc_status_field(t->b.p, t->b.len, "NSpid", &len)
		     : NULL;
	if (v != NULL)
		namespaced = memchr(v, '\t', len) != NULL;
	gather_ns(procfd, pi);
	if (gather_host(procfd, pi) == -1)
		return -1;
	if (gather_tasks(procfd, namespaced, pi) == -1)
		return -1;
	return gather_fds(procfd, pi);
}

int
procinfo_gather(
    int procfd, int want, const struct procinfo_seen *seen, struct procinfo *pi)
{
	int was = io_later(1), r;

	memset(pi, 0, sizeof(*pi));
	r = gather(procfd, want, seen, pi);
	io_later(was);
	return r;
}

const struct buf *
procinfo_our_mounts(const struct procinfo *pi)
{
	const struct proc_text *t;
	size_t i;

	if (pi == NULL)
		return NULL;
	t = &pi->item[PROC_ROOT]; /* mountinfo is as seen from there */
	if (t->b.len != 1 || *t->b.p != '/')
		return NULL;
	for (i = 0; i < pi->nns; i++)
		if (strcmp(pi->ns[i].name, "mnt") == 0 && !pi->ns[i].foreign)
			break;
	t = &pi->item[PROC_MOUNTS];
	return i < pi->nns && t->err == 0 && !t->cut ? &t->b : NULL;
}

long
procinfo_number(const struct procinfo *pi, const char *field)
{
	const struct buf *b = pi != NULL ? &pi->item[PROC_STATUS].b : NULL;

	return b == NULL || b->len == 0
	    ? -1
	    : proc_status_number(b->p, b->len, field, 0);
}

int
procinfo_has(const struct procinfo *pi, pid_t tid)
{
	size_t i;

	for (i = 0; i < pi->ntasks; i++)
		if (pi->tasks[i].tid == tid)
			return 1;
	return 0;
}

const struct proc_task *
procinfo_task(const struct procinfo *pi, pid_t nstid)
{
	struct proc_task key = {.nstid = nstid};

	if (pi->ntasks == 0)
		return NULL;
	return bsearch(
	    &key, pi->tasks, pi->ntasks, sizeof(*pi->tasks), by_nstid);
}

void
procinfo_free(struct procinfo *pi)
{
	size_t i;

	for (i = 0; i < PROC_ITEMS; i++)
		buf_free(&pi->item[i].b);
	for (i = 0; i < pi->nfds; i++)
		free(pi->fds[i].target);
	free(pi->fds);
	free(pi->tasks);
}
