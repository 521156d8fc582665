/*
 * perfring: the kernel's reports of mappings, exec, fork and exit, from one
 * ring per CPU (perf_event_open(2), a dummy software event).
 *
 * CPUs come and go: perfring_cpus() follows the kernel's list of those that
 * are online.  Which of them there are is not assumed to be a range.
 */
#ifndef TRACK_PERFRING_H
#define TRACK_PERFRING_H

#include <stddef.h>

struct perfring;

struct perfring_opts {
	size_t bytes;	  /* of each ring, a power of 2; halved as long as the
			     kernel grants no more */
	size_t wakeup;	  /* readable from so many bytes on */
	int data;	  /* what is not executable, too */
	int inodes;	  /* no build-ids */
	const char *cpus; /* list of CPUs online; NULL: that of sysfs */
};

/*
 * Opens a ring for each CPU.  NULL with errno: EACCES or EPERM may not
 * (perf_event_paranoid of proc(5)), ENOENT or ENOSYS not in this kernel,
 * EINVAL a kernel too old to tell the time of a record our way.
 */
struct perfring *perfring_open(const struct perfring_opts *);
void perfring_close(struct perfring *);
/* An epoll(7) descriptor: readable when one of the rings is. */
int perfring_fd(const struct perfring *);
unsigned perfring_ncpus(const struct perfring *);
/*
 * Hands on each record that lies there, of one CPU after the other; a record
 * is good until the function returns.  That one returns -1 to stop: the rest
 * stays.  *full is set when a ring was so full that some may be lost, of which
 * the kernel tells only with the next record.  0, or -1 when stopped.
 */
int perfring_read(struct perfring *,
    int (*record)(void *ctx, const void *, size_t), void *ctx, int *full);
/* Opens rings for CPUs that have come, gives up those of CPUs that have gone
 * (once empty).  How many came (what they did so far is not known). */
int perfring_cpus(struct perfring *);

#endif
