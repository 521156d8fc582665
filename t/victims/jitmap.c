/*
 * jitmap: code in no file, and a map of it as perf(1) reads it.
 *
 *   jitmap KIND DIR [crash]  KIND file, link (to a file in DIR), fifo, old (of
 *   long ago); then waits in that code, or faults there.
 *
 * case: file | SIGSEGV SEGV_MAPERR 0x0 | made_here calls main
 */
#include <sys/mman.h>
#include <sys/stat.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "victim.h"

#if defined(__x86_64__)
/* push %rbp; mov %rsp,%rbp; mov $34,%eax; syscall; jmp back: pause(2) */
static const unsigned char waits[] = {
    0x55, 0x48, 0x89, 0xe5, 0xb8, 0x22, 0, 0, 0, 0x0f, 0x05, 0xeb, 0xf7};
/* the same beginning; xor %eax,%eax; mov %eax,(%rax) */
static const unsigned char faults[] = {
    0x55, 0x48, 0x89, 0xe5, 0x31, 0xc0, 0x89, 0x00};
#else
/* stp x29,x30,[sp,-16]!; mov x29,sp; mov x0..x3,0; mov x8,73; svc; b back */
static const unsigned waits[] = {0xa9bf7bfd, 0x910003fd, 0xd2800000, 0xd2800001,
    0xd2800002, 0xd2800003, 0xd2800928, 0xd4000001, 0x17fffffa};
static const unsigned faults[] = {
    0xa9bf7bfd, 0x910003fd, 0xd2800000, 0xb9000000};
#endif

static int
put_map(const char *kind, const char *dir, const void *code)
{
	struct timespec long_ago[2] = {{.tv_sec = 1}, {.tv_sec = 1}};
	char name[64], path[4096];
	FILE *f;

	snprintf(name, sizeof(name), "/tmp/perf-%d.map", (int)getpid());
	snprintf(path, sizeof(path), "%s/elsewhere", dir);
	unlink(name);
	if (strcmp(kind, "fifo") == 0)
		return mkfifo(name, 0600);
	if (strcmp(kind, "link") == 0 && symlink(path, name) == -1)
		return -1;
	f = fopen(name, "w");
	if (f == NULL)
		return -1;
	fprintf(f, "0 1000000000000 covered_later\n%lx 40 made_here\n",
	    (unsigned long)code);
	fclose(f);
	return strcmp(kind, "old") == 0 ? utimensat(AT_FDCWD, name, long_ago, 0)
					: 0;
}

NOINLINE static void
calls(void (*code)(void))
{
	code();
	KEEP();
}

int
main(int argc, char **argv)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	void (*code)(void);

	if (argc < 3 || p == MAP_FAILED || put_map(argv[1], argv[2], p) == -1)
		return 1;
	memcpy(p, argc > 3 ? (const void *)faults : waits,
	    argc > 3 ? sizeof(faults) : sizeof(waits));
	__builtin___clear_cache(p, (char *)p + 4096);
	memcpy(&code, &p, sizeof(code));
	puts("ready");
	fflush(stdout);
	calls(code);
	return 0;
}
