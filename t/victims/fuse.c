/*
 * fuse self|other|served|args LIBRARY DIR [stay]: a crash in a library that a
 * program serves as DIR/libplug.so (FUSE): the one that crashes, another that
 * has stopped, or another that goes on to answer; or one anywhere, of a program
 * that has mapped a page of that over its arguments, and the server has
 * stopped.  With "stay" it says "ready" and stands still in place of crashing.
 * The mount is seen by us alone and goes with us.  Root's, for mount(2).
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "victim.h"

enum { ROOT = 1, FILE_NODE = 2, MOST = 1 << 16 };

static const char *image;
static size_t imagelen;
static int dev;

static void
reply(uint64_t unique, int err, const void *p, size_t n)
{
	static char b[MOST + sizeof(struct fuse_out_header)];
	struct fuse_out_header h = {
	    .len = (uint32_t)(sizeof(h) + n), .error = err, .unique = unique};

	memcpy(b, &h, sizeof(h));
	if (n > 0)
		memcpy(b + sizeof(h), p, n);
	(void)!write(dev, b, h.len);
}

static struct fuse_attr
attributes(uint64_t node)
{
	struct fuse_attr a = {.ino = node, .nlink = 1};

	a.mode = node == ROOT ? S_IFDIR | 0755 : S_IFREG | 0755;
	a.size = node == ROOT ? 0 : imagelen;
	return a;
}

static void
answer(const struct fuse_in_header *h)
{
	const struct fuse_read_in *in = (const void *)(h + 1);
	struct fuse_init_out init = {.major = FUSE_KERNEL_VERSION,
	    .minor = 31,
	    .max_write = MOST,
	    .time_gran = 1};
	struct fuse_entry_out entry = {.nodeid = FILE_NODE};
	struct fuse_attr_out attr = {0};
	struct fuse_open_out opened = {.fh = 1};
	size_t n;

	switch (h->opcode) {
	case FUSE_INIT:
		reply(h->unique, 0, &init, sizeof(init));
		return;
	case FUSE_LOOKUP:
		entry.attr = attributes(FILE_NODE);
		reply(h->unique, 0, &entry, sizeof(entry));
		return;
	case FUSE_GETATTR:
		attr.attr = attributes(h->nodeid);
		reply(h->unique, 0, &attr, sizeof(attr));
		return;
	case FUSE_OPEN:
	case FUSE_OPENDIR:
		reply(h->unique, 0, &opened, sizeof(opened));
		return;
	case FUSE_READ:
		n = in->offset < imagelen ? imagelen - in->offset : 0;
		n = n < in->size ? n : in->size;
		n = n < MOST ? n : MOST;
		reply(h->unique, 0, image + in->offset, n);
		return;
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
		return;
	default:
		reply(h->unique, -ENOSYS, NULL, 0);
	}
}

static void *
serve(void *unused)
{
	static char b[MOST + 4096];

	for (;;)
		if (read(dev, b, sizeof(b)) == -1 && errno == ENODEV)
			return unused;
		else
			answer((const void *)b);
}

static int
begin(const char *library, const char *dir)
{
	char options[96];
	int fd = open(library, O_RDONLY);
	struct stat st;

	if (fd == -1 || fstat(fd, &st) == -1)
		return -1;
	imagelen = (size_t)st.st_size;
	image = mmap(NULL, imagelen, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	dev = open("/dev/fuse", O_RDWR);
	if (image == MAP_FAILED || dev == -1 || unshare(CLONE_NEWNS) == -1 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == -1)
		return -1;
	snprintf(options, sizeof(options),
	    "fd=%d,rootmode=40000,user_id=0,group_id=0", dev);
	return mount("victim", dir, "fuse", 0, options);
}

static int
stop(pid_t server)
{
	return kill(server, SIGSTOP) == -1 ||
		waitpid(server, NULL, WUNTRACED) == -1
	    ? -1
	    : 0;
}

static void
wait_here(void)
{
	puts("ready");
	fflush(stdout);
	pause();
}

enum { PAGE = 4096, PADDED = 6 };

/* As before, with an argument that has a page for itself. */
static int
pad(char *argv[], int stay)
{
	static char padding[3 * PAGE], yes[] = "stay", no[] = "";
	char *padded[] = {
	    argv[0], argv[1], argv[2], argv[3], stay ? yes : no, padding, NULL};

	memset(padding, 'x', sizeof(padding) - 1);
	return execv("/proc/self/exe", padded);
}

NOINLINE static int
arguments_from(const char *dir, pid_t server, uintptr_t argument, int stay)
{
	char path[4096];
	void *p, *at = (void *)((argument + PAGE - 1) & ~(uintptr_t)(PAGE - 1));
	int fd;

	snprintf(path, sizeof(path), "%s/libplug.so", dir);
	fd = open(path, O_RDONLY);
	p = fd == -1
	    ? MAP_FAILED
	    : mmap(at, PAGE, PROT_READ, MAP_PRIVATE | MAP_FIXED, fd, 0);
	close(fd); /* which it would be told of */
	if (p == MAP_FAILED || stop(server) == -1)
		return 111;
	if (stay)
		wait_here();
	abort();
}

NOINLINE static int
outer(const char *dir, pid_t server, int stay)
{
	int (*run)(void);
	char path[4096];
	void *lib, *sym;
	int r;

	snprintf(path, sizeof(path), "%s/libplug.so", dir);
	lib = dlopen(path, RTLD_NOW);
	if (lib == NULL || (sym = dlsym(lib, "plug_run")) == NULL ||
	    chdir(dir) == -1)
		return 111;
	if (server > 0 && stop(server) == -1)
		return 111;
	if (stay)
		wait_here();
	memcpy(&run, &sym, sizeof(run));
	r = run();
	KEEP();
	return r;
}

int
main(int argc, char *argv[])
{
	pthread_t thread;
	pid_t server = 0;

	if (argc < 4)
		return 100;
	if (strcmp(argv[1], "args") == 0 && argc < PADDED)
		return pad(argv, argc > 4);
	if (begin(argv[2], argv[3]) == -1)
		return 111;
	if (strcmp(argv[1], "self") == 0) {
		if (pthread_create(&thread, NULL, serve, NULL) != 0)
			return 111;
	} else if ((server = fork()) == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		serve(NULL);
		_exit(0);
	} else
		close(dev);
	if (strcmp(argv[1], "args") == 0)
		return arguments_from(argv[3], server, (uintptr_t)argv[5],
		    strcmp(argv[4], "stay") == 0);
	return outer(
	    argv[3], strcmp(argv[1], "other") == 0 ? server : 0, argc > 4);
}
