/*
 * io: reads and writes that finish, and a byte buffer that grows.
 *
 * All of it retries EINTR.  Errors are -1 with errno; nothing here logs.
 */
#ifndef BASE_IO_H
#define BASE_IO_H

#include <dirent.h>
#include <stdalign.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct buf {
	char *p; /* NUL-terminated after buf_append/io_slurp */
	size_t len, cap;
};

/* Room for n more bytes and a NUL; -1 ENOMEM.  The buffer stays valid. */
int buf_reserve(struct buf *, size_t n);
int buf_append(struct buf *, const void *, size_t n);
void buf_free(struct buf *);

/* Closes and forgets a descriptor, -1 as well; errno stays. */
void io_close(int *fd);
/*
 * After io_later(1) what io_done() is given, and what io_slurp() opened, stays
 * open until io_later(0), which closes it, in one call what follows one
 * another; or until there is much of it, or to the end.  What it was before.
 * errno stays.
 */
int io_later(int on);
void io_done(int fd);
/* In a child that has closed what was to be closed: as at the beginning. */
void io_forget(void);
/* The directory dirfd/name, no link, from its beginning; NULL. */
DIR *io_opendir(int dirfd, const char *name);
/*
 * The names in one, where each call counts: readdir(3) asks four times what it
 * has, and has room for 32 KiB.  -1; NULL at the end, or where it cannot be
 * read on.
 */
struct io_dir {
	int fd;
	int full; /* each piece has all there is room for, as those of /proc:
		     a shorter one is the last */
	size_t at, have;
	alignas(8) char entries[2048];
};
int io_dir_open(struct io_dir *, int dirfd, const char *name);
const char *io_dir_next(struct io_dir *);
/* Bytes read, short only at end of file; -1 on error. */
ssize_t io_read_full(int fd, void *, size_t);
ssize_t io_pread_full(int fd, void *, size_t, uint64_t off);
/* 0, or -1 when not all could be written. */
int io_write_full(int fd, const void *, size_t);
/*
 * Opens dirfd/path for reading if it is a regular file (links are followed),
 * ENODEV otherwise.  Looks first, through a descriptor that opens nothing: to
 * open a device or a FIFO is to do something to it already.
 */
int io_open_regular(int dirfd, const char *path);
/* The second half of that, for what was opened with O_PATH by other means;
 * closes it in any case. */
int io_reopen_regular(int pathfd);
/*
 * Appends the whole of dirfd/path to the buffer.  Reads at most max bytes and
 * sets *cut (when not NULL) if there was more.  Follows symbolic links: meant
 * for /proc.  On error the buffer has what it had; an empty one is freed.
 */
int io_slurp(int dirfd, const char *path, size_t max, struct buf *, int *cut);
/* The same of a file that a short read(2) is the end of: a regular one, one of
 * /proc that is made as a whole (status and most, not maps or mountinfo). */
int
io_slurp_once(int dirfd, const char *path, size_t max, struct buf *, int *cut);

#endif
