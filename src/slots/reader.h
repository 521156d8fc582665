/*
 * reader: a report that whose crash it was may read.
 *
 * By a POSIX ACL, acl(5), beside owner and group, which stay root's.  It is
 * given by the file's descriptor before the file has a name.
 */
#ifndef SLOTS_READER_H
#define SLOTS_READER_H

#include <stdint.h>
#include <sys/types.h>

/*
 * Whether there is somebody to give it to: not root, who reads it anyhow, nor
 * 65534, which is what a uid is called that has no name here and what daemons
 * share; nor where the group may not read it, whose process had secrets.
 */
int reader_may(uint32_t uid, mode_t mode);
/* Gives it, and leaves the mode as it was.  -1: EOPNOTSUPP, the file system
 * has no ACLs. */
int reader_let(int fd, uint32_t uid, mode_t mode);
/* Lets everybody look into the directory; names and times are told by that. */
int reader_open(int dirfd);
/* 0 where the file system of that directory has ACLs; -1 with errno. */
int reader_known(int dirfd);

#endif
