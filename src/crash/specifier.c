#include "crash/specifier.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/num.h"
#include "proc/procdir.h"
#include "proc/procinfo.h"

enum {
	STATUS_MAX = 65536,
	LIMITS_MAX = 8192,
	/* fields of /proc/PID/stat, proc(5) */
	STAT_FLAGS = 9,
	STAT_CPU = 39,
	STAT_EXIT_CODE = 52,
	PF_DUMPCORE = 0x200 /* include/linux/sched.h: the one that dumps */
};

/* --- what /proc says ------------------------------------------------------ */

/* The thread that dumps is known by a flag: all others wait for it. */
static int
is_dumper(int taskfd, int tid, struct dumped *d)
{
	char path[32];
	int64_t flags;

	snprintf(path, sizeof(path), "%d/stat", tid);
	flags = proc_stat_number(taskfd, path, STAT_FLAGS);
	if (flags == -1 || (flags & PF_DUMPCORE) == 0)
		return 0;
	d->cpu = (long)proc_stat_number(taskfd, path, STAT_CPU);
	return 1;
}

static void
read_thread(int taskfd, int tid, struct dumped *d)
{
	struct buf b = {0};
	char path[32];
	long n;

	snprintf(path, sizeof(path), "%d/status", tid);
	if (io_slurp_once(taskfd, path, STATUS_MAX, &b, NULL) == 0) {
		n = proc_status_number(b.p, b.len, "NStgid", 1);
		d->nspid = n > 0 ? (pid_t)n : 0;
		n = proc_status_number(b.p, b.len, "NSpid", 1);
		d->nstid = n > 0 ? (pid_t)n : 0;
		buf_free(&b);
	}
	snprintf(path, sizeof(path), "%d/comm", tid);
	if (io_slurp_once(taskfd, path, sizeof(d->comm), &b, NULL) == 0) {
		if (b.len > 0 && b.p[b.len - 1] == '\n')
			b.len--;
		if (b.len >= sizeof(d->comm))
			b.len = sizeof(d->comm) - 1;
		memcpy(d->comm, b.p, b.len);
		d->comm[b.len] = '\0';
	}
	buf_free(&b);
}

static void
find_thread(int procfd, struct dumped *d)
{
	DIR *dir = io_opendir(procfd, "task");
	struct dirent *e;
	uint64_t tid;

	if (dir == NULL)
		return;
	while (d->tid == 0 && (e = readdir(dir)) != NULL) {
		if (num_u64(e->d_name, 10, 1, INT_MAX, &tid) == -1 ||
		    !is_dumper(dirfd(dir), (int)tid, d))
			continue;
		d->tid = (pid_t)tid;
		read_thread(dirfd(dir), (int)tid, d);
	}
	closedir(dir);
}

/* "Max core file size  soft  hard  bytes" of /proc/PID/limits. */
static void
read_limit(int procfd, struct dumped *d)
{
	static const char name[] = "Max core file size";
	struct buf b = {0};
	const char *p = NULL, *end, *rest;
	uint64_t v;

	if (io_slurp_once(procfd, "limits", LIMITS_MAX, &b, NULL) == 0)
		p = memmem(b.p, b.len, name, sizeof(name) - 1);
	if (p != NULL) {
		end = b.p + b.len;
		for (p += sizeof(name) - 1; p < end && *p == ' '; p++)
			;
		if (p < end && *p == 'u') {
			d->limited = 1;
			d->limit = RLIM_INFINITY; /* "unlimited" */
		} else if (num_scan(p, end, 10, &v, &rest) == 0) {
			d->limited = 1;
			d->limit = v;
		}
	}
	buf_free(&b);
}

/* /proc has it as seen from here, the kernel as seen from the process's own
 * root directory. */
static void
read_exe(int procfd, char exe[CRASH_EXE_MAX])
{
	char root[PATH_MAX];
	ssize_t n = readlinkat(procfd, "exe", exe, CRASH_EXE_MAX - 1);
	ssize_t r = readlinkat(procfd, "root", root, sizeof(root) - 1);

	exe[n > 0 ? n : 0] = '\0';
	if (r > 1 && n > r && memcmp(exe, root, (size_t)r) == 0 &&
	    exe[r] == '/')
		memmove(exe, exe + r, (size_t)(n - r) + 1);
}

void
dumped_read(struct dumped *d, const struct coresock *c, int procfd)
{
	int64_t code;

	*d = (struct dumped){.pid = c->pid,
	    .uid = c->uid,
	    .gid = c->gid,
	    .signal = c->signal,
	    .dumpmode = c->dumpmode,
	    .time = time(NULL),
	    .cpu = -1,
	    .pidfd = -1};
	find_thread(procfd, d);
	/* what wait(2) will say, but for the bit that a core was written */
	code = proc_stat_number(procfd, "stat", STAT_EXIT_CODE);
	if (d->signal == 0 && code > 0)
		d->signal = (int)(code & 0x7f);
	read_limit(procfd, d);
	proc_host(procfd, d->host);
	read_exe(procfd, d->exe);
}

void
dumped_id(const struct dumped *d, struct crash_id *id)
{
	crash_id_init(id);
	id->pid = d->pid > 0 ? d->pid : -1;
	id->tid = d->tid > 0 ? d->tid : -1;
	id->uid = d->uid;
	id->gid = d->gid;
	id->signal = d->signal > 0 ? d->signal : -1;
	id->dumpmode = d->dumpmode > 0 ? d->dumpmode : -1;
	id->time = d->time;
	id->pidfd = d->pidfd;
	if (d->limited)
		id->rlimit =
		    d->limit > INT64_MAX ? INT64_MAX : (int64_t)d->limit;
	memcpy(id->comm, d->comm, sizeof(id->comm));
	memcpy(id->host, d->host, sizeof(id->host));
}

/* --- what is made of it --------------------------------------------------- */

/* cn_esc_printf(): such that it is one component of a path. */
static int
put_escaped(struct buf *b, const char *text)
{
	size_t at = b->len;

	if (*text == '\0' || strcmp(text, ".") == 0)
		return buf_append(b, "!", 1);
	if (buf_append(b, text, strlen(text)) == -1)
		return -1;
	if (strcmp(text, "..") == 0)
		b->p[at] = '!';
	for (; at < b->len; at++)
		if (b->p[at] == '/')
			b->p[at] = '!';
	return 0;
}

static int
put_number(struct buf *b, int known, int64_t n)
{
	char text[24];

	if (!known)
		return 0;
	snprintf(text, sizeof(text), "%" PRId64, n);
	return buf_append(b, text, strlen(text));
}

/* Without a path it is called as the thread is. */
static int
put_exe(struct buf *b, const struct dumped *d, int whole)
{
	const char *name = strrchr(d->exe, '/');
	char unknown[CRASH_COMM_MAX + 16];

	if (*d->exe == '\0') {
		snprintf(
		    unknown, sizeof(unknown), "%s (path unknown)", d->comm);
		return put_escaped(b, unknown);
	}
	return put_escaped(b, whole || name == NULL ? d->exe : name + 1);
}

static int
put_limit(struct buf *b, const struct dumped *d)
{
	char text[24];

	if (!d->limited)
		return 0;
	snprintf(text, sizeof(text), "%" PRIu64, d->limit);
	return buf_append(b, text, strlen(text));
}

static int
put(struct buf *b, const struct dumped *d, char specifier)
{
	switch (specifier) {
	case '%':
		return buf_append(b, "%", 1);
	case 'p':
		return put_number(b, d->nspid > 0, d->nspid);
	case 'P':
		return put_number(b, d->pid > 0, d->pid);
	case 'i':
		return put_number(b, d->nstid > 0, d->nstid);
	case 'I':
		return put_number(b, d->tid > 0, d->tid);
	case 'u':
		return put_number(b, d->uid >= 0, d->uid);
	case 'g':
		return put_number(b, d->gid >= 0, d->gid);
	case 'd':
		return put_number(b, d->dumpmode > 0, d->dumpmode);
	case 's':
		return put_number(b, d->signal > 0, d->signal);
	case 't':
		return put_number(b, 1, d->time);
	case 'C':
		return put_number(b, d->cpu >= 0, d->cpu);
	case 'F':
		return put_number(b, d->pidfd >= 0, d->pidfd);
	case 'c':
		return put_limit(b, d);
	case 'h':
		return put_escaped(b, d->host);
	case 'e':
		return put_escaped(b, d->comm);
	case 'f':
		return put_exe(b, d, 0);
	case 'E':
		return put_exe(b, d, 1);
	default:
		return 0;
	}
}

int
specifier_expand(const struct dumped *d, const char *p, struct buf *b)
{
	size_t n;

	if (buf_append(b, "", 0) == -1) /* nothing is a word, too */
		return -1;
	for (; *p != '\0'; p += n) {
		n = strcspn(p, "%");
		if (n > 0) {
			if (buf_append(b, p, n) == -1)
				return -1;
			continue;
		}
		if (p[1] == '\0') /* a last % stands for nothing */
			break;
		if (put(b, d, p[1]) == -1)
			return -1;
		n = 2;
	}
	return 0;
}
