/*
 * target_proc: what a dying and a live process have in common: maps, memory
 * and module files out of /proc.
 */
#ifndef TARGET_TARGET_PROC_H
#define TARGET_TARGET_PROC_H

#include "proc/procinfo.h"
#include "target/target.h"

/* More module files than this are left closed; their module says so. */
enum { MODULE_FILES_MAX = 4096 };

/*
 * Parses the gathered maps (their text moves into the target), opens
 * /proc/PID/mem and, through /proc/PID/map_files (works for deleted and memfd
 * files and in other mount namespaces, proc(5)), the file of each module.
 * Where map_files may not be used (it takes CAP_CHECKPOINT_RESTORE) the name
 * is opened below /proc/PID/root and must be the same device and inode.
 * What is not on a local file system is opened under a deadline
 * (base/opener.h), and of its mappings only pages that are there are read from
 * memory, the others from that file. 0, or -1 with errno: then there is no
 * memory to read.
 * gently: of a process that lives on, which shall not grow by it, that is done
 * with all of its files, and memory that it never touched is known to be zeros.
 */
int
target_proc_open(int procfd, struct procinfo *, struct target *, int gently);

#endif
