/*
 * mounts: what kind of file system a path leads to, without touching it.
 *
 * The text is that of /proc/PID/mountinfo (proc(5)), whose blanks and
 * newlines in names are escaped; mount points are hostile.
 */
#ifndef PROC_MOUNTS_H
#define PROC_MOUNTS_H

#include <stddef.h>
#include <stdint.h>

enum { MOUNTS_MAX = 16 << 20 }; /* bytes of text that are read */

/*
 * The type of the mount a path is on, as far as its text tells (links are not
 * known of): a pointer into the text, *typelen bytes.  NULL: none is.
 */
const char *
mounts_type(const char *text, size_t len, const char *path, size_t *typelen);
/* The same of the mount of a device (major << 32 | minor, as in proc/maps.h).
 */
const char *
mounts_dev_type(const char *text, size_t len, uint64_t dev, size_t *typelen);
/*
 * Whether a file system of that type answers by itself: none that asks a
 * server, or another file system that may do so (overlay), or that is not known
 * here.  NULL is none.
 */
int mounts_is_local(const char *type, size_t len);
/*
 * Whether a look-up there may wait for ever on a program that any user can
 * have written: FUSE (but for fuseblk, which takes a block device), or a mount
 * still to be made (autofs).
 */
int mounts_may_hang(const char *text, size_t len, const char *path);
/* The same by the mounts of the process procfd, a directory of /proc; 1 when
 * they cannot be read. */
int mounts_of_may_hang(int procfd, const char *path);

#endif
