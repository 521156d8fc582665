#include "slots/reader.h"

#include <errno.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "base/bytes.h"

#define ACL_ACCESS "system.posix_acl_access"

/* As the kernel takes it, little-endian: linux/posix_acl_xattr.h. */
enum {
	ACL_VERSION = 2,
	ACL_USER_OBJ = 0x01,
	ACL_USER = 0x02,
	ACL_GROUP_OBJ = 0x04,
	ACL_MASK = 0x10,
	ACL_OTHER = 0x20,
	ACL_READ = 4,
	HEAD = 4,
	ENTRY = 8,
	ENTRIES = 5,
	OVERFLOW_UID = 65534
};

static void
put_entry(unsigned char *p, unsigned tag, unsigned perm, uint32_t id)
{
	put32(p, tag | perm << 16);
	put32(p + 4, id);
}

int
reader_may(uint32_t uid, mode_t mode)
{
	return uid != 0 && uid != OVERFLOW_UID && uid != UINT32_MAX &&
	    (mode & S_IRGRP) != 0;
}

int
reader_let(int fd, uint32_t uid, mode_t mode)
{
	unsigned char acl[HEAD + ENTRIES * ENTRY], *p = acl + HEAD;

	put32(acl, ACL_VERSION);
	put_entry(p, ACL_USER_OBJ, mode >> 6 & 7, UINT32_MAX);
	put_entry(p + ENTRY, ACL_USER, ACL_READ, uid);
	put_entry(p + 2 * ENTRY, ACL_GROUP_OBJ, mode >> 3 & 7, UINT32_MAX);
	put_entry(p + 3 * ENTRY, ACL_MASK, mode >> 3 & 7, UINT32_MAX);
	put_entry(p + 4 * ENTRY, ACL_OTHER, mode & 7, UINT32_MAX);
	return fsetxattr(fd, ACL_ACCESS, acl, sizeof(acl), 0);
}

int
reader_open(int dirfd)
{
	struct stat st;

	if (fstat(dirfd, &st) == -1)
		return -1;
	return (st.st_mode & 0055) == 0055
	    ? 0
	    : fchmod(dirfd, (st.st_mode & 07777) | 0055);
}

int
reader_known(int dirfd)
{
	return fgetxattr(dirfd, ACL_ACCESS, NULL, 0) == -1 && errno != ENODATA
	    ? -1
	    : 0;
}
