#include "base/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#if __has_include(<linux/landlock.h>)
#include <linux/landlock.h>
#endif
#include <linux/net.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/child.h"
#include "base/deadline.h"
#include "base/msg.h"
#include "base/privdrop.h"
#include "base/seccomp.h"

enum {
	REWRITE = SANDBOX_REPORT | SANDBOX_SEND | SANDBOX_STORE,
	ALL = REWRITE | SANDBOX_FEED | SANDBOX_LOG,
	SEND = SANDBOX_SEND,
	STORE = SANDBOX_STORE,
	LOG = SANDBOX_LOG,
	KEEPERS = STORE | LOG,
	CONFINED = 1 << 16,    /* has a tree, and nothing beside it */
	UID_BASE = 0x7f000000, /* above what systemd(1) and shadow give away */
	/* not O_ACCMODE, to which musl counts O_PATH */
	NOT_READING = O_WRONLY | O_RDWR | O_CREAT | O_TRUNC | O_APPEND |
	    (O_TMPFILE & ~O_DIRECTORY)
};

/*
 * Who may call what.  The busiest first: a filter is walked from its start.
 * Memory that can be executed is nobody's; a path is looked up by none but
 * open(2), and only where a tree was given; but by who keeps a store.
 */
#define CHROOT (UINT64_C(1) << CAP_SYS_CHROOT)
#define READ_ANY (UINT64_C(1) << CAP_DAC_READ_SEARCH)

/* PAGEMAP_SCAN of linux/fs.h, Linux 6.7 */
#define SCAN_REQUEST ((uint32_t)_IOWR('f', 16, uint64_t[12]))

static const struct seccomp_rule rules[] = {
    {SYS_pread64, ALL, SC_ANY, 0, 0, 0},
    {SYS_read, ALL, SC_ANY, 0, 0, 0},
    {SYS_write, ALL, SC_ANY, 0, 0, 0},
    {SYS_rt_sigprocmask, ALL, SC_ANY, 0, 0, 0}, /* libunwind's locks */
    {SYS_lseek, ALL, SC_ANY, 0, 0, 0},
    {SYS_preadv, ALL, SC_ANY, 0, 0, 0},
#if defined(SYS_preadv2)
    {SYS_preadv2, ALL, SC_ANY, 0, 0, 0},
#endif
    {SYS_readv, ALL, SC_ANY, 0, 0, 0},
    {SYS_writev, ALL, SC_ANY, 0, 0, 0},
    {SYS_pwrite64, REWRITE, SC_ANY, 0, 0, 0},
    {SYS_ftruncate, REWRITE, SC_ANY, 0, 0, 0},
    {SYS_close, ALL, SC_ANY, 0, 0, 0},
#if defined(SYS_mmap) && !defined(SYS_mmap2)
    {SYS_mmap, ALL, SC_NONE, 2, PROT_EXEC, 0},
#endif
#if defined(SYS_mmap2)
    {SYS_mmap2, ALL, SC_NONE, 2, PROT_EXEC, 0},
#endif
    {SYS_mprotect, ALL, SC_NONE, 2, PROT_EXEC, 0},
    {SYS_munmap, ALL, SC_ANY, 0, 0, 0},
    {SYS_mremap, ALL, SC_ANY, 0, 0, 0},
    {SYS_madvise, ALL, SC_ANY, 0, 0, 0},
    {SYS_mincore, ALL, SC_ANY, 0, 0, 0}, /* libunwind: is it mapped? */
    {SYS_brk, ALL, SC_ANY, 0, 0, 0},
#if defined(SYS_fstat)
    {SYS_fstat, ALL, SC_ANY, 0, 0, 0},
#endif
#if defined(SYS_fstat64)
    {SYS_fstat64, ALL, SC_ANY, 0, 0, 0},
#endif
#if defined(SYS_newfstatat) /* fstat(3) of glibc */
    {SYS_newfstatat, ALL, SC_ALL, 3, AT_EMPTY_PATH, 0},
#endif
#if defined(SYS_statx)
    {SYS_statx, ALL, SC_ALL, 2, AT_EMPTY_PATH, 0},
#endif
#if defined(SYS_poll)
    {SYS_poll, ALL, SC_ANY, 0, 0, 0},
#endif
    {SYS_ppoll, ALL, SC_ANY, 0, 0, 0},
    {SYS_futex, ALL, SC_ANY, 0, 0, 0},
    {SYS_pipe2, ALL, SC_ANY, 0, 0, 0}, /* libunwind: can it be read? */
    {SYS_memfd_create, ALL, SC_ANY, 0, 0, 0},
    {SYS_fcntl, ALL, SC_EQUAL, 1, F_GETFL, 0},
    {SYS_fcntl, REWRITE, SC_EQUAL, 1, F_SETFL, 0},
    {SYS_fcntl, ALL, SC_EQUAL, 1, F_GETFD, 0},
    {SYS_fcntl, ALL, SC_EQUAL, 1, F_SETFD, 0},
    {SYS_clock_gettime, ALL, SC_ANY, 0, 0, 0},
    {SYS_gettimeofday, ALL, SC_ANY, 0, 0, 0},
#if defined(SYS_time)
    {SYS_time, ALL, SC_ANY, 0, 0, 0},
#endif
    {SYS_nanosleep, ALL, SC_ANY, 0, 0, 0},
    {SYS_clock_nanosleep, ALL, SC_ANY, 0, 0, 0},
    {SYS_restart_syscall, ALL, SC_ANY, 0, 0, 0},
    {SYS_uname, ALL, SC_ANY, 0, 0, 0},
    /* qsort(3) of glibc, of more than a kilobyte: is there memory? */
    {SYS_sysinfo, ALL, SC_ANY, 0, 0, 0},
    {SYS_getrandom, ALL, SC_ANY, 0, 0, 0},
    {SYS_getpid, ALL, SC_ANY, 0, 0, 0},
    {SYS_gettid, ALL, SC_ANY, 0, 0, 0},
    {SYS_geteuid, ALL, SC_ANY, 0, 0, 0},
    {SYS_getrusage, ALL, SC_ANY, 0, 0, 0},
    {SYS_sched_yield, ALL, SC_ANY, 0, 0, 0},
    {SYS_rt_sigreturn, ALL, SC_ANY, 0, 0, 0},
    {SYS_rt_sigaction, ALL, SC_ANY, 0, 0, 0}, /* abort(3) */
    {SYS_tgkill, ALL, SC_SELF, 0, 0, 0},
#if defined(SYS__llseek) /* 32-bit machines, and PowerPC */
    {SYS__llseek, ALL, SC_ANY, 0, 0, 0},
#endif
#if defined(SYS_sigreturn)
    {SYS_sigreturn, ALL, SC_ANY, 0, 0, 0},
#endif
#if defined(SYS_fcntl64) /* 32-bit machines */
    {SYS_ftruncate64, REWRITE, SC_ANY, 0, 0, 0},
    {SYS_fcntl64, ALL, SC_EQUAL, 1, F_GETFL, 0},
    {SYS_fcntl64, REWRITE, SC_EQUAL, 1, F_SETFL, 0},
    {SYS_fcntl64, ALL, SC_EQUAL, 1, F_GETFD, 0},
    {SYS_fcntl64, ALL, SC_EQUAL, 1, F_SETFD, 0},
#endif
#if defined(SYS_clock_gettime64) /* with the time beyond 2038 */
    {SYS_clock_gettime64, ALL, SC_ANY, 0, 0, 0},
    {SYS_clock_nanosleep_time64, ALL, SC_ANY, 0, 0, 0},
    {SYS_ppoll_time64, ALL, SC_ANY, 0, 0, 0},
    {SYS_futex_time64, ALL, SC_ANY, 0, 0, 0},
#endif
#if defined(SYS_fstatat64)
    {SYS_fstatat64, ALL, SC_ALL, 3, AT_EMPTY_PATH, 0},
#endif
    /* files that were opened for it */
    {SYS_recvmsg, SANDBOX_REPORT | SEND | SANDBOX_FEED, SC_ANY, 0, 0, 0},
    /* a core's pages: which are there, and the one that all have alike */
    {SYS_ioctl, SEND, SC_EQUAL, 1, SCAN_REQUEST, 0},
    {SYS_process_vm_readv, SEND, SC_SELF, 0, 0, 0},
    /* the core's pipe, larger, and let go */
    {SYS_fcntl, SEND, SC_EQUAL, 1, F_GETPIPE_SZ, 0},
    {SYS_fcntl, SEND, SC_EQUAL, 1, F_SETPIPE_SZ, 0},
#if defined(SYS_fcntl64)
    {SYS_fcntl64, SEND, SC_EQUAL, 1, F_GETPIPE_SZ, 0},
    {SYS_fcntl64, SEND, SC_EQUAL, 1, F_SETPIPE_SZ, 0},
#endif
    {SYS_dup3, SEND, SC_ANY, 0, 0, 0},
#if defined(SYS_dup2) /* dup3(2) of musl, without flags */
    {SYS_dup2, SEND, SC_ANY, 0, 0, 0},
#endif
    /* a connection, never elsewhere than where it leads */
    {SYS_recvfrom, STORE, SC_ANY, 0, 0, 0},
    {SYS_sendto, STORE, SC_NULL, 4, 0, 0},
    {SYS_shutdown, STORE, SC_ANY, 0, 0, 0},
#if defined(SYS_recv)
    {SYS_recv, STORE, SC_ANY, 0, 0, 0},
    {SYS_send, STORE, SC_ANY, 0, 0, 0},
#endif
#if defined(SYS_socketcall) /* by the numbers of linux/net.h */
    {SYS_socketcall, SANDBOX_REPORT | SEND | SANDBOX_FEED, SC_EQUAL, 0,
	SYS_RECVMSG, 0},
    {SYS_socketcall, LOG, SC_EQUAL, 0, SYS_SENDMSG, 0},
    {SYS_socketcall, STORE, SC_EQUAL, 0, SYS_SEND, 0},
    {SYS_socketcall, STORE, SC_EQUAL, 0, SYS_RECV, 0},
    {SYS_socketcall, STORE, SC_EQUAL, 0, SYS_SHUTDOWN, 0},
#endif
    /* a log: files that nobody else may write, nobody may run; they are
     * handed to who writes them */
    {SYS_openat, LOG, SC_NONE, 3, 07137, 0},
    {SYS_sendmsg, LOG, SC_ANY, 0, 0, 0},
    /* a store: files that nobody else may write or run */
    {SYS_openat, STORE, SC_NONE, 3, 07177, 0},
    {SYS_flock, STORE, SC_ANY, 0, 0, 0},
#if defined(SYS_sync_file_range)
    {SYS_sync_file_range, STORE, SC_ANY, 0, 0, 0},
#endif
#if defined(SYS_sync_file_range2) /* where 64-bit arguments need pairs */
    {SYS_sync_file_range2, STORE, SC_ANY, 0, 0, 0},
#endif
    {SYS_fsync, STORE, SC_ANY, 0, 0, 0},
    {SYS_fstatfs, SEND | STORE, SC_ANY, 0, 0, 0},
#if defined(SYS_fstatfs64)
    {SYS_fstatfs64, SEND | STORE, SC_ANY, 0, 0, 0},
#endif
#if defined(SYS_newfstatat)
    {SYS_newfstatat, KEEPERS, SC_ANY, 0, 0, 0},
#endif
#if defined(SYS_fstatat64)
    {SYS_fstatat64, KEEPERS, SC_ANY, 0, 0, 0},
#endif
#if defined(SYS_statx)
    {SYS_statx, KEEPERS, SC_ANY, 0, 0, 0},
#endif
    {SYS_faccessat, STORE, SC_ANY, 0, 0, 0},
#if defined(SYS_faccessat2)
    {SYS_faccessat2, STORE, SC_ANY, 0, 0, 0},
#endif
    {SYS_getdents64, STORE, SC_ANY, 0, 0, 0},
    {SYS_fchmod, STORE, SC_EQUAL, 1, 0440, 0},
    {SYS_fchmod, STORE, SC_EQUAL, 1, 0600, 0},
    {SYS_mkdirat, STORE, SC_ANY, 0, 0, 0},
    {SYS_unlinkat, STORE, SC_ANY, 0, 0, 0},
#if defined(SYS_renameat)
    {SYS_renameat, KEEPERS, SC_ANY, 0, 0, 0},
#endif
    {SYS_renameat2, KEEPERS, SC_ANY, 0, 0, 0},
    {SYS_linkat, STORE, SC_ANY, 0, 0, 0},
    {SYS_symlinkat, STORE, SC_ANY, 0, 0, 0},
    {SYS_exit, ALL, SC_ANY, 0, 0, 0},
    {SYS_exit_group, ALL, SC_ANY, 0, 0, 0},
    /* strftime(3) looks for its zone; the tree alone is to be had */
    {SYS_openat, CONFINED, SC_NONE, 2, NOT_READING, 0},
    {SYS_openat, ALL, SC_NONE, 2, NOT_READING, EACCES},
#if defined(SYS_open) /* open(3) of musl */
    {SYS_open, CONFINED, SC_NONE, 1, NOT_READING, 0},
    {SYS_open, ALL, SC_NONE, 1, NOT_READING, EACCES},
#endif
#if defined(SANITIZED) /* what their runtimes do besides */
    {SYS_sigaltstack, ALL, SC_ANY, 0, 0, 0},
    {SYS_prctl, ALL, SC_ANY, 0, 0, 0},
    {SYS_readlinkat, ALL, SC_ANY, 0, 0, 0},
    {SYS_sched_getaffinity, ALL, SC_ANY, 0, 0, 0},
#if defined(SYS_readlink)
    {SYS_readlink, ALL, SC_ANY, 0, 0, 0},
    {SYS_stat, ALL, SC_ANY, 0, 0, 0},
#endif
#endif
};

/* At most that; a bound that is lower already stays. */
static int
limit(int which, rlim_t most)
{
	struct rlimit r = {most, most}, was;

	/* nearly always there was none: one call */
	if (prlimit(0, which, &r, &was) == 0) {
		if (was.rlim_max >= most && was.rlim_cur >= most)
			return 0;
	} else if (getrlimit(which, &was) == -1)
		return -1;
	r.rlim_max = was.rlim_max < most ? was.rlim_max : most;
	r.rlim_cur = was.rlim_cur < r.rlim_max ? was.rlim_cur : r.rlim_max;
	return setrlimit(which, &r);
}

static int
limit_all(const struct sandbox_bounds *b)
{
	if (limit(RLIMIT_CORE, 0) == -1)
		return -1;
	if (b->file > 0 && limit(RLIMIT_FSIZE, (rlim_t)b->file) == -1)
		return -1;
	if (b->cpu_s > 0 && limit(RLIMIT_CPU, b->cpu_s) == -1)
		return -1;
#if !defined(SANITIZED) /* AddressSanitizer maps terabytes, and forks */
	if (b->memory > 0 && limit(RLIMIT_AS, (rlim_t)b->memory) == -1)
		return -1;
#endif
	return 0;
}

#if defined(SYS_landlock_create_ruleset)
/* landlock(7), Linux 5.13: what the role does below treefd is all that is
 * left. */
static int
landlock(enum sandbox_role role, int treefd)
{
	struct landlock_ruleset_attr all = {
	    .handled_access_fs = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1};
	struct landlock_path_beneath_attr tree = {
	    .allowed_access =
		LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR,
	    .parent_fd = treefd};
	int fd, r;

	if (role & KEEPERS)
		tree.allowed_access |= LANDLOCK_ACCESS_FS_WRITE_FILE |
		    LANDLOCK_ACCESS_FS_REMOVE_FILE |
		    LANDLOCK_ACCESS_FS_REMOVE_DIR |
		    LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_DIR |
		    LANDLOCK_ACCESS_FS_MAKE_SYM;
	fd = (int)syscall(SYS_landlock_create_ruleset, &all, sizeof(all), 0);
	if (fd == -1)
		return -1;
	r = (int)syscall(
	    SYS_landlock_add_rule, fd, LANDLOCK_RULE_PATH_BENEATH, &tree, 0);
	if (r == 0)
		r = (int)syscall(SYS_landlock_restrict_self, fd, 0);
	close(fd);
	return r;
}
#else
static int
landlock(enum sandbox_role role, int treefd)
{
	(void)role;
	(void)treefd;
	return -1;
}
#endif

int
sandbox_approach(int read_any)
{
	uint64_t caps = CHROOT | (read_any ? READ_ANY : 0);
	uid_t own = UID_BASE + (uid_t)getpid();

	/* EINVAL: this user namespace does not have it (setresuid(2)) */
	if (privdrop_but(own, own, caps) == 0)
		return 0;
	return errno == EINVAL ? privdrop_but(NOBODY, NOBODY, caps) : -1;
}

struct way { /* in */
	const struct sandbox_bounds *b;
	int rooted, treeless;
};

/* The tree as the root directory, as far as that may be had. */
static void
take_root(void *arg)
{
	struct way *w = arg;
	const struct sandbox_bounds *b = w->b;

	if (b->tree == NULL) {
		w->rooted = b->rooted ||
		    (b->treefd != -1 && fchdir(b->treefd) == 0 &&
			chroot(".") == 0);
		return;
	}
	w->rooted = chroot(b->tree) == 0 && chdir("/") == 0;
	w->treeless = !w->rooted && (errno == ENOENT || errno == ENOTDIR);
}

static int
become(enum sandbox_role role, struct way *w, pid_t self)
{
	const struct sandbox_bounds *b = w->b;

	if ((role & KEEPERS) == 0)
		return priv_leave(UID_BASE + (uid_t)self, take_root, w);
	if (priv_keep(b->uid, b->gid, CHROOT) == -1)
		return -1;
	take_root(w);
	return 0;
}

/* Where it could not become the root. */
static int
fence_off(enum sandbox_role role, const struct way *w)
{
	int fd, r;

	if (w->b->tree == NULL)
		return w->b->treefd == -1 ? -1 : landlock(role, w->b->treefd);
	if (w->treeless)
		return -1;
	fd = open(w->b->tree, O_PATH | O_DIRECTORY | O_CLOEXEC);
	r = fd == -1 ? -1 : landlock(role, fd);
	if (fd != -1)
		close(fd);
	return r;
}

int
sandbox_enter(enum sandbox_role role, const struct sandbox_bounds *b,
    pid_t parent, const char **why)
{
	struct way w = {.b = b};
	pid_t self = getpid();
	unsigned bits = role;

	_Static_assert(
	    NELEM(rules) <= SECCOMP_RULES, "more rules than a filter takes");
	*why = NULL;
	if (limit_all(b) == -1 || become(role, &w, self) == -1)
		return -1;
	if (priv_lose() == -1)
		return -1;
	if (w.rooted || fence_off(role, &w) == 0)
		bits |= CONFINED;
	else if (role & KEEPERS)
		*why = "its directory is not all that a keeper of files can "
		       "reach here";
	/* a change of ids takes the first back (prctl(2)) */
	if (parent > 0 && prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == -1)
		return -1;
	if (parent > 0 && getppid() != parent) {
		errno = ESRCH;
		return -1;
	}
	if (limit(RLIMIT_NPROC, 0) == -1)
		return -1;
	if (seccomp_shut(rules, NELEM(rules), bits, self) == -1) {
		if (errno != ENOSYS)
			return -1;
		*why = "no system call filter on this machine or kernel";
	}
	return w.rooted ? SANDBOX_ROOTED : w.treeless ? SANDBOX_TREELESS : 0;
}

const char *
sandbox_violation(int status)
{
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
		return "it did what its sandbox forbids, and was killed";
	return NULL;
}

const char *
sandbox_await(pid_t worker, int wait_s, char *text, size_t len, int *there)
{
	int status, r;

	r = child_end(worker, deadline_in((int64_t)wait_s * 1000), &status);
	*there = r == -1;
	if (r != 0)
		snprintf(text, len, "not done after %d seconds%s", wait_s,
		    *there ? ", and cannot be killed" : "");
	else if (sandbox_violation(status) != NULL)
		snprintf(
		    text, len, "the worker: %s", sandbox_violation(status));
	else if (WIFSIGNALED(status))
		snprintf(text, len, "the worker died of signal %d",
		    WTERMSIG(status));
	else if (WEXITSTATUS(status) != EXIT_DONE)
		snprintf(text, len, "the worker failed");
	else
		return NULL;
	return text;
}
