/*
 * cgroups: paths of cgroups (v2) by their ids.
 *
 * An id as bpf_get_current_cgroup_id() gives it is a file handle of cgroupfs
 * (fs/kernfs/mount.c), so it leads to the cgroup as long as that exists, also
 * when its last process has gone; cgroups(7), open_by_handle_at(2), which
 * needs CAP_DAC_READ_SEARCH.  Names are hostile.
 */
#ifndef PROC_CGROUPS_H
#define PROC_CGROUPS_H

#include <stdint.h>

struct cgroups;

/* NULL with errno: ENOMEM, or ENOENT where there is no cgroup v2. */
struct cgroups *cgroups_open(void);
void cgroups_close(struct cgroups *);
/* "/system.slice/x.service", valid until the next call; NULL when it is not
 * to be had. */
const char *cgroups_path(struct cgroups *, uint64_t id);

#endif
