#include "base/privdrop.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/io.h"

/* capset(2) has no wrapper in libc.  mask: effective and permitted. */
static int
set_caps(uint64_t mask)
{
	struct __user_cap_header_struct head = {
	    .version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {{0}};

	data[0].effective = data[0].permitted = (uint32_t)mask;
	data[1].effective = data[1].permitted = (uint32_t)(mask >> 32);
	return (int)syscall(SYS_capset, &head, data);
}

static uint64_t
permitted_caps(void)
{
	struct __user_cap_header_struct head = {
	    .version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {{0}};

	if (syscall(SYS_capget, &head, data) == -1)
		return 0;
	return (uint64_t)data[1].permitted << 32 | data[0].permitted;
}

/* Root that has lost its capabilities, as a command of recv_core's has, or of
 * a user namespace with few ids (unshare -r) cannot become another; what power
 * it has ends with its capabilities. */
static int
root_is_stuck(void)
{
	struct buf b = {0};
	int few;

	if ((permitted_caps() >> CAP_SETUID & 1) == 0)
		return 1;
	if (io_slurp(AT_FDCWD, "/proc/self/uid_map", 65536, &b, NULL) == -1)
		return 0;
	few = strstr(b.p, "4294967295") == NULL;
	buf_free(&b);
	return few;
}

static int left; /* all three uids are others than root's */
static int known;
static uid_t known_uid;

static int
leave_groups(gid_t gid)
{
	return setgroups(0, NULL) == -1 ? -1 : setresgid(gid, gid, gid);
}

static int
leave_uid(uid_t uid)
{
	known = 0;
	if (setresuid(uid, uid, uid) == -1)
		return -1;
	left = uid != 0;
	return 0;
}

static int
leave_root(uid_t uid, gid_t gid)
{
	return leave_groups(gid) == -1 ? -1 : leave_uid(uid);
}

uid_t
priv_uid(void)
{
	if (!known)
		known_uid = geteuid();
	known = 1;
	return known_uid;
}

#if defined(SANITIZED)
static int sealed;
int __lsan_is_turned_off(void);

/* LeakSanitizer asks at the end; it would trace us, and nobody may. */
int
__lsan_is_turned_off(void)
{
	return sealed;
}
#endif

static int
seal(void)
{
#if defined(SANITIZED)
	sealed = 1;
#endif
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		return -1;
	return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

int
priv_lose(void)
{
	if (set_caps(0) == -1)
		return -1;
	known = 0;
	if ((left || geteuid() != 0) && setuid(0) != -1)
		return fails(EPERM);
	return seal();
}

int
privdrop(uid_t uid, gid_t gid)
{
	if (geteuid() == 0 && leave_root(uid, gid) == -1 && !root_is_stuck())
		return -1;
	return priv_lose();
}

int
priv_keep(uid_t uid, gid_t gid, uint64_t caps)
{
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) == -1 ||
	    (geteuid() == 0 && leave_root(uid, gid) == -1 && !root_is_stuck()))
		return -1;
	/* EPERM where some are not there to keep */
	return set_caps(caps) == 0 ? 0 : set_caps(caps & permitted_caps());
}

int
priv_leave(uid_t id, void (*last)(void *), void *arg)
{
	int r;

	if (priv_uid() != 0) {
		last(arg);
		return 0;
	}
	r = leave_groups(id);
	/* EINVAL: this user namespace does not have it (setresuid(2)) */
	if (r == -1 && errno == EINVAL)
		r = leave_groups(id = NOBODY);
	if (r == -1 && !root_is_stuck())
		return -1;
	last(arg);
	if (r == -1)
		return 0;
	r = leave_uid(id);
	if (r == -1 && errno == EINVAL && id != NOBODY)
		r = leave_uid(NOBODY);
	/* where it has neither it has few */
	return r == 0 || errno == EINVAL || root_is_stuck() ? 0 : -1;
}

int
privdrop_but(uid_t uid, gid_t gid, uint64_t caps)
{
	return priv_keep(uid, gid, caps) == -1 ? -1 : seal();
}

int
priv_harden(void)
{
	struct rlimit none = {0, 0};

	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_CORE, &none);
	return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}
