/*
 * Why bpf(2) refused, in words: what rights the process has, what of the
 * verifier's log counts, and what a step lacks.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "base/io.h"
#include "base/num.h"
#include "bpf/bpfsys.h"
#include "proc/procdir.h"

enum { PERFMON = 38, BPF = 39 }; /* CAP_*, Linux 5.8 */

#define HAS_CAP(r, cap) ((r)->caps >> (cap)&1)

void
bpf_rights_parse(struct bpf_rights *r, const char *status, const char *uid_map,
    const char *lockdown)
{
	uint64_t first, outer, count;
	const char *s, *end;
	size_t len;

	memset(r, 0, sizeof(*r));
	r->caps = ~0ull;
	r->memlock = UINT64_MAX;
	if (status != NULL) {
		s = proc_status_field(status, strlen(status), "CapEff", &len);
		if (s != NULL)
			num_scan(s, s + len, 16, &r->caps, &end);
	}
	/* "0 0 4294967295" is the initial one, user_namespaces(7); a new one
	 * has none at first */
	if (uid_map != NULL)
		r->userns = sscanf(uid_map, "%" SCNu64 " %" SCNu64 " %" SCNu64,
				&first, &outer, &count) != 3 ||
		    first != 0 || outer != 0 || count != UINT32_MAX;
	if (lockdown != NULL && strstr(lockdown, "[confidentiality]") != NULL)
		r->lockdown = 2;
	else if (lockdown != NULL && strstr(lockdown, "[integrity]") != NULL)
		r->lockdown = 1;
}

void
bpf_rights_read(struct bpf_rights *r)
{
	static const char *const path[] = {"/proc/self/status",
	    "/proc/self/uid_map", "/sys/kernel/security/lockdown"};
	struct buf b[3] = {{0}};
	struct rlimit lim;
	const char *s[3];
	size_t i;

	for (i = 0; i < 3; i++)
		s[i] = io_slurp(AT_FDCWD, path[i], 65536, &b[i], NULL) == 0
		    ? b[i].p
		    : NULL;
	bpf_rights_parse(r, s[0], s[1], s[2]);
	if (getrlimit(RLIMIT_MEMLOCK, &lim) == 0 &&
	    lim.rlim_cur != RLIM_INFINITY)
		r->memlock = lim.rlim_cur;
	for (i = 0; i < 3; i++)
		buf_free(&b[i]);
}

void
bpf_log_line(const char *log, char *out, size_t n)
{
	const char *s, *last = "", *end;
	size_t len, lastlen = 0;

	/* "processed 9 insns ..." and what is indented are statistics */
	for (s = log == NULL ? "" : log; *s != '\0'; s = end + (*end == '\n')) {
		end = s + strcspn(s, "\n");
		len = (size_t)(end - s);
		if (len > 0 && *s != ' ' && strncmp(s, "processed ", 10) != 0 &&
		    strncmp(s, "verification time", 17) != 0 &&
		    strncmp(s, "stack depth", 11) != 0 &&
		    strncmp(s, "mark_precise", 12) != 0) {
			last = s;
			lastlen = len;
		}
	}
	snprintf(out, n, "%.*s", (int)(lastlen < 200 ? lastlen : 200), last);
}

/* EPERM: which right is it? */
static void
why_not(const struct bpf_rights *r, enum bpf_step step, char *out, size_t n)
{
	int bpf = HAS_CAP(r, BPF), perfmon = HAS_CAP(r, PERFMON);

	if (r->userns)
		snprintf(out, n,
		    "not in the initial user namespace, whose CAP_BPF and "
		    "CAP_PERFMON are needed");
	else if (!HAS_CAP(r, CAP_SYS_ADMIN) && (!bpf || !perfmon))
		snprintf(out, n, "%s missing (or CAP_SYS_ADMIN)",
		    bpf		  ? "CAP_PERFMON is"
			: perfmon ? "CAP_BPF is"
				  : "CAP_BPF and CAP_PERFMON are");
	else if (r->memlock != UINT64_MAX && step == BPF_STEP_RING)
		/* smaller maps could be made: it is not the call itself */
		snprintf(out, n,
		    "RLIMIT_MEMLOCK is too low for the ring buffer (%" PRIu64
		    " bytes) and may not be raised without CAP_SYS_RESOURCE",
		    r->memlock);
	else if (r->memlock != UINT64_MAX)
		snprintf(out, n,
		    "bpf(2) is refused by a security module or a seccomp "
		    "filter, or (before Linux 5.11) RLIMIT_MEMLOCK is too "
		    "low (%" PRIu64 " bytes)",
		    r->memlock);
	else
		snprintf(out, n,
		    "bpf(2) is refused by a security module or a seccomp "
		    "filter: no capability is missing");
}

void
bpf_reason(const struct bpf_rights *r, enum bpf_step step, int err,
    const char *log, char out[BPF_REASON])
{
	static const char *const what[] = {"make a BPF map",
	    "make the BPF ring buffer", "load the BPF program",
	    "attach to the tracepoint signal_deliver",
	    "map the BPF ring buffer"};
	char line[256];

	bpf_log_line(log, line, sizeof(line));
	if (err == ENOSYS)
		snprintf(out, BPF_REASON,
		    "the kernel has no bpf(2), or a seccomp filter hides it");
	else if (r->lockdown == 2 && (step == BPF_STEP_LOAD || err == EPERM))
		snprintf(out, BPF_REASON,
		    "the kernel is locked down (confidentiality): BPF "
		    "programs may not read memory");
	else if (err == EPERM || (err == EACCES && *line == '\0'))
		why_not(r, step, out, BPF_REASON);
	else if (step == BPF_STEP_RING && err == EINVAL)
		snprintf(out, BPF_REASON,
		    "the kernel has no BPF ring buffer: Linux 5.8 or later "
		    "is needed");
	else if (step == BPF_STEP_ATTACH && err == ENOENT)
		snprintf(out, BPF_REASON,
		    "the kernel has no tracepoint signal_deliver "
		    "(CONFIG_TRACEPOINTS)");
	else if (step == BPF_STEP_LOAD && *line != '\0')
		snprintf(out, BPF_REASON,
		    "the kernel refuses the BPF program: %s (%s)", line,
		    strerror(err));
	else
		snprintf(out, BPF_REASON, "unable to %s: %s", what[step],
		    strerror(err));
}
