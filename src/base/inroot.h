/*
 * inroot: files below a directory that stands for the root, of another machine
 * or of a container.
 *
 * Names and links there are hostile: an absolute link means that root, and no
 * ".." leads out of it.
 */
#ifndef BASE_INROOT_H
#define BASE_INROOT_H

/* An O_PATH descriptor of rootfd/path, links followed, or -1 with errno. */
int inroot_path(int rootfd, const char *path);
/* The same opened for reading if it is a regular file, ENODEV otherwise. */
int inroot_open(int rootfd, const char *path);
/* inroot_path() for kernels without openat2(2), before 5.6, step by step.  It
 * is safe as long as nobody moves directories meanwhile. */
int inroot_walk(int rootfd, const char *path);

#endif
